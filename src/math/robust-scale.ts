/**
 * Where the middle of some numbers lies and how wide it is, in standard deviations of a normal law: heavy tails do not count. Mean and
 * standard deviation where the middle is one value; 0 and 0 of none.
 * @param sorted ascending, without NaN
 */
export function robustScale(sorted: ArrayLike<number>): { readonly centre: number; readonly scale: number } {
  const n = sorted.length
  const at = (q: number): number => sorted[Math.min(n - 1, Math.floor(q * n))] ?? 0
  const spread = (at(0.9) - at(0.1)) / 2.56
  if (spread > 0) return { centre: at(0.5), scale: spread }
  let [sum, squares] = [0, 0]
  for (let i = 0; i < n; i++) sum += sorted[i] as number
  const mean = sum / Math.max(1, n)
  for (let i = 0; i < n; i++) squares += ((sorted[i] as number) - mean) ** 2
  return { centre: mean, scale: Math.sqrt(squares / Math.max(1, n)) }
}
