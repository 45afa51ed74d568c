import { matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { labelColumns } from './label-columns.ts'
import { type DepthQuantiles, depthFromHistogram } from './label-model/depth.ts'

/** Probabilities below this count as this: the log margin is then at most about 16.2. */
export const smallestProbability = 1e-7
const maxMargin = -Math.log(smallestProbability) + 0.1
const bins = 1024

/** log of the best over the second best probability. */
export const logMargin = (first: number, second: number): number =>
  Math.log(Math.max(first, smallestProbability) / Math.max(second, smallestProbability))

interface State {
  classes: number
  /** [K, bins] */
  counts: Float64Array
}

/**
 * Histograms, by class, of the log margin of predictions that agree with the given label: what `depthOf` ranks against.
 */
export function labelMargins({
  classes,
}: {
  readonly classes: readonly string[] | null
}): Statistic<State, { readonly depth: DepthQuantiles }> {
  const given = labelColumns(classes)
  return {
    id: `label-margins/${shortDigest({ classes: classes ? [...classes] : null })}`,
    version: 1,
    needs: ['label', 'predictions'],
    after: [],
    over: 'subject',
    init: () => ({ classes: 0, counts: new Float64Array(0) }),
    update(_: Context, state: State, batch: Batch) {
      const predictions = matrixOf(batch, 'predictions')
      if (!predictions) return
      const k = predictions.dims
      if (state.classes === 0) Object.assign(state, { classes: k, counts: new Float64Array(k * bins) })
      const p = predictions.data as Float64Array
      const labels = given(batch, k)
      for (let i = 0, at = 0; i < labels.length; i++, at += k) {
        const g = labels[i] as number
        if (g < 0) continue
        const own = p[at + g] as number
        let second = 0
        let agrees = true
        for (let j = 0; j < k; j++) {
          if (j === g) continue
          const v = p[at + j] as number
          if (v > own) {
            agrees = false
            break
          }
          if (v > second) second = v
        }
        if (!agrees) continue
        const bin = g * bins + Math.min(bins - 1, Math.floor((logMargin(own, second) / maxMargin) * bins))
        state.counts[bin] = (state.counts[bin] as number) + 1
      }
    },
    merge(into: State, from: State) {
      if (from.classes === 0) return
      if (into.classes === 0) Object.assign(into, { classes: from.classes, counts: new Float64Array(from.counts.length) })
      for (let i = 0; i < from.counts.length; i++) into.counts[i] = (into.counts[i] as number) + (from.counts[i] as number)
    },
    finish: (_: Context, state: State) => ({ depth: depthFromHistogram(state.counts, state.classes, maxMargin) }),
    bytes: (shape: Shape) => Math.max(shape.classes, 2) * bins * 8,
  }
}
