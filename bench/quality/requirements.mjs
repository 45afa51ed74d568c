// What the figures have to be. Each: what is measured, the target in words, the figure, and whether it is met.
const share = (x) => `${(100 * x).toFixed(1)} %`
const check = (what, target, figure, met) => ({ what, target, figure, met })

const ownPredictions = ({ settings, verified }) => {
  const { results, means } = settings
  const compared = results.flatMap((r) => Object.values(r.filters).filter((f) => f.differing !== undefined))
  const differing = compared.reduce((sum, f) => sum + f.differing, 0)
  const ties = compared.reduce((sum, f) => sum + f.ties, 0)
  const published = results.filter((r) => r.published !== null)
  const off = Math.max(...published.map((r) => Math.abs(r.filters.prune_by_noise_rate.assay - r.published)))
  const offPeer = Math.max(...results.map((r) => Math.abs(r.filters.prune_by_noise_rate.assay - r.filters.prune_by_noise_rate.cleanlab)))
  return [
    check(
      `flags that differ from cleanlab's, ${compared.length} pairs of flag sets`,
      'ties only',
      `${differing}, of them ties: ${ties}`,
      differing === ties,
    ),
    check(`F1 of pruning by noise rate against the ${published.length} published`, 'within .005', off.toFixed(4), off <= 0.005 + 1e-9),
    check(
      `F1 of pruning by noise rate against cleanlab's, ${results.length} settings`,
      'within .005',
      offPeer.toFixed(4),
      offPeer <= 0.005,
    ),
    check(
      `mean F1 of the default rule, ${results.length} settings`,
      `above cleanlab's default, ${means.cleanlab.toFixed(3)}`,
      means.ratio.toFixed(3),
      means.ratio > means.cleanlab,
    ),
    ...verified.map((v) =>
      check(`worst rank of ${v.errors} verified errors, ${v.name}`, `at most ${v.within}`, String(v.worstRank), v.worstRank <= v.within),
    ),
  ]
}

const noModel = (results) =>
  results.flatMap((r) => {
    const where = `${r.set}, ${r.input}`
    if (!r.averagePrecision) {
      const flagged = r.mostFlagged.assay
      return [check(`flagged of the clean control, most of all seeds, ${where}`, 'at most 1 %', share(flagged), flagged <= 0.01)]
    }
    const { assay, cleanlab } = r.averagePrecision
    const what = `average precision, ${r.kind}, ${where}`
    if (r.required !== null) return [check(what, `at least ${r.required.toFixed(2)}`, assay.toFixed(3), assay >= r.required)]
    return [check(what, `above cleanlab's ${cleanlab.toFixed(3)}`, assay.toFixed(3), assay > cleanlab)]
  })

const sources = (r) => [
  check('poisoned vendor found', 'at least 90 %', `${r.found.hits} of ${r.found.runs}`, r.found.share >= 0.9),
  check(
    'another vendor accused, runs with poison',
    'at most 10 %',
    `${r.otherAccused.hits} of ${r.otherAccused.runs}`,
    r.otherAccused.share <= 0.1,
  ),
  check(
    'any vendor accused, runs without poison',
    'at most 5 %',
    `${r.falseAlarm.hits} of ${r.falseAlarm.runs}`,
    r.falseAlarm.share <= 0.05,
  ),
]

const reference = (results) =>
  results.map((r) =>
    check(
      `false discovery with ${r.reference} trusted records, ${r.set}`,
      'at most 5 % on the mean',
      share(r.falseDiscovery),
      r.falseDiscovery <= 0.05,
    ),
  )

const fuzz = ({ inputs, target, kinds, mostMs, mostMegabytes }) => {
  const most = (key) => Math.max(...kinds.map((k) => k[key] ?? Number.POSITIVE_INFINITY))
  const failures = kinds.flatMap((k) => k.failures).length
  return [
    check('damaged files of models, all parsers', `at least ${target.toLocaleString('en')}`, inputs.toLocaleString('en'), inputs >= target),
    check('of them that end in an error or an unreadable message', 'none', String(failures), failures === 0),
    check('the slowest of them', `at most ${mostMs / 1000} s`, `${(most('worstMs') / 1000).toFixed(2)} s`, most('worstMs') <= mostMs),
    check('memory of the process', `at most ${mostMegabytes} MB`, `${most('megabytes')} MB`, most('megabytes') <= mostMegabytes),
  ]
}

const parts = { ownPredictions, noModel, sources, reference, fuzz }

/** The requirements of every part that was measured. */
export const requirements = (results) => Object.entries(parts).flatMap(([name, of]) => (results[name] ? of(results[name]) : []))
