import { addGram, gemm, gramSums, type Matrix64 } from '../../math/kernels.ts'
import { keyed } from '../../math/rng.ts'
import { complements, type FoldSums, foldCount, ridgeWeights, sumsOf } from '../label-model/solve-folds.ts'
import { place, type Scaling, type Table } from './scaling.ts'

/** Ridge regression on the scaled columns and on random Fourier features of them (Rahimi and Recht 2007). */
export interface RestModel {
  readonly scaling: Scaling
  /** [width, D] and [D] */
  readonly w: Float64Array
  readonly b: Float64Array
  /** [width + D + 1, K] */
  readonly weights: Float64Array
}

const mostFeatures = 128
const penalty = 3e-3
const block = 1024

export interface Fourier {
  readonly w: Float64Array
  readonly b: Float64Array
}

export function fourierOf(rows: number, width: number, seed: Uint8Array): Fourier {
  const random = keyed(seed, 'column-triggers/fourier')
  const features = Math.min(mostFeatures, Math.max(16, Math.floor(rows / 8)))
  const w = random.normals(width * features).map((v) => v / Math.sqrt(width))
  return { w, b: Float64Array.from({ length: features }, () => 2 * Math.PI * random.uniform()) }
}

/** The model's features of some rows, without the columns in `left`: [n, width + D]. */
export async function designOf(
  x: { readonly data: Float64Array; readonly dims: number },
  rows: Int32Array | number,
  scaling: Scaling,
  { w, b }: Fourier,
  left: readonly number[],
): Promise<Matrix64> {
  const d = x.dims
  const n = typeof rows === 'number' ? rows : rows.length
  const { width } = scaling
  const columns = new Float64Array(n * width)
  for (let i = 0; i < n; i++) {
    const from = (typeof rows === 'number' ? i : (rows[i] as number)) * d
    for (let j = 0; j < d; j++) if (!left.includes(j)) place(scaling, x.data[from + j] as number, j, columns, i * width)
  }
  const features = b.length
  const phase = await gemm({ data: columns, rows: n, dims: width }, { data: w, rows: width, dims: features })
  const out = new Float64Array(n * (width + features))
  const size = Math.sqrt(2 / features) * 3
  for (let i = 0; i < n; i++) {
    out.set(columns.subarray(i * width, (i + 1) * width), i * (width + features))
    for (let f = 0; f < features; f++)
      out[i * (width + features) + width + f] = size * Math.cos((phase.data[i * features + f] as number) + (b[f] as number))
  }
  return { data: out, rows: n, dims: width + features }
}

async function scoresOf(design: Matrix64, weights: Float64Array, k: number): Promise<Float64Array> {
  const q = design.dims
  const { data } = await gemm(design, { data: weights.subarray(0, q * k), rows: q, dims: k })
  for (let i = 0; i < design.rows; i++)
    for (let c = 0; c < k; c++) data[i * k + c] = (data[i * k + c] as number) + (weights[q * k + c] as number)
  return data
}

/** [n, K] scores of rows given as they stand in the data. */
export async function restScores(
  model: RestModel,
  x: { readonly data: Float64Array; readonly dims: number },
  rows: Int32Array,
  left: readonly number[],
): Promise<Float64Array> {
  const k = model.weights.length / (model.scaling.width + model.b.length + 1)
  const out = new Float64Array(rows.length * k)
  for (let at = 0; at < rows.length; at += block) {
    const part = rows.subarray(at, at + block)
    out.set(await scoresOf(await designOf(x, part, model.scaling, model, left), model.weights, k), at * k)
  }
  return out
}

export interface Fitted {
  readonly model: RestModel
  /** [n, K]: rows that were fitted, by the model without their fold; the others by the model of all that were. */
  readonly scores: Float64Array
  /** [n, columns left out]: what the others foretell of them, in the same way. */
  readonly foretold: Float64Array
  /** [width + D + 1, K] of each fold's model. */
  readonly folds: readonly Float64Array[]
}

/** Fitted to the rows that are not `apart`, without the columns in `left`; `mark` is what the others foretell of each of these. */
export async function fitRest(
  table: Table,
  scaling: Scaling,
  fourier: Fourier,
  left: readonly number[],
  apart: Uint8Array | null,
  mark: (row: number, l: number) => number = () => 0,
): Promise<Fitted> {
  const { rows, labels, folds, classes } = table
  const groups = Array.from({ length: foldCount + 1 }, () => [] as number[])
  for (let i = 0; i < rows; i++) groups[apart?.[i] ? foldCount : (folds[i] as number)]?.push(i)
  const q = scaling.width + fourier.b.length
  const k = classes + left.length
  const designs: { readonly part: Int32Array; readonly design: Matrix64; readonly group: number }[] = []
  const sums: FoldSums[] = []
  for (const [g, group] of groups.entries()) {
    const gram = gramSums(q, k, true)
    for (let at = 0; at < group.length; at += block) {
      const part = Int32Array.from(group.slice(at, at + block))
      const design = await designOf(table, part, scaling, fourier, left)
      designs.push({ part, design, group: g })
      if (g === foldCount) continue
      const targets = new Float64Array(part.length * k)
      part.forEach((row, i) => {
        targets[i * k + (labels[row] as number)] = 1
        left.forEach((_, l) => {
          targets[i * k + classes + l] = mark(row, l)
        })
      })
      await addGram(gram, design, { data: targets, rows: part.length, dims: k }, null)
    }
    if (g < foldCount) sums.push(sumsOf(gram))
  }
  const weights = await ridgeWeights([...complements(sums), total(sums)], q + 1, k, penalty)
  const scores = new Float64Array(rows * classes)
  const foretold = new Float64Array(rows * left.length)
  for (const { part, design, group } of designs) {
    const found = await scoresOf(design, weights[group] as Float64Array, k)
    part.forEach((row, i) => {
      scores.set(found.subarray(i * k, i * k + classes), row * classes)
      // the targets of the ridge are twice theirs less 1
      left.forEach((_, l) => {
        foretold[row * left.length + l] = ((found[i * k + classes + l] as number) + 1) / 2
      })
    })
  }
  return {
    model: { scaling, ...fourier, weights: columnsOf(weights[foldCount] as Float64Array, k, classes) },
    scores,
    foretold,
    folds: weights.map((w) => columnsOf(w, k, classes)),
  }
}

/** Scores of some rows by the models without their folds, as if a column had its mean: [n, K] in the order of `rows`. */
export async function blindScores(table: Table, fitted: Fitted, rows: Int32Array, column: number): Promise<Float64Array> {
  const k = table.classes
  const out = new Float64Array(rows.length * k)
  for (const [fold, weights] of fitted.folds.slice(0, foldCount).entries()) {
    const at = Int32Array.from(rows.keys()).filter((i) => table.folds[rows[i] as number] === fold)
    for (let from = 0; from < at.length; from += block) {
      const part = at.subarray(from, from + block)
      const design = await designOf(
        table,
        part.map((i) => rows[i] as number),
        fitted.model.scaling,
        fitted.model,
        [column],
      )
      const found = await scoresOf(design, weights, k)
      part.forEach((i, p) => {
        out.set(found.subarray(p * k, (p + 1) * k), i * k)
      })
    }
  }
  return out
}

function total(folds: readonly FoldSums[]): FoldSums {
  const [first] = folds as readonly [FoldSums]
  const gram = new Float64Array(first.gram.length)
  const cross = new Float64Array(first.cross.length)
  for (const f of folds) {
    for (let i = 0; i < gram.length; i++) gram[i] = (gram[i] as number) + (f.gram[i] as number)
    for (let i = 0; i < cross.length; i++) cross[i] = (cross[i] as number) + (f.cross[i] as number)
  }
  return { gram, cross }
}

/** The first `kept` of `k` columns. */
function columnsOf(weights: Float64Array, k: number, kept: number): Float64Array {
  const rows = weights.length / k
  const out = new Float64Array(rows * kept)
  for (let i = 0; i < rows; i++) out.set(weights.subarray(i * k, i * k + kept), i * kept)
  return out
}

/** Score of class t less the best of the others: above 0 where the model says t. */
export function leadOf(scores: Float64Array, i: number, k: number, t: number): number {
  let best = Number.NEGATIVE_INFINITY
  for (let c = 0; c < k; c++) if (c !== t) best = Math.max(best, scores[i * k + c] as number)
  return (scores[i * k + t] as number) - best
}
