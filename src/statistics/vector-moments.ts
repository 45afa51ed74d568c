import { vectorsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { addGram, gramSums, symmetrise } from '../math/kernels.ts'
import { StatisticError } from './label-census.ts'

export interface VectorMoments {
  readonly rows: number
  readonly mean: Float64Array
  readonly variance: Float64Array
  /** [d, d], or null where d is at most `directDims`. A missing value counts as the mean of its column. */
  readonly covariance: Float64Array | null
}

interface State {
  dims: number
  rows: number
  present: Float64Array
  sum: Float64Array
  squares: Float64Array
  /** Upper triangle of the [d, d] sum of products. */
  products: Float64Array | null
  /** Null while nothing is missing. With h = 1 where a value is missing, else 0: the [d, d] sums of h hᵀ (upper triangle) and of h xᵀ. */
  holes: { readonly both: Float64Array; readonly values: Float64Array } | null
}

const maxDims = 4096

/** Sums of values, squares and, above `directDims` dimensions, products of the vectors; NaN is a missing value. */
export function vectorMoments({
  over,
  directDims,
}: {
  readonly over: 'subject' | 'reference'
  readonly directDims: number
}): Statistic<State, VectorMoments> {
  return {
    id: `vector-moments/${shortDigest({ over, directDims })}`,
    version: 1,
    needs: [],
    after: [],
    over,
    init: () => ({
      dims: 0,
      rows: 0,
      present: new Float64Array(0),
      sum: new Float64Array(0),
      squares: new Float64Array(0),
      products: null,
      holes: null,
    }),
    async update(_: Context, state: State, batch: Batch) {
      const vectors = vectorsOf(batch)
      if (!vectors || vectors.rows === 0) return
      const d = vectors.dims
      start(state, d, directDims)
      const x = Float64Array.from(vectors.data)
      const missing: number[] = []
      for (let at = 0; at < x.length; ) {
        for (let j = 0; j < d; j++, at++) {
          const v = x[at] as number
          if (Number.isNaN(v)) {
            x[at] = 0
            missing.push(at)
            continue
          }
          state.present[j] = (state.present[j] as number) + 1
          state.sum[j] = (state.sum[j] as number) + v
          state.squares[j] = (state.squares[j] as number) + v * v
        }
      }
      state.rows += vectors.rows
      if (!state.products) return
      await addGram({ ...gramSums(0, 0, false), q: d, gram: state.products }, { data: x, rows: vectors.rows, dims: d }, null, null)
      if (missing.length > 0) await addHoles(state, x, d, missing)
    },
    merge(into: State, from: State) {
      if (from.dims === 0) return
      start(into, from.dims, directDims)
      into.rows += from.rows
      for (const key of ['present', 'sum', 'squares', 'products'] as const) {
        const a = into[key]
        const b = from[key]
        if (a && b) add(a, b)
      }
      if (!from.holes) return
      into.holes ??= noHoles(from.dims)
      add(into.holes.both, from.holes.both)
      add(into.holes.values, from.holes.values)
    },
    finish(_: Context, state: State) {
      const mean = state.sum.map((s, j) => s / Math.max(state.present[j] as number, 1))
      const variance = state.squares.map((s, j) => Math.max(0, s / Math.max(state.present[j] as number, 1) - (mean[j] as number) ** 2))
      if (!state.products) return { rows: state.rows, mean, variance, covariance: null }
      const covariance = centred(state, state.products, mean)
      return { rows: state.rows, mean, variance, covariance }
    },
    bytes: (shape: Shape) => 8 * (3 * shape.dims + (shape.dims > directDims ? 3 * shape.dims ** 2 : 0)),
  }
}

const noHoles = (d: number) => ({ both: new Float64Array(d * d), values: new Float64Array(d * d) })

function add(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < into.length; i++) into[i] = (into[i] as number) + (from[i] as number)
}

/** `missing` holds ascending positions in `x`; only their rows count. */
async function addHoles(state: State, x: Float64Array, d: number, missing: readonly number[]): Promise<void> {
  const rows = [...new Set(missing.map((at) => Math.floor(at / d)))]
  const h = new Float64Array(rows.length * d)
  const values = new Float64Array(rows.length * d)
  const place = new Map(rows.map((row, i) => [row, i]))
  for (const at of missing) h[(place.get(Math.floor(at / d)) as number) * d + (at % d)] = 1
  rows.forEach((row, i) => {
    values.set(x.subarray(row * d, (row + 1) * d), i * d)
  })
  state.holes ??= noHoles(d)
  const sums = { ...gramSums(0, 0, false), q: d, k: d, gram: state.holes.both, cross: state.holes.values }
  await addGram(sums, { data: h, rows: rows.length, dims: d }, { data: values, rows: rows.length, dims: d }, null)
}

/** Sum of (x - mean)(x - mean)ᵀ over the pairs that are both present, divided by the rows: missing values replaced by the mean. */
function centred(state: State, products: Float64Array, mean: Float64Array): Float64Array {
  const { dims: d, rows, sum, present } = state
  const out = products.slice()
  const both = state.holes?.both.slice() ?? null
  symmetrise(out, d)
  if (both) symmetrise(both, d)
  const values = state.holes?.values ?? null
  for (let i = 0; i < d; i++) {
    for (let j = 0; j < d; j++) {
      const at = i * d + j
      const [a, b] = [mean[i] as number, mean[j] as number]
      const pairs = (present[i] as number) + (present[j] as number) - rows + (both?.[at] ?? 0)
      const sumOfI = (sum[i] as number) - (values?.[j * d + i] ?? 0)
      const sumOfJ = (sum[j] as number) - (values?.[at] ?? 0)
      out[at] = ((out[at] as number) - a * sumOfJ - b * sumOfI + a * b * pairs) / rows
    }
  }
  return out
}

function start(state: State, d: number, directDims: number): void {
  if (state.dims === d) return
  if (state.dims !== 0)
    throw new StatisticError('vector-size', `vectors of ${state.dims} and of ${d} values in one data set`, 2, {}, 'audit them separately')
  if (d > maxDims)
    throw new StatisticError(
      'vector-size',
      `vectors of ${d} values: at most ${maxDims} are supported`,
      4,
      {},
      'reduce them first, for example to their principal components',
    )
  const zeros = () => new Float64Array(d)
  Object.assign(state, {
    dims: d,
    present: zeros(),
    sum: zeros(),
    squares: zeros(),
    products: d > directDims ? new Float64Array(d * d) : null,
  })
}
