import { topEigen } from '../../math/eigen.ts'
import { gemm, type Matrix64 } from '../../math/kernels.ts'
import type { VectorMoments } from '../vector-moments.ts'

/** An affine map x -> ((x - mean) projection) / scale of the input vectors; NaN (a missing value) counts as the mean. */
export interface InputMap {
  readonly name: 'common scale' | 'standardised'
  readonly mean: Float64Array
  /** [d, p] row-major, or null where p = d. */
  readonly projection: Float64Array | null
  /** [p]; 0 where the direction does not vary. */
  readonly inverseScale: Float64Array
}

/** Above this the vectors are projected on their first principal components. */
export const maxDirectDims = 128
const components = 64
const constantBelow = 1e-9

/** The two candidate scalings: one scale for all directions, and one for each (for principal components: whitening). */
export async function inputMaps(moments: VectorMoments): Promise<InputMap[]> {
  const d = moments.mean.length
  const { projection, variances } = moments.covariance
    ? await principal(moments.covariance, d)
    : { projection: null, variances: moments.variance }
  const total = Math.sqrt(variances.reduce((sum, v) => sum + v, 0) / variances.length)
  const inverse = (sd: number): number => (sd > constantBelow ? 1 / sd : 0)
  const base = { mean: moments.mean, projection }
  return [
    { ...base, name: 'common scale', inverseScale: new Float64Array(variances.length).fill(inverse(total)) },
    { ...base, name: 'standardised', inverseScale: variances.map((v) => inverse(Math.sqrt(v))) },
  ]
}

async function principal(covariance: Float64Array, d: number): Promise<{ projection: Float64Array; variances: Float64Array }> {
  const { values, vectors } = await topEigen(covariance, d, Math.min(components, d))
  return { projection: vectors, variances: values.map((v) => Math.max(v, 0)) }
}

/** [n, d] -> [n, p] */
export async function applyMap(
  map: InputMap,
  x: { readonly data: Float32Array | Float64Array; readonly rows: number; readonly dims: number },
): Promise<Matrix64> {
  const { rows, dims } = x
  const centred = new Float64Array(rows * dims)
  for (let i = 0, at = 0; i < rows; i++) {
    for (let j = 0; j < dims; j++, at++) {
      const v = x.data[at] as number
      centred[at] = Number.isNaN(v) ? 0 : v - (map.mean[j] as number)
    }
  }
  const direct: Matrix64 = { data: centred, rows, dims }
  const p = map.inverseScale.length
  const out = map.projection ? await gemm(direct, { data: map.projection, rows: dims, dims: p }) : direct
  for (let i = 0, at = 0; i < rows; i++)
    for (let j = 0; j < p; j++, at++) out.data[at] = (out.data[at] as number) * (map.inverseScale[j] as number)
  return out
}
