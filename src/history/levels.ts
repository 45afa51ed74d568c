import { median } from 'simple-statistics'
import type { Night } from '../contracts/history.ts'
import { logBinomialUpper } from '../math/tests.ts'
import { leastBefore, stretches } from './scan.ts'

/** The flagged share of a source, as a level: records of one night are mostly those of the night before. */
export interface Level {
  readonly name: string
  readonly start: number
  readonly nights: number
  readonly before: { readonly nights: number; readonly share: number; readonly records: number }
  readonly since: { readonly nights: number; readonly share: number; readonly records: number }
  readonly dispersion: number
  /** One-sided, corrected over stretches and sources; natural logarithm. */
  readonly logP: number
}

interface Point {
  readonly night: number
  readonly count: number
  readonly flagged: number
}

const middle = (points: readonly Point[], of: (p: Point) => number): number => median(points.map(of))

function spreadOf(points: readonly Point[], share: number): number {
  if (!(share > 0 && share < 1)) return 1
  const chi = points.reduce((sum, p) => sum + (p.flagged - share * p.count) ** 2 / (share * (1 - share) * p.count), 0)
  return Math.max(1, chi / Math.max(1, points.length - 1))
}

/**
 * Is a larger share of a source flagged in the last nights? The median night of a stretch against the median night before it, as two
 * samples of one night each (conditional binomial, one event added to the past): right where a night repeats the records of the
 * last one, and cautious where it does not. Divided by the dispersion of the nights before.
 */
export function scanSources(nights: readonly Night[]): Level[] {
  const points = new Map<string, Point[]>()
  nights.forEach(({ whole, sources }, night) => {
    if (!whole) return
    for (const { name, count, flagged } of sources)
      if (count > 0) points.set(name, [...(points.get(name) ?? []), { night, count, flagged }])
  })
  const out: Level[] = []
  for (const [name, all] of points) {
    const lengths = stretches.filter((length) => all.length - length >= leastBefore)
    let best: Level | null = null
    for (const length of lengths) {
      const early = all.slice(0, -length)
      const late = all.slice(-length)
      const [share, now] = [middle(early, (p) => p.flagged / p.count), middle(late, (p) => p.flagged / p.count)]
      if (now <= share) continue
      const [past, present] = [middle(early, (p) => p.count), middle(late, (p) => p.count)]
      const dispersion = spreadOf(early, share)
      const hits = Math.floor((now * present) / dispersion)
      const base = Math.ceil((share * past) / dispersion)
      const tail = logBinomialUpper(hits, hits + base, present / (present + past))
      const logP = Math.min(0, tail + Math.log(lengths.length * points.size))
      if (best !== null && best.logP <= logP) continue
      best = {
        name,
        start: (late[0] as Point).night,
        nights: length,
        before: { nights: early.length, share, records: past },
        since: { nights: length, share: now, records: present },
        dispersion,
        logP,
      }
    }
    if (best) out.push(best)
  }
  return out.sort((a, b) => a.logP - b.logP)
}
