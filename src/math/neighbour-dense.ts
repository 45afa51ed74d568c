import type { Metric } from './neighbour-space.ts'
import { type Graph, run } from './onnx.ts'

// Tiles whose products stay in the caches: larger ones take half as long again.
const queryTile = 256
const referenceTile = 8192

/**
 * Fills `indices` and `distances` [n, k] for prepared queries [n, dims] by all products with the reference in f32 and a selection
 * in each tile: candidates within f32 rounding of the k-th may be exchanged. Memory: about 16 MiB.
 */
export async function searchAll(
  q: Float32Array,
  r: Float32Array,
  dims: number,
  k: number,
  metric: Metric,
  indices: Int32Array,
  distances: Float64Array,
): Promise<void> {
  const queries = indices.length / k
  const rows = r.length / dims
  const offsets = metric === 'euclidean' ? halfNorms(r, rows, dims) : new Float32Array(rows)
  for (let first = 0; first < queries; first += queryTile) {
    const n = Math.min(queryTile, queries - first)
    const block = q.subarray(first * dims, (first + n) * dims)
    let best: Candidates | null = null
    for (let start = 0; start < rows; start += referenceTile) {
      const count = Math.min(referenceTile, rows - start)
      const found = await nearest(
        block,
        n,
        r.subarray(start * dims, (start + count) * dims),
        offsets.subarray(start, start + count),
        dims,
        Math.min(k, count),
      )
      for (let i = 0; i < found.rows.length; i++) found.rows[i] = (found.rows[i] as number) + start
      best = best ? mergeCandidates(best, found, n, k) : found
    }
    if (best)
      exact(
        best,
        block,
        r,
        n,
        dims,
        k,
        metric === 'euclidean' ? euclidean : cosine,
        indices.subarray(first * k),
        distances.subarray(first * k),
      )
  }
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
