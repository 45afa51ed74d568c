/** The q-quantile of ascending numbers, interpolated; NaN of none. */
export function quantile(sorted: ArrayLike<number>, q: number): number {
  if (sorted.length === 0) return Number.NaN
  const at = q * (sorted.length - 1)
  const low = Math.floor(at)
  const a = sorted[low] as number
  const b = sorted[Math.min(low + 1, sorted.length - 1)] as number
  return a + (at - low) * (b - a)
}

/** Share of all sampled rows below one unit of suspicion: far enough out to be rare, near enough for poison not to set it. */
const unitShare = 0.98

/** How far the bulk of all rows lies above the centres of their classes, at least `least`: one unit of suspicion. */
export const unitOf = (deviations: Iterable<number>, least: number): number =>
  Math.max(
    quantile(
      Float64Array.from(deviations)
        .filter((v) => !Number.isNaN(v))
        .sort(),
      unitShare,
    ) || 0,
    least,
  )

export const median = (values: Iterable<number>): number => quantile(Float64Array.from(values).sort(), 0.5)
