import { topEigen } from '../../math/eigen.ts'
import { gram } from '../../math/kernels.ts'
import { keyed, type Random } from '../../math/rng.ts'
import { centredRows, meanOf } from './dense.ts'

const components = 10
const restarts = 4
const maxIterations = 60
const silhouetteRows = 300

export interface TwoMeans {
  readonly mean: Float64Array
  /** [p, width] the principal components in which rows were clustered; the first two are the map. */
  readonly directions: Float64Array
  readonly width: number
  /** [p] from the centre of the larger to that of the smaller cluster, of length 1; zero where there is only one. */
  readonly axis: Float64Array
  /** Projection on the axis, from the mean, of the point halfway. */
  readonly halfway: number
  /** Distance of the centres. */
  readonly apart: number
  /** Share of the smaller cluster, 0...5. */
  readonly share: number
  /** Mean silhouette (Rousseeuw 1987) of sampled rows, -1..1. */
  readonly silhouette: number
}

/** The rows on ten principal components, in two clusters: activation clustering (Chen et al. 2018). */
export async function twoMeans(data: Float32Array, dims: number, seed: Uint8Array): Promise<TwoMeans> {
  const mean = meanOf(data, dims)
  const centred = centredRows(data, dims, mean)
  const width = Math.max(1, Math.min(components, dims, centred.rows >> 2))
  const { vectors } = await topEigen((await gram(centred)).gram.data, dims, width)
  const reduced = new Float64Array(centred.rows * width)
  for (let i = 0; i < centred.rows; i++)
    for (let a = 0; a < dims; a++)
      for (let j = 0; j < width; j++)
        reduced[i * width + j] =
          (reduced[i * width + j] as number) + (centred.data[i * dims + a] as number) * (vectors[a * width + j] as number)
  const random = keyed(seed, 'assay two means')
  let best: Clustering | null = null
  for (let i = 0; i < restarts; i++) {
    const found = lloyd(reduced, width, random)
    if (!best || found.loss < best.loss) best = found
  }
  const { member, centres, small } = best as Clustering
  const a = centres.subarray((1 - small) * width, (2 - small) * width)
  const b = centres.subarray(small * width, (small + 1) * width)
  const apart = Math.sqrt(a.reduce((sum, v, j) => sum + ((b[j] as number) - v) ** 2, 0))
  const axis = new Float64Array(dims)
  let halfway = 0
  for (let j = 0; j < width; j++) {
    const u = apart > 0 ? ((b[j] as number) - (a[j] as number)) / apart : 0
    halfway += (u * ((a[j] as number) + (b[j] as number))) / 2
    for (let d = 0; d < dims; d++) axis[d] = (axis[d] as number) + u * (vectors[d * width + j] as number)
  }
  const share = member.reduce((sum, m) => sum + (m === small ? 1 : 0), 0) / member.length
  return { mean, directions: vectors, width, axis, halfway, apart, share, silhouette: silhouette(reduced, width, member, random) }
}

interface Clustering {
  readonly loss: number
  readonly member: Uint8Array
  readonly centres: Float64Array
  readonly small: 0 | 1
}

const squared = (x: Float64Array, i: number, y: Float64Array, j: number, width: number): number => {
  let sum = 0
  for (let c = 0; c < width; c++) sum += ((x[i * width + c] as number) - (y[j * width + c] as number)) ** 2
  return sum
}

/** Lloyd's algorithm from a random row and one drawn in proportion to its squared distance (Arthur and Vassilvitskii 2007). */
function lloyd(x: Float64Array, width: number, random: Random): Clustering {
  const n = x.length / width
  const first = random.below(n)
  const distances = Float64Array.from({ length: n }, (_, i) => squared(x, i, x, first, width))
  let left = random.uniform() * distances.reduce((sum, d) => sum + d, 0)
  let second = 0
  while (second < n - 1 && left >= (distances[second] as number)) left -= distances[second++] as number
  let centres = new Float64Array(2 * width)
  centres.set(x.subarray(first * width, (first + 1) * width))
  centres.set(x.subarray(second * width, (second + 1) * width), width)
  const member = new Uint8Array(n)
  let loss = 0
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    let moved = iteration === 0
    loss = 0
    const sums = new Float64Array(2 * width)
    const counts = [0, 0]
    for (let i = 0; i < n; i++) {
      const d0 = squared(x, i, centres, 0, width)
      const d1 = squared(x, i, centres, 1, width)
      const m = d1 < d0 ? 1 : 0
      if (member[i] !== m) moved = true
      member[i] = m
      loss += Math.min(d0, d1)
      counts[m] = (counts[m] as number) + 1
      for (let c = 0; c < width; c++) sums[m * width + c] = (sums[m * width + c] as number) + (x[i * width + c] as number)
    }
    if (!moved) break
    centres = sums.map((s, at) => s / Math.max(counts[at < width ? 0 : 1] as number, 1))
  }
  const ones = member.reduce((sum, m) => sum + m, 0)
  return { loss, member, centres, small: 2 * ones <= n ? 1 : 0 }
}

function silhouette(x: Float64Array, width: number, member: Uint8Array, random: Random): number {
  const n = member.length
  const rows = [...random.permutation(n).subarray(0, silhouetteRows)]
  let total = 0
  let counted = 0
  for (const i of rows) {
    const sums = [0, 0]
    const counts = [0, 0]
    for (const j of rows) {
      if (i === j) continue
      const m = member[j] as number
      sums[m] = (sums[m] as number) + Math.sqrt(squared(x, i, x, j, width))
      counts[m] = (counts[m] as number) + 1
    }
    const mine = member[i] as number
    if (counts[0] === 0 || counts[1] === 0) continue
    const a = (sums[mine] as number) / (counts[mine] as number)
    const b = (sums[1 - mine] as number) / (counts[1 - mine] as number)
    total += (b - a) / Math.max(a, b, Number.MIN_VALUE)
    counted++
  }
  return counted > 0 ? total / counted : 0
}
