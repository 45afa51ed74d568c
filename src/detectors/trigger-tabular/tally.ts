import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import type { Carriers } from './carriers.ts'

/** Over all records, not the sample alone. T triggers, K classes. */
export interface CarrierTally {
  /** Names of the columns. */
  names: readonly string[]
  /** [T, 2] the category of each part of each trigger; empty for numbers. */
  texts: readonly string[]
  classes: readonly string[]
  /** Labelled records. */
  rows: number
  /** [K] records by label. */
  labels: Float64Array
  /** [T, K] records with each trigger by given label. */
  given: Float64Array
  /** [T, K, K] records with each trigger by given label and by what their other columns say. */
  said: Float64Array
}

const empty = (): CarrierTally => ({
  names: [],
  texts: [],
  classes: [],
  rows: 0,
  labels: new Float64Array(0),
  given: new Float64Array(0),
  said: new Float64Array(0),
})

const add = (into: Float64Array, at: number, n = 1): void => {
  into[at] = (into[at] as number) + n
}

/** Both lists say the same where both say something. */
const known = (a: readonly string[], b: readonly string[]): readonly string[] =>
  a.length === 0 ? b : a.map((text, i) => text || (b[i] ?? ''))

export const carrierTally: Tally<CarrierTally, CarrierTally> = {
  init: empty,
  update(_: Context, state: CarrierTally, _batch: Batch, scored: Scored) {
    const { classes, triggers, given, predicted, trigger, names, texts } = scored as Carriers
    const k = classes.length
    if (state.names.length === 0) state.names = names
    state.texts = known(state.texts, texts)
    if (state.labels.length === 0) {
      state.classes = classes
      state.labels = new Float64Array(k)
      state.given = new Float64Array(triggers * k)
      state.said = new Float64Array(triggers * k * k)
    }
    for (let i = 0; i < given.length; i++) {
      const [g, t, p] = [given[i] as number, trigger[i] as number, predicted[i] as number]
      if (g < 0) continue
      state.rows++
      add(state.labels, g)
      if (t < 0) continue
      add(state.given, t * k + g)
      if (p >= 0) add(state.said, (t * k + g) * k + p)
    }
  },
  merge(into: CarrierTally, from: CarrierTally) {
    if (from.labels.length === 0) return
    if (into.labels.length === 0) {
      Object.assign(into, {
        ...from,
        labels: from.labels.slice(),
        given: from.given.slice(),
        said: from.said.slice(),
      })
      return
    }
    into.rows += from.rows
    into.texts = known(into.texts, from.texts)
    for (const key of ['labels', 'given', 'said'] as const) for (const [i, n] of from[key].entries()) add(into[key], i, n)
  },
  finish: (_: Context, state: CarrierTally) => state,
}
