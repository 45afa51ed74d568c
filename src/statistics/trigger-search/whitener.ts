import { gemm32, matrix32 } from '../../math/gemm32.ts'
import { inverseRoot } from '../../math/inverse-root.ts'
import { type PlaneShape, planeLength } from './planes.ts'

/** Least standard deviation in any direction, in grey levels: rounding and compression leave about that much. */
const leastDeviation = 4

/** Planes minus `mean`, times a matrix a plane: within classes, every direction then varies about alike. */
export interface Whitener {
  readonly shape: PlaneShape
  /** [planeLength] */
  readonly mean: Float32Array
  /** A plane each, [pixels, pixels], symmetric. */
  readonly matrices: readonly Float32Array[]
}

/** Sums of planes, and their products within classes. */
export interface Spread {
  readonly shape: PlaneShape
  rows: number
  readonly sum: Float64Array
  /** A plane each, [pixels, pixels]. */
  readonly products: readonly Float64Array[]
}

export const noSpread = (shape: PlaneShape): Spread => ({
  shape,
  rows: 0,
  sum: new Float64Array(planeLength(shape)),
  products: Array.from({ length: shape.planes }, () => new Float64Array((shape.height * shape.width) ** 2)),
})

/** @param planes [rows, planes, pixels] of one class */
export async function addSpread(into: Spread, planes: Float32Array, rows: number): Promise<void> {
  const size = into.shape.height * into.shape.width
  into.rows += rows
  for (const [k, products] of into.products.entries()) {
    const x = planeOf(planes, rows, into.shape, k)
    const mean = new Float64Array(size)
    for (let r = 0; r < rows; r++) for (let j = 0; j < size; j++) mean[j] = (mean[j] as number) + (x[r * size + j] as number) / rows
    for (let r = 0; r < rows; r++) for (let j = 0; j < size; j++) x[r * size + j] = (x[r * size + j] as number) - (mean[j] as number)
    for (let j = 0; j < size; j++) into.sum[k * size + j] = (into.sum[k * size + j] as number) + rows * (mean[j] as number)
    const m = matrix32(x, rows, size)
    const { data } = await gemm32(m, m, { transA: true })
    for (let i = 0; i < data.length; i++) products[i] = (products[i] as number) + (data[i] as number)
  }
}

export async function whitenerOf({ shape, rows, sum, products }: Spread): Promise<Whitener> {
  const size = shape.height * shape.width
  const n = Math.max(1, rows)
  const matrices: Float32Array[] = []
  for (const p of products) {
    const covariance = Float32Array.from(p, (v) => v / n)
    for (let j = 0; j < size; j++) covariance[j * size + j] = (covariance[j * size + j] as number) + leastDeviation ** 2
    matrices.push(await inverseRoot(covariance, size))
  }
  return { shape, mean: Float32Array.from(sum, (v) => v / n), matrices }
}

/** [rows, planes, pixels] */
export async function whiten({ shape, mean, matrices }: Whitener, planes: Float32Array, rows: number): Promise<Float32Array> {
  const size = shape.height * shape.width
  const out = new Float32Array(planes.length)
  for (const [k, matrix] of matrices.entries()) {
    const x = planeOf(planes, rows, shape, k)
    for (let r = 0; r < rows; r++)
      for (let j = 0; j < size; j++) x[r * size + j] = (x[r * size + j] as number) - (mean[k * size + j] as number)
    const { data } = await gemm32(matrix32(x, rows, size), matrix32(matrix, size, size))
    for (let r = 0; r < rows; r++) out.set(data.subarray(r * size, (r + 1) * size), (r * shape.planes + k) * size)
  }
  return out
}

/** A copy. */
function planeOf(planes: Float32Array, rows: number, { height, width, planes: count }: PlaneShape, k: number): Float32Array {
  const size = height * width
  const out = new Float32Array(rows * size)
  for (let r = 0; r < rows; r++) out.set(planes.subarray((r * count + k) * size, (r * count + k + 1) * size), r * size)
  return out
}
