import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import type { Judgement } from './score.ts'

/** Copies by cluster, label and source. */
export interface CopyTally {
  readonly records: number
  /** Ascending by cluster, label, source; a cluster has at most `maxCells`, the first of them. */
  readonly cells: readonly Cell[]
}

export interface Cell {
  readonly cluster: number
  /** Null where it is missing. */
  readonly label: string | null
  readonly source: string | null
  readonly count: number
  readonly exact: number
}

interface State {
  records: number
  keys: string[]
  counts: Float64Array
  exact: Float64Array
}

type Counts = Map<string, [count: number, exact: number]>
const open = new WeakMap<State, Counts>()

/** Labels and sources of one cluster that are told apart. */
const maxCells = 256

/** Absent and empty are not the same. */
const part = (value: string | undefined): string => (value === undefined ? '' : `=${value}`)
const whole = (text: string): string | null => (text === '' ? null : text.slice(1))
const separator = '\u0000'

export const copyTally: Tally<State, CopyTally> = {
  init: () => ({ records: 0, keys: [], counts: new Float64Array(0), exact: new Float64Array(0) }),
  update(_: Context, state: State, batch: Batch, scored: Scored) {
    const { cluster, exact } = scored as Judgement
    const label = codesOf(batch, 'label')
    const source = codesOf(batch, 'source')
    state.records += batch.numRows
    const counts = countsOf(state)
    for (let i = 0; i < batch.numRows; i++) {
      const c = cluster[i] as number
      if (c < 0) continue
      const key = [
        String(c).padStart(8, '0'),
        part(label?.values[label.codes[i] as number]),
        part(source?.values[source.codes[i] as number]),
      ].join(separator)
      add(counts, key, 1, exact[i] as number)
    }
  },
  seal: (_: Context, state: State) => close(state),
  merge(into: State, from: State) {
    into.records += from.records
    const counts = countsOf(into)
    from.keys.forEach((key, i) => {
      add(counts, key, from.counts[i] as number, from.exact[i] as number)
    })
    close(into)
  },
  finish(_: Context, state: State) {
    close(state)
    const cells = state.keys.map((key, i) => {
      const [cluster = '', label = '', source = ''] = key.split(separator)
      return {
        cluster: Number(cluster),
        label: whole(label),
        source: whole(source),
        count: state.counts[i] as number,
        exact: state.exact[i] as number,
      }
    })
    return { records: state.records, cells }
  },
}

function add(counts: Counts, key: string, count: number, exact: number): void {
  const found = counts.get(key)
  if (found) {
    found[0] += count
    found[1] += exact
  } else counts.set(key, [count, exact])
}

function countsOf(state: State): Counts {
  let counts = open.get(state)
  if (!counts) {
    counts = new Map(state.keys.map((key, i) => [key, [state.counts[i] as number, state.exact[i] as number]]))
    open.set(state, counts)
  }
  return counts
}

function close(state: State): void {
  const counts = open.get(state)
  if (!counts) return
  open.delete(state)
  const perCluster = new Map<string, number>()
  const keys = [...counts.keys()].sort().filter((key) => {
    const cluster = key.slice(0, 8)
    const seen = perCluster.get(cluster) ?? 0
    perCluster.set(cluster, seen + 1)
    return seen < maxCells
  })
  state.keys = keys
  state.counts = Float64Array.from(keys, (k) => counts.get(k)?.[0] ?? 0)
  state.exact = Float64Array.from(keys, (k) => counts.get(k)?.[1] ?? 0)
}
