import { run } from './onnx.ts'
import { keyed } from './rng.ts'

/** Rows of the reference of whose products the greatest alone is looked at first, and rows a tile. */
export const groupRows = 32
export const tileRows = 1024
/** More than all that rounding to f32 can change of scores and bounds, relative to what they are sums of. */
export const slack = 2e-6

/** A change of coordinates after which no coordinate of a vector stands out, so that one step of codes suits all. */
export interface Mixing {
  readonly dims: number
  readonly centre: Float64Array
  /** Root mean square of the distances to the centre: distances are in this unit afterwards. */
  readonly unit: number
  /** 1 or -1, over `unit`. */
  readonly signs: Float64Array
}

export function mixing(rows: Float32Array, dims: number): Mixing {
  const n = rows.length / dims
  const centre = new Float64Array(dims)
  for (let i = 0; i < rows.length; i += dims) for (let c = 0; c < dims; c++) centre[c] = (centre[c] as number) + (rows[i + c] as number)
  for (let c = 0; c < dims; c++) centre[c] = (centre[c] as number) / n
  let squares = 0
  for (let i = 0; i < rows.length; i += dims)
    for (let c = 0; c < dims; c++) squares += ((rows[i + c] as number) - (centre[c] as number)) ** 2
  const unit = Math.sqrt(squares / n)
  const random = keyed(new Uint8Array(16), 'neighbour codes')
  return { dims, centre, unit, signs: Float64Array.from({ length: dims }, () => (random.uniform() < 0.5 ? -1 : 1) / unit) }
}

/** Writes H (row - centre) / unit to `out`: random signs, then Walsh-Hadamard transforms of the first and of the last 2^p coordinates. */
export function mix({ dims, centre, signs }: Mixing, rows: Float32Array, from: number, out: Float64Array): void {
  for (let c = 0; c < dims; c++) out[c] = ((rows[from + c] as number) - (centre[c] as number)) * (signs[c] as number)
  const size = 2 ** Math.floor(Math.log2(dims))
  hadamard(out, 0, size)
  if (size < dims) hadamard(out, dims - size, size)
}

/** Two stages at a time: half of the loads and stores. */
function hadamard(x: Float64Array, from: number, size: number): void {
  let half = 1
  for (; 4 * half <= size; half *= 4) {
    for (let block = from; block < from + size; block += 4 * half) {
      for (let i = block; i < block + half; i++) {
        const [p, q, r, s] = [i, i + half, i + 2 * half, i + 3 * half]
        const low = (x[p] as number) + (x[q] as number)
        const high = (x[r] as number) + (x[s] as number)
        const lowRest = (x[p] as number) - (x[q] as number)
        const highRest = (x[r] as number) - (x[s] as number)
        x[p] = low + high
        x[q] = lowRest + highRest
        x[r] = low - high
        x[s] = lowRest - highRest
      }
    }
  }
  if (half < size) {
    for (let i = from; i < from + half; i++) {
      const [low, high] = [x[i] as number, x[i + half] as number]
      x[i] = low + high
      x[i + half] = low - high
    }
  }
  const scale = 1 / Math.sqrt(size)
  for (let i = from; i < from + size; i++) x[i] = (x[i] as number) * scale
}

let range: Promise<number> | null = null

/** Greatest magnitude of a query's codes: 63 where the processor adds pairs of products in 16 bits, which saturate from there on. */
export function queryRange(): Promise<number> {
  range ??= saturates().then((yes) => (yes ? 63 : 127))
  range.catch(() => {
    range = null
  })
  return range
}

async function saturates(): Promise<boolean> {
  const side = 64
  const graph = () => ({
    inputs: [
      { name: 'q', type: 'uint8' as const, dims: ['n', 'd'] },
      { name: 'r', type: 'int8' as const, dims: ['d', 'm'] },
    ],
    outputs: [{ name: 'y', type: 'int32' as const, dims: ['n', 'm'] }],
    nodes: [{ op: 'MatMulInteger', inputs: ['q', 'r'], outputs: ['y'] }],
  })
  const found = await run('greatest codes', graph, {
    q: { data: new Uint8Array(side * side).fill(255), dims: [side, side] },
    r: { data: new Int8Array(side * side).fill(127), dims: [side, side] },
  })
  const products = found.y?.data as Int32Array
  return products.some((v) => v !== side * 255 * 127)
}

/** Query i is about `scale[i]` times (code - range - 1); `error[i]` is the length of what that leaves, `length[i]` that of the query. */
export interface QueryCodes {
  /** [n, dims] what mixing makes of the queries. */
  readonly mixed: Float64Array
  readonly codes: Uint8Array
  readonly scale: Float64Array
  readonly length: Float64Array
  readonly error: Float64Array
}

export function queryCodes(mixer: Mixing, rows: Float32Array, range: number): QueryCodes {
  const { dims } = mixer
  const n = rows.length / dims
  const mixed = new Float64Array(rows.length)
  const codes = new Uint8Array(rows.length)
  const [scale, length, error] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)]
  for (let i = 0; i < n; i++) {
    const x = mixed.subarray(i * dims, (i + 1) * dims)
    mix(mixer, rows, i * dims, x)
    const step = largest(x) / range || 1
    let squares = 0
    let lost = 0
    for (let c = 0; c < dims; c++) {
      const value = x[c] as number
      const code = Math.floor(value / step + 0.5)
      codes[i * dims + c] = code + range + 1
      squares += value * value
      lost += (value - step * code) ** 2
    }
    scale[i] = step
    length[i] = Math.sqrt(squares)
    error[i] = Math.sqrt(lost)
  }
  return { mixed, codes, scale, length, error }
}

/**
 * Rows of the reference that lie together, in groups with nearly equal offsets. The score of row r for query q is q' · r' + offset,
 * primes being what mixing makes of them. It differs from q' · centre + `scale` of q times `scale` of the group times the product
 * of the codes + offset by at most |q'| `error` + |error of q| `length`.
 */
export interface Tile {
  readonly groups: number
  readonly centre: Float64Array
  /** Greatest distance of a row to the centre. */
  readonly radius: number
  /** [dims, groups * groupRows] of what the centre leaves. */
  readonly codes: Int8Array
  /** Where each row is among all; -1 where a group is not full. */
  readonly places: Int32Array
  readonly offsets: Float64Array
  /** A value a group. */
  readonly scale: Float32Array
  /** [4, groups]: greatest offset, error, length, 1. */
  readonly most: Float32Array
  /** [4, groups]: least offset, error and length negated, 1; of a group that is not full the offset is -3e38. */
  readonly sure: Float32Array
}

/** @param first the place of the first of `rows`; @param offset of a row, from its number and what mixing makes of it */
export function tileOf(
  mixer: Mixing,
  data: Float32Array,
  rows: Uint32Array,
  first: number,
  offset: (row: number, x: Float64Array) => number,
): Tile {
  const { dims } = mixer
  const n = rows.length
  const x = new Float64Array(n * dims)
  const offsets = new Float64Array(n)
  const centre = new Float64Array(dims)
  for (let i = 0; i < n; i++) {
    const own = x.subarray(i * dims, (i + 1) * dims)
    mix(mixer, data, (rows[i] as number) * dims, own)
    offsets[i] = offset(rows[i] as number, own)
    for (let c = 0; c < dims; c++) centre[c] = (centre[c] as number) + (own[c] as number) / n
  }
  let radius = 0
  for (let i = 0; i < x.length; i += dims) {
    let squares = 0
    for (let c = 0; c < dims; c++) {
      const rest = (x[i + c] as number) - (centre[c] as number)
      x[i + c] = rest
      squares += rest * rest
    }
    radius = Math.max(radius, Math.sqrt(squares))
  }
  const order = Uint32Array.from(offsets.keys()).sort((a, b) => (offsets[a] as number) - (offsets[b] as number))
  const groups = Math.ceil(n / groupRows)
  const width = groups * groupRows
  const tile: Tile = {
    groups,
    centre,
    radius,
    codes: new Int8Array(dims * width),
    places: new Int32Array(width).fill(-1),
    offsets: new Float64Array(width).fill(Number.NEGATIVE_INFINITY),
    scale: new Float32Array(groups),
    most: new Float32Array(4 * groups).fill(1),
    sure: new Float32Array(4 * groups).fill(1),
  }
  for (const [at, i] of order.entries()) {
    tile.places[at] = first + i
    tile.offsets[at] = offsets[i] as number
  }
  for (let g = 0; g < groups; g++) codeGroup(tile, g, x, order.subarray(g * groupRows, (g + 1) * groupRows), dims)
  return tile
}

function codeGroup(tile: Tile, g: number, x: Float64Array, own: Uint32Array, dims: number): void {
  const { groups, most, sure, scale } = tile
  const width = tile.places.length
  scale[g] = (own.reduce((top, i) => Math.max(top, largest(x.subarray(i * dims, (i + 1) * dims))), 0) / 127) * (1 + slack) || 1
  const step = scale[g] as number
  let [error, length] = [0, 0]
  for (const [j, i] of own.entries()) {
    let [lost, squares] = [0, 0]
    for (let c = 0; c < dims; c++) {
      const value = x[i * dims + c] as number
      const code = Math.floor(value / step + 0.5)
      tile.codes[c * width + g * groupRows + j] = code
      lost += (value - step * code) ** 2
      squares += (step * code) ** 2
    }
    error = Math.max(error, Math.sqrt(lost))
    length = Math.max(length, Math.sqrt(squares))
  }
  const [low, high] = [tile.offsets[g * groupRows] as number, tile.offsets[g * groupRows + own.length - 1] as number]
  const bounds = [high + slack * Math.abs(high), error + slack * length, length * (1 + slack)]
  for (const [k, bound] of bounds.entries()) {
    most[k * groups + g] = bound
    sure[k * groups + g] = -bound
  }
  sure[g] = own.length < groupRows ? -3e38 : low - slack * Math.abs(low)
}

function largest(x: Float64Array): number {
  let most = 0
  for (let i = 0; i < x.length; i++) most = Math.max(most, Math.abs(x[i] as number))
  return most
}
