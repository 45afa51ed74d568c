import { matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { type ConfidentJoint, confidentJoint, pruneCounts } from './confident-joint.ts'
import { labelColumns } from './label-columns.ts'

export interface PruneCutoffs {
  /** [K, K] true j by given k: records of given k with p_j - p_k at least this are pruned by noise rate; infinite for none. */
  readonly byNoiseRate: Float64Array
  /** [K]: records of given k with p_k at most this are pruned by class; negative for none. */
  readonly byClass: Float64Array
}

interface State {
  classes: number
  /** Values to keep of each list. */
  wanted: Float64Array
  /** Largest margins of each cell j x K + k, then largest -p_k of each class; plain lists until they are sealed. */
  largest: (number[] | Float64Array)[]
}

/** The n-th largest margin of each cell, where the confident joint says n: exact, in memory proportional to the records to prune. */
export function pruneCutoffs({ classes }: { readonly classes: readonly string[] | null }): Statistic<State, PruneCutoffs> {
  const jointId = confidentJoint({ classes }).id
  const given = labelColumns(classes)
  const wantedOf = (c: Context): Float64Array => {
    const { calibrated, labelled } = c.summaries.get<ConfidentJoint>(jointId)
    const k = labelled.length
    const counts = pruneCounts(calibrated, k)
    const wanted = new Float64Array(k * k + k)
    for (let g = 0; g < k; g++) {
      // cleanlab leaves a class of a single record alone.
      if ((labelled[g] as number) <= 1) continue
      for (let j = 0; j < k; j++) if (j !== g) wanted[j * k + g] = counts[j * k + g] as number
      wanted[k * k + g] = Math.max(0, (labelled[g] as number) - (counts[g * k + g] as number))
    }
    return wanted
  }
  return {
    id: `prune-cutoffs/${shortDigest({ classes: classes ? [...classes] : null })}`,
    version: 1,
    needs: ['label', 'predictions'],
    after: [jointId],
    over: 'subject',
    init: () => ({ classes: 0, wanted: new Float64Array(0), largest: [] }),
    update(c: Context, state: State, batch: Batch) {
      const predictions = matrixOf(batch, 'predictions')
      if (!predictions) return
      const k = predictions.dims
      if (state.classes === 0)
        Object.assign(state, { classes: k, wanted: wantedOf(c), largest: Array.from({ length: k * k + k }, () => []) })
      const { wanted, largest } = state
      const push = (cell: number, value: number) => {
        const list = largest[cell] as number[]
        list.push(value)
        const n = wanted[cell] as number
        if (list.length >= 2 * n + 1024) largest[cell] = top(list, n)
      }
      const p = predictions.data as Float64Array
      const labels = given(batch, k)
      for (let i = 0, at = 0; i < labels.length; i++, at += k) {
        const g = labels[i] as number
        if (g < 0) continue
        const own = p[at + g] as number
        for (let j = 0; j < k; j++) if ((wanted[j * k + g] as number) > 0) push(j * k + g, (p[at + j] as number) - own)
        if ((wanted[k * k + g] as number) > 0) push(k * k + g, -own)
      }
    },
    seal(_: Context, state: State) {
      state.largest = state.largest.map((list, i) => Float64Array.from(top(list, state.wanted[i] as number)))
    },
    merge(into: State, from: State) {
      if (from.classes === 0) return
      into.classes = from.classes
      into.wanted = from.wanted
      into.largest = from.largest.map((list, i) => Float64Array.from(top([...(into.largest[i] ?? []), ...list], from.wanted[i] as number)))
    },
    finish(c: Context, state: State) {
      const wanted = wantedOf(c)
      const k = state.classes
      const nth = (cell: number): number => {
        const n = wanted[cell] as number
        return n > 0 ? ((state.largest[cell] as Float64Array)[n - 1] ?? Number.NEGATIVE_INFINITY) : Number.POSITIVE_INFINITY
      }
      return {
        byNoiseRate: Float64Array.from({ length: k * k }, (_, cell) => nth(cell)),
        byClass: Float64Array.from({ length: k }, (_, g) => -nth(k * k + g)),
      }
    },
    bytes: (shape: Shape) => 16 * Math.max(shape.rows ?? 0, 1024) * 0.2,
  }
}

const top = (list: Iterable<number>, n: number): number[] => [...list].sort((a, b) => b - a).slice(0, n)
