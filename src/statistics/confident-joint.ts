import { matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { type ClassThresholds, classThresholds } from './class-thresholds.ts'
import { labelColumns, requireColumns } from './label-columns.ts'

export interface ConfidentJoint {
  readonly classes: readonly string[]
  /** [K] labelled records. */
  readonly labelled: Float64Array
  /** [K, K] given by confidently guessed class, the diagonal at least 1. */
  readonly counts: Float64Array
  /** The same, scaled to the label counts and to the number of records, in whole records. */
  readonly calibrated: Float64Array
}

interface State {
  classes: number
  counts: Float64Array
}

/** cleanlab's tolerances, so that the same records are counted. */
const thresholdTolerance = 1e-6
const smallest = 1e-100

/** -1 where no class reaches its threshold; the one that does; else the most probable class of all, the first of equals. */
export function confidentGuess(p: Float64Array | Float32Array, at: number, k: number, thresholds: Float64Array): number {
  let only = -1
  let reached = 0
  let first = 0
  let best = p[at] as number
  for (let j = 0; j < k; j++) {
    const v = p[at + j] as number
    if (v > best) {
      best = v
      first = j
    }
    if (v >= (thresholds[j] as number) - thresholdTolerance) {
      only = j
      reached++
    }
  }
  return reached > 1 ? first : only
}

/** The confident joint (Northcutt et al. 2021, equations 1 and 3), counted and calibrated as cleanlab does. */
export function confidentJoint({ classes }: { readonly classes: readonly string[] | null }): Statistic<State, ConfidentJoint> {
  const thresholdsId = classThresholds({ classes }).id
  const given = labelColumns(classes)
  return {
    id: `confident-joint/${shortDigest({ classes: classes ? [...classes] : null })}`,
    version: 1,
    needs: ['label', 'predictions'],
    after: [thresholdsId],
    over: 'subject',
    init: () => ({ classes: 0, counts: new Float64Array(0) }),
    update(c: Context, state: State, batch: Batch) {
      const predictions = matrixOf(batch, 'predictions')
      if (!predictions) return
      const k = predictions.dims
      start(state, k)
      const { thresholds } = c.summaries.get<ClassThresholds>(thresholdsId)
      const p = predictions.data as Float64Array
      const labels = given(batch, k)
      const { counts } = state
      for (let i = 0, at = 0; i < labels.length; i++, at += k) {
        const g = labels[i] as number
        if (g < 0) continue
        const guess = confidentGuess(p, at, k, thresholds)
        if (guess >= 0) counts[g * k + guess] = (counts[g * k + guess] as number) + 1
      }
    },
    merge(into: State, from: State) {
      if (from.classes === 0) return
      start(into, from.classes)
      for (let i = 0; i < from.counts.length; i++) into.counts[i] = (into.counts[i] as number) + (from.counts[i] as number)
    },
    finish(c: Context, state: State) {
      const { classes: names, counts: labelled } = c.summaries.get<ClassThresholds>(thresholdsId)
      const k = state.classes
      const counts = state.counts.slice()
      for (let j = 0; j < k; j++) counts[j * k + j] = Math.max(counts[j * k + j] as number, 1)
      return { classes: names, labelled, counts, calibrated: calibrate(counts, labelled) }
    },
    bytes: (shape: Shape) => shape.classes ** 2 * 8,
  }
}

function start(state: State, k: number): void {
  if (state.classes === k) return
  requireColumns(state.classes, k)
  Object.assign(state, { classes: k, counts: new Float64Array(k * k) })
}

/** Rows scaled to the label counts, all to the number of records, then rounded so that rows keep their (rounded) totals. */
export function calibrate(counts: Float64Array, labelled: Float64Array): Float64Array {
  const k = labelled.length
  const n = labelled.reduce((sum, c) => sum + c, 0)
  const scaled = new Float64Array(k * k)
  let total = 0
  for (let i = 0; i < k; i++) {
    const row = counts.subarray(i * k, (i + 1) * k)
    const sum = Math.max(
      row.reduce((s, c) => s + c, 0),
      smallest,
    )
    for (let j = 0; j < k; j++) {
      const v = ((row[j] as number) / sum) * (labelled[i] as number)
      scaled[i * k + j] = v
      total += v
    }
  }
  for (let i = 0; i < k; i++) {
    const row = scaled.subarray(i * k, (i + 1) * k).map((v) => (v / Math.max(total, smallest)) * n)
    scaled.set(roundKeepingTotal(row), i * k)
  }
  return scaled
}

/** Half to even, as numpy rounds. */
const roundEven = (x: number): number => {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return Math.round(x)
  return floor % 2 === 0 ? floor : floor + 1
}

function roundKeepingTotal(row: Float64Array): Float64Array {
  const rounded = row.map(roundEven)
  const target = roundEven(row.reduce((sum, v) => sum + v, 0))
  for (;;) {
    const difference = target - rounded.reduce((sum, v) => sum + v, 0)
    if (difference === 0) return rounded
    // In the order of a stable ascending sort, from its end to add and from its start to subtract: cleanlab's ties.
    const order = [...row.keys()].sort(
      (a, b) => (row[a] as number) - (rounded[a] as number) - ((row[b] as number) - (rounded[b] as number)) || a - b,
    )
    const count = Math.min(Math.abs(difference), row.length)
    const chosen = difference > 0 ? order.slice(-count) : order.slice(0, count)
    for (const i of chosen) rounded[i] = (rounded[i] as number) + Math.sign(difference)
  }
}

/**
 * How many records of each given label k (columns) to prune as truly j (rows), leaving at least one on each diagonal:
 * cleanlab's `_keep_at_least_n_per_class` with n = 1 and frac_noise = 1. [K, K]
 */
export function pruneCounts(calibrated: Float64Array, k: number): Float64Array {
  const out = new Float64Array(k * k)
  for (let g = 0; g < k; g++) {
    const diagonal = calibrated[g * k + g] as number
    const kept = Math.max(diagonal, 1)
    let nonzero = 0
    for (let j = 0; j < k; j++) if ((calibrated[g * k + j] as number) > 0) nonzero++
    const share = (kept - diagonal) / Math.max(nonzero - 1, 1)
    for (let j = 0; j < k; j++) out[j * k + g] = j === g ? kept : Math.trunc(Math.max(0, (calibrated[g * k + j] as number) - share))
  }
  return out
}
