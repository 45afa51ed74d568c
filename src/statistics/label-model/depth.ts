/**
 * How deep a record lies in the class that the model predicts for it: the rank of its margin (best class score less the
 * second best) among the records that carry that class as their given label and are predicted as it, 0 (at the border) to 1.
 * A record whose label was flipped is a typical member of its true class, so its depth is uniform; a hard record with the
 * right label is mistaken near the border. Among equal margins the lowest rank counts: records that the features cannot tell
 * apart are no evidence. Counting disagreements above a depth is Storey's (2002) estimate of a null share,
 * with the roles of the two parts exchanged.
 */
export const depthPoints = 256

/** [K, 257] quantiles of the margins of agreeing records, by class; NaN where a class has none. */
export type DepthQuantiles = Float64Array

export function depthOf(quantiles: DepthQuantiles, klass: number, margin: number): number {
  const from = klass * (depthPoints + 1)
  if (Number.isNaN(quantiles[from] as number)) return 0
  let low = 0
  let high = depthPoints + 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((quantiles[from + middle] as number) < margin) low = middle + 1
    else high = middle
  }
  if (low === 0) return 0
  if (low > depthPoints) return 1
  const a = quantiles[from + low - 1] as number
  const b = quantiles[from + low] as number
  return (low - 1 + (b > a ? (margin - a) / (b - a) : 0)) / depthPoints
}

/** From the margins themselves. */
export function depthFromMargins(margins: readonly (readonly number[])[]): DepthQuantiles {
  const out = new Float64Array(margins.length * (depthPoints + 1)).fill(Number.NaN)
  margins.forEach((values, c) => {
    if (values.length === 0) return
    const sorted = Float64Array.from(values).sort()
    for (let q = 0; q <= depthPoints; q++) {
      const at = (q / depthPoints) * (sorted.length - 1)
      const low = Math.floor(at)
      const a = sorted[low] as number
      out[c * (depthPoints + 1) + q] = a + ((sorted[Math.min(low + 1, sorted.length - 1)] as number) - a) * (at - low)
    }
  })
  return out
}

/** From a histogram [K, bins] of margins in 0..max. */
export function depthFromHistogram(counts: Float64Array, classes: number, max: number): DepthQuantiles {
  const bins = counts.length / classes
  const out = new Float64Array(classes * (depthPoints + 1)).fill(Number.NaN)
  for (let c = 0; c < classes; c++) {
    const row = counts.subarray(c * bins, (c + 1) * bins)
    const total = row.reduce((sum, n) => sum + n, 0)
    if (total === 0) continue
    let bin = 0
    let below = 0
    for (let q = 0; q <= depthPoints; q++) {
      const rank = (q / depthPoints) * total
      while (bin < bins - 1 && below + (row[bin] as number) < rank) below += row[bin++] as number
      const inside = (row[bin] as number) > 0 ? Math.min(1, (rank - below) / (row[bin] as number)) : 0
      out[c * (depthPoints + 1) + q] = ((bin + inside) * max) / bins
    }
  }
  return out
}
