import { topEigen } from '../../math/eigen.ts'

/** The shape of the spectrum of a matrix that is a product of two thin ones. */
export interface Spectrum {
  /** Singular values, largest first. */
  readonly values: Float64Array
  /** Frobenius norm. */
  readonly norm: number
  /** Share of the squared norm in the largest singular value, 0..1; 0 for a zero matrix. */
  readonly topShare: number
  /** Shannon entropy of those shares over that of equal ones, 0 (one direction) to 1. */
  readonly entropy: number
  /** Fourth central moment of the singular values over the square of the second; 0 where all are alike. */
  readonly kurtosis: number
}

/** Sums of products of rows: [n, n] of `a` [n, length], or of its columns where `a` is [length, n]. */
function gram(a: Float32Array, n: number, length: number, rows: boolean): Float64Array {
  const out = new Float64Array(n * n)
  if (rows)
    for (let i = 0; i < n; i++)
      for (let j = i; j < n; j++) {
        let sum = 0
        for (let k = 0, x = i * length, y = j * length; k < length; k++) sum += (a[x + k] as number) * (a[y + k] as number)
        out[i * n + j] = sum
      }
  else
    for (let k = 0; k < length; k++)
      for (let i = 0, from = k * n; i < n; i++) {
        const x = a[from + i] as number
        for (let j = i; j < n; j++) out[i * n + j] = (out[i * n + j] as number) + x * (a[from + j] as number)
      }
  for (let i = 0; i < n; i++) for (let j = 0; j < i; j++) out[i * n + j] = out[j * n + i] as number
  return out
}

/**
 * Spectrum of b · a with `a` [r, columns] and `b` [rows, r], row-major, by matrices of r by r alone: the squared singular values are the
 * eigenvalues of S (a aᵀ) Sᵀ where Sᵀ S = bᵀ b. The product is never made. Costs r² (rows + columns) and r³.
 */
export async function spectrumOfProduct(b: Float32Array, a: Float32Array, r: number): Promise<Spectrum> {
  const inner = gram(a, r, a.length / r, true)
  const outer = await topEigen(gram(b, r, b.length / r, false), r, r)
  // S has the eigenvectors as rows, each times the root of its value.
  const half = new Float64Array(r * r)
  for (let j = 0; j < r; j++) {
    const root = Math.sqrt(Math.max(0, outer.values[j] as number))
    for (let i = 0; i < r; i++) half[j * r + i] = root * (outer.vectors[i * r + j] as number)
  }
  const left = product(half, inner, r)
  const both = new Float64Array(r * r)
  for (let i = 0; i < r; i++)
    for (let j = i; j < r; j++) {
      let sum = 0
      for (let k = 0; k < r; k++) sum += (left[i * r + k] as number) * (half[j * r + k] as number)
      both[i * r + j] = sum
      both[j * r + i] = sum
    }
  return shapeOf((await topEigen(both, r, r)).values.map((x) => Math.sqrt(Math.max(0, x))))
}

function product(x: Float64Array, y: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let i = 0; i < n; i++)
    for (let k = 0; k < n; k++) {
      const factor = x[i * n + k] as number
      for (let j = 0; j < n; j++) out[i * n + j] = (out[i * n + j] as number) + factor * (y[k * n + j] as number)
    }
  return out
}

/** @param values singular values, largest first */
export function shapeOf(values: Float64Array): Spectrum {
  const top = values[0] ?? 0
  if (!(top > 0 && Number.isFinite(top))) return { values, norm: 0, topShare: 0, entropy: 0, kurtosis: 0 }
  // In units of the largest, so that no power of them leaves the range of numbers.
  const scaled = values.map((x) => x / top)
  const total = scaled.reduce((sum, x) => sum + x * x, 0)
  let entropy = 0
  for (const x of scaled) if (x > 0) entropy -= ((x * x) / total) * Math.log(Math.max((x * x) / total, Number.MIN_VALUE))
  const mean = scaled.reduce((sum, x) => sum + x, 0) / scaled.length
  const moment = (power: number): number => scaled.reduce((sum, x) => sum + (x - mean) ** power, 0) / scaled.length
  const variance = moment(2)
  return {
    values,
    norm: top * Math.sqrt(total),
    topShare: 1 / total,
    entropy: scaled.length > 1 ? entropy / Math.log(scaled.length) : 0,
    kurtosis: variance > 1e-12 * mean * mean ? moment(4) / variance ** 2 : 0,
  }
}
