import type { Tally } from '../../contracts/detector.ts'

/** Records by what gave them their score. */
export interface FlagTally {
  readonly groups: readonly { readonly name: string; readonly count: number }[]
}

interface State {
  counts: Record<string, number>
}

const sorted = (counts: Record<string, number>): Record<string, number> =>
  Object.fromEntries(Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))

const flaggedFrom = 0.5

export const flagTally: Tally<State, FlagTally> = {
  init: () => ({ counts: {} }),
  update(_, state, __, scored) {
    scored.score.forEach((s, i) => {
      const name = scored.group?.values[scored.group.codes[i] as number]
      if (s >= flaggedFrom && name !== undefined) state.counts[name] = (state.counts[name] ?? 0) + 1
    })
  },
  seal(_, state) {
    state.counts = sorted(state.counts)
  },
  merge(into, from) {
    const all = { ...into.counts }
    for (const [name, n] of Object.entries(from.counts)) all[name] = (all[name] ?? 0) + n
    into.counts = sorted(all)
  },
  finish: (_, state) => ({ groups: Object.entries(state.counts).map(([name, count]) => ({ name, count })) }),
}
