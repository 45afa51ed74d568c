import type { Matrix } from '../../contracts/batch.ts'
import type { Fourier, Matrix64 } from '../../math/kernels.ts'
import { accuracy, type Candidate, type LabelledSample, linearScores, nameOf, neighbourScores, type Trial } from './candidates.ts'
import { addDisagreement, cellFactors, type DepthCells, depthCells } from './cells.ts'
import { type DepthQuantiles, depthFromMargins, depthOf } from './depth.ts'
import { ownKinds } from './kinds.ts'
import { applyMap, type InputMap } from './maps.ts'
import { complements, type FoldSums, type FoldWeights, ldaWeights, ridgeWeights } from './solve-folds.ts'

/** What turns class scores F into a record's score: shared by the model and by predictions that the user brings. */
export interface Calibration {
  readonly classes: readonly string[]
  /** Probabilities are softmax(temperature x F). */
  readonly temperature: number
  /** [K] mean probability of class j over records with given label j (Northcutt et al. 2021, equation 2). */
  readonly thresholds: Float64Array
  readonly depth: DepthQuantiles
  /** [K, K] given by predicted. */
  readonly factors: Float64Array
}

export interface FittedModel extends Calibration {
  readonly family: Candidate['family']
  readonly name: string
  readonly map: InputMap
  readonly fourier: Fourier | null
  /** One [q, K] matrix a fold; empty for nearest neighbours. */
  readonly weights: FoldWeights
  readonly neighbours: {
    readonly count: number
    readonly reference: Matrix64
    readonly labels: Int32Array
    readonly folds: Int32Array
  } | null
  readonly accuracy: number
  readonly sampleRows: number
  /** Out-of-fold scores S of the sample, sorted: the calibration set of the reference mode. */
  readonly sampleScores: Float64Array
  /** Cells, given x K + predicted, of which the disagreements are kinds of records of their own. */
  readonly kinds: readonly number[]
}

const temperatures = [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1, 1.4, 2, 3, 4, 6, 8, 12, 16, 24]
/** The chosen candidate with weights from the Grams of all rows; what is calibrated is calibrated on the sample, out of fold. */
export async function fitModel(
  chosen: Trial,
  folds: readonly FoldSums[] | null,
  sample: LabelledSample,
  classes: readonly string[],
  seed: Uint8Array,
): Promise<FittedModel> {
  const { candidate, fourier } = chosen
  const { map } = candidate
  const k = classes.length
  const x = await applyMap(map, sample.vectors)
  const weights = folds ? await weightsFor(candidate, folds, x.dims, k) : []
  const neighbours =
    candidate.family === 'knn' ? { count: candidate.strength, reference: x, labels: sample.labels, folds: sample.folds } : null
  const partial = {
    family: candidate.family,
    name: nameOf(candidate),
    map,
    fourier,
    weights,
    neighbours,
    classes,
    sampleRows: sample.labels.length,
  }
  const scores = await classScores({ ...partial }, sample.vectors, sample.folds)
  const calibration = calibrate(scores, sample.labels, classes)
  const n = sample.labels.length
  const sampleScores = new Float64Array(n)
  const judged = { classes: k, given: sample.labels, predicted: new Int32Array(n), depth: new Float64Array(n) }
  const row = { ...emptyRow }
  for (let i = 0; i < n; i++) {
    judge(calibration, scores.subarray(i * k, (i + 1) * k), sample.labels[i] as number, row)
    sampleScores[i] = row.evidence
    judged.predicted[i] = row.predicted
    judged.depth[i] = row.depth
  }
  const kinds = await ownKinds(x, map.projection === null, judged, seed)
  return {
    ...partial,
    ...calibration,
    accuracy: accuracy(scores, sample.labels, k, sample.folds),
    sampleScores: sampleScores.sort(),
    kinds,
  }
}

const weightsFor = (c: Candidate, folds: readonly FoldSums[], dims: number, k: number): Promise<FoldWeights> => {
  const training = complements(folds)
  const q = Math.round(Math.sqrt((training[0] as FoldSums).gram.length))
  return c.family === 'lda' ? ldaWeights(training, dims + 1, k, c.strength) : ridgeWeights(training, q, k, c.strength)
}

type Scoring = Pick<FittedModel, 'family' | 'map' | 'fourier' | 'weights' | 'neighbours' | 'classes'>

/** F of each row, [n, K], by the model that was fitted without the row's fold. */
export async function classScores(model: Scoring, vectors: Matrix, folds: Int32Array): Promise<Float64Array> {
  const x = await applyMap(model.map, vectors)
  const k = model.classes.length
  if (model.neighbours) {
    const { reference, labels, folds: referenceFolds, count } = model.neighbours
    return neighbourScores(x, folds, reference, { vectors: reference, labels, folds: referenceFolds, classes: k }, count)
  }
  return linearScores(x, folds, model.weights, model.fourier, k)
}

export function calibrate(scores: Float64Array, labels: Int32Array, classes: readonly string[]): Calibration {
  const k = classes.length
  const n = labels.length
  const temperature = bestTemperature(scores, labels, k)
  const sums = new Float64Array(k)
  const counts = new Float64Array(k)
  const margins: number[][] = classes.map(() => [])
  const agreeing = new Float64Array(k)
  for (let i = 0; i < n; i++) {
    const row = scores.subarray(i * k, (i + 1) * k)
    const given = labels[i] as number
    sums[given] = (sums[given] as number) + Math.exp(-softplusGap(row, given, temperature))
    counts[given] = (counts[given] as number) + 1
    const { first, margin } = lead(row)
    if (first !== given) continue
    margins[first]?.push(margin)
    agreeing[first] = (agreeing[first] as number) + 1
  }
  const depth = depthFromMargins(margins)
  const cells: DepthCells = depthCells(k)
  for (let i = 0; i < n; i++) {
    const { first, margin } = lead(scores.subarray(i * k, (i + 1) * k))
    const given = labels[i] as number
    if (first !== given) addDisagreement(cells, given * k + first, depthOf(depth, first, margin))
  }
  const thresholds = sums.map((s, c) => ((counts[c] as number) > 0 ? Math.max(s / (counts[c] as number), 2e-6) : 1))
  return { classes, temperature, thresholds, depth, factors: cellFactors(cells, agreeing, k) }
}

/** -log softmax(t F)[given] */
function softplusGap(row: Float64Array, given: number, t: number): number {
  let top = Number.NEGATIVE_INFINITY
  for (const v of row) if (v > top) top = v
  let sum = 0
  for (const v of row) sum += Math.exp(t * (v - top))
  return Math.log(sum) - t * ((row[given] as number) - top)
}

function bestTemperature(scores: Float64Array, labels: Int32Array, k: number): number {
  let best = temperatures[0] as number
  let bestLoss = Number.POSITIVE_INFINITY
  for (const t of temperatures) {
    let loss = 0
    for (let i = 0; i < labels.length; i++) loss += Math.min(softplusGap(scores.subarray(i * k, (i + 1) * k), labels[i] as number, t), 27.6)
    if (loss < bestLoss) [best, bestLoss] = [t, loss]
  }
  return best
}

/** Best class and its lead over the second best. */
export function lead(row: Float64Array): { first: number; margin: number } {
  let first = 0
  let second = -1
  for (let c = 1; c < row.length; c++) {
    if ((row[c] as number) > (row[first] as number)) [second, first] = [first, c]
    else if (second < 0 || (row[c] as number) > (row[second] as number)) second = c
  }
  return { first, margin: second < 0 ? 0 : (row[first] as number) - (row[second] as number) }
}

export interface Judged {
  /** Best class other than the given one. */
  suggested: number
  /** Best class of all. */
  predicted: number
  /** Log odds of the suggested against the given label plus the log factor of their cell; at most 0 where the model agrees. */
  evidence: number
  /** Depth in the predicted class, 0..1. */
  depth: number
}
export const emptyRow: Readonly<Judged> = { suggested: -1, predicted: -1, evidence: 0, depth: 0 }

export function judge(c: Calibration, row: Float64Array, given: number, out: Judged): void {
  const k = c.classes.length
  let suggested = -1
  for (let j = 0; j < k; j++) if (j !== given && (suggested < 0 || (row[j] as number) > (row[suggested] as number))) suggested = j
  const { first, margin } = lead(row)
  const odds = c.temperature * ((row[suggested] as number) - (row[given] as number)) + Math.log(c.factors[given * k + suggested] as number)
  out.suggested = suggested
  out.predicted = first
  out.evidence = first === given ? Math.min(odds, 0) : odds
  out.depth = depthOf(c.depth, first, margin)
}
