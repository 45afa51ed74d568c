import { binomialUpper } from '../../math/tests.ts'
import { quantile } from './quantiles.ts'

/** Two windows side by side, in robust deviations above the centre of a score: a tail falls from one to the other, unless something begins there. */
export interface Gap {
  readonly reference: 0 | 1
  readonly valley: readonly [number, number]
  readonly peak: readonly [number, number]
  /** Log-likelihood ratio on the scores that it was chosen on: it orders gaps and is no test. */
  readonly strength: number
}

const from = 2.5
const least = 6
/** Of the rows: a part of a class beyond it is a kind of its own and no plant among them (Chen et al. 2018). */
export const mostShare = 0.35

/** Edges of the bins that windows are made of, each 12 % further out. */
const edges: readonly number[] = Array.from({ length: 46 }, (_, i) => from * 1.12 ** i)

interface Scale {
  readonly centre: number
  readonly spread: number
}

/** Median with the spread of its lower half; and the lower quarter, which holds where up to half of the scores are strangers. */
function scalesOf(values: Float64Array): readonly [Scale, Scale] {
  const sorted = values.slice().sort()
  const centre = quantile(sorted, 0.5)
  const below = sorted
    .subarray(0, Math.max(1, sorted.length >> 1))
    .map((v) => centre - v)
    .sort()
  const low = (quantile(sorted, 0.25) - quantile(sorted, 0.05)) / 0.9703640371
  return [
    { centre, spread: 1.4826022185 * quantile(below, 0.5) },
    { centre: quantile(sorted, 0.25) + 0.6744897502 * low, spread: low },
  ]
}

const scaled = (values: Float64Array, { centre, spread }: Scale): Float64Array =>
  spread > 0 ? values.map((v) => (v - centre) / spread) : new Float64Array(0)

const within = (values: Float64Array, [low, high]: readonly [number, number]): number => {
  let n = 0
  for (const v of values) if (v >= low && v < high) n++
  return n
}

/** P(at least as many in the peak | both windows), where the density of a unimodal tail does not rise from the valley to the peak. */
const rises = (valley: number, peak: number, widthValley: number, widthPeak: number): number =>
  peak === 0 ? 1 : binomialUpper(peak, valley + peak, widthPeak / (widthValley + widthPeak))

/** How much likelier the counts are with a density of their own in the peak than with one for both; 0 where that is no higher. */
function gain(valley: number, peak: number, widthValley: number, widthPeak: number): number {
  if (peak * widthValley <= valley * widthPeak) return 0
  const joint = (valley + peak) / (widthValley + widthPeak)
  return peak * Math.log(peak / widthPeak / joint) + (valley > 0 ? valley * Math.log(valley / widthValley / joint) : 0)
}

/** The most pronounced gap in the upper tail of the scores; null where nothing lies far enough out. */
export function findGap(values: Float64Array): Gap | null {
  let best: Gap | null = null
  for (const [reference, scale] of scalesOf(values).entries()) {
    const t = scaled(values, scale).sort()
    if (t.length === 0) continue
    const counts = histogram(t)
    const beyond = new Float64Array(edges.length)
    for (let j = edges.length - 2; j >= 0; j--) beyond[j] = (beyond[j + 1] as number) + (counts[j] as number)
    for (let start = 0; start < counts.length && (beyond[start] as number) >= least; start++) {
      for (let turn = start + 1; turn < counts.length && (beyond[turn] as number) >= least; turn++) {
        if ((beyond[turn] as number) > mostShare * t.length) continue
        const valley = [edges[start] as number, edges[turn] as number] as const
        for (let end = turn + 1; end < edges.length && (beyond[end - 1] as number) > 0; end++) {
          const peak = [edges[turn] as number, edges[end] as number] as const
          const inValley = (beyond[start] as number) - (beyond[turn] as number)
          const inPeak = (beyond[turn] as number) - (beyond[end] as number)
          const strength = inPeak < least ? 0 : gain(inValley, inPeak, valley[1] - valley[0], peak[1] - peak[0])
          if (strength > (best?.strength ?? 0)) best = { reference: reference as 0 | 1, valley, peak, strength }
        }
      }
    }
  }
  return best
}

/** Counts between the edges of ascending numbers. */
function histogram(sorted: Float64Array): Float64Array {
  const counts = new Float64Array(edges.length - 1)
  let bin = 0
  for (const v of sorted) {
    if (v < from) continue
    while (bin < counts.length && v >= (edges[bin + 1] as number)) bin++
    if (bin === counts.length) break
    counts[bin] = (counts[bin] as number) + 1
  }
  return counts
}

/** The p-value of a gap that was chosen on other scores; 1 where too few of these lie in its peak. */
export function testGap(values: Float64Array, gap: Gap): number {
  const t = scaled(values, scalesOf(values)[gap.reference])
  const peak = within(t, gap.peak)
  if (peak < least / 2) return 1
  return rises(within(t, gap.valley), peak, gap.valley[1] - gap.valley[0], gap.peak[1] - gap.peak[0])
}

/** The score in the middle of the valley. */
export function cutOf(values: Float64Array, gap: Gap): number {
  const { centre, spread } = scalesOf(values)[gap.reference]
  return centre + (spread * (gap.valley[0] + gap.valley[1])) / 2
}
