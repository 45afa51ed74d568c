import { binomialUpper } from '../../math/tests.ts'
import { quantile } from './quantiles.ts'

/** Windows in robust deviations above the centre of a score: between them a tail falls, and rises again where something else begins. */
export interface Gap {
  readonly reference: 0 | 1
  readonly valley: readonly [number, number]
  readonly peak: readonly [number, number]
  /** On the scores that it was chosen on, before any correction: it orders gaps and is no p-value. */
  readonly p: number
}

const from = 2.5
const least = 6
/** Of the rows: a part of a class beyond it is a kind of its own and no plant among them (Chen et al. 2018). */
const mostShare = 0.35

/** Bin edges at three widths: even up to 2.5 deviations, then growing by 8 % a bin. */
const grids: readonly (readonly number[])[] = [1, 2, 4].map((step) => {
  const edges = [0, 0.5, 1, 1.5, 2]
  for (let i = 0, edge = from; edge < 400; i++, edge *= 1.08) if (i % step === 0) edges.push(edge)
  return edges
})

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

/** The most pronounced gap in the upper tail of the scores; null where nothing lies far enough out. */
export function findGap(values: Float64Array): Gap | null {
  let best: Gap | null = null
  for (const [reference, scale] of scalesOf(values).entries()) {
    const t = scaled(values, scale).sort()
    if (t.length === 0) continue
    for (const edges of grids) {
      const counts = histogram(t, edges)
      let above = 0
      for (let j = edges.length - 2; j > 5; j--) {
        above += counts[j] as number
        if (above < least) continue
        if (above > mostShare * t.length) break
        if ((counts[j] as number) < least / 2) continue
        for (let i = j - 1; i >= 5; i--) {
          const valley = [edges[i] as number, edges[i + 1] as number] as const
          const peak = [edges[j] as number, edges[j + 1] as number] as const
          const p = rises(counts[i] as number, counts[j] as number, valley[1] - valley[0], peak[1] - peak[0])
          if (!best || p < best.p) best = { reference: reference as 0 | 1, valley, peak, p }
        }
      }
    }
  }
  return best
}

function histogram(sorted: Float64Array, edges: readonly number[]): Float64Array {
  const counts = new Float64Array(edges.length - 1)
  let bin = 0
  for (const v of sorted) {
    if (v < (edges[0] as number)) continue
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

/** The score at the upper edge of the valley. */
export function cutOf(values: Float64Array, gap: Gap): number {
  const { centre, spread } = scalesOf(values)[gap.reference]
  return centre + spread * gap.valley[1]
}
