import { type Matrix64, randomFourier } from '../../math/kernels.ts'
import { robustScale } from '../../math/robust-scale.ts'
import { type Grouped, strangeness } from '../../math/strangeness.ts'
import { fourierFor } from './candidates.ts'

/** Sampled records as a model judges them. */
export interface JudgedSample {
  readonly classes: number
  /** [n] given and predicted class, and depth in the predicted one. */
  readonly given: Int32Array
  readonly predicted: Int32Array
  readonly depth: Float64Array
}

const features = 256
const deep = 0.5
/** Of a class, compared with: the first are a random part in the order of keyed digests. */
const mostOthers = 2000
const mostStrange = 0.01
/** Times the reciprocal of either number of records: how far random parts of so few lie apart. */
const byChance = 2
/** Fewer deep disagreements are strange by chance. */
const leastDeep = 12
const depthGroups = 8
const clipAt = 4

/** Columns by the width of their middle values, clipped. */
function robust({ data, rows, dims }: Matrix64): Matrix64 {
  const out = new Float64Array(data.length)
  for (let j = 0; j < dims; j++) {
    const sorted = Float64Array.from({ length: rows }, (_, i) => data[i * dims + j] as number).sort()
    const { centre, scale } = robustScale(sorted)
    for (let i = 0; i < rows && scale > 0; i++)
      out[i * dims + j] = Math.max(-clipAt, Math.min(clipAt, ((data[i * dims + j] as number) - centre) / scale))
  }
  return { data: out, rows, dims }
}

/**
 * Flipped records of a class are a random part of it: given the depth, nothing tells them from the records that kept their label. Hard
 * records of classes that overlap are a kind of their own (`strangeness`), however deep they lie. Cells, given x K + predicted, of
 * which the disagreements are such.
 * @param x the sample as the model sees it; `columns` where its dimensions are columns with units of their own
 */
export async function ownKinds(x: Matrix64, columns: boolean, judged: JudgedSample, seed: Uint8Array): Promise<readonly number[]> {
  const { classes: k, given, predicted, depth } = judged
  const deepRows = Array.from({ length: x.rows }, (_, i) => i).filter((i) => (depth[i] as number) >= deep)
  const against = deepRows.filter((i) => given[i] !== predicted[i])
  if (against.length < leastDeep) return []
  const scaled = columns ? robust(x) : x
  const z = await randomFourier(scaled, fourierFor(scaled, 1, seed, features))
  const agreeing = Array.from({ length: k }, (_, c) => deepRows.filter((i) => given[i] === c && predicted[i] === c).slice(0, mostOthers))
  const grouped = (rows: readonly number[]): Grouped => ({
    rows: rows.length,
    dims: features,
    at: (i, j) => z.data[(rows[i] as number) * features + j] as number,
    group: (i) =>
      (predicted[rows[i] as number] as number) * depthGroups +
      Math.min(depthGroups - 1, Math.floor(depthGroups * (depth[rows[i] as number] as number))),
  })
  const isStrange = (rows: readonly number[], others: readonly number[]): boolean =>
    rows.length >= leastDeep && strangeness(grouped(rows), grouped(others)) > mostStrange + byChance * (1 / rows.length + 1 / others.length)
  const cells = new Map<number, number[]>()
  for (const i of against) {
    const cell = (given[i] as number) * k + (predicted[i] as number)
    const rows = cells.get(cell)
    if (rows) rows.push(i)
    else cells.set(cell, [i])
  }
  return [...cells].filter(([cell, rows]) => isStrange(rows, agreeing[cell % k] as number[])).map(([cell]) => cell)
}
