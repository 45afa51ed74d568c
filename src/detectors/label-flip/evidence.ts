import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'

/** Flagged records by given and suggested label. */
export interface FlipTable {
  readonly pairs: readonly { readonly given: string; readonly suggested: string; readonly count: number }[]
}

interface State {
  names: string[]
  counts: Float64Array
}

const separator = '\u0000'

export const flipTable: Tally<State, FlipTable> = {
  init: () => ({ names: [], counts: new Float64Array(0) }),
  update(_: Context, state: State, batch: Batch, scored: Scored) {
    const label = codesOf(batch, 'label')
    const found = new Map(state.names.map((n, i) => [n, state.counts[i] as number]))
    for (let i = 0; i < batch.numRows; i++) {
      const given = label?.values[label.codes[i] as number] ?? ''
      const suggested = scored.suggested?.values[scored.suggested.codes[i] as number] ?? ''
      const key = `${given}${separator}${suggested}`
      found.set(key, (found.get(key) ?? 0) + 1)
    }
    store(state, found)
  },
  merge(into: State, from: State) {
    const found = new Map(into.names.map((n, i) => [n, into.counts[i] as number]))
    from.names.forEach((n, i) => {
      found.set(n, (found.get(n) ?? 0) + (from.counts[i] as number))
    })
    store(into, found)
  },
  finish: (_: Context, state: State) => ({
    pairs: state.names.map((n, i) => {
      const [given = '', suggested = ''] = n.split(separator)
      return { given, suggested, count: state.counts[i] as number }
    }),
  }),
}

function store(state: State, found: ReadonlyMap<string, number>): void {
  const names = [...found.keys()].sort()
  state.names = names
  state.counts = Float64Array.from(names, (n) => found.get(n) as number)
}
