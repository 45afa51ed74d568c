import { gemm } from './kernels.ts'
import { groupRows, queryCodes, queryRange, slack, type Tile } from './neighbour-codes.ts'
import { type Best, givenUp, noneYet, reachOf, settle, takeIn } from './neighbour-judge.ts'
import { ask, beyond, type Space } from './neighbour-space.ts'
import { type Graph, run } from './onnx.ts'

/** A reference in codes. */
export interface Reference {
  readonly space: Space
  readonly tiles: readonly Tile[]
  /** Rows of the reference by place. */
  readonly order: Uint32Array
  /** [dims, tiles], and the squared length of each. */
  readonly centres: Float64Array
  readonly squares: Float64Array
}

/** Queries of one product: what it makes stays in the caches. */
const stepRows = 512
/** A query is given up when so many distances, or one to each so many rows, did not settle it: all products in f32 then cost less. */
const leastSpent = 2048
const spentShare = 32

export function referenceOf(space: Space, tiles: readonly Tile[], order: Uint32Array): Reference {
  const centres = new Float64Array(space.dims * tiles.length)
  const squares = new Float64Array(tiles.length)
  for (const [t, { centre }] of tiles.entries()) {
    for (const [c, v] of centre.entries()) {
      centres[c * tiles.length + t] = v
      squares[t] = (squares[t] as number) + v * v
    }
  }
  return { space, tiles, order, centres, squares }
}

/**
 * Fills `indices` and `distances` [n, k] for prepared queries [n, dims] and returns those that it gave up. Each query first visits its
 * own cell, and then those within the reach of its best rows so far.
 */
export async function search(
  reference: Reference,
  q: Float32Array,
  k: number,
  indices: Int32Array,
  distances: Float64Array,
): Promise<number[]> {
  const { space, tiles, order, centres } = reference
  const { dims } = space
  const n = q.length / dims
  const range = await queryRange()
  const codes = queryCodes(space.mixer, q, range)
  const shared = (await gemm({ data: codes.mixed, rows: n, dims }, { data: centres, rows: dims, dims: tiles.length })).data
  const gaps = gapsOf(reference, codes.length, shared)
  ask(space, q)
  const best = noneYet(space, q, codes, order, k, indices, distances, Math.max(leastSpent, order.length / spentShare))
  const own = Int32Array.from({ length: n }, (_, i) => nearest(gaps, i * tiles.length, tiles.length))
  const all = Int32Array.from(own.keys())
  const visit = async (t: number, queries: Int32Array): Promise<void> => {
    for (let first = 0; first < queries.length; first += stepRows)
      await step(best, tiles[t] as Tile, shared, t, queries.subarray(first, first + stepRows), range)
  }
  for (let t = 0; t < tiles.length; t++) {
    const at = all.filter((i) => own[i] === t)
    await visit(t, at)
  }
  for (const [t, { radius }] of tiles.entries()) {
    const near = all.filter((i) => {
      if (own[i] === t || givenUp(best, i)) return false
      const gap = (gaps[i * tiles.length + t] as number) - radius - 1e-9 * ((codes.length[i] as number) + radius)
      return gap <= 0 || beyond(space, gap) * (1 - 1e-9) <= reachOf(best, i)
    })
    await visit(t, near)
  }
  for (let i = 0; i < n; i++) settle(best, i)
  return [...all.filter((i) => givenUp(best, i))]
}

/** Distances of the queries to the centres of the tiles: [n, tiles]. */
function gapsOf({ squares }: Reference, lengths: Float64Array, shared: Float64Array): Float64Array {
  return shared.map((product, at) => {
    const length = lengths[Math.floor(at / squares.length)] as number
    return Math.sqrt(Math.max(0, length * length - 2 * product + (squares[at % squares.length] as number)))
  })
}

function nearest(gaps: Float64Array, from: number, tiles: number): number {
  let best = 0
  for (let t = 1; t < tiles; t++) if ((gaps[from + t] as number) < (gaps[from + best] as number)) best = t
  return best
}

async function step(best: Best, tile: Tile, shared: Float64Array, t: number, queries: Int32Array, range: number): Promise<void> {
  const { codes, space, k } = best
  const { dims } = space
  const n = queries.length
  const tiles = shared.length / best.held.length
  // Before there are k best rows, the k groups with the greatest sure scores tell what a row must have at least.
  const first = best.held[queries[0] as number] === 0 && k <= tile.groups
  const own = new Uint8Array(n * dims)
  const scale = new Float32Array(n)
  const coefficients = new Float32Array(4 * n).fill(1)
  for (let a = 0; a < n; a++) {
    const i = queries[a] as number
    const [common, least] = first ? [0, 0] : [shared[i * tiles + t] as number, best.least[i] as number]
    own.set(codes.codes.subarray(i * dims, (i + 1) * dims), a * dims)
    scale[a] = codes.scale[i] as number
    coefficients[4 * a + 1] = codes.length[i] as number
    coefficients[4 * a + 2] = codes.error[i] as number
    coefficients[4 * a + 3] = common - least + slack * (Math.abs(common) + Math.abs(least))
  }
  const { hits, products } = await run(`neighbour codes ${range} ${first}`, () => graph(range + 1, first), {
    q: { data: own, dims: [n, dims] },
    r: { data: tile.codes, dims: [dims, tile.places.length] },
    qScale: { data: scale, dims: [n, 1] },
    rScale: { data: tile.scale, dims: [1, tile.groups] },
    coefficients: { data: coefficients, dims: [n, 4] },
    most: { data: tile.most, dims: [4, tile.groups] },
    ...(first ? { sure: { data: tile.sure, dims: [4, tile.groups] }, k: { data: BigInt64Array.of(BigInt(k)), dims: [1] } } : {}),
  })
  takeIn(best, tile, queries, shared, t, hits?.data as Int32Array, products?.data as Int32Array)
}

/** The groups that may hold a row of at least the least score, as places in [n, groups], and the products of all of their rows. */
const graph = (zero: number, first: boolean): Graph => ({
  inputs: [
    { name: 'q', type: 'uint8', dims: ['n', 'd'] },
    { name: 'r', type: 'int8', dims: ['d', 'm'] },
    { name: 'qScale', type: 'float32', dims: ['n', 1] },
    { name: 'rScale', type: 'float32', dims: [1, 'g'] },
    { name: 'coefficients', type: 'float32', dims: ['n', 4] },
    { name: 'most', type: 'float32', dims: [4, 'g'] },
    ...(first
      ? ([
          { name: 'sure', type: 'float32', dims: [4, 'g'] },
          { name: 'k', type: 'int64', dims: [1] },
        ] as const)
      : []),
  ],
  outputs: [
    { name: 'hits', type: 'int32', dims: ['h'] },
    { name: 'products', type: 'int32', dims: ['h', groupRows] },
  ],
  nodes: [
    { op: 'MatMulInteger', inputs: ['q', 'r', 'zero'], outputs: ['all'] },
    { op: 'Reshape', inputs: ['all', 'byGroup'], outputs: ['grouped'] },
    { op: 'ReduceMax', inputs: ['grouped'], outputs: ['greatest'], attributes: { axes: [1], keepdims: 0n } },
    { op: 'Cast', inputs: ['greatest'], outputs: ['greatest32'], attributes: { to: 1n } },
    { op: 'Gemm', inputs: ['coefficients', 'most'], outputs: ['margin'] },
    { op: 'Shape', inputs: ['margin'], outputs: ['shape'] },
    { op: 'Reshape', inputs: ['greatest32', 'shape'], outputs: ['product'] },
    { op: 'Mul', inputs: ['qScale', 'rScale'], outputs: ['scale'] },
    { op: 'Mul', inputs: ['product', 'scale'], outputs: ['estimate'] },
    { op: 'Add', inputs: ['estimate', 'margin'], outputs: ['greatestScore'] },
    ...(first
      ? [
          { op: 'Gemm', inputs: ['coefficients', 'sure'], outputs: ['sureMargin'] },
          { op: 'Add', inputs: ['estimate', 'sureMargin'], outputs: ['sureScore'] },
          { op: 'TopK', inputs: ['sureScore', 'k'], outputs: ['leaders', 'ranks'] },
          { op: 'ReduceMin', inputs: ['leaders'], outputs: ['bar'], attributes: { axes: [1] } },
        ]
      : []),
    { op: 'GreaterOrEqual', inputs: ['greatestScore', first ? 'bar' : 'none'], outputs: ['possible'] },
    { op: 'Reshape', inputs: ['possible', 'flat'], outputs: ['flags'] },
    { op: 'NonZero', inputs: ['flags'], outputs: ['found'] },
    { op: 'Reshape', inputs: ['found', 'flat'], outputs: ['found64'] },
    { op: 'Cast', inputs: ['found64'], outputs: ['hits'], attributes: { to: 6n } },
    { op: 'Gather', inputs: ['grouped', 'found64'], outputs: ['products'], attributes: { axis: 0n } },
  ],
  constants: [
    { name: 'zero', type: 'uint8', dims: [], values: [zero] },
    { name: 'byGroup', type: 'int64', dims: [2], values: [-1, groupRows] },
    { name: 'flat', type: 'int64', dims: [1], values: [-1] },
    { name: 'none', type: 'float32', dims: [], values: [0] },
  ],
})
