import { groupRows, type QueryCodes, slack, type Tile } from './neighbour-codes.ts'
import { basesOf, distanceTo, type Space, scoreAt } from './neighbour-space.ts'

const poolSize = 128
/** Less and more than any score; and the length of a query beyond which f32 may not hold its scores. */
const anything = -3e38
const nothing = 3e38
const mostLength = 1e12
/** In the place of a product: the row has been measured. */
const measured = -(2 ** 31)

/** The best rows of n queries so far. */
export interface Best {
  readonly space: Space
  readonly codes: QueryCodes
  readonly bases: Float64Array
  /** Rows of the reference by place. */
  readonly order: Uint32Array
  readonly k: number
  /** [n, k], of which `held` are filled. */
  readonly indices: Int32Array
  readonly distances: Float64Array
  readonly held: Int32Array
  /** Score that a row must have at least to be among them. */
  readonly least: Float64Array
  /** Distances computed. */
  readonly spent: Int32Array
  readonly maxSpent: number
  /** [n, poolSize] places of rows whose codes do not tell whether they are better, with the greatest score each can have. */
  readonly pool: Int32Array
  readonly bounds: Float64Array
  readonly pooled: Int32Array
  /** [k] room for `leading`. */
  readonly leaders: Float64Array
}

export function noneYet(
  space: Space,
  q: Float32Array,
  codes: QueryCodes,
  order: Uint32Array,
  k: number,
  indices: Int32Array,
  distances: Float64Array,
  maxSpent: number,
): Best {
  const n = codes.length.length
  return {
    space,
    codes,
    bases: basesOf(space, q, codes.length),
    order,
    k,
    indices,
    distances,
    held: new Int32Array(n),
    least: codes.length.map((length) => (length < mostLength ? anything : nothing)),
    spent: new Int32Array(n),
    maxSpent,
    pool: new Int32Array(n * poolSize),
    bounds: new Float64Array(n * poolSize),
    pooled: new Int32Array(n),
    leaders: new Float64Array(k),
  }
}

/** Too many rows came into question for query i. */
export const givenUp = (best: Best, i: number): boolean => best.least[i] === nothing

/** Distance of query i to the worst of its best rows. */
export const reachOf = (best: Best, i: number): number => best.distances[(i + 1) * best.k - 1] as number

/**
 * Takes in what a step found in tile t: `hits`, places in [queries, groups] in their order, and the `products` of their rows.
 * `shared` [n, tiles] is the part of the score that the rows of a tile share.
 */
export function takeIn(
  best: Best,
  tile: Tile,
  queries: Int32Array,
  shared: Float64Array,
  t: number,
  hits: Int32Array,
  products: Int32Array,
): void {
  const { groups } = tile
  const tiles = shared.length / best.held.length
  for (let from = 0; from < hits.length; ) {
    const a = Math.floor((hits[from] as number) / groups)
    const i = queries[a] as number
    let to = from
    for (; to < hits.length && (hits[to] as number) < (a + 1) * groups; to++) hits[to] = (hits[to] as number) - a * groups
    if (!givenUp(best, i)) {
      if (best.held[i] === 0) start(best, i, tile, hits, products, from, to)
      for (let h = from; h < to; h++) weigh(best, i, tile, hits[h] as number, products, h * groupRows, shared[i * tiles + t] as number)
    }
    from = to
  }
}

/** Measures what is still in question. */
export function settle(best: Best, i: number): void {
  const { pool, bounds, least, pooled } = best
  const from = i * poolSize
  const to = from + (pooled[i] as number)
  for (let at = from; at < to; at++) if ((bounds[at] as number) >= (least[i] as number)) measure(best, i, pool[at] as number)
  pooled[i] = 0
  if ((best.spent[i] as number) > best.maxSpent || (best.held[i] as number) < best.k) least[i] = nothing
}

function measure(best: Best, i: number, place: number): void {
  const { distances, indices, k, held } = best
  const row = best.order[place] as number
  const d = distanceTo(best.space, i, place)
  best.spent[i] = (best.spent[i] as number) + 1
  const base = i * k
  const count = Math.min(k, (held[i] as number) + 1)
  let at = base + count - 1
  if (held[i] === k && ((distances[at] as number) < d || (distances[at] === d && (indices[at] as number) < row))) return
  while (at > base && ((distances[at - 1] as number) > d || (distances[at - 1] === d && (indices[at - 1] as number) > row))) {
    distances[at] = distances[at - 1] as number
    indices[at] = indices[at - 1] as number
    at--
  }
  distances[at] = d
  indices[at] = row
  held[i] = count
  if (count < k) return
  const score = scoreAt(best.space, best.bases[i] as number, distances[base + k - 1] as number)
  best.least[i] = score - slack * Math.abs(score)
}

function keep(best: Best, i: number, place: number, bound: number): void {
  if (best.pooled[i] === poolSize) settle(best, i)
  const count = best.pooled[i] as number
  best.pool[i * poolSize + count] = place
  best.bounds[i * poolSize + count] = bound
  best.pooled[i] = count + 1
}

/** The product of codes that a score of `least` takes in a group that adds `top` at most. */
const needed = (least: number, top: number, factor: number): number =>
  Math.max(1 - 2 ** 31, Math.min(2 ** 31 - 1, Math.floor((least - top) / factor))) | 0

/** Rows of group g that may be among the best are measured where they probably are, and kept for later where not. */
function weigh(best: Best, i: number, tile: Tile, g: number, products: Int32Array, from: number, shared: number): void {
  const { offsets, places, most, groups } = tile
  const { least, codes } = best
  const factor = (codes.scale[i] as number) * (tile.scale[g] as number)
  const margin = (codes.length[i] as number) * (most[groups + g] as number) + (codes.error[i] as number) * (most[2 * groups + g] as number)
  const top = (most[g] as number) + margin + shared
  let need = needed(least[i] as number, top, factor)
  for (let j = 0; j < groupRows; j++) {
    const product = products[from + j] as number
    if (product < need) continue
    const at = g * groupRows + j
    const estimate = product * factor + (offsets[at] as number) + shared
    if ((places[at] as number) < 0 || estimate + margin < (least[i] as number)) continue
    if (estimate < (least[i] as number)) keep(best, i, places[at] as number, estimate + margin)
    else measure(best, i, places[at] as number)
    need = needed(least[i] as number, top, factor)
  }
}

/** The first tile of a query: the k rows that look best are measured first. */
function start(best: Best, i: number, tile: Tile, hits: Int32Array, products: Int32Array, from: number, to: number): void {
  const { offsets, places, most } = tile
  const scale = best.codes.scale[i] as number
  const bar = leading(best, tile, hits, products, from, to, scale)
  for (let h = from; h < to; h++) {
    const g = hits[h] as number
    const factor = scale * (tile.scale[g] as number)
    const need = needed(bar, most[g] as number, factor)
    for (let j = 0; j < groupRows; j++) {
      const product = products[h * groupRows + j] as number
      const at = g * groupRows + j
      if (product < need || product * factor + (offsets[at] as number) < bar) continue
      measure(best, i, places[at] as number)
      products[h * groupRows + j] = measured
    }
  }
}

/** The k-th greatest estimate, without what the rows of the tile share. */
function leading(best: Best, tile: Tile, hits: Int32Array, products: Int32Array, from: number, to: number, scale: number): number {
  const { leaders, k } = best
  leaders.fill(Number.NEGATIVE_INFINITY)
  let last = Number.NEGATIVE_INFINITY
  for (let h = from; h < to; h++) {
    const g = hits[h] as number
    const factor = scale * (tile.scale[g] as number)
    const top = tile.most[g] as number
    let need = needed(last, top, factor)
    for (let j = 0; j < groupRows; j++) {
      const product = products[h * groupRows + j] as number
      if (product < need) continue
      const estimate = product * factor + (tile.offsets[g * groupRows + j] as number)
      if (estimate <= last) continue
      let at = k - 1
      for (; at > 0 && (leaders[at - 1] as number) < estimate; at--) leaders[at] = leaders[at - 1] as number
      leaders[at] = estimate
      last = leaders[k - 1] as number
      need = needed(last, top, factor)
    }
  }
  return last
}
