import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import { kinds } from './kinds.ts'

/** What the scorer says of a batch beyond its scores. */
export interface Judgement extends Scored {
  /** Bits of the kinds found in each record. */
  readonly masks: Uint32Array
  /** Records with text that markup hides, with an instruction or without. */
  readonly hidden: number
  /** Texts longer than what is scanned of one. */
  readonly cut: number
}

interface State {
  rows: number
  cut: number
  hidden: number
  /** [kinds] records. */
  counts: Float64Array
  /** [kinds] records by source, only sources with any; null where there are too many, or no column has the role source. */
  sources: Record<string, number[]> | null
  tooManySources: boolean
}

export interface HiddenTally {
  readonly rows: number
  readonly cut: number
  readonly hidden: number
  readonly counts: Float64Array
  readonly sources: readonly { readonly name: string; readonly counts: readonly number[] }[]
}

const maxSources = 10_000

function bound(state: State): void {
  if (!state.tooManySources && Object.keys(state.sources ?? {}).length <= maxSources) return
  state.sources = null
  state.tooManySources = true
}

/** Records by kind, and by kind and source. */
export const hiddenTally: Tally<State, HiddenTally> = {
  init: () => ({ rows: 0, cut: 0, hidden: 0, counts: new Float64Array(kinds.length), sources: null, tooManySources: false }),
  update(_: Context, state: State, batch: Batch, scored: Scored) {
    const { masks, hidden, cut } = scored as Judgement
    state.rows += batch.numRows
    state.hidden += hidden
    state.cut += cut
    const source = codesOf(batch, 'source')
    for (let i = 0; i < masks.length; i++) {
      const mask = masks[i] as number
      if (mask === 0) continue
      const name = source?.values[source.codes[i] as number]
      let own: number[] | undefined
      if (name !== undefined && !state.tooManySources) {
        state.sources ??= Object.create(null) as Record<string, number[]>
        own = state.sources[name] ??= kinds.map(() => 0)
      }
      for (let k = 0; k < kinds.length; k++) {
        if (!(mask & (1 << k))) continue
        state.counts[k] = (state.counts[k] as number) + 1
        if (own) own[k] = (own[k] as number) + 1
      }
    }
    bound(state)
  },
  seal(_: Context, state: State) {
    state.sources = sorted(state.sources)
  },
  merge(into: State, from: State) {
    into.rows += from.rows
    into.cut += from.cut
    into.hidden += from.hidden
    from.counts.forEach((n, k) => {
      into.counts[k] = (into.counts[k] as number) + n
    })
    into.tooManySources ||= from.tooManySources
    for (const [name, counts] of Object.entries(from.sources ?? {})) {
      into.sources ??= Object.create(null) as Record<string, number[]>
      const own = into.sources[name]
      into.sources[name] = own ? own.map((n, k) => n + (counts[k] as number)) : [...counts]
    }
    bound(into)
    into.sources = sorted(into.sources)
  },
  finish: (_: Context, state: State) => ({
    rows: state.rows,
    cut: state.cut,
    hidden: state.hidden,
    counts: state.counts,
    sources: Object.entries(state.sources ?? {}).map(([name, counts]) => ({ name, counts })),
  }),
}

const sorted = (sources: Record<string, number[]> | null): Record<string, number[]> | null =>
  sources && Object.assign(Object.create(null), Object.fromEntries(Object.entries(sources).sort(([a], [b]) => (a < b ? -1 : 1))))
