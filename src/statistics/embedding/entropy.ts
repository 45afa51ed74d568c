import { topEigen } from '../../math/eigen.ts'
import { gram, type Matrix64 } from '../../math/kernels.ts'
import { centredRows, column, meanOf, quadratic } from './dense.ts'
import { quantile } from './quantiles.ts'

/** Expected shares of poison: the truth is never known, so that the scores of all are added. */
export const rates = [0.005, 0.01, 0.02, 0.05, 0.1] as const
const middleRate = 0.05
const alpha = 4
/** Directions of the whitened rows along which a part may stand apart. */
const axesTried = 3
const trims = 4
const maxComponents = 32
const ridge = 1e-6

export interface Spectrum {
  readonly mean: Float64Array
  /** [p, width] the first right singular vectors of the centred rows, at most three. */
  readonly directions: Float64Array
  readonly width: number
  /** Robust mean, and [p, p] such that (x - centre) form (x - centre) is the quantum-entropy score, summed over the rates. */
  readonly centre: Float64Array
  readonly form: Float64Array
  /** [p] each: where, once the bulk is whitened, the rows vary most. */
  readonly outward: readonly Float64Array[]
}

/**
 * Of the rows of one class, the spectral signature (Tran, Li and Madry 2018) and the quantum-entropy score after robust whitening
 * (SPECTRE: Hayase et al. 2021). Robust mean and covariance come from iterated trimming of the rows with the largest Mahalanobis
 * distance, one and a half times the expected share of poison, in place of the filter of Diakonikolas et al.
 */
export async function spectrumOf(data: Float32Array, dims: number): Promise<Spectrum> {
  const mean = meanOf(data, dims)
  const centred = centredRows(data, dims, mean)
  const k = Math.max(1, Math.min(maxComponents, dims, centred.rows >> 2))
  const { vectors } = await topEigen((await gram(centred)).gram.data, dims, k)
  const width = Math.min(3, k)
  const directions = Float64Array.from({ length: dims * width }, (_, at) => vectors[Math.floor(at / width) * k + (at % width)] as number)
  const reduced = multiply(centred, vectors, k)
  let centre = new Float64Array(k)
  const form = new Float64Array(k * k)
  const outward: Float64Array[] = []
  for (const rate of rates) {
    const { mean: at, quadraticForm, axes } = await entropyForm(reduced, rate)
    if (rate === middleRate) centre = Float64Array.from(at)
    if (rate === middleRate || rate === rates[1]) outward.push(...axes.map((v) => lift(v, vectors, k, new Float64Array(dims))))
    const typical = quantile(quadratic(reduced.data, k, at, quadraticForm).sort(), 0.5)
    if (typical > 0) for (let i = 0; i < form.length; i++) form[i] = (form[i] as number) + (quadraticForm[i] as number) / typical
  }
  return { mean, directions, width, centre: lift(centre, vectors, k, mean), form: widen(form, vectors, k), outward }
}

function multiply(x: Matrix64, vectors: Float64Array, k: number): Matrix64 {
  const out = new Float64Array(x.rows * k)
  for (let i = 0; i < x.rows; i++)
    for (let a = 0; a < x.dims; a++) {
      const v = x.data[i * x.dims + a] as number
      for (let j = 0; j < k; j++) out[i * k + j] = (out[i * k + j] as number) + v * (vectors[a * k + j] as number)
    }
  return { data: out, rows: x.rows, dims: k }
}

const lift = (centre: Float64Array, vectors: Float64Array, k: number, mean: Float64Array): Float64Array =>
  mean.map((m, a) => {
    let sum = m
    for (let j = 0; j < k; j++) sum += (vectors[a * k + j] as number) * (centre[j] as number)
    return sum
  })

/** V M Vᵀ */
function widen(m: Float64Array, v: Float64Array, k: number): Float64Array {
  const p = v.length / k
  const half = new Float64Array(p * k)
  for (let a = 0; a < p; a++)
    for (let i = 0; i < k; i++)
      for (let j = 0; j < k; j++) half[a * k + j] = (half[a * k + j] as number) + (v[a * k + i] as number) * (m[i * k + j] as number)
  const out = new Float64Array(p * p)
  for (let a = 0; a < p; a++)
    for (let b = 0; b < p; b++) {
      let sum = 0
      for (let j = 0; j < k; j++) sum += (half[a * k + j] as number) * (v[b * k + j] as number)
      out[a * p + b] = sum
    }
  return out
}

async function covariance(x: Matrix64, mean: Float64Array, keep: Uint8Array | null): Promise<Float64Array> {
  const k = x.dims
  const kept = keep ? keep.reduce((sum, v) => sum + v, 0) : x.rows
  const data = new Float64Array(kept * k)
  for (let i = 0, to = 0; i < x.rows; i++) {
    if (keep && keep[i] === 0) continue
    for (let j = 0; j < k; j++) data[to++] = (x.data[i * k + j] as number) - (mean[j] as number)
  }
  const { gram: sums } = await gram({ data, rows: kept, dims: k })
  return sums.data.map((v) => v / Math.max(kept - 1, 1))
}

/** U f(values) Uᵀ */
function fromEigen(values: Float64Array, vectors: Float64Array, f: (value: number) => number): Float64Array {
  const k = values.length
  const diagonal = new Float64Array(k * k)
  values.forEach((v, i) => {
    diagonal[i * k + i] = f(v)
  })
  return widen(diagonal, vectors, k)
}

async function entropyForm(
  x: Matrix64,
  rate: number,
): Promise<{
  readonly mean: Float64Array
  readonly quadraticForm: Float64Array
  readonly axes: readonly Float64Array[]
}> {
  const k = x.dims
  let keep: Uint8Array | null = null
  let mean = meanOf(x.data, k)
  let whitening = new Float64Array(0)
  for (let i = 0; ; i++) {
    mean = meanOf(x.data, k, keep)
    const { values, vectors } = await topEigen(await covariance(x, mean, keep), k, k)
    const floor = ridge * (values[0] as number)
    const inverse = (power: number) => fromEigen(values, vectors, (v) => (v > 0 ? (v + floor) ** power : 0))
    whitening = Float64Array.from(inverse(-0.5))
    if (i === trims) break
    const distances = quadratic(x.data, k, mean, inverse(-1))
    const limit = quantile(distances.slice().sort(), 1 - 1.5 * rate)
    keep = Uint8Array.from(distances, (d) => (d <= limit ? 1 : 0))
  }
  const square = await covariance(x, mean, null)
  const s = congruent(whitening, square, k)
  const { values, vectors } = await topEigen(s, k, k)
  const top = values[0] as number
  const scale = alpha / Math.max(top - 1, 1e-6)
  const q = fromEigen(values, vectors, (v) => Math.exp(scale * (v - top)))
  const axes = Array.from({ length: Math.min(axesTried, k) }, (_, j) => times(whitening, column(vectors, k, j), k))
  return { mean, quadraticForm: congruent(whitening, q, k), axes }
}

const times = (m: Float64Array, v: Float64Array, k: number): Float64Array =>
  v.map((_, i) => {
    let sum = 0
    for (let j = 0; j < k; j++) sum += (m[i * k + j] as number) * (v[j] as number)
    return sum
  })

/** W M W of symmetric matrices. */
const congruent = (w: Float64Array, m: Float64Array, k: number): Float64Array => widen(m, w, k)
