import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { folderWith } from '../config/files.ts'
import { assay } from './harness.ts'

const golden = join(import.meta.dirname, '../golden/expected')
const report = join(golden, 'poisoned-tabular/report.json')
const entriesOf = async (file: string) =>
  JSON.parse(await readFile(file, 'utf8')).findings as { rule: string; count: number; maxCount: number }[]

describe('assay baseline', () => {
  test('update writes what the report found, and a second one changes nothing', async () => {
    const file = join(await folderWith({}), 'known.json')
    expect((await assay(['baseline', 'update', report, '--out', file, '--margin', '10%'])).stdout).toContain(
      '3 known findings (3 new, 0 changed',
    )
    const first = await readFile(file, 'utf8')
    expect((await entriesOf(file)).map((e) => e.maxCount - e.count >= 0)).toEqual([true, true, true])
    expect((await assay(['baseline', 'update', report, '--out', file])).stdout).toContain('(0 new, 0 changed, 3 as before)')
    expect(await readFile(file, 'utf8')).toBe(first)
  })

  test('prune drops what a later report no longer finds', async () => {
    const file = join(await folderWith({}), 'known.json')
    await assay(['baseline', 'update', report, '--out', file])
    const ran = await assay(['baseline', 'prune', join(golden, 'clean-tabular'), '--out', file])
    expect([ran.code, ran.stdout.split('\n')[0]?.replace(/.*: /, '')]).toEqual([0, '2 stale findings dropped, 1 known finding left'])
  })

  test('takes nothing from an audit without a verdict', async () => {
    const file = join(await folderWith({}), 'known.json')
    const ran = await assay(['baseline', 'update', join(golden, 'incomplete/report.json'), '--out', file])
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining('incomplete')])
  })

  test('a list that is no list is an error with its line', async () => {
    const file = join(await folderWith({ 'known.json': '{ "version": 1, "findings": [{ "rule": 3 }] }' }), 'known.json')
    const ran = await assay(['baseline', 'update', report, '--out', file])
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringMatching(/known\.json:1:\d+: findings\[0\]\.rule/)])
  })

  test('known findings from inside the delivery are refused', async () => {
    const folder = await folderWith({ 'pipeline.yaml': 'version: 1\nsources: [{ path: data }]\ngate: { known: data/known.json }\n' })
    await mkdir(join(folder, 'data'))
    await writeFile(join(folder, 'data/known.json'), '{ "version": 1, "findings": [] }')
    await writeFile(join(folder, 'data/a.csv'), 'label,x\na,1\n')
    const ran = await assay(['audit', join(folder, 'pipeline.yaml'), '--dry-run'])
    expect([ran.code, ran.stderr]).toEqual([4, expect.stringContaining('which is audited')])
  })
})
