import type { Matrix } from '../../contracts/batch.ts'
import { topEigen } from '../../math/eigen.ts'
import { gemm, gram } from '../../math/kernels.ts'

const maxComponents = 64
/** Rows from which the principal components are found. */
const maxRows = 20_000
const block = 4096
/** Of the mean variance: what a coordinate that hardly varies is taken to vary at least, where all have the same unit. */
const varianceFloor = 0.05

/** z = (x - mean) * weight; then z components * scale, and where components leave something, the length of that times scale. */
export interface SpaceMap {
  readonly mean: Float64Array
  readonly weight: Float64Array
  /** [d, width], orthonormal columns. */
  readonly components: Float64Array
  readonly width: number
  readonly scale: number
  /** Numbers a mapped vector: `width`, or one more. */
  readonly dims: number
}

/**
 * Principal components (at most 64) on one common scale, of columns that were brought to equal variance first where `standardise`,
 * and the length of what they leave (Jackson and Mudholkar 1979): what is strange in few coordinates that hardly vary shows there.
 * A missing value counts as the mean of its column.
 */
export async function spaceMap(x: Matrix, equalUnits: boolean): Promise<SpaceMap> {
  const { dims } = x
  const step = Math.max(1, Math.floor(x.rows / maxRows))
  const rows = Math.ceil(x.rows / step)
  const mean = new Float64Array(dims)
  const spread = new Float64Array(dims)
  for (let j = 0; j < dims; j++) {
    let n = 0
    let sum = 0
    let squares = 0
    for (let i = 0; i < rows; i++) {
      const v = x.data[i * step * dims + j] as number
      if (Number.isNaN(v)) continue
      n++
      const change = v - sum / Math.max(n - 1, 1)
      if (n === 1) sum = v
      else {
        sum += v
        squares += change * (v - sum / n)
      }
    }
    mean[j] = n > 0 ? sum / n : 0
    const sd = n > 0 ? Math.sqrt(Math.max(squares, 0) / n) : 0
    spread[j] = sd > 1e-12 * Math.abs(mean[j] as number) ? sd : 0
  }
  const floor = equalUnits ? varianceFloor * (spread.reduce((sum, sd) => sum + sd * sd, 0) / dims) : 0
  const weight = spread.map((sd) => (sd > 0 || floor > 0 ? 1 / Math.sqrt(sd * sd + floor) : 0))
  const centred = new Float64Array(rows * dims)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < dims; j++) {
      const v = x.data[i * step * dims + j] as number
      centred[i * dims + j] = Number.isNaN(v) ? 0 : (v - (mean[j] as number)) * (weight[j] as number)
    }
  const width = Math.min(maxComponents, dims)
  const { gram: products } = await gram({ data: centred, rows, dims })
  const { values, vectors } = await topEigen(products.data, dims, width)
  const total = values.reduce((sum, v) => sum + Math.max(v, 0), 0)
  const scale = total > 0 ? Math.sqrt((rows * width) / total) : 0
  return { mean, weight, components: vectors, width, scale, dims: width < dims ? width + 1 : width }
}

/** [n, d] -> [n, map.dims] in single precision. */
export async function mapVectors(map: SpaceMap, x: Matrix): Promise<Float32Array> {
  const out = new Float32Array(x.rows * map.dims)
  for (let first = 0; first < x.rows; first += block) await mapBlock(map, x, first, Math.min(block, x.rows - first), out)
  return out
}

async function mapBlock(map: SpaceMap, x: Matrix, first: number, rows: number, out: Float32Array): Promise<void> {
  const { mean, weight, components, width, scale, dims } = map
  const d = x.dims
  const centred = new Float64Array(rows * d)
  const lengths = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    let sum = 0
    for (let j = 0; j < d; j++) {
      const v = x.data[(first + i) * d + j] as number
      const z = Number.isNaN(v) ? 0 : (v - (mean[j] as number)) * (weight[j] as number)
      centred[i * d + j] = z
      sum += z * z
    }
    lengths[i] = sum
  }
  const { data } = await gemm({ data: centred, rows, dims: d }, { data: components, rows: d, dims: width })
  for (let i = 0; i < rows; i++) {
    const to = (first + i) * dims
    let inside = 0
    for (let j = 0; j < width; j++) {
      const v = data[i * width + j] as number
      inside += v * v
      out[to + j] = v * scale
    }
    if (dims > width) out[to + width] = Math.sqrt(Math.max(0, (lengths[i] as number) - inside)) * scale
  }
}
