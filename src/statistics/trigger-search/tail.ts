import { logBinomialUpper } from '../../math/tests.ts'

/**
 * Bin edges in standard deviations above the centre. Where scores have one mode, their density falls from bin to bin; where a bin is
 * denser than one below it, there is a second mode.
 */
const fine = [
  0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8.5, 10, 12, 14, 17, 20, 24, 29, 35, 42, 50, 60, 72, 86, 103, 124, 150, 180, 216, 260, 312,
  375, 450, 1e9,
]
const every = (step: number, head: readonly number[], from: number): number[] => {
  const out = head.map((i) => fine[i] as number)
  for (let i = from; i < fine.length - 1; i += step) out.push(fine[i] as number)
  return [...out, fine[fine.length - 1] as number]
}
const scales = [fine, every(2, [0, 1, 2, 3, 4, 5, 6, 7, 8], 10), every(4, [0, 2, 4, 6, 8], 11)]
const valleyFrom = 2.5
/** Bins at three widths, four standardisations: what the smallest p-value over pairs of bins is multiplied by. */
const pairsTried = 600
/** Scores are in standard deviations of the basis: less spread is rounding. */
const leastDeviation = 0.05

const widths = (edges: readonly number[]): number[] =>
  edges.slice(0, -1).map((e, i) => (i === edges.length - 2 ? (edges[edges.length - 2] as number) : (edges[i + 1] as number) - e))
const scaleWidths = scales.map(widths)

export interface Reference {
  readonly centre: number
  readonly deviation: number
}

/** An isolated upper mode of scores. */
export interface TailFit {
  /** Natural logarithm of the p-value, corrected over pairs of bins; at most 0. */
  readonly logP: number
  readonly reference: Reference
  /** In standard deviations: the sparse bin and the dense one above it. */
  readonly valley: readonly [number, number]
  readonly peak: readonly [number, number]
  /** Threshold in standard deviations, and as a score. */
  readonly z: number
  readonly threshold: number
  /** Scores above the threshold. */
  readonly count: number
}

/** First index of ascending `sorted` whose value is at least `value`. */
export function lowerBound(sorted: Float32Array, value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

const quantile = (sorted: Float32Array, p: number): number => {
  const at = p * (sorted.length - 1)
  const i = Math.floor(at)
  const a = sorted[i] as number
  return a + (at - i) * ((sorted[Math.min(i + 1, sorted.length - 1)] as number) - a)
}

/** Centre and spread from the lower half, and from the lower quarter: right with up to half, three quarters of the scores in an upper mode. */
export function references(sorted: Float32Array): readonly [Reference, Reference] {
  const median = quantile(sorted, 0.5)
  // The median distance of the lower half from the median is the first quartile's.
  const quarter = quantile(sorted, 0.25)
  const half = Math.max(leastDeviation, 1.4826 * (median - quarter))
  const low = Math.max(leastDeviation, (quarter - quantile(sorted, 0.05)) / 0.971)
  return [
    { centre: median, deviation: half },
    { centre: quarter + 0.674 * low, deviation: low },
  ]
}

function histogram(sorted: Float32Array, { centre, deviation }: Reference, edges: readonly number[]): Int32Array {
  const out = new Int32Array(edges.length - 1)
  let from = lowerBound(sorted, centre)
  for (let i = 0; i < out.length; i++) {
    const to = i === out.length - 1 ? sorted.length : lowerBound(sorted, centre + deviation * (edges[i + 1] as number))
    out[i] = to - from
    from = to
  }
  return out
}

/** Chernoff's bound of the upper tail of a binomial count, as a logarithm; exact where all of n are k. */
function chernoff(k: number, n: number, p: number): number {
  const share = k / n
  if (share <= p) return 0
  const rest = 1 - share
  return -n * (share * Math.log(share / p) + (rest > 0 ? rest * Math.log(rest / (1 - p)) : 0))
}

/** @param sorted ascending; null where no bin above the valley holds `least` scores, or more than `mostShare` lie above the threshold */
export function fitTail(sorted: Float32Array, least = 6, mostShare = 0.6): TailFit | null {
  let best: {
    bound: number
    k: number
    n: number
    p: number
    reference: Reference
    valley: [number, number]
    peak: [number, number]
  } | null = null
  for (const reference of references(sorted)) {
    for (const [s, edges] of scales.entries()) {
      const width = scaleWidths[s] as number[]
      const counts = histogram(sorted, reference, edges)
      let above = 0
      for (let i = 0; i < counts.length; i++) above += counts[i] as number
      for (let i = 0; i + 1 < counts.length; i++) {
        above -= counts[i] as number
        if ((edges[i] as number) < valleyFrom) continue
        if (above < least) break
        const ni = counts[i] as number
        for (let j = i + 1; j < counts.length; j++) {
          const nj = counts[j] as number
          if (nj < least * 0.6) continue
          const p = (width[j] as number) / ((width[i] as number) + (width[j] as number))
          const bound = chernoff(nj, ni + nj, p)
          if (best && bound >= best.bound) continue
          best = {
            bound,
            k: nj,
            n: ni + nj,
            p,
            reference,
            valley: [edges[i] as number, edges[i + 1] as number],
            peak: [edges[j] as number, edges[j + 1] as number],
          }
        }
      }
    }
  }
  if (!best || best.bound === 0) return null
  const z = thresholdOf(histogram(sorted, best.reference, fine), best.peak[0])
  const threshold = best.reference.centre + best.reference.deviation * z
  const count = sorted.length - lowerBound(sorted, threshold)
  if (count > mostShare * sorted.length) return null
  const logP = Math.min(0, logBinomialUpper(best.k, best.n, best.p) + Math.log(pairsTried))
  return { logP, reference: best.reference, valley: best.valley, peak: best.peak, z, threshold, count }
}

const fineWidths = scaleWidths[0] as number[]

/** The middle of the widest run of the sparsest bins between 2.5 deviations and the peak, in standard deviations. */
function thresholdOf(counts: Int32Array, peak: number): number {
  let least = Number.POSITIVE_INFINITY
  const density = (i: number): number => (counts[i] as number) / (fineWidths[i] as number)
  const inside = (i: number): boolean => (fine[i] as number) >= valleyFrom && (fine[i] as number) < peak
  for (let i = 0; i < counts.length; i++) if (inside(i)) least = Math.min(least, density(i))
  let best: [number, number] = [valleyFrom, valleyFrom]
  for (let i = 0; i < counts.length; i++) {
    if (!inside(i) || density(i) > least + 1e-12) continue
    let end = i
    while (end + 1 < counts.length && inside(end + 1) && density(end + 1) <= least + 1e-12) end++
    const run: [number, number] = [fine[i] as number, fine[end + 1] as number]
    if (run[1] - run[0] > best[1] - best[0]) best = run
    i = end
  }
  const low = Math.max(best[0], valleyFrom)
  return Math.sqrt(low * Math.min(best[1], Math.max(peak, low * 1.05)))
}

const trials = 6

/**
 * Logarithm of the p-value that fresh scores have a mode where `fit` found one: its bins, and two narrower versions of them, under both
 * standardisations, corrected for the six trials.
 */
export function testTail(sorted: Float32Array, fit: TailFit): number {
  let best = 0
  for (const { centre, deviation } of references(sorted)) {
    const between = (low: number, high: number): number =>
      Math.max(0, lowerBound(sorted, centre + deviation * high) - lowerBound(sorted, centre + deviation * low))
    const top = (quantile(sorted, 0.999) - centre) / deviation
    for (const scale of [0.6, 0.8, 1]) {
      const low = fit.peak[0] * scale
      const high = Math.min(fit.peak[1], Math.max(top, low * 1.2))
      const valleyLow = fit.valley[0] * (scale * fit.valley[0] >= valleyFrom ? scale : 1)
      const valleyHigh = Math.min(fit.valley[1], low)
      if (valleyHigh <= valleyLow || high <= low) continue
      const dense = between(low, high)
      if (dense < 4) continue
      const sparse = between(valleyLow, valleyHigh)
      const p = (high - low) / (high - low + valleyHigh - valleyLow)
      best = Math.min(best, logBinomialUpper(dense, dense + sparse, p))
    }
  }
  return Math.min(0, best + Math.log(trials))
}
