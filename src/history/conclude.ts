import type { Conclusion } from '../contracts/detector.ts'
import type { Finding, Test } from '../contracts/finding.ts'
import type { Night } from '../contracts/history.ts'
import { balanceFinding, pairFinding, qualityFinding, relabelFinding } from './findings.ts'
import { scanSources } from './levels.ts'
import { leastBefore, type Shift, scan, stretches } from './scan.ts'
import { balance, nightlyChanges, relabelled, relabelledPairs } from './streams.ts'

/**
 * A false trend may be named with this probability in a year of nightly audits of one store, over all classes, pairs, sources and
 * stretches: each night has its share of it, so it holds over the whole history and not only tonight.
 */
export const falseTrendsPerYear = 0.05
const nightsPerYear = 365
/** Questions that are asked of a night: labels changed by class, by pair and by source, balance, share flagged. */
const questions = 5
const levelOfNight = falseTrendsPerYear / nightsPerYear

export const leastNights = leastBefore + (stretches[0] as number)

const isTrend = (logP: number): boolean => logP + Math.log(questions) <= Math.log(levelOfNight)
const isIn = (shifts: readonly Shift[], name: string): boolean => shifts.some((s) => s.stream.names[0] === name)

const method = 'exact conditional test of two rates with the dispersion of the past, over all stretches that end with this audit'

/** One test a question: the smallest p-value over its streams, which is corrected over them already. */
const testOf = (id: string, logPs: readonly number[]): Test => ({
  id,
  method,
  p: Math.min(1, Math.exp(Math.min(0, ...logPs) + Math.log(questions))),
})

/** What this audit and those before it show. `nights` in the order of time, this audit last. */
export function concludeHistory(nights: readonly Night[]): Conclusion {
  const changes = nightlyChanges(nights)
  // A night that could not be compared ends no stretch.
  const compared = changes.filter((c) => c !== null)
  const at = changes.flatMap((c, i) => (c === null ? [] : [i]))
  const isTonight = changes.at(-1) !== null && changes.length > 0
  const empty = { streams: [], possible: 0, silentExposure: 0 }
  const found = {
    classes: scan(isTonight ? relabelled(compared, 'classes') : empty),
    pairs: scan(isTonight ? relabelledPairs(compared) : empty),
    sources: scan(isTonight ? relabelled(compared, 'sources') : empty),
    balance: scan(balance(nights)),
    quality: nights.at(-1)?.whole ? scanSources(nights) : [],
  }
  const trends = (shifts: readonly Shift[]) => shifts.filter((s) => isTrend(s.logP)).sort((a, b) => a.logP - b.logP)
  const pairs = trends(found.pairs)
  const classes = trends(found.classes).filter((s) => !isIn(pairs, s.stream.names[0] as string))
  const ids = {
    classes: 'history/label-drift: labels changed, by class',
    pairs: 'history/label-drift: labels changed, by pair of classes',
    sources: 'history/label-drift: labels changed, by source',
    balance: 'history/label-drift: balance of classes',
    quality: 'history/source-drift: share flagged, by source',
  } as const
  const findings: Finding[] = [
    ...pairs.map((s) => pairFinding(s, nights, at, ids.pairs)),
    ...classes.map((s) => relabelFinding('class', s, nights, at, ids.classes)),
    ...trends(found.sources).map((s) => relabelFinding('source', s, nights, at, ids.sources)),
    ...trends(found.balance).map((s) => balanceFinding(s, nights, ids.balance)),
    ...found.quality.filter((l) => isTrend(l.logP)).map((l) => qualityFinding(l, nights, ids.quality)),
  ]
  const whole = nights.filter((n) => n.whole).length
  const notes = [
    `${whole} audits with a verdict, ${compared.length} of them compared with a snapshot; a false trend is named with probability ${falseTrendsPerYear} in a year of nights.`,
    ...(compared.length < leastNights ? [`Changed labels are tested from ${leastNights} audits with a snapshot on.`] : []),
  ]
  const tests = (Object.keys(ids) as (keyof typeof ids)[])
    .filter((key) => found[key].length > 0)
    .map((key) =>
      testOf(
        ids[key],
        found[key].map((f) => f.logP),
      ),
    )
  return { findings, tests, notes }
}
