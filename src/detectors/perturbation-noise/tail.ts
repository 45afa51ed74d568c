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
] as const
const cuts = [3.5, 4, 4.5, 5, 6, 7, 8, 10, 12, 16, 20] as const
const leastBody = 30
/** Error probability of the slope, once each window; it is added to the p-value. */
const slopeLevel = 1e-4
const slopeZ = 3.72
const leastBeyond = 5

/**
 * Are there more noisy pictures than a log-concave density allows? Beyond a window of its tail such a density (normal, logistic, Laplace,
 * Gumbel and their like) falls at least as fast as within it. An exponential is fitted to the window, its slope taken at the lower end of a
 * confidence interval, and the count beyond a cut tested against it: binomial, Bonferroni over windows and cuts.
 */
export function testTail(counts: Float64Array, fdr: number): TailTest {
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
  const nothing: TailTest = { p: 1, cut: null, beyond: 0, expected: 0 }
  if (!(scale > 0)) return nothing
  const binAt = (d: number): number => Math.min(Math.max(Math.round((centre + d * scale - zEdge(0)) / (zEdge(1) - zEdge(0))), 0), zBins)
  const between = (from: number, to: number): number => counts.subarray(from, to).reduce((sum, n) => sum + n, 0)
  let best: TailTest = nothing
  let tests = 0
  for (const [from, to] of windows) {
    const slope = slopeIn(counts, binAt(from), binAt(to))
    for (const cut of cuts) {
      if (cut <= to) continue
      tests++
      if (slope === null || slope <= 0) continue
      const bin = binAt(cut)
      const beyond = between(bin, zBins)
      if (beyond < leastBeyond) continue
      const body = between(binAt(from), binAt(to))
      const share = Math.exp(-slope * (bin - binAt(from)))
      const inside = 1 - Math.exp(-slope * (binAt(to) - binAt(from)))
      const p = binomialUpper(beyond, beyond + body, share / (share + inside))
      if (p < best.p) best = { p, cut: zEdge(bin), beyond, expected: (body * share) / inside }
    }
  }
  const p = Math.min(1, best.p * tests + slopeLevel * windows.length)
  if (best.cut === null) return { ...best, p }
  return { ...best, p, ...(best.expected <= fdr * best.beyond ? {} : { cut: null }) }
}

/** Lower confidence limit of the rate a bin of an exponential that is cut off at the window's ends; null where the window holds too little. */
function slopeIn(counts: Float64Array, from: number, to: number): number | null {
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
  let [low, high] = [1e-9, 20]
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2
    if (meanAt(middle) > mean) low = middle
    else high = middle
  }
  const information = 1 / low ** 2 - (width ** 2 * Math.exp(low * width)) / Math.expm1(low * width) ** 2
  return information > 0 ? low - slopeZ / Math.sqrt(n * information) : null
}
