import type { Conclusion } from '../contracts/detector.ts'
import type { Finding, Test } from '../contracts/finding.ts'
import type { Night } from '../contracts/history.ts'
import { scanBusy } from './busy.ts'
import { balanceFinding, pairFinding, qualityFinding, relabelFinding } from './findings.ts'
import { scanSources } from './levels.ts'
import { type Family, leastBefore, type Shift, type Stream, scan, stretches } from './scan.ts'
import { balance, nightlyChanges, relabelled, relabelledPairs } from './streams.ts'

/**
 * A false trend may be named with this probability in a year of nightly audits of one store, over all classes, pairs, sources and
 * stretches: each night has its share of it, so it holds over the whole history and not only tonight.
 */
export const falseTrendsPerYear = 0.05
const nightsPerYear = 365
/**
 * The questions that are asked of a night, and each one's part of the probability of a false trend, together at most 1: an attacker
 * has a pair of classes.
 */
const parts = { classes: 0.05, pairs: 0.6, sources: 0.05, balance: 0.02, quality: 0.05 } as const
type Question = keyof typeof parts
const levelOfNight = falseTrendsPerYear / nightsPerYear

export const leastNights = leastBefore + (stretches[0] as number)

const isTrend = (question: Question, logP: number): boolean => logP - Math.log(parts[question]) <= Math.log(levelOfNight)
const isIn = (shifts: readonly Shift[], name: string): boolean => shifts.some((s) => s.stream.names[0] === name)

const method =
  'exact conditional tests over all stretches that end with this audit: two rates with the dispersion of the past, and busy nights'

/** The smaller of two p-values of each stream, corrected for the choice. */
function both(family: Family): readonly Shift[] {
  const best = new Map<Stream, Shift>()
  for (const shift of [...scan(family), ...scanBusy(family)]) {
    const old = best.get(shift.stream)
    if (old === undefined || shift.logP < old.logP) best.set(shift.stream, shift)
  }
  return [...best.values()].map((s) => ({ ...s, logP: Math.min(0, s.logP + Math.LN2) }))
}

/** One test a question: the smallest p-value over its streams, which is corrected over them already. */
const testOf = (id: string, question: Question, logPs: readonly number[]): Test => ({
  id,
  method,
  p: Math.min(1, Math.exp(Math.min(0, ...logPs)) / parts[question]),
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
    classes: both(isTonight ? relabelled(compared, 'classes') : empty),
    pairs: both(isTonight ? relabelledPairs(compared) : empty),
    sources: both(isTonight ? relabelled(compared, 'sources') : empty),
    balance: scan(balance(nights)),
    quality: nights.at(-1)?.whole ? scanSources(nights) : [],
  }
  const trends = (question: Exclude<Question, 'quality'>) =>
    found[question].filter((s) => isTrend(question, s.logP)).sort((a, b) => a.logP - b.logP)
  const pairs = trends('pairs')
  const classes = trends('classes').filter((s) => !isIn(pairs, s.stream.names[0] as string))
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
    ...trends('sources').map((s) => relabelFinding('source', s, nights, at, ids.sources)),
    ...trends('balance').map((s) => balanceFinding(s, nights, ids.balance)),
    ...found.quality.filter((l) => isTrend('quality', l.logP)).map((l) => qualityFinding(l, nights, ids.quality)),
  ]
  const whole = nights.filter((n) => n.whole).length
  const notes = [
    `${whole} audits with a verdict, ${compared.length} of them compared with a snapshot; a false trend is named with probability ${falseTrendsPerYear} in a year of nights.`,
    ...(compared.length < leastNights ? [`Changed labels are tested from ${leastNights} audits with a snapshot on.`] : []),
  ]
  const tests = (Object.keys(ids) as Question[])
    .filter((key) => found[key].length > 0)
    .map((key) =>
      testOf(
        ids[key],
        key,
        found[key].map((f) => f.logP),
      ),
    )
  return { findings, tests, notes }
}
