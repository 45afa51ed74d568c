import type { Matrix } from '../contracts/batch.ts'
import type { Mixing } from './neighbour-codes.ts'
import { type Distances, distances, rowBytes } from './wasm-distance.ts'

export type Metric = 'cosine' | 'euclidean'

/** f32, for cosine divided by the norm. */
export function prepare(m: Matrix, metric: Metric): Float32Array {
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

const fromSum = (metric: Metric, sum: number): number => (metric === 'euclidean' ? Math.sqrt(sum) : Math.min(2, Math.max(0, 1 - sum)))

/** A reference as vectors of which distances and scores are taken. The score of a row falls with its distance. */
export interface Space {
  readonly metric: Metric
  readonly dims: number
  readonly mixer: Mixing
  /** Memory that holds the rows of the reference in the order of their places, then the queries. */
  readonly distances: Distances
  /** Bytes a row. */
  readonly stride: number
  /** Address of the queries. */
  readonly queries: number
}

const strideOf = (dims: number): number => Math.ceil((dims * 4) / rowBytes) * rowBytes

/** Bytes of the memory of a space. */
export const spaceBytes = (dims: number, rows: number, queries: number): number => (rows + queries) * strideOf(dims)

/** @param order the rows of the reference by place; @param room queries at a time */
export function spaceOf(metric: Metric, dims: number, mixer: Mixing, rows: Float32Array, order: Uint32Array, room: number): Space {
  const stride = strideOf(dims)
  const space = { metric, dims, mixer, distances: distances(spaceBytes(dims, order.length, room)), stride, queries: order.length * stride }
  const memory = new Float32Array(space.distances.memory.buffer)
  order.forEach((row, place) => {
    memory.set(rows.subarray(row * dims, (row + 1) * dims), (place * stride) / 4)
  })
  return space
}

/** Makes `q` [n, dims] the queries. */
export function ask({ dims, distances, stride, queries }: Space, q: Float32Array): void {
  const memory = new Float32Array(distances.memory.buffer, queries)
  for (let i = 0; i * dims < q.length; i++) memory.set(q.subarray(i * dims, (i + 1) * dims), (i * stride) / 4)
}

/** From query i to the row in a place. */
export function distanceTo({ metric, distances, stride, queries }: Space, i: number, place: number): number {
  const [a, b] = [queries + i * stride, place * stride]
  return fromSum(metric, metric === 'euclidean' ? distances.squared(a, b, stride) : distances.dot(a, b, stride))
}

/** What a row adds to its scores; `x` is what mixing makes of it. */
export function offsetOf(metric: Metric, mixer: Mixing, rows: Float32Array, row: number, x: Float64Array): number {
  const { centre, unit } = mixer
  return metric === 'euclidean' ? -squareOf(x) / 2 : (along(rows, row * mixer.dims, centre) - squareOf(centre)) / unit ** 2
}

function squareOf(x: Float64Array): number {
  let sum = 0
  for (let c = 0; c < x.length; c++) sum += (x[c] as number) ** 2
  return sum
}

/** The score that a row in the place of each query had, up to rounding the least: [n], from the queries and their mixed lengths. */
export function basesOf({ metric, dims, mixer }: Space, q: Float32Array, lengths: Float64Array): Float64Array {
  return lengths.map((length, i) => {
    const own = metric === 'euclidean' ? (length * length) / 2 : (1 - along(q, i * dims, mixer.centre)) / mixer.unit ** 2
    return own - 1e-12 * length * length
  })
}

/** A row at the greatest cosine distance may have any score: what rounding puts beyond it counts as equal. */
export const scoreAt = ({ metric, mixer }: Space, base: number, distance: number): number =>
  metric === 'euclidean' ? base - (distance / mixer.unit) ** 2 / 2 : base - (distance < 2 ? distance : 3) / mixer.unit ** 2

/** The least distance, up to rounding, of rows that are at least `gap` away after mixing. */
export const beyond = ({ metric, mixer }: Space, gap: number): number =>
  metric === 'euclidean' ? gap * mixer.unit : (gap * mixer.unit) ** 2 / 2 - 1e-6

function along(a: Float32Array, from: number, b: Float64Array): number {
  let sum = 0
  for (let c = 0; c < b.length; c++) sum += (a[from + c] as number) * (b[c] as number)
  return sum
}
