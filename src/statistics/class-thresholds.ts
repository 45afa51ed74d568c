import { matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { classNames, labelColumns, requireColumns } from './label-columns.ts'

export interface ClassThresholds {
  readonly classes: readonly string[]
  readonly counts: Float64Array
  /** [K] t_j, the mean of p_j over the records with given label j; 2, which no probability reaches, where there is none (as in cleanlab). */
  readonly thresholds: Float64Array
  /** Records whose probabilities leave 0..1 or whose sum is off by more than 0.01. */
  readonly notProbabilities: number
}

interface State {
  classes: number
  counts: Float64Array
  sums: Float64Array
  notProbabilities: number
}

const sumTolerance = 1e-2
/** A softmax in single precision may pass 1 by rounding. */
const largestProbability = 1 + 1e-6
/** As in cleanlab: a class whose probabilities are all zero must not divide by zero. */
const smallestThreshold = 2e-6
const absentClass = 2

/** The per-class thresholds of confident learning (Northcutt et al. 2021, equation 2). */
export function classThresholds({ classes }: { readonly classes: readonly string[] | null }): Statistic<State, ClassThresholds> {
  const given = labelColumns(classes)
  return {
    id: `class-thresholds/${shortDigest({ classes: classes ? [...classes] : null })}`,
    version: 1,
    needs: ['label', 'predictions'],
    after: [],
    over: 'subject',
    init: () => ({ classes: 0, counts: new Float64Array(0), sums: new Float64Array(0), notProbabilities: 0 }),
    update(_: Context, state: State, batch: Batch) {
      const predictions = matrixOf(batch, 'predictions')
      if (!predictions) return
      const k = predictions.dims
      start(state, k)
      const p = predictions.data as Float64Array
      const labels = given(batch, k)
      const { counts, sums } = state
      let odd = 0
      for (let i = 0, at = 0; i < labels.length; i++, at += k) {
        let sum = 0
        let outside = 0
        for (let j = at; j < at + k; j++) {
          const v = p[j] as number
          sum += v
          if (v < 0 || v > largestProbability) outside = 1
        }
        if (outside > 0 || Math.abs(sum - 1) > sumTolerance) odd++
        const g = labels[i] as number
        if (g < 0) continue
        counts[g] = (counts[g] as number) + 1
        sums[g] = (sums[g] as number) + (p[at + g] as number)
      }
      state.notProbabilities += odd
    },
    merge(into: State, from: State) {
      if (from.classes === 0) return
      start(into, from.classes)
      for (let j = 0; j < from.classes; j++) {
        into.counts[j] = (into.counts[j] as number) + (from.counts[j] as number)
        into.sums[j] = (into.sums[j] as number) + (from.sums[j] as number)
      }
      into.notProbabilities += from.notProbabilities
    },
    finish: (_: Context, state: State) => ({
      classes: classNames(classes, state.classes),
      counts: state.counts,
      thresholds: state.sums.map((s, j) =>
        (state.counts[j] as number) > 0 ? Math.max(s / (state.counts[j] as number), smallestThreshold) : absentClass,
      ),
      notProbabilities: state.notProbabilities,
    }),
    bytes: (shape: Shape) => shape.classes * 16,
  }
}

function start(state: State, k: number): void {
  if (state.classes === k) return
  requireColumns(state.classes, k)
  Object.assign(state, { classes: k, counts: new Float64Array(k), sums: new Float64Array(k) })
}
