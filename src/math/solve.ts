import { MathError, requireLength } from './errors.ts'
import { gemm } from './kernels.ts'

const block = 64

/** A = L Lᵀ. `lower` [n, n] row-major, zero above the diagonal; `inverses` holds the inverse of each diagonal block. */
export interface Cholesky {
  readonly n: number
  readonly lower: Float64Array
  readonly inverses: readonly Float64Array[]
}

/**
 * Left-looking blocked Cholesky of A + diag in f64, products through `gemm`. `a` [n, n] symmetric (its lower triangle is read) is
 * not changed; `diagonal` is one number for every row or [n].
 * Throws MathError `not-positive-definite`, `bad-shape`.
 */
export async function cholesky(a: Float64Array, n: number, diagonal: number | Float64Array = 0): Promise<Cholesky> {
  requireLength('a', a.length, n * n)
  if (typeof diagonal !== 'number') requireLength('diagonal', diagonal.length, n)
  const lower = new Float64Array(n * n)
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) lower[i * n + j] = a[i * n + j] as number
    lower[i * n + i] = (a[i * n + i] as number) + (typeof diagonal === 'number' ? diagonal : (diagonal[i] as number))
  }
  const inverses: Float64Array[] = []
  for (let start = 0; start < n; start += block) {
    const width = Math.min(block, n - start)
    const height = n - start
    const panel = copyBlock(lower, n, start, start, height, width)
    if (start > 0) {
      const left = { data: copyBlock(lower, n, start, 0, height, start), rows: height, dims: start }
      const top = { data: left.data.subarray(0, width * start), rows: width, dims: start }
      const update = await gemm(left, top, { transB: true })
      for (let i = 0; i < panel.length; i++) panel[i] = (panel[i] as number) - (update.data[i] as number)
    }
    factorBlock(panel, width, start)
    const inverse = invertBlock(panel, width)
    inverses.push(inverse)
    if (height > width) {
      const below = { data: panel.subarray(width * width), rows: height - width, dims: width }
      const solved = await gemm(below, { data: inverse, rows: width, dims: width }, { transB: true })
      panel.set(solved.data, width * width)
    }
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++) lower[(start + i) * n + start + j] = j > i ? 0 : (panel[i * width + j] as number)
  }
  return { n, lower, inverses }
}

/** Solves (A + diag) X = B for `b` [n, k] row-major; a new array. Throws MathError `bad-shape`. */
export async function solveCholesky(factor: Cholesky, b: Float64Array, k: number): Promise<Float64Array> {
  const { n, lower, inverses } = factor
  requireLength('b', b.length, n * k)
  const x = Float64Array.from(b)
  const blocks = inverses.length
  for (let index = 0; index < blocks; index++) {
    const start = index * block
    const width = Math.min(block, n - start)
    if (start > 0) await subtract(x, start, width, k, copyBlock(lower, n, start, 0, width, start), start, 0, false)
    await applyInverse(x, start, width, k, inverses[index] as Float64Array, false)
  }
  for (let index = blocks - 1; index >= 0; index--) {
    const start = index * block
    const width = Math.min(block, n - start)
    const rest = n - start - width
    if (rest > 0) await subtract(x, start, width, k, copyBlock(lower, n, start + width, start, rest, width), rest, start + width, true)
    await applyInverse(x, start, width, k, inverses[index] as Float64Array, true)
  }
  return x
}

/** Solves (A + diag) X = B in one go. */
export const solve = async (
  a: Float64Array,
  n: number,
  b: Float64Array,
  k: number,
  diagonal: number | Float64Array = 0,
): Promise<Float64Array> => solveCholesky(await cholesky(a, n, diagonal), b, k)

function copyBlock(from: Float64Array, stride: number, top: number, left: number, height: number, width: number): Float64Array {
  const out = new Float64Array(height * width)
  for (let i = 0; i < height; i++) {
    const at = (top + i) * stride + left
    out.set(from.subarray(at, at + width), i * width)
  }
  return out
}

/** x[start, width] -= op(part) x[from, count] */
async function subtract(
  x: Float64Array,
  start: number,
  width: number,
  k: number,
  part: Float64Array,
  count: number,
  from: number,
  transA: boolean,
): Promise<void> {
  const rows = transA ? count : width
  const known = { data: x.subarray(from * k, (from + count) * k), rows: count, dims: k }
  const product = await gemm({ data: part, rows, dims: transA ? width : count }, known, { transA })
  for (let i = 0; i < width * k; i++) x[start * k + i] = (x[start * k + i] as number) - (product.data[i] as number)
}

async function applyInverse(
  x: Float64Array,
  start: number,
  width: number,
  k: number,
  inverse: Float64Array,
  transA: boolean,
): Promise<void> {
  const known = { data: x.slice(start * k, (start + width) * k), rows: width, dims: k }
  x.set((await gemm({ data: inverse, rows: width, dims: width }, known, { transA })).data, start * k)
}

/** Cholesky of the leading [w, w] block of a panel of width w, in place. */
function factorBlock(panel: Float64Array, w: number, start: number): void {
  for (let j = 0; j < w; j++) {
    let pivot = panel[j * w + j] as number
    const limit = Math.abs(pivot) * 1e-14
    for (let c = 0; c < j; c++) pivot -= (panel[j * w + c] as number) ** 2
    if (!(pivot > limit))
      throw new MathError(
        'not-positive-definite',
        `the matrix is not positive definite at row ${start + j}`,
        'Add a larger value to its diagonal.',
      )
    const root = Math.sqrt(pivot)
    panel[j * w + j] = root
    for (let i = j + 1; i < w; i++) {
      let sum = panel[i * w + j] as number
      for (let c = 0; c < j; c++) sum -= (panel[i * w + c] as number) * (panel[j * w + c] as number)
      panel[i * w + j] = sum / root
    }
  }
}

/** The inverse of the lower triangular [w, w] block. */
function invertBlock(panel: Float64Array, w: number): Float64Array {
  const out = new Float64Array(w * w)
  for (let j = 0; j < w; j++) {
    out[j * w + j] = 1 / (panel[j * w + j] as number)
    for (let i = j + 1; i < w; i++) {
      let sum = 0
      for (let c = j; c < i; c++) sum -= (panel[i * w + c] as number) * (out[c * w + j] as number)
      out[i * w + j] = sum / (panel[i * w + i] as number)
    }
  }
  return out
}
