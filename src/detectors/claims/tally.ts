import { codesOf, column } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Context } from '../../contracts/statistic.ts'
import { namesOfRows } from '../../contracts/take-rows.ts'
import { claimRoles } from '../../statistics/claim-counts.ts'

interface State {
  rows: number
  /** Records that state an alarm's value of its subject, by alarm and source. */
  stating: Record<string, Record<string, number>>
}
export interface ClaimsTally {
  readonly rows: number
  readonly stating: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export const noSource = ''
const sorted = <T>(of: Record<string, T>): Record<string, T> =>
  Object.assign(Object.create(null), Object.fromEntries(Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1))))

export const claimsTally: Tally<State, ClaimsTally> = {
  init: () => ({ rows: 0, stating: Object.create(null) }),
  update(_: Context, state: State, batch: Batch, { group }: Scored) {
    const source = codesOf(batch, 'source')
    state.rows += batch.numRows
    for (let i = 0; i < batch.numRows; i++) {
      const name = group?.values[group.codes[i] as number]
      if (name === undefined) continue
      state.stating[name] ??= Object.create(null) as Record<string, number>
      const own = state.stating[name]
      const from = source?.values[source.codes[i] as number] ?? noSource
      own[from] = (own[from] ?? 0) + 1
    }
  },
  seal(_: Context, state: State) {
    for (const name of Object.keys(state.stating)) state.stating[name] = sorted(state.stating[name] ?? {})
    state.stating = sorted(state.stating)
  },
  merge(into: State, from: State) {
    into.rows += from.rows
    for (const [name, counts] of Object.entries(from.stating)) {
      into.stating[name] ??= Object.create(null) as Record<string, number>
      const own = into.stating[name]
      for (const [source, n] of Object.entries(counts)) own[source] = (own[source] ?? 0) + n
      into.stating[name] = sorted(own)
    }
    into.stating = sorted(into.stating)
  },
  finish: (_: Context, state: State) => state,
}

export interface Quoted {
  readonly order: string
  readonly alarm: string
  readonly where: string
  readonly text: string
}
const quotedMost = 5
const firstQuoted = (list: readonly Quoted[]): Quoted[] => [...list].sort((a, b) => (a.order < b.order ? -1 : 1)).slice(0, quotedMost)

/** A few records of each alarm, those with the smallest ids. */
export const quotedRecords: Tally<Record<string, Quoted[]>, Readonly<Record<string, readonly Quoted[]>>> = {
  init: () => Object.create(null),
  update(_: Context, state, batch: Batch, { group }: Scored) {
    const nameOf = namesOfRows(batch)
    for (let i = 0; i < batch.numRows; i++) {
      const alarm = group?.values[group.codes[i] as number]
      if (alarm === undefined) continue
      const where = nameOf(i)
      const text = claimRoles.map((role) => (column(batch, role)?.get(i) as string | null | undefined) ?? '').join('\n\n')
      const quoted = { order: `${where}\t${text.slice(0, 100)}`, alarm, where, text: text.slice(0, 20_000) }
      state[alarm] = firstQuoted([...(state[alarm] ?? []), quoted])
    }
  },
  merge(into, from) {
    for (const [alarm, list] of Object.entries(from)) into[alarm] = firstQuoted([...(into[alarm] ?? []), ...list])
  },
  finish: (_: Context, state) => state,
}
