// `npm run prove`: how well Assay finds flipped labels, beside cleanlab, through the built program. Needs Python 3 and the folder
// of real data in ASSAY_DATA. Writes bench/quality/results.json and docs/measured.md. Exit code 1 where a target is missed.
//   npm run prove -- --quick           few seeds and small data, into .cache/quality: what CI runs
//   npm run prove -- no-model sources  some parts: own-predictions, no-model, sources, reference, fuzz; the others keep their results
//   npm run prove -- fuzz --inputs=N   fuzz alone needs no Python; N damaged files in all instead of a million
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cache } from '../bench/quality/assay.mjs'
import { fuzz } from '../bench/quality/fuzz.mjs'
import { noModel } from '../bench/quality/no-model.mjs'
import { ownPredictions } from '../bench/quality/own-predictions.mjs'
import { findPython, makeSets, peerRuns } from '../bench/quality/python.mjs'
import { reference } from '../bench/quality/reference.mjs'
import { requirements } from '../bench/quality/requirements.mjs'
import { sources } from '../bench/quality/sources.mjs'
import { markdown } from '../bench/quality/table.mjs'
import { root, SetupError, say, script, setUp } from './setup.mjs'

const parts = {
  'own-predictions': ['ownPredictions', ownPredictions],
  'no-model': ['noModel', noModel],
  sources: ['sources', sources],
  reference: ['reference', reference],
  fuzz: ['fuzz', fuzz],
}
const seedsOf = (count) => Array.from({ length: count }, (_, i) => i)
const sizes = {
  full: { quick: false, seeds: seedsOf(5), poisonedRuns: 30, cleanRuns: 200 },
  quick: { quick: true, seeds: seedsOf(2), poisonedRuns: 2, cleanRuns: 20 },
}

async function versionsOf(python) {
  const out = join(cache, 'versions')
  await peerRuns(python, [{ make: 'versions', out }])
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  return { assay: version, ...JSON.parse(readFileSync(join(out, 'versions.json'), 'utf8')) }
}

await script(async (args) => {
  const count = args.map((arg) => /^--inputs=(\d+)$/.exec(arg)?.[1]).find((n) => n !== undefined)
  const named = args.filter((arg) => arg !== '--quick' && !arg.startsWith('--inputs='))
  const unknown = named.find((name) => !(name in parts))
  if (unknown) throw new SetupError(`unknown part ${unknown}: one of ${Object.keys(parts).join(', ')}`)
  const quick = args.includes('--quick')
  const wanted = named.length ? named : Object.keys(parts)
  const data = process.env.ASSAY_DATA
  if (wanted.includes('own-predictions') && !(data && existsSync(data))) {
    throw new SetupError('own-predictions needs the folder of real data: ASSAY_DATA=/path/to/data npm run prove')
  }
  await setUp()
  mkdirSync(cache, { recursive: true })
  const needsPython = wanted.some((name) => name !== 'fuzz')
  const python = needsPython ? await findPython() : null
  const sets = python && (await makeSets(python))
  const files = quick
    ? { results: join(cache, 'results-quick.json'), table: join(cache, 'measured-quick.md') }
    : { results: join(root, 'bench/quality/results.json'), table: join(root, 'docs/measured.md') }
  const before = named.length && existsSync(files.results) ? JSON.parse(readFileSync(files.results, 'utf8')) : {}
  const results = { ...before, versions: python ? await versionsOf(python) : (before.versions ?? {}) }
  for (const name of wanted) {
    say(`${name}:`)
    const [key, measure] = parts[name]
    results[key] = await measure({ python, sets, data, ...(quick ? sizes.quick : sizes.full), ...(count && { inputs: Number(count) }) })
    writeFileSync(files.results, `${JSON.stringify(results, null, 1)}\n`)
    writeFileSync(files.table, markdown(results))
  }
  const checked = requirements(results)
  const missed = checked.filter((r) => !r.met)
  for (const { what, target, figure } of missed) say(`missed: ${what}: ${figure}, target ${target}`)
  console.log(`${checked.length - missed.length} of ${checked.length} targets met; ${files.table.slice(root.length + 1)}`)
  return missed.length ? 1 : 0
})
