// Part 1: predictions that the user brings, beside cleanlab's filters on the same arrays.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { say } from '../../scripts/setup.mjs'
import { audit, cache, readCsv } from './assay.mjs'
import { averagePrecision, count, differ, flagQuality, mean, worstRank } from './metrics.mjs'
import { readNpy } from './npy.mjs'
import { peerRuns } from './python.mjs'

export const sharedFilters = ['prune_by_noise_rate', 'prune_by_class', 'both', 'confident_learning', 'predicted_neq_given']
const own = ['ratio', 'per_cell']
/** F1 that Northcutt et al. 2021 publish for pruning by noise rate; noise 0.6 is their 70 %. Other settings have no published figure. */
const published = {
  'sparsity0.0_noise0.2': 0.77,
  'sparsity0.6_noise0.2': 0.79,
  'sparsity0.0_noise0.4': 0.85,
  'sparsity0.6_noise0.4': 0.8,
  'sparsity0.0_noise0.6': 0.72,
  'sparsity0.6_noise0.6': 0.6,
}

const settingsIn = (folder) =>
  readdirSync(folder)
    .map((name) => /^cifar10_(.+)\.predictions\.npy$/.exec(name)?.[1])
    .filter(Boolean)
    .sort()

const arraysOf = (folder, name) => ({
  predictions: join(folder, `${name}.predictions.npy`),
  label: join(folder, `${name}.given_labels.npy`),
})

export async function ownPredictions({ python, data }) {
  return { settings: await settings(python, join(data, 'label-noise')), verified: await verified(join(data, 'verified-label-errors')) }
}

async function settings(python, folder) {
  const truth = readNpy(join(folder, 'true_labels.npy'))
  const names = settingsIn(folder)
  const out = (name) => join(cache, 'own-predictions', name)
  await peerRuns(
    python,
    names.map((name) => {
      const { predictions, label } = arraysOf(folder, `cifar10_${name}`)
      return { make: 'predictions', predictions, labels: label, filters: sharedFilters, out: out(name) }
    }),
  )
  const results = []
  for (const name of names) {
    const arrays = arraysOf(folder, `cifar10_${name}`)
    const [given, p] = [readNpy(arrays.label), readNpy(join(out(name), 'predictions.npy'))]
    const wrong = differ(truth, given)
    const filters = {}
    const ties = {}
    for (const filter of [...sharedFilters, ...own]) {
      const { flags, score } = await audit({ sources: [{ arrays }], detectors: { 'label-flip': { filter } } }, 1)
      filters[filter] = { assay: flagQuality(flags, wrong).f1 }
      if (filter === 'ratio') filters.ratio.averagePrecision = averagePrecision(score, wrong)
      if (own.includes(filter)) continue
      const peer = readNpy(join(out(name), `${filter}.npy`))
      const differing = differ(flags, peer)
      // `both` is where the first two rules meet: it differs where one of them does.
      const direct = tied(differing, peer, given, p)
      ties[filter] = filter === 'both' ? direct.map((tie, row) => tie | ties.prune_by_noise_rate[row] | ties.prune_by_class[row]) : direct
      const explained = count(differing.map((d, row) => d & ties[filter][row]))
      const both = { cleanlab: flagQuality(peer, wrong).f1, flagged: count(flags), differing: count(differing), ties: explained }
      Object.assign(filters[filter], both)
    }
    const peer = averagePrecision(readNpy(join(out(name), 'score.npy')), wrong)
    results.push({ name, wrong: count(wrong) / wrong.length, published: published[name] ?? null, filters, cleanlabAveragePrecision: peer })
    say(`  ${name}: ratio ${filters.ratio.assay.toFixed(3)}, cleanlab's default ${filters.prune_by_noise_rate.cleanlab.toFixed(3)}`)
  }
  return {
    results,
    means: {
      ratio: mean(results.map((r) => r.filters.ratio.assay)),
      cleanlab: mean(results.map((r) => r.filters.prune_by_noise_rate.cleanlab)),
      perCell: mean(results.map((r) => r.filters.per_cell.assay)),
    },
  }
}

/** Of the `rows`, those that cleanlab judges otherwise than another record with the same label and the same margin or own probability. */
function tied(rows, peer, given, p) {
  const k = p.length / given.length
  const keys = (row) => {
    const own = p[row * k + given[row]]
    const margins = Array.from({ length: k }, (_, j) => `${given[row]} ${j} ${p[row * k + j] - own}`)
    return [...margins.filter((_, j) => j !== given[row]), `${given[row]} ${own}`]
  }
  const wanted = new Set([...rows.keys()].filter((row) => rows[row]).flatMap(keys))
  const outcomes = new Map([...wanted].map((key) => [key, new Set()]))
  for (const row of given.keys()) for (const key of keys(row)) outcomes.get(key)?.add(peer[row])
  return rows.map((differs, row) => (differs && keys(row).some((key) => outcomes.get(key).has(1 - peer[row])) ? 1 : 0))
}

async function verified(folder) {
  const results = []
  for (const [name, within] of [
    ['mnist', 87],
    ['cifar10', 706],
  ]) {
    const { score } = await audit({ sources: [{ arrays: arraysOf(folder, name) }] }, 1)
    const wrong = new Uint8Array(score.length)
    for (const row of readCsv(join(folder, `${name}.human_check.csv`))) wrong[Number(row.row)] = Number(row.is_error)
    results.push({ name, errors: count(wrong), within, worstRank: worstRank(score, wrong) })
  }
  return results
}
