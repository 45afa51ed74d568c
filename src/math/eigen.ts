import { EigenvalueDecomposition, Matrix as MlMatrix } from 'ml-matrix'
import { MathError, requireLength } from './errors.ts'
import { gemm, type Matrix64 } from './kernels.ts'
import { keyed } from './rng.ts'

export interface Eigenpairs {
  /** [k], largest first. */
  readonly values: Float64Array
  /** [n, k] row-major, orthonormal columns; the entry of largest magnitude of each column is positive. */
  readonly vectors: Float64Array
}

// ml-matrix needs 0.17 s at 256 and 2 s at 512.
const directLimit = 192
const oversampling = 8
const krylovBlocks = 4
const maxRestarts = 60
const tolerance = 1e-9

/**
 * The k largest eigenpairs of a symmetric positive semidefinite `a` [n, n]. Up to 192 rows, or where most pairs are asked for,
 * by QL iteration (ml-matrix), else by restarted block Krylov iteration (Golub and Underwood 1977) until each residual
 * is below 1e-9 of the largest eigenvalue. Deterministic, signs included.
 * Throws MathError `bad-shape`, `out-of-domain`.
 */
export async function topEigen(a: Float64Array, n: number, k: number): Promise<Eigenpairs> {
  requireLength('a', a.length, n * n)
  if (!Number.isInteger(k) || k < 1 || k > n) throw new MathError('out-of-domain', `${k} eigenpairs of a matrix of ${n} rows`)
  const width = Math.min(n, k + oversampling)
  return orient(n <= directLimit || width * krylovBlocks >= n ? direct(a, n, k) : await krylov(a, n, k, width))
}

function direct(a: Float64Array, n: number, k: number): Eigenpairs {
  const m = new MlMatrix(n, n)
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) m.set(i, j, a[i * n + j] as number)
  const evd = new EigenvalueDecomposition(m, { assumeSymmetric: true })
  // Ascending for symmetric matrices.
  const order = evd.realEigenvalues.map((_, i) => i).sort((x, y) => (evd.realEigenvalues[y] as number) - (evd.realEigenvalues[x] as number))
  const values = new Float64Array(k)
  const vectors = new Float64Array(n * k)
  for (let j = 0; j < k; j++) {
    const from = order[j] as number
    values[j] = evd.realEigenvalues[from] as number
    for (let i = 0; i < n; i++) vectors[i * k + j] = evd.eigenvectorMatrix.get(i, from)
  }
  return { values, vectors }
}

async function krylov(a: Float64Array, n: number, k: number, width: number): Promise<Eigenpairs> {
  const matrix: Matrix64 = { data: a, rows: n, dims: n }
  let start = orthonormal(keyed(new Uint8Array(16), 'assay eigen start').normals(n * width), width, n)
  let best: Eigenpairs | null = null
  for (let restart = 0; restart < maxRestarts; restart++) {
    // Rows are vectors here: [m, n].
    let basis = start
    let last = start
    for (let b = 1; b < krylovBlocks; b++) {
      const next = await gemm({ data: last, rows: last.length / n, dims: n }, matrix)
      last = await against(next.data, basis, n)
      if (last.length === 0) break
      const grown = new Float64Array(basis.length + last.length)
      grown.set(basis)
      grown.set(last, basis.length)
      basis = grown
    }
    const m = basis.length / n
    const q: Matrix64 = { data: basis, rows: m, dims: n }
    const aq = await gemm(q, matrix)
    const small = await gemm(aq, q, { transB: true })
    const ritz = direct(small.data, m, Math.min(width, m))
    const kept = ritz.values.length
    const u: Matrix64 = { data: ritz.vectors, rows: m, dims: kept }
    const vectors = await gemm(u, q, { transA: true })
    const images = await gemm(u, aq, { transA: true })
    best = { values: ritz.values, vectors: vectors.data }
    if (worstResidual(vectors.data, images.data, ritz.values, n, Math.min(k, kept)) <= tolerance * Math.abs(ritz.values[0] as number)) break
    start = orthonormal(vectors.data, kept, n)
  }
  const found = best as Eigenpairs
  const out = new Float64Array(n * k)
  for (let j = 0; j < k; j++) for (let i = 0; i < n; i++) out[i * k + j] = found.vectors[j * n + i] ?? 0
  return { values: found.values.slice(0, k), vectors: out }
}

function worstResidual(vectors: Float64Array, images: Float64Array, values: Float64Array, n: number, k: number): number {
  let worst = 0
  for (let j = 0; j < k; j++) {
    let sum = 0
    for (let i = j * n; i < (j + 1) * n; i++) sum += ((images[i] as number) - (values[j] as number) * (vectors[i] as number)) ** 2
    worst = Math.max(worst, Math.sqrt(sum))
  }
  return worst
}

/** The part of `rows` orthogonal to `basis`, orthonormal; two passes of Gram-Schmidt. Dependent rows are dropped. */
async function against(rows: Float64Array, basis: Float64Array, n: number): Promise<Float64Array> {
  const count = rows.length / n
  const q: Matrix64 = { data: basis, rows: basis.length / n, dims: n }
  let current = normalise(rows, count, n)
  for (let pass = 0; pass < 2; pass++) {
    const coefficients = await gemm({ data: current, rows: count, dims: n }, q, { transB: true })
    const shadow = await gemm(coefficients, q)
    const next = Float64Array.from(current)
    for (let i = 0; i < next.length; i++) next[i] = (next[i] as number) - (shadow.data[i] as number)
    current = next
  }
  return orthonormal(current, count, n)
}

function normalise(rows: Float64Array, count: number, n: number): Float64Array {
  const out = Float64Array.from(rows)
  for (let r = 0; r < count; r++) scaleRow(out, r, n, 1 / (norm(out, r, n) || 1))
  return out
}

const norm = (rows: Float64Array, r: number, n: number): number => Math.sqrt(dot(rows, r, r, n))

function dot(rows: Float64Array, a: number, b: number, n: number): number {
  let sum = 0
  for (let i = 0; i < n; i++) sum += (rows[a * n + i] as number) * (rows[b * n + i] as number)
  return sum
}

function scaleRow(rows: Float64Array, r: number, n: number, scale: number): void {
  for (let i = r * n; i < (r + 1) * n; i++) rows[i] = (rows[i] as number) * scale
}

/** Modified Gram-Schmidt over rows, twice; rows that vanish (below 1e-10 of their length) are dropped. */
function orthonormal(rows: Float64Array, count: number, n: number): Float64Array {
  const out = Float64Array.from(rows)
  let kept = 0
  for (let r = 0; r < count; r++) {
    if (kept !== r) out.copyWithin(kept * n, r * n, (r + 1) * n)
    const before = norm(out, kept, n)
    for (let pass = 0; pass < 2; pass++) {
      for (let s = 0; s < kept; s++) {
        const c = dot(out, kept, s, n)
        for (let i = 0; i < n; i++) out[kept * n + i] = (out[kept * n + i] as number) - c * (out[s * n + i] as number)
      }
    }
    const after = norm(out, kept, n)
    if (after <= 1e-10 * before || after === 0) continue
    scaleRow(out, kept, n, 1 / after)
    kept++
  }
  return out.slice(0, kept * n)
}

function orient(pairs: Eigenpairs): Eigenpairs {
  const { values, vectors } = pairs
  const k = values.length
  const n = vectors.length / k
  for (let j = 0; j < k; j++) {
    let peak = 0
    for (let i = 0; i < n; i++) peak = Math.max(peak, Math.abs(vectors[i * k + j] as number))
    // The first entry within rounding of the peak decides: ties would make the sign depend on noise.
    let sign = 1
    for (let i = 0; i < n; i++) {
      const value = vectors[i * k + j] as number
      if (Math.abs(value) < peak * (1 - 1e-6)) continue
      sign = value < 0 ? -1 : 1
      break
    }
    if (sign < 0) for (let i = 0; i < n; i++) vectors[i * k + j] = -(vectors[i * k + j] as number)
  }
  return pairs
}
