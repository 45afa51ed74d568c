// Part 2: features alone, beside cleanlab on five folds of logistic regression.
import { join } from 'node:path'
import { say } from '../../scripts/setup.mjs'
import { audit, cache } from './assay.mjs'
import { averagePrecision, count, differ, flagQuality, least, mean, most } from './metrics.mjs'
import { readNpy } from './npy.mjs'
import { peerRuns } from './python.mjs'

/** Least average precision for 10 % uniform flips and for 20 % of one class pair; null: above cleanlab's. */
const required = { digits: [0.98, 0.7], 'mnist-10k': [0.94, 0.5], 'breast-cancer': [0.9, 0.95] }
const tabular = ['ionosphere', 'vowel', 'satimage', 'segment', 'spambase', 'wine']
const kinds = ['clean', 'uniform', 'pair', 'any pair']
const images = ['mnist-10k']

export async function noModel({ python, sets, seeds, quick }) {
  const names = quick ? ['digits', 'breast-cancer', 'vowel'] : [...Object.keys(required), ...tabular]
  const results = []
  for (const name of names) {
    const [input, role] = images.includes(name) ? ['image pixels', 'image'] : ['columns of numbers', 'features']
    const folder = (kind, seed) => join(cache, 'no-model', name, kind.replace(' ', '-'), String(seed))
    const jobs = kinds.flatMap((kind) =>
      seeds.map((seed) => ({ make: 'case', set: join(sets, name), kind, seed, out: folder(kind, seed) })),
    )
    await peerRuns(python, jobs)
    for (const kind of kinds) {
      const runs = []
      for (const seed of seeds) runs.push(await one(join(sets, name), role, folder(kind, seed), seed))
      results.push({ set: name, input, kind, required: requiredFor(name, kind), ...summary(runs), runs })
      say(`  ${name}, ${input}, ${kind}: ${line(results.at(-1))}`)
    }
  }
  return results
}

function requiredFor(name, kind) {
  const at = kind === 'uniform' ? 0 : kind === 'pair' ? 1 : -1
  return at < 0 ? null : (required[name]?.[at] ?? null)
}

async function one(set, role, folder, seed) {
  const arrays = { [role]: join(set, role === 'image' ? 'images.npy' : 'features.npy'), label: join(folder, 'given.npy') }
  const wrong = differ(readNpy(join(set, 'labels.npy')), readNpy(join(folder, 'given.npy')))
  const { score, flags, report } = await audit({ sources: [{ arrays }] }, seed)
  const theirs = { score: readNpy(join(folder, 'score.npy')), flags: readNpy(join(folder, 'prune_by_noise_rate.npy')) }
  const judge = (result) =>
    count(wrong)
      ? { averagePrecision: averagePrecision(result.score, wrong), ...flagQuality(result.flags, wrong) }
      : { flagged: count(result.flags) / wrong.length }
  return {
    seed,
    wrong: count(wrong),
    assay: judge({ score, flags }),
    cleanlab: judge(theirs),
    model: modelOf(report),
    findings: findingsOf(report),
  }
}

const modelOf = (report) =>
  report.detectors
    .flatMap((d) => d.notes ?? [])
    .map((note) => /^Model: (.*), the best of/.exec(note)?.[1])
    .find(Boolean) ?? null

const findingsOf = (report) => report.findings.filter((f) => f.rule === 'label-flip/class-pair').map((f) => f.scope.names.join(' > '))

function summary(runs) {
  const of = (who, what) => runs.map((run) => run[who][what])
  const both = (what, fold) => ({ assay: fold(of('assay', what)), cleanlab: fold(of('cleanlab', what)) })
  const flagged = both('flagged', most)
  if (runs[0].wrong === 0) return { mostFlagged: flagged }
  return {
    averagePrecision: both('averagePrecision', mean),
    leastAveragePrecision: both('averagePrecision', least),
    recall: both('recall', mean),
    precision: both('precision', mean),
    f1: both('f1', mean),
    mostFlagged: flagged,
  }
}

const line = (r) =>
  r.averagePrecision
    ? `average precision ${r.averagePrecision.assay.toFixed(3)}, cleanlab ${r.averagePrecision.cleanlab.toFixed(3)}; F1 ${r.f1.assay.toFixed(3)}, cleanlab ${r.f1.cleanlab.toFixed(3)}`
    : `flagged at most ${(100 * r.mostFlagged.assay).toFixed(2)} %, cleanlab ${(100 * r.mostFlagged.cleanlab).toFixed(2)} %`
