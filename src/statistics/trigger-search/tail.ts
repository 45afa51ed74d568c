import { logBinomialUpper } from '../../math/tests.ts'

/**
 * Bin edges in standard deviations above the centre. Where scores have one mode, their density falls from bin to bin; where some bins
 * are denser than some below them, there is a second mode.
 */
const edges = binEdges()
/** Bins of a valley, and of a peak, at most: each may be about as wide as it is far out. */
const valleyBins = 4
const peakBins = 6
const valleyFrom = 2.5
/** Least density of a peak, in that of its valley: writers of a digit form modes of up to 2.6 times. */
const leastDepth = 4
/**
 * What the smallest p-value over pairs of valley and peak, under two standardisations, is multiplied by. Neighbouring pairs tell the same:
 * of 150 to 2,500 scores of seven laws of one mode, 220 would do in the worst case, a flat tail.
 */
const pairsTried = 1000
/** Scores of other classes that are added to their valley. */
const leastOthers = 2
/** Scores are in standard deviations of the basis: less spread is rounding. */
const leastDeviation = 0.05

/** Every half deviation to 5, then an eighth more each time, to 450, and all above. */
function binEdges(): Float64Array {
  const out = Array.from({ length: 11 }, (_, i) => i / 2)
  while ((out.at(-1) as number) < 450) out.push((out.at(-1) as number) * 1.125)
  return Float64Array.from([...out, 1e9])
}

export interface Reference {
  readonly centre: number
  readonly deviation: number
}

/** An isolated upper mode of scores. */
export interface TailFit {
  /** Natural logarithm of the p-value, corrected over pairs of bins; at most 0, and 0 where the mode is shallow. */
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
  /** Scores in the peak; in peak and valley; and the share of the peak where both are equally dense. */
  readonly pair: { readonly k: number; readonly n: number; readonly p: number }
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

/** [edges]: scores below each edge, and not below the centre. */
function countsBelow(sorted: Float32Array, { centre, deviation }: Reference): Int32Array {
  const from = lowerBound(sorted, centre)
  return Int32Array.from(edges, (e, i) => (i === edges.length - 1 ? sorted.length : lowerBound(sorted, centre + deviation * e)) - from)
}

/** Chernoff's bound of the upper tail of a binomial count, as a logarithm; exact where all of n are k. */
function chernoff(k: number, n: number, p: number): number {
  const share = k / n
  if (share <= p) return 0
  const rest = 1 - share
  return -n * (share * Math.log(share / p) + (rest > 0 ? rest * Math.log(rest / (1 - p)) : 0))
}

interface Pair {
  readonly bound: number
  readonly k: number
  readonly n: number
  readonly p: number
  readonly reference: Reference
  readonly valley: readonly [number, number]
  readonly peak: readonly [number, number]
}

/** Of runs of bins, one above the other, the pair whose upper one is most surely the denser. */
function bestPair(below: Int32Array, reference: Reference, least: number, depth: number): Pair | null {
  const last = edges.length - 1
  const at = (i: number): number => edges[i] as number
  const count = (from: number, to: number): number => (below[to] as number) - (below[from] as number)
  let best: Pair | null = null
  for (let i = 0; i < last - 1 && count(i + 1, last) >= least; i++) {
    if (at(i) < valleyFrom) continue
    for (let end = i + 1; end <= Math.min(i + valleyBins, last - 1); end++) {
      const sparse = count(i, end)
      const width = at(end) - at(i)
      for (let from = end; from < last; from++) {
        for (let to = from + 1; to <= Math.min(from + peakBins, last); to++) {
          const dense = count(from, to)
          if (dense < 0.6 * least) continue
          // The last bin has no end: what lies in it lies near its beginning.
          const peakWidth = to === last ? at(last - 1) : at(to) - at(from)
          const p = peakWidth / (width + peakWidth)
          if (dense * width <= depth * sparse * peakWidth) continue
          const bound = chernoff(dense, dense + sparse, p)
          if (best && bound >= best.bound) continue
          best = { bound, k: dense, n: dense + sparse, p, reference, valley: [at(i), at(end)], peak: [at(from), at(to)] }
        }
      }
    }
  }
  return best
}

/** @param sorted ascending; null where no run of bins above a valley holds `least` scores, or more than `mostShare` lie above the threshold */
export function fitTail(sorted: Float32Array, least = 6, mostShare = 0.6): TailFit | null {
  const found = references(sorted).map((reference) => ({ reference, below: countsBelow(sorted, reference) }))
  const bestOf = (depth: number): Pair | null =>
    found
      .map(({ below, reference }) => bestPair(below, reference, least, depth))
      .reduce((a, b) => (a && b ? (b.bound < a.bound ? b : a) : (a ?? b)))
  const deep = bestOf(leastDepth)
  const best = deep ?? bestOf(1)
  if (!best) return null
  const z = thresholdOf(countsBelow(sorted, best.reference), best.peak[0])
  const threshold = best.reference.centre + best.reference.deviation * z
  const count = sorted.length - lowerBound(sorted, threshold)
  if (count > mostShare * sorted.length) return null
  const { reference, valley, peak, ...pair } = best
  return { logP: deep ? logOf(pair) : 0, reference, valley, peak, z, threshold, count, pair }
}

const logOf = ({ k, n, p }: TailFit['pair']): number => Math.min(0, logBinomialUpper(k, n, p) + Math.log(pairsTried))

/**
 * Share of the peak among the scores in peak and valley, by the scores of other classes, at least `share`: a mode that they have too is
 * none of this class, such as the steps that compression leaves. Few of them prove nothing.
 */
function shareAmong(
  others: Float32Array,
  { centre, deviation }: Reference,
  valley: TailFit['valley'],
  peak: TailFit['peak'],
  share: number,
): number {
  const [sparse, dense] = [valley, peak].map(
    ([from, to]) => lowerBound(others, centre + deviation * to) - lowerBound(others, centre + deviation * from),
  )
  return Math.max(share, (dense as number) / ((dense as number) + (sparse as number) + leastOthers))
}

/** `fit.logP` where the scores of other classes, ascending, show the form of the tail that every class has. */
export function logBeside(fit: TailFit, others: Float32Array): number {
  const { reference, valley, peak, pair } = fit
  return fit.logP === 0 ? 0 : logOf({ ...pair, p: shareAmong(others, reference, valley, peak, pair.p) })
}

/** The middle of the widest run of the sparsest bins between 2.5 deviations and the peak, in standard deviations. */
function thresholdOf(below: Int32Array, peak: number): number {
  const at = (i: number): number => edges[i] as number
  const density = (i: number): number => ((below[i + 1] as number) - (below[i] as number)) / (at(i + 1) - at(i))
  const inside = (i: number): boolean => at(i) >= valleyFrom && at(i) < peak
  const bins = edges.length - 1
  let least = Number.POSITIVE_INFINITY
  for (let i = 0; i < bins; i++) if (inside(i)) least = Math.min(least, density(i))
  let best: readonly [number, number] = [valleyFrom, valleyFrom]
  for (let i = 0; i < bins; i++) {
    if (!inside(i) || density(i) > least + 1e-12) continue
    let end = i
    while (end + 1 < bins && inside(end + 1) && density(end + 1) <= least + 1e-12) end++
    if (at(end + 1) - at(i) > best[1] - best[0]) best = [at(i), at(end + 1)]
    i = end
  }
  const low = Math.max(best[0], valleyFrom)
  return Math.sqrt(low * Math.min(best[1], Math.max(peak, low * 1.05)))
}

const trials = 6

/**
 * Logarithm of the p-value that fresh scores have a mode where `fit` found one: its bins, and two narrower versions of them, under both
 * standardisations, corrected for the six trials. @param others scores of other classes, ascending
 */
export function testTail(sorted: Float32Array, fit: TailFit, others: Float32Array): number {
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
      if (dense * (valleyHigh - valleyLow) <= leastDepth * sparse * (high - low)) continue
      const share = (high - low) / (high - low + valleyHigh - valleyLow)
      const p = shareAmong(others, { centre, deviation }, [valleyLow, valleyHigh], [low, high], share)
      best = Math.min(best, logBinomialUpper(dense, dense + sparse, p))
    }
  }
  return Math.min(0, best + Math.log(trials))
}
