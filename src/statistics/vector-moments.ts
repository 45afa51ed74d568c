import { vectorsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { addGram, gramSums, symmetrise } from '../math/kernels.ts'
import { shortDigest } from '../math/hash.ts'

export interface VectorMoments {
  readonly rows: number
  readonly mean: Float64Array
  readonly variance: Float64Array
  /** [d, d], or null where d is at most `directDims`. Missing values count as the mean's origin, 0. */
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
}

const maxDims = 4096

/** Sums of values, squares and, above `directDims` dimensions, products of the vectors; NaN is a missing value. */
export function vectorMoments({ over, directDims }: { readonly over: 'subject' | 'reference'; readonly directDims: number }): Statistic<State, VectorMoments> {
  return {
    id: `vector-moments/${shortDigest({ over, directDims })}`,
    version: 1,
    needs: [],
    after: [],
    over,
    init: () => ({ dims: 0, rows: 0, present: new Float64Array(0), sum: new Float64Array(0), squares: new Float64Array(0), products: null }),
    async update(_: Context, state: State, batch: Batch) {
      const vectors = vectorsOf(batch)
      if (!vectors || vectors.rows === 0) return
      const d = vectors.dims
      start(state, d, directDims)
      const x = Float64Array.from(vectors.data)
      for (let at = 0; at < x.length; ) {
        for (let j = 0; j < d; j++, at++) {
          const v = x[at] as number
          if (Number.isNaN(v)) {
            x[at] = 0
            continue
          }
          state.present[j] = (state.present[j] as number) + 1
          state.sum[j] = (state.sum[j] as number) + v
          state.squares[j] = (state.squares[j] as number) + v * v
        }
      }
      state.rows += vectors.rows
      if (state.products) await addGram({ ...gramSums(0, 0, false), q: d, gram: state.products }, { data: x, rows: vectors.rows, dims: d }, null, null)
    },
    merge(into: State, from: State) {
      if (from.dims === 0) return
      start(into, from.dims, directDims)
      into.rows += from.rows
      for (const key of ['present', 'sum', 'squares', 'products'] as const) {
        const a = into[key]
        const b = from[key]
        if (a && b) for (let i = 0; i < a.length; i++) a[i] = (a[i] as number) + (b[i] as number)
      }
    },
    finish(_: Context, state: State) {
      const d = state.dims
      const mean = state.sum.map((s, j) => s / Math.max(state.present[j] as number, 1))
      const variance = state.squares.map((s, j) => Math.max(0, s / Math.max(state.present[j] as number, 1) - (mean[j] as number) ** 2))
      if (!state.products) return { rows: state.rows, mean, variance, covariance: null }
      const covariance = state.products.slice()
      symmetrise(covariance, d)
      for (let i = 0; i < d; i++)
        for (let j = 0; j < d; j++) covariance[i * d + j] = (covariance[i * d + j] as number) / state.rows - (mean[i] as number) * (mean[j] as number)
      return { rows: state.rows, mean, variance, covariance }
    },
    bytes: (shape: Shape) => 8 * (3 * shape.dims + (shape.dims > directDims ? shape.dims ** 2 : 0)),
  }
}

function start(state: State, d: number, directDims: number): void {
  if (state.dims === d) return
  if (state.dims !== 0) throw new Error(`vectors of ${d} and of ${state.dims} values in one data set`)
  if (d > maxDims) throw new Error(`vectors of ${d} values: at most ${maxDims} are supported`)
  const zeros = () => new Float64Array(d)
  Object.assign(state, { dims: d, present: zeros(), sum: zeros(), squares: zeros(), products: d > directDims ? new Float64Array(d * d) : null })
}
