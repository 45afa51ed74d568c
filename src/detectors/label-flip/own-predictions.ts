import { matrixOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { LabelColumns } from '../../statistics/label-columns.ts'
import { logMargin } from '../../statistics/label-margins.ts'
import { type DepthQuantiles, depthOf } from '../../statistics/label-model/depth.ts'
import { type Judgement, scoreOf } from './tally.ts'

export interface OwnPredictions {
  readonly classes: readonly string[]
  /** [K] t_j = mean p_j over records with given label j. */
  readonly thresholds: Float64Array
  readonly depth: DepthQuantiles
  /** Class of each label of the batch, -1 where there is none. */
  readonly given: LabelColumns
}

/**
 * The ratio rule: S = log max over j other than the given label of p_j / t_j, less log p_given / t_given.
 * S above log(1 / 0.7) is p_given / t_given below 0.7 of the largest p_j / t_j.
 */
export function judgePredictions(own: OwnPredictions, batch: Batch): Judgement {
  const { classes, thresholds, depth } = own
  const k = classes.length
  const predictions = matrixOf(batch, 'predictions')
  const given = own.given(batch, k)
  const n = batch.numRows
  const score = new Float64Array(n)
  const depths = new Float64Array(n)
  const predicted = new Int32Array(n)
  const suggested = new Int32Array(n)
  const p = predictions?.data as Float64Array
  const inverse = thresholds.map((t) => 1 / t)
  for (let i = 0, at = 0; i < n; i++, at += k) {
    const g = given[i] as number
    let first = 0
    let top = -1
    let other = -1
    let best = -1
    for (let j = 0; j < k; j++) {
      const v = p[at + j] as number
      if (v > top) {
        top = v
        first = j
      }
      const a = v * (inverse[j] as number)
      if (a > best && j !== g) {
        best = a
        other = j
      }
    }
    predicted[i] = first
    suggested[i] = g < 0 ? -1 : other
    if (g < 0) {
      score[i] = Number.NaN
      continue
    }
    const own = (p[at + g] as number) * (inverse[g] as number)
    score[i] = best + own > 0 ? best / (best + own) : 0
    if (first !== g) depths[i] = depthOf(depth, first, logMargin(top, second(p, at, k, first)))
  }
  return {
    mode: 'own predictions',
    calibration: 0,
    score,
    suggested: { codes: suggested, values: classes },
    given,
    predicted,
    depth: depths,
    classes,
  }
}

export const scoreAtRatio = (ratio: number): number => scoreOf(-Math.log(ratio))

/** The largest of the probabilities at `at` but for the first. */
function second(p: Float64Array, at: number, k: number, first: number): number {
  let largest = 0
  for (let j = 0; j < k; j++) if (j !== first && (p[at + j] as number) > largest) largest = p[at + j] as number
  return largest
}
