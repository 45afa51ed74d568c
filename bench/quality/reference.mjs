// Records that the user vouches for: what share of the flagged records has the right label, where at most 5 % should?
import { join } from 'node:path'
import { say } from '../../scripts/setup.mjs'
import { audit, cache } from './assay.mjs'
import { averagePrecision, count, differ, flagQuality, mean } from './metrics.mjs'
import { readNpy } from './npy.mjs'
import { peerRuns } from './python.mjs'

export const fdr = 0.05
const cases = [
  { name: 'digits', rows: 500 },
  { name: 'satimage', rows: 2000 },
  { name: 'mnist-10k', rows: 2000 },
]

export async function reference({ python, sets, seeds, quick }) {
  const results = []
  for (const { name, rows } of quick ? cases.slice(0, 1) : cases) {
    const folder = (seed) => join(cache, 'reference', name, String(seed))
    await peerRuns(
      python,
      seeds.map((seed) => ({ make: 'reference', set: join(sets, name), rows, seed, out: folder(seed) })),
    )
    const runs = []
    for (const seed of seeds) {
      const of = (part) => [
        { arrays: { features: join(folder(seed), `${part}-features.npy`), label: join(folder(seed), `${part}-given.npy`) } },
      ]
      const wrong = differ(readNpy(join(folder(seed), 'true.npy')), readNpy(join(folder(seed), 'subject-given.npy')))
      const { flags, score } = await audit(
        { sources: of('subject'), reference: of('reference'), detectors: { 'label-flip': { fdr } } },
        seed,
      )
      const { recall, precision } = flagQuality(flags, wrong)
      runs.push({ seed, falseDiscovery: 1 - precision, recall, flagged: count(flags), averagePrecision: averagePrecision(score, wrong) })
    }
    const of = (what) => mean(runs.map((run) => run[what]))
    const found = runs.filter((run) => run.flagged > 0).length
    const summary = { falseDiscovery: of('falseDiscovery'), recall: of('recall'), averagePrecision: of('averagePrecision') }
    results.push({ set: name, reference: rows, runs, runsWithFlags: found, ...summary })
    say(`  ${name}: false discovery ${of('falseDiscovery').toFixed(3)}, recall ${of('recall').toFixed(3)}`)
  }
  return results
}
