import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'

export type StatisticErrorCode = 'too-many-labels' | 'too-many-sources' | 'unknown-label' | 'class-count' | 'vector-size' | 'no-neighbours'
export class StatisticError extends AssayError<StatisticErrorCode> {}

const maxLabels = 10_000
const maxSources = 100_000

export interface LabelCensus {
  /** Sorted by code units. */
  readonly labels: readonly string[]
  readonly labelCounts: Float64Array
  readonly sources: readonly string[]
  readonly sourceCounts: Float64Array
  /** Records without a label, where there is a label column. */
  readonly unlabelled: number
}

interface State {
  labels: Record<string, number>
  sources: Record<string, number>
  unlabelled: number
}

const count = (into: Record<string, number>, names: readonly string[], codes: Int32Array): number => {
  const found = new Float64Array(names.length)
  let missing = 0
  for (const c of codes) {
    if (c < 0) missing++
    else found[c] = (found[c] as number) + 1
  }
  names.forEach((name, i) => {
    if ((found[i] as number) > 0) into[name] = (into[name] ?? 0) + (found[i] as number)
  })
  return missing
}

const bound = (what: 'label' | 'source', names: Record<string, number>, limit: number): void => {
  if (Object.keys(names).length <= limit) return
  throw new StatisticError(
    what === 'label' ? 'too-many-labels' : 'too-many-sources',
    `the ${what} column has more than ${limit} different values`,
    2,
    { column: what },
    `is it really the ${what}? name the right column in \`columns\``,
  )
}

/** Records by label and by source. @throws StatisticError `too-many-labels`, `too-many-sources` */
export const labelCensus = ({ over }: { readonly over: 'subject' | 'reference' }): Statistic<State, LabelCensus> => ({
  id: `label-census/${over}`,
  version: 1,
  needs: [],
  after: [],
  over,
  init: () => ({ labels: Object.create(null), sources: Object.create(null), unlabelled: 0 }),
  update(_: Context, state: State, batch: Batch) {
    const label = codesOf(batch, 'label')
    const source = codesOf(batch, 'source')
    if (label) state.unlabelled += count(state.labels, label.values, label.codes)
    if (source) count(state.sources, source.values, source.codes)
    bound('label', state.labels, maxLabels)
    bound('source', state.sources, maxSources)
  },
  seal(_: Context, state: State) {
    state.labels = sorted(state.labels)
    state.sources = sorted(state.sources)
  },
  merge(into: State, from: State) {
    for (const key of ['labels', 'sources'] as const) {
      const all: Record<string, number> = Object.assign(Object.create(null), into[key])
      for (const [name, n] of Object.entries(from[key])) all[name] = (all[name] ?? 0) + n
      into[key] = sorted(all)
    }
    into.unlabelled += from.unlabelled
    bound('label', into.labels, maxLabels)
    bound('source', into.sources, maxSources)
  },
  finish: (_: Context, state: State) => ({
    labels: Object.keys(state.labels).sort(),
    labelCounts: Float64Array.from(Object.keys(state.labels).sort(), (k) => state.labels[k] as number),
    sources: Object.keys(state.sources).sort(),
    sourceCounts: Float64Array.from(Object.keys(state.sources).sort(), (k) => state.sources[k] as number),
    unlabelled: state.unlabelled,
  }),
  bytes: () => (maxLabels + maxSources) * 64,
})

const sorted = (names: Record<string, number>): Record<string, number> =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(names).sort(([a], [b]) => (a < b ? -1 : 1))))
