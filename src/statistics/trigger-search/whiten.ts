import { gemm32, type Matrix32, matrix32 } from '../../math/gemm32.ts'
import { cholesky } from '../../math/solve.ts'

/** Least variance in a whitened direction. */
const ridge = 0.02

export interface Whitening {
  /** Coordinates of the basis `dct` that are used. */
  readonly coordinates: Int32Array
  /** [coordinates, coordinates]: rows times this have the identity as covariance within classes. */
  readonly matrix: Float32Array
}

export function pick(data: Float32Array, dims: number, coordinates: Int32Array): Float32Array {
  const rows = data.length / dims
  const k = coordinates.length
  const out = new Float32Array(rows * k)
  for (let r = 0; r < rows; r++) for (let j = 0; j < k; j++) out[r * k + j] = data[r * dims + (coordinates[j] as number)] as number
  return out
}

/** By the pooled covariance within classes. @param dct [rows, dims] @param labels class of each row, in runs */
export async function whitening(dct: Float32Array, dims: number, labels: ArrayLike<number>, coordinates: Int32Array): Promise<Whitening> {
  const k = coordinates.length
  const x = pick(dct, dims, coordinates)
  const rows = x.length / k
  for (let from = 0; from < rows; ) {
    let to = from
    while (to < rows && labels[to] === labels[from]) to++
    const mean = new Float64Array(k)
    for (let r = from; r < to; r++) for (let j = 0; j < k; j++) mean[j] = (mean[j] as number) + (x[r * k + j] as number) / (to - from)
    for (let r = from; r < to; r++) for (let j = 0; j < k; j++) x[r * k + j] = (x[r * k + j] as number) - (mean[j] as number)
    from = to
  }
  const m = matrix32(x, rows, k)
  const covariance = Float64Array.from((await gemm32(m, m, { transA: true })).data, (v) => v / Math.max(1, rows))
  const { lower } = await cholesky(covariance, k, ridge)
  return { coordinates, matrix: Float32Array.from(inverseTransposed(lower, k)) }
}

/** The transpose of the inverse of a lower triangle. */
function inverseTransposed(l: Float64Array, n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let c = 0; c < n; c++) {
    out[c * n + c] = 1 / (l[c * n + c] as number)
    for (let r = c + 1; r < n; r++) {
      let sum = 0
      for (let j = c; j < r; j++) sum += (l[r * n + j] as number) * (out[c * n + j] as number)
      out[c * n + r] = -sum / (l[r * n + r] as number)
    }
  }
  return out
}

/** [rows, coordinates], centred. */
export async function whitened(dct: Float32Array, dims: number, w: Whitening): Promise<Matrix32> {
  const k = w.coordinates.length
  const x = pick(dct, dims, w.coordinates)
  const rows = x.length / k
  const out = await gemm32(matrix32(x, rows, k), matrix32(w.matrix, k, k))
  const mean = new Float64Array(k)
  for (let r = 0; r < rows; r++) for (let j = 0; j < k; j++) mean[j] = (mean[j] as number) + (out.data[r * k + j] as number) / rows
  for (let r = 0; r < rows; r++) for (let j = 0; j < k; j++) out.data[r * k + j] = (out.data[r * k + j] as number) - (mean[j] as number)
  return out
}
