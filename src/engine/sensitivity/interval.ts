import type { SensitivityRate } from '../../contracts/sensitivity.ts'

/** Two-sided 95 % quantiles of Student's t with 1 to 9 degrees of freedom. */
const studentT = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262] as const

/** The same with `df` degrees of freedom; from 10 on by the first terms of its expansion about the normal (Fisher 1926), to .01. */
const quantile = (df: number): number => studentT[df - 1] ?? 1.96 + 2.37 / df + 2.82 / df ** 2

/** Mean of shares with the 95 % interval of Student's t over them, cut to 0..1; no interval of one. */
export function meanWithInterval(shares: readonly number[]): Pick<SensitivityRate, 'recall' | 'low' | 'high'> {
  const n = shares.length
  const recall = shares.reduce((sum, x) => sum + x, 0) / n
  if (n < 2) return { recall, low: null, high: null }
  const deviation = Math.sqrt(shares.reduce((sum, x) => sum + (x - recall) ** 2, 0) / (n - 1))
  const half = (quantile(n - 1) * deviation) / Math.sqrt(n)
  return { recall, low: Math.max(0, recall - half), high: Math.min(1, recall + half) }
}
