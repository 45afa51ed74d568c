// What was measured goes into results.json, and from there into docs/measured.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { markdown } from './table.mjs'

const root = join(import.meta.dirname, '../..')
const file = join(root, 'bench/quality/results.json')

export function record(key, value) {
  const results = { ...JSON.parse(readFileSync(file, 'utf8')), [key]: value }
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`)
  writeFileSync(join(root, 'docs/measured.md'), markdown(results))
}
