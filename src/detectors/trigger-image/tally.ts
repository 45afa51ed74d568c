import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import type { Judgement } from './judge.ts'

/** Records of each label (of none where there is no such column), and how many of them carry each trigger. */
export interface CarrierTally {
  /** By name, ascending. */
  readonly labels: readonly string[]
  readonly records: Float64Array
  /** [triggers, labels] */
  readonly carriers: Float64Array
  /** [triggers, labels]: flagged carriers by the label that they look most like. */
  readonly looks: Float64Array
}

interface State {
  triggers: number
  labels: string[]
  /** [labels, 1 + 2 x triggers]: records, carriers of each trigger, flagged carriers that look like the label. */
  counts: Float64Array
}

const widthOf = (triggers: number): number => 1 + 2 * triggers

export const carrierTally: Tally<State, CarrierTally> = {
  init: () => ({ triggers: 0, labels: [], counts: new Float64Array(0) }),
  update(_: Context, state: State, batch: Batch, scored) {
    const { carries, looks, group } = scored as Judgement
    const label = codesOf(batch, 'label')
    const found = new Map<string, Float64Array>()
    const rowOf = (name: string): Float64Array => {
      const row = found.get(name) ?? new Float64Array(widthOf(carries.length))
      found.set(name, row)
      return row
    }
    for (let i = 0; i < batch.numRows; i++) {
      const name = label ? label.values[label.codes[i] as number] : ''
      if (name === undefined) continue
      const like = looks.values[looks.codes[i] as number]
      if (like !== undefined) {
        const at = 1 + carries.length + (group?.codes[i] as number)
        rowOf(like)[at] = (rowOf(like)[at] as number) + 1
      }
      const row = rowOf(name)
      row[0] = (row[0] as number) + 1
      for (let t = 0; t < carries.length; t++) row[t + 1] = (row[t + 1] as number) + (carries[t]?.[i] as number)
    }
    store(state, carries.length, found)
  },
  merge(into: State, from: State) {
    const width = widthOf(from.triggers)
    store(into, from.triggers, new Map(from.labels.map((name, i) => [name, from.counts.subarray(i * width, (i + 1) * width)])))
  },
  finish(_: Context, { triggers, labels, counts }: State) {
    const width = widthOf(triggers)
    const columns = (from: number): Float64Array =>
      Float64Array.from(
        { length: triggers * labels.length },
        (_, at) => counts[(at % labels.length) * width + from + Math.floor(at / labels.length)] as number,
      )
    return {
      labels,
      records: Float64Array.from(labels, (_, i) => counts[i * width] as number),
      carriers: columns(1),
      looks: columns(1 + triggers),
    }
  },
}

function store(state: State, triggers: number, more: ReadonlyMap<string, Float64Array>): void {
  if (more.size === 0) return
  const width = widthOf(triggers)
  const before = new Map(state.labels.map((name, i) => [name, i]))
  const labels = [...new Set([...state.labels, ...more.keys()])].sort()
  const counts = new Float64Array(labels.length * width)
  labels.forEach((name, i) => {
    const old = before.get(name)
    if (old !== undefined) counts.set(state.counts.subarray(old * width, (old + 1) * width), i * width)
    more.get(name)?.forEach((n, j) => {
      counts[i * width + j] = (counts[i * width + j] as number) + n
    })
  })
  Object.assign(state, { triggers, labels, counts })
}
