import { gemm32, matrix32 } from '../../math/gemm32.ts'
import { logBinomialUpper } from '../../math/tests.ts'

/** Rows of a class, whitened within classes: [rows, dims]. */
export interface WhiteRows {
  readonly data: Float32Array
  readonly rows: number
}

/** So far on the way from the class's own records to those of other classes a part must lie. */
const tolerated = 0.5
/** Below this, classes cannot be told apart. */
const leastDifference = 0.3

/**
 * Logarithm of the p-value that part of a class differs among itself no more than the class does: a style of writing is of one class. Records
 * that got their label with a pattern differ as those of all other classes do, whatever the pattern, which is the same in all of them and
 * leaves with their mean. The measure is the squared distance from the mean, along what the means of other classes differ in; 0 (a p-value
 * of 1) where these are fewer than two or overlap.
 */
export async function logOfOtherClasses(part: WhiteRows, rest: WhiteRows, others: readonly WhiteRows[], dims: number): Promise<number> {
  const all = others.reduce((sum, o) => sum + o.rows, 0)
  if (others.length < 2 || part.rows < 2 || rest.rows < 2) return 0
  const means = others.map((o) => meanOf(o, dims))
  const centre = new Float64Array(dims)
  means.forEach((mean, c) => {
    const share = (others[c] as WhiteRows).rows / all
    for (let j = 0; j < dims; j++) centre[j] = (centre[j] as number) + share * (mean[j] as number)
  })
  const axes = Float32Array.from(means.flatMap((mean) => Array.from(mean, (v, j) => v - (centre[j] as number))))
  const shares = others.map((o) => o.rows / all)
  const spread = async (x: WhiteRows): Promise<Float64Array> => {
    const { data } = await gemm32(matrix32(x.data, x.rows, dims), matrix32(axes, others.length, dims), { transB: true })
    return distances(data, x.rows, shares)
  }
  const apart = await spread({ data: joined(others, dims), rows: all })
  const [own, its] = [await spread(rest), await spread(part)]
  const cut = bestCut(own, apart)
  const [near, far] = [above(own, cut), above(apart, cut)]
  if (far - near < leastDifference) return 0
  return logBinomialUpper(Math.round(above(its, cut) * its.length), its.length, near + tolerated * (far - near))
}

function meanOf({ data, rows }: WhiteRows, dims: number): Float64Array {
  const mean = new Float64Array(dims)
  for (let r = 0; r < rows; r++) for (let j = 0; j < dims; j++) mean[j] = (mean[j] as number) + (data[r * dims + j] as number) / rows
  return mean
}

function joined(parts: readonly WhiteRows[], dims: number): Float32Array {
  const out = new Float32Array(parts.reduce((sum, p) => sum + p.rows, 0) * dims)
  let at = 0
  for (const p of parts) {
    out.set(p.data.subarray(0, p.rows * dims), at)
    at += p.rows * dims
  }
  return out
}

/** Of every row, the squared distance from the mean of all rows, columns weighted by `shares`. */
function distances(data: Float32Array, rows: number, shares: readonly number[]): Float64Array {
  const k = shares.length
  const mean = meanOf({ data, rows }, k)
  return Float64Array.from({ length: rows }, (_, r) =>
    shares.reduce((sum, share, c) => sum + share * ((data[r * k + c] as number) - (mean[c] as number)) ** 2, 0),
  )
}

const above = (values: Float64Array, cut: number): number => values.reduce((n, v) => n + Number(v > cut), 0) / values.length

/** The value that most of `low` lie below and most of `high` above (Youden's J). */
function bestCut(low: Float64Array, high: Float64Array): number {
  const [a, b] = [low.slice().sort(), high.slice().sort()]
  let [best, cut, j] = [0, Number.POSITIVE_INFINITY, 0]
  for (const [i, v] of a.entries()) {
    while (j < b.length && (b[j] as number) <= v) j++
    const difference = (i + 1) / a.length - j / b.length
    if (difference > best) [best, cut] = [difference, v]
  }
  return cut
}
