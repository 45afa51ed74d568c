import type { Matrix64 } from '../../math/kernels.ts'

/** [n, p] rows of single precision as doubles, less `centre`. */
export function centredRows(data: Float32Array, dims: number, centre: Float64Array): Matrix64 {
  const rows = data.length / dims
  const out = new Float64Array(data.length)
  for (let i = 0, at = 0; i < rows; i++) for (let j = 0; j < dims; j++, at++) out[at] = (data[at] as number) - (centre[j] as number)
  return { data: out, rows, dims }
}

export function meanOf(data: ArrayLike<number>, dims: number, keep: Uint8Array | null = null): Float64Array {
  const mean = new Float64Array(dims)
  const rows = data.length / dims
  let n = 0
  for (let i = 0; i < rows; i++) {
    if (keep && keep[i] === 0) continue
    n++
    for (let j = 0; j < dims; j++) mean[j] = (mean[j] as number) + (data[i * dims + j] as number)
  }
  return mean.map((v) => v / Math.max(n, 1))
}

/** sum over j of (x[j] - centre[j]) v[j] for every row. */
export function project(data: ArrayLike<number>, dims: number, centre: Float64Array, v: Float64Array): Float64Array {
  const out = new Float64Array(data.length / dims)
  for (let i = 0; i < out.length; i++) {
    let sum = 0
    for (let j = 0; j < dims; j++) sum += ((data[i * dims + j] as number) - (centre[j] as number)) * (v[j] as number)
    out[i] = sum
  }
  return out
}

/** (x - centre) M (x - centre) for every row and a symmetric M [dims, dims]. */
export function quadratic(data: ArrayLike<number>, dims: number, centre: Float64Array, m: Float64Array): Float64Array {
  const out = new Float64Array(data.length / dims)
  const x = new Float64Array(dims)
  for (let i = 0; i < out.length; i++) {
    for (let j = 0; j < dims; j++) x[j] = (data[i * dims + j] as number) - (centre[j] as number)
    let sum = 0
    for (let a = 0; a < dims; a++) {
      let row = 0
      for (let b = 0; b < a; b++) row += (m[a * dims + b] as number) * (x[b] as number)
      const own = x[a] as number
      sum += own * (2 * row + (m[a * dims + a] as number) * own)
    }
    out[i] = sum
  }
  return out
}

export const column = (vectors: Float64Array, width: number, j: number): Float64Array =>
  Float64Array.from({ length: vectors.length / width }, (_, i) => vectors[i * width + j] as number)
