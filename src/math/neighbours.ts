import type { Matrix } from '../contracts/batch.ts'
import { MathError, requireLength } from './errors.ts'
import { type Graph, run } from './onnx.ts'

export type Metric = 'cosine' | 'euclidean'

export interface Neighbours {
  /** Neighbours a query: min(k, rows of the reference). */
  readonly k: number
  /** [n, k] rows of the reference, nearest first; equal distances by the smaller row. */
  readonly indices: Int32Array
  /** [n, k] euclidean distance, or 1 - cosine similarity in 0..2, in f64 from the f32 vectors. */
  readonly distances: Float64Array
}

const queryTile = 1024
const referenceTile = 8192

/**
 * Exact k nearest neighbours by tiled matrix products in f32 (candidates within f32 rounding of the k-th may be exchanged).
 * A zero vector has cosine similarity 0 with everything. Memory: about 40 MiB beside the operands, which are copied where not f32.
 * Throws MathError `bad-shape`, `out-of-domain`.
 */
export async function topK(queries: Matrix, reference: Matrix, k: number, metric: Metric): Promise<Neighbours> {
  if (!Number.isInteger(k) || k < 1) throw new MathError('out-of-domain', `k must be a positive integer, not ${k}`)
  if (queries.dims !== reference.dims) throw new MathError('bad-shape', `queries of ${queries.dims} values, reference of ${reference.dims}`)
  requireLength('queries', queries.data.length, queries.rows * queries.dims)
  requireLength('reference', reference.data.length, reference.rows * reference.dims)
  const dims = queries.dims
  const kept = Math.min(k, reference.rows)
  const indices = new Int32Array(queries.rows * kept)
  const distances = new Float64Array(queries.rows * kept)
  if (kept === 0 || queries.rows === 0) return { k: kept, indices, distances }
  const q = prepare(queries, metric)
  const r = queries === reference ? q : prepare(reference, metric)
  const offsets = metric === 'euclidean' ? halfNorms(r, reference.rows, dims) : new Float32Array(reference.rows)
  const finish = metric === 'euclidean' ? euclidean : cosine
  for (let first = 0; first < queries.rows; first += queryTile) {
    const rows = Math.min(queryTile, queries.rows - first)
    const block = q.subarray(first * dims, (first + rows) * dims)
    let best: Candidates | null = null
    for (let start = 0; start < reference.rows; start += referenceTile) {
      const count = Math.min(referenceTile, reference.rows - start)
      const found = await nearest(
        block,
        rows,
        r.subarray(start * dims, (start + count) * dims),
        offsets.subarray(start, start + count),
        dims,
        Math.min(kept, count),
      )
      for (let i = 0; i < found.rows.length; i++) found.rows[i] = (found.rows[i] as number) + start
      best = best ? mergeCandidates(best, found, rows, kept) : found
    }
    if (best) exact(best, block, r, rows, dims, kept, finish, indices.subarray(first * kept), distances.subarray(first * kept))
  }
  return { k: kept, indices, distances }
}

/** Per query `k` candidates, best first. */
interface Candidates {
  readonly k: number
  readonly scores: Float32Array
  readonly rows: Int32Array
}

async function nearest(q: Float32Array, n: number, r: Float32Array, half: Float32Array, dims: number, k: number): Promise<Candidates> {
  const out = await run('nearest', graph, {
    q: { data: q, dims: [n, dims] },
    r: { data: r, dims: [half.length, dims] },
    half: { data: half, dims: [half.length] },
    k: { data: BigInt64Array.of(BigInt(k)), dims: [1] },
  })
  const found = out.rows?.data as BigInt64Array
  const rows = new Int32Array(found.length)
  const low = new Int32Array(found.buffer, found.byteOffset, found.length * 2)
  for (let i = 0; i < rows.length; i++) rows[i] = low[2 * i] as number
  return { k, scores: out.scores?.data as Float32Array, rows }
}

/** q · r - |r|² / 2 orders like the negated euclidean distance. */
const graph = (): Graph => ({
  inputs: [
    { name: 'q', type: 'float32', dims: ['n', 'd'] },
    { name: 'r', type: 'float32', dims: ['m', 'd'] },
    { name: 'half', type: 'float32', dims: ['m'] },
    { name: 'k', type: 'int64', dims: [1] },
  ],
  outputs: [
    { name: 'scores', type: 'float32', dims: ['n', 'k'] },
    { name: 'rows', type: 'int64', dims: ['n', 'k'] },
  ],
  nodes: [
    { op: 'Gemm', inputs: ['q', 'r', 'half'], outputs: ['s'], attributes: { transB: 1n } },
    { op: 'TopK', inputs: ['s', 'k'], outputs: ['scores', 'rows'], attributes: { axis: 1n, largest: 1n, sorted: 1n } },
  ],
})

function mergeCandidates(a: Candidates, b: Candidates, n: number, k: number): Candidates {
  const width = Math.min(k, a.k + b.k)
  const scores = new Float32Array(n * width)
  const rows = new Int32Array(n * width)
  for (let i = 0; i < n; i++) {
    let x = i * a.k
    let y = i * b.k
    const endX = x + a.k
    const endY = y + b.k
    for (let j = i * width; j < (i + 1) * width; j++) {
      const fromA = y >= endY || (x < endX && (a.scores[x] as number) >= (b.scores[y] as number))
      scores[j] = (fromA ? a.scores[x] : b.scores[y]) as number
      rows[j] = (fromA ? a.rows[x] : b.rows[y]) as number
      if (fromA) x++
      else y++
    }
  }
  return { k: width, scores, rows }
}

/** f32, for cosine divided by the norm. */
function prepare(m: Matrix, metric: Metric): Float32Array {
  if (metric === 'euclidean') return m.data instanceof Float32Array ? m.data : Float32Array.from(m.data)
  const out = new Float32Array(m.data.length)
  const { data, dims } = m
  for (let i = 0; i < out.length; i += dims) {
    let sum = 0
    for (let c = i; c < i + dims; c++) sum += (data[c] as number) ** 2
    const scale = sum > 0 ? 1 / Math.sqrt(sum) : 0
    for (let c = i; c < i + dims; c++) out[c] = (data[c] as number) * scale
  }
  return out
}

function halfNorms(data: Float32Array, rows: number, dims: number): Float32Array {
  const out = new Float32Array(rows)
  for (let i = 0; i < rows; i++) {
    let sum = 0
    for (let c = i * dims; c < (i + 1) * dims; c++) sum += (data[c] as number) ** 2
    out[i] = -sum / 2
  }
  return out
}

type Distance = (a: Float32Array, i: number, b: Float32Array, j: number, dims: number) => number

const euclidean: Distance = (a, i, b, j, dims) => {
  let sum = 0
  for (let c = 0; c < dims; c++) sum += ((a[i + c] as number) - (b[j + c] as number)) ** 2
  return Math.sqrt(sum)
}

const cosine: Distance = (a, i, b, j, dims) => {
  let sum = 0
  for (let c = 0; c < dims; c++) sum += (a[i + c] as number) * (b[j + c] as number)
  return Math.min(2, Math.max(0, 1 - sum))
}

/** Distances of the candidates in f64, sorted again (insertion sort: they are almost sorted). */
function exact(
  found: Candidates,
  q: Float32Array,
  r: Float32Array,
  n: number,
  dims: number,
  k: number,
  distance: Distance,
  indices: Int32Array,
  distances: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    const base = i * k
    for (let j = 0; j < k; j++) {
      const row = found.rows[base + j] as number
      const d = distance(q, i * dims, r, row * dims, dims)
      let at = base + j
      while (at > base && ((distances[at - 1] as number) > d || (distances[at - 1] === d && (indices[at - 1] as number) > row))) {
        distances[at] = distances[at - 1] as number
        indices[at] = indices[at - 1] as number
        at--
      }
      distances[at] = d
      indices[at] = row
    }
  }
}
