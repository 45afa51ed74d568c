import type { Matrix } from '../../contracts/batch.ts'
import { addGram, type Fourier, gemm, gramSums, type Matrix64, randomFourier } from '../../math/kernels.ts'
import { topK } from '../../math/neighbours.ts'
import { keyed } from '../../math/rng.ts'
import { applyMap, type InputMap } from './maps.ts'
import { complements, type FoldSums, type FoldWeights, foldCount, ldaWeights, ridgeWeights, sumsOf } from './solve-folds.ts'

/** How the class scores of a record are computed. */
export type Family = 'ridge' | 'lda' | 'fourier' | 'knn'
export interface Candidate {
  readonly family: Family
  readonly map: InputMap
  /** Multiple of the median-distance bandwidth; fourier only. */
  readonly width: number
  /** Penalty (ridge, fourier), shrinkage (lda) or number of neighbours (knn). */
  readonly strength: number
}

export const fourierFeatures = 1024
/** For the first look at maps and bandwidths: a solve costs a 64th. */
const screeningFeatures = 256
/** A sample of this size shows on two of its folds which penalty is best: 5,000 rows tell accuracies apart that differ by 1 %. */
const ampleSample = 2000
const foldsOfAmple = 2
const ridgePenalties = [1e-3, 1e-2, 1e-1, 1]
const shrinkages = [0.01, 0.1, 0.3]
const widths = [1, 1.4]
export const neighbours = 10
const block = 1024

/** A labelled sample: the rows that choose the model. */
export interface LabelledSample {
  readonly vectors: Matrix
  /** Class codes, 0..K-1. */
  readonly labels: Int32Array
  readonly folds: Int32Array
  readonly classes: number
}

export const nameOf = (c: Candidate): string =>
  c.family === 'knn'
    ? `cosine ${c.strength} nearest neighbours`
    : c.family === 'lda'
      ? `linear discriminant analysis, shrinkage ${c.strength}`
      : c.family === 'ridge'
        ? `ridge, ${c.map.name}, penalty ${c.strength}`
        : `ridge on random Fourier features, ${c.map.name}, bandwidth ${c.width} x median, penalty ${c.strength}`

/** Random Fourier features of the Gaussian kernel whose bandwidth is `width` times the median distance (Rahimi and Recht 2007). */
export function fourierFor(x: Matrix64, width: number, seed: Uint8Array, features = fourierFeatures): Fourier {
  const bandwidth = width * Math.sqrt(Math.max(medianSquaredDistance(x), 1e-12) / 2)
  const random = keyed(seed, 'fourier')
  const w = random.normals(x.dims * features)
  for (let i = 0; i < w.length; i++) w[i] = (w[i] as number) / bandwidth
  return { w, b: Float64Array.from({ length: features }, () => random.uniform() * 2 * Math.PI) }
}

const maxPairs = 500

/** Over pairs of the first rows, which are a random sample in the order of keyed digests. */
function medianSquaredDistance(x: Matrix64): number {
  const half = Math.min(maxPairs, x.rows >> 1)
  const d2: number[] = []
  for (let i = 0; i < half; i++) {
    for (let j = half; j < 2 * half; j += 7) {
      let sum = 0
      for (let c = 0; c < x.dims; c++) sum += ((x.data[i * x.dims + c] as number) - (x.data[j * x.dims + c] as number)) ** 2
      if (sum > 0) d2.push(sum)
    }
  }
  d2.sort((a, b) => a - b)
  return d2[d2.length >> 1] ?? 1
}

export async function foldSums(x: Matrix64, sample: LabelledSample, fourier: Fourier | null): Promise<FoldSums[]> {
  const k = sample.classes
  const out: FoldSums[] = []
  for (let f = 0; f < foldCount; f++) {
    const rows = indices(sample.folds, f)
    const sums = gramSums(fourier ? fourier.b.length : x.dims, k, true)
    for (let at = 0; at < rows.length; at += block) {
      const part = rows.subarray(at, at + block)
      await addGram(sums, take(x, part), oneHot(part, sample.labels, k), fourier)
    }
    out.push(sumsOf(sums))
  }
  return out
}

const indices = (folds: Int32Array, fold: number): Int32Array => Int32Array.from(folds.keys()).filter((i) => folds[i] === fold)

export function take(x: Matrix64, rows: Int32Array): Matrix64 {
  const data = new Float64Array(rows.length * x.dims)
  for (let i = 0; i < rows.length; i++)
    data.set(x.data.subarray((rows[i] as number) * x.dims, ((rows[i] as number) + 1) * x.dims), i * x.dims)
  return { data, rows: rows.length, dims: x.dims }
}

function oneHot(rows: Int32Array, labels: Int32Array, k: number): Matrix64 {
  const data = new Float64Array(rows.length * k)
  for (let i = 0; i < rows.length; i++) data[i * k + (labels[rows[i] as number] as number)] = 1
  return { data, rows: rows.length, dims: k }
}

/** F = (z, 1) W of each row with the weights of its own fold: [n, K]; zeros where its fold has none. */
export async function linearScores(
  x: Matrix64,
  folds: Int32Array,
  weights: FoldWeights,
  fourier: Fourier | null,
  k: number,
): Promise<Float64Array> {
  const out = new Float64Array(x.rows * k)
  for (const [f, w] of weights.entries()) {
    const rows = indices(folds, f)
    const features = w.length / k - 1
    for (let at = 0; at < rows.length; at += block) {
      const part = rows.subarray(at, at + block)
      const z = fourier ? await randomFourier(take(x, part), fourier) : take(x, part)
      const scores = await gemm(z, { data: w.subarray(0, features * k), rows: features, dims: k })
      for (let i = 0; i < part.length; i++)
        for (let c = 0; c < k; c++) out[(part[i] as number) * k + c] = (scores.data[i * k + c] as number) + (w[features * k + c] as number)
    }
  }
  return out
}

/** Log of the smoothed shares of the classes among the nearest reference rows of other folds: [n, K]. */
export async function neighbourScores(
  x: Matrix64,
  folds: Int32Array,
  reference: Matrix64,
  sample: LabelledSample,
  count: number,
): Promise<Float64Array> {
  const k = sample.classes
  const out = new Float64Array(x.rows * k)
  for (let f = 0; f < foldCount; f++) {
    const rows = indices(folds, f)
    const others = Int32Array.from(sample.folds.keys()).filter((i) => sample.folds[i] !== f)
    if (rows.length === 0 || others.length === 0) continue
    const kk = Math.min(count, others.length)
    const near = await topK(take(x, rows), take(reference, others), kk, 'cosine')
    for (let i = 0; i < rows.length; i++) {
      const votes = new Float64Array(k).fill(1 / k)
      for (let j = 0; j < kk; j++) {
        const label = sample.labels[others[near.indices[i * kk + j] as number] as number] as number
        votes[label] = (votes[label] as number) + 1
      }
      for (let c = 0; c < k; c++) out[(rows[i] as number) * k + c] = Math.log((votes[c] as number) / (kk + 1))
    }
  }
  return out
}

export interface Trial {
  readonly candidate: Candidate
  readonly fourier: Fourier | null
  /** Share of the sample whose out-of-fold argmax is the given label. */
  readonly accuracy: number
}

/** Enough features for the sample: twice as many as rows, a power of two, at most `fourierFeatures`. */
const featuresFor = (rows: number): number => Math.min(fourierFeatures, Math.max(64, 2 ** Math.ceil(Math.log2(2 * rows))))

interface Mapped {
  readonly map: InputMap
  readonly x: Matrix64
}

/** Cross-validated accuracies on the sample: every linear candidate, and the best Fourier ones of a cheaper first look. */
export async function tryAll(sample: LabelledSample, maps: readonly InputMap[], seed: Uint8Array): Promise<Trial[]> {
  const mapped: Mapped[] = []
  for (const map of maps) mapped.push({ map, x: await applyMap(map, sample.vectors) })
  const trials: Trial[] = []
  for (const m of mapped) trials.push(...(await tryLinear(sample, m)))
  const screened: Trial[] = []
  for (const m of mapped)
    for (const width of widths) screened.push(...(await tryFourier(sample, m, width, ridgePenalties, seed, screeningFeatures)))
  const { candidate } = top(screened)
  const m = mapped.find((x) => x.map === candidate.map) as Mapped
  const at = ridgePenalties.indexOf(candidate.strength)
  trials.push(...(await tryFourier(sample, m, candidate.width, ridgePenalties.slice(Math.max(0, at - 1), at + 2), seed, fourierFeatures)))
  return trials
}

const top = (trials: readonly Trial[]): Trial => trials.reduce((a, b) => (b.accuracy > a.accuracy ? b : a))

async function tryLinear(sample: LabelledSample, { map, x }: Mapped): Promise<Trial[]> {
  const k = sample.classes
  const q = x.dims + 1
  const training = complements(await foldSums(x, sample, null))
  const trial = (family: Family, strength: number, scores: Float64Array): Trial => ({
    candidate: { family, map, width: 0, strength },
    fourier: null,
    accuracy: accuracy(scores, sample.labels, k, sample.folds),
  })
  const trials: Trial[] = []
  for (const s of ridgePenalties)
    trials.push(trial('ridge', s, await linearScores(x, sample.folds, await ridgeWeights(training, q, k, s), null, k)))
  if (map.name === 'standardised') {
    for (const s of shrinkages)
      trials.push(trial('lda', s, await linearScores(x, sample.folds, await ldaWeights(training, q, k, s), null, k)))
  } else {
    trials.push(trial('knn', neighbours, await neighbourScores(x, sample.folds, x, sample, neighbours)))
  }
  return trials
}

async function tryFourier(
  sample: LabelledSample,
  { map, x }: Mapped,
  width: number,
  penalties: readonly number[],
  seed: Uint8Array,
  most: number,
): Promise<Trial[]> {
  const k = sample.classes
  const features = Math.min(most, featuresFor(x.rows))
  const fourier = fourierFor(x, width, seed, features)
  const tried = x.rows >= ampleSample ? foldsOfAmple : foldCount
  const training = complements(await foldSums(x, sample, fourier), tried)
  const trials: Trial[] = []
  for (const strength of penalties) {
    const weights = await ridgeWeights(training, features + 1, k, strength)
    const scores = await linearScores(x, sample.folds, weights, fourier, k)
    trials.push({
      candidate: { family: 'fourier', map, width, strength },
      fourier,
      accuracy: accuracy(scores, sample.labels, k, sample.folds, tried),
    })
  }
  return trials
}

/** Share of the rows in the first `tried` folds whose best class is the given one. */
export function accuracy(scores: Float64Array, labels: Int32Array, k: number, folds: Int32Array, tried = foldCount): number {
  let right = 0
  let rows = 0
  for (let i = 0; i < labels.length; i++) {
    if ((folds[i] as number) >= tried) continue
    let best = 0
    for (let c = 1; c < k; c++) if ((scores[i * k + c] as number) > (scores[i * k + best] as number)) best = c
    if (best === labels[i]) right++
    rows++
  }
  return rows === 0 ? 0 : right / rows
}

/**
 * The best by accuracy, but for two rules. A linear discriminant within a standard error of it is taken instead: with few
 * records the more flexible models win by learning the noise. Nearest neighbours must be better by a standard error than all
 * others, since they rank flips more coarsely.
 */
export function best(trials: readonly Trial[], rows: number): Trial {
  const smooth = top(trials.filter((t) => t.candidate.family !== 'knn'))
  const error = Math.sqrt((smooth.accuracy * (1 - smooth.accuracy)) / Math.max(rows, 1))
  const knn = trials.find((t) => t.candidate.family === 'knn')
  if (knn && knn.accuracy > smooth.accuracy + error) return knn
  const lda = top(trials.filter((t) => t.candidate.family === 'lda'))
  return lda.accuracy >= smooth.accuracy - error ? lda : smooth
}
