import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import type { Judgement } from './score.ts'

export const zLow = -8
export const zWidth = 0.05
export const zBins = 1200
export const zEdge = (bin: number): number => zLow + zWidth * bin

/** Histograms of z by group; the last bin takes what lies above 52. */
export interface NoiseTally {
  readonly groups: readonly number[]
  /** groups x bins */
  readonly counts: Float64Array
}

interface State {
  groups: number[]
  counts: Float64Array
}

const row = (state: State, group: number): Float64Array => {
  let at = state.groups.indexOf(group)
  if (at < 0) {
    at = state.groups.findIndex((g) => g > group)
    if (at < 0) at = state.groups.length
    const grown = new Float64Array(state.counts.length + zBins)
    grown.set(state.counts.subarray(0, at * zBins))
    grown.set(state.counts.subarray(at * zBins), (at + 1) * zBins)
    state.groups.splice(at, 0, group)
    state.counts = grown
  }
  return state.counts.subarray(at * zBins, (at + 1) * zBins)
}

export const noiseTally: Tally<State, NoiseTally> = {
  init: () => ({ groups: [], counts: new Float64Array(0) }),
  update(_: Context, state: State, __: Batch, scored: Scored) {
    const { z, noiseGroup } = scored as Judgement
    z.forEach((v, i) => {
      if (Number.isNaN(v)) return
      const counts = row(state, noiseGroup[i] as number)
      const bin = Math.min(Math.max(Math.floor((v - zLow) / zWidth), 0), zBins - 1)
      counts[bin] = (counts[bin] as number) + 1
    })
  },
  merge(into: State, from: State) {
    from.groups.forEach((group, k) => {
      const counts = row(into, group)
      for (let b = 0; b < zBins; b++) counts[b] = (counts[b] as number) + (from.counts[k * zBins + b] as number)
    })
  },
  finish: (_: Context, state: State) => state,
}
