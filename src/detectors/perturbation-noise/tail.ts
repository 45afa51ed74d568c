import { binomialUpper } from '../../math/tests.ts'
import { zBins, zEdge } from './tally.ts'

/** What the upper tail of a group's noise says. Distances in robust deviations from the median, lower side. */
export interface TailTest {
  readonly p: number
  /** z, as the histogram counts it, from which on records are flagged; null where nothing is in excess. */
  readonly cut: number | null
  readonly beyond: number
  readonly expected: number
}

const windows = [
  [1, 2.5],
  [1.5, 3],
  [2, 3.5],
  [1, 3.5],
] as const
const cuts = [4, 4.5, 5, 5.5, 6, 7, 8, 10, 12, 16, 20] as const
const leastBody = 30
const leastBeyond = 5
/** A cut is used where its own corrected p-value is at most this. */
const cutLevel = 0.01
/** The slope's uncertainty: so many standard errors to both sides, in these steps. */
const reach = 4
const step = 0.2

/**
 * Are there more noisy pictures than a log-concave density allows? Beyond a window of its tail such a density (normal, logistic, Laplace,
 * Gumbel and their like) falls at least as fast as within it. An exponential is fitted to the window by maximum likelihood, and the count
 * beyond a cut is tested against it: binomial, averaged over the normal distribution of the fitted slope, Bonferroni over windows and cuts.
 *
 * @param fdr the most that the exponential may expect beyond the cut, as a share of what is there
 */
export function testTail(counts: Float64Array, fdr: number): TailTest {
  const place = placeOf(counts)
  if (!place) return { p: 1, cut: null, beyond: 0, expected: 0 }
  const { binAt } = place
  const between = (from: number, to: number): number => counts.subarray(from, to).reduce((sum, n) => sum + n, 0)
  const found: TailTest[] = []
  let tests = 0
  for (const [from, to] of windows) {
    const slope = slopeIn(counts, binAt(from), binAt(to))
    const body = between(binAt(from), binAt(to))
    for (const cut of cuts) {
      if (cut <= to) continue
      tests++
      const bin = binAt(cut)
      const beyond = between(bin, zBins)
      if (!slope || beyond < leastBeyond) continue
      const [distance, width] = [bin - binAt(from), binAt(to) - binAt(from)]
      const ratio = (rate: number): number =>
        rate > 1e-9 ? Math.exp(-rate * distance) / -Math.expm1(-rate * width) : Number.POSITIVE_INFINITY
      let p = 0
      let weights = 0
      for (let t = -reach; t <= reach; t += step) {
        const weight = Math.exp(-0.5 * t * t)
        const r = ratio(slope.rate + t * slope.error)
        weights += weight
        p += weight * (Number.isFinite(r) ? binomialUpper(beyond, beyond + body, r / (1 + r)) : 1)
      }
      found.push({ p: p / weights, cut: zEdge(bin), beyond, expected: body * ratio(slope.rate) })
    }
  }
  const corrected = found.map((t) => ({ ...t, p: Math.min(1, t.p * tests) }))
  const p = corrected.reduce((least, t) => Math.min(least, t.p), 1)
  const usable = corrected.filter((t) => t.p <= cutLevel && t.expected <= fdr * t.beyond)
  const lowest = usable.sort((a, b) => (a.cut as number) - (b.cut as number) || a.p - b.p)[0]
  return lowest ? { ...lowest, p } : { p, cut: null, beyond: 0, expected: 0 }
}

function placeOf(counts: Float64Array): { binAt(deviations: number): number } | null {
  const total = counts.reduce((sum, n) => sum + n, 0)
  const quantile = (q: number): number => {
    let seen = 0
    for (let b = 0; b < zBins; b++) {
      const n = counts[b] as number
      if (n > 0 && seen + n >= q * total) return zEdge(b + (q * total - seen) / n)
      seen += n
    }
    return zEdge(zBins)
  }
  const centre = quantile(0.5)
  const scale = 1.4826 * (centre - quantile(0.25))
  if (!(scale > 0)) return null
  const width = zEdge(1) - zEdge(0)
  return { binAt: (d) => Math.min(Math.max(Math.round((centre + d * scale - zEdge(0)) / width), 0), zBins) }
}

/** The rate a bin of an exponential that is cut off at the window's ends, with its standard error; null where the window holds too little. */
function slopeIn(counts: Float64Array, from: number, to: number): { readonly rate: number; readonly error: number } | null {
  const width = to - from
  let n = 0
  let sum = 0
  for (let b = from; b < to; b++) {
    n += counts[b] as number
    sum += (counts[b] as number) * (b - from + 0.5)
  }
  if (n < leastBody || width < 4) return null
  const mean = sum / n
  const meanAt = (rate: number): number => 1 / rate - width / Math.expm1(rate * width)
  let [low, high] = [1e-6, 20]
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (meanAt(middle) > mean) low = middle
    else high = middle
  }
  const information = 1 / low ** 2 - (width ** 2 * Math.exp(low * width)) / Math.expm1(low * width) ** 2
  return information > 0 && low > 1e-5 ? { rate: low, error: 1 / Math.sqrt(n * information) } : null
}
