import type { Matrix } from '../contracts/batch.ts'
import { MathError, requireLength } from './errors.ts'
import { cells } from './neighbour-cells.ts'
import { mixing, tileOf, tileRows } from './neighbour-codes.ts'
import { searchAll } from './neighbour-dense.ts'
import { type Reference, referenceOf, search } from './neighbour-search.ts'
import { type Metric, offsetOf, prepare, spaceBytes, spaceOf } from './neighbour-space.ts'

export type { Metric } from './neighbour-space.ts'

export interface Neighbours {
  /** Neighbours a query: min(k, rows of the reference). */
  readonly k: number
  /** [n, k] rows of the reference, nearest first; equal distances by the smaller row. */
  readonly indices: Int32Array
  /** [n, k] euclidean distance, or 1 - cosine similarity in 0..2, in f64 from the f32 vectors. */
  readonly distances: Float64Array
}

/** A reference that was prepared for many calls. */
export interface NeighbourIndex {
  /** As the function `topK`. Calls wait for one another. */
  topK(queries: Matrix, k: number): Promise<Neighbours>
}

/** Queries at a time. */
const block = 8192
/** From here on the codes pay. */
const leastRows = 8192
const mostNeighbours = 256
const mostBytes = 2 ** 32 - 2 ** 16

/**
 * Prepares a reference [rows, dims] without NaN for searches that compute few exact distances: rows in cells of a principal axis tree,
 * coded with 8 bits a value. Products of codes, and the radius of a cell, bound the distance of each row from below; what may be among
 * the k nearest by that bound is measured in f64. So neighbours are exact, by proof. Where thousands of rows are in question for
 * a query (copies, equal distances), for references of less than 8,192 rows or more than 4 GiB, and for k above 256 all products are
 * taken in f32 instead, and candidates within f32 rounding of the k-th may be exchanged. No result depends on the other queries of
 * a call. Memory: five bytes a value of the reference (for cosine, and where the data are not f32, nine); for each of at most 8,192
 * queries at a time 13 bytes a value, 16 bytes for each 1,024 rows of the reference, and 2 KiB; and about 16 MiB.
 * Throws MathError `bad-shape`, `kernel-unavailable`.
 */
export function neighbourIndex(reference: Matrix, metric: Metric): NeighbourIndex {
  requireLength('reference', reference.data.length, reference.rows * reference.dims)
  const { dims } = reference
  const r = prepare(reference, metric)
  const coded = reference.rows >= leastRows && spaceBytes(dims, reference.rows, block) <= mostBytes ? encode(r, dims, metric) : null
  let before: Promise<unknown> = Promise.resolve()
  const answer = async (queries: Matrix, k: number): Promise<Neighbours> => {
    const kept = Math.min(k, reference.rows)
    const indices = new Int32Array(queries.rows * kept)
    const distances = new Float64Array(queries.rows * kept)
    if (kept === 0) return { k: kept, indices, distances }
    const q = prepare(queries, metric)
    for (let first = 0; first < queries.rows; first += block) {
      const end = Math.min(queries.rows, first + block)
      const own = q.subarray(first * dims, end * dims)
      const [toIndices, toDistances] = [indices.subarray(first * kept, end * kept), distances.subarray(first * kept, end * kept)]
      const left = coded && kept <= mostNeighbours ? await search(coded, own, kept, toIndices, toDistances) : null
      if (left) await searchSome(left, own, r, dims, kept, metric, toIndices, toDistances)
      else await searchAll(own, r, dims, kept, metric, toIndices, toDistances)
    }
    return { k: kept, indices, distances }
  }
  return {
    async topK(queries, k) {
      if (!Number.isInteger(k) || k < 1) throw new MathError('out-of-domain', `k must be a positive integer, not ${k}`)
      if (queries.dims !== dims) throw new MathError('bad-shape', `queries of ${queries.dims} values, reference of ${dims}`)
      requireLength('queries', queries.data.length, queries.rows * queries.dims)
      const result = before.then(() => answer(queries, k))
      before = result.catch(() => {})
      return result
    },
  }
}

/**
 * k nearest neighbours of each row of `queries` [n, dims] in `reference` [rows, dims]; how exact they are is said at `neighbourIndex`.
 * A zero vector has cosine similarity 0 with everything.
 * Throws MathError `bad-shape`, `out-of-domain`, `kernel-unavailable`.
 */
export async function topK(queries: Matrix, reference: Matrix, k: number, metric: Metric): Promise<Neighbours> {
  return neighbourIndex(reference, metric).topK(queries, k)
}

function encode(r: Float32Array, dims: number, metric: Metric): Reference | null {
  const rows = r.length / dims
  const mixer = mixing(r, dims)
  if (!(mixer.unit > 0 && Number.isFinite(mixer.unit))) return null
  const order = new Uint32Array(rows)
  let place = 0
  const tiles = cells(r, dims, Math.ceil(rows / tileRows)).map((cell) => {
    order.set(cell, place)
    place += cell.length
    return tileOf(mixer, r, cell, place - cell.length, (row, x) => offsetOf(metric, mixer, r, row, x))
  })
  return referenceOf(spaceOf(metric, dims, mixer, r, order, block), tiles, order)
}

/** The dense search for the queries `left`. */
async function searchSome(
  left: readonly number[],
  q: Float32Array,
  r: Float32Array,
  dims: number,
  k: number,
  metric: Metric,
  indices: Int32Array,
  distances: Float64Array,
): Promise<void> {
  if (left.length === 0) return
  const own = new Float32Array(left.length * dims)
  left.forEach((i, at) => {
    own.set(q.subarray(i * dims, (i + 1) * dims), at * dims)
  })
  const [rows, lengths] = [new Int32Array(left.length * k), new Float64Array(left.length * k)]
  await searchAll(own, r, dims, k, metric, rows, lengths)
  left.forEach((i, at) => {
    indices.set(rows.subarray(at * k, (at + 1) * k), i * k)
    distances.set(lengths.subarray(at * k, (at + 1) * k), i * k)
  })
}
