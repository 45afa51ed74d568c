import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import { pixelsOf } from '../../contracts/pixel-rows.ts'
import type { Context } from '../../contracts/statistic.ts'
import { namesOfRows } from '../../contracts/take-rows.ts'

export const examplesShown = 12

/** The strongest carriers of each trigger, strongest first. */
export interface Example {
  readonly group: string
  readonly score: number
  /** Id, or shard and row. */
  readonly name: string
  readonly pixels: Uint8Array
}

interface State {
  examples: Example[]
}

export const carrierExamples: Tally<State, readonly Example[]> = {
  init: () => ({ examples: [] }),
  update(_: Context, state: State, batch: Batch, scored: Scored) {
    const pixels = pixelsOf(batch)
    if (!pixels) return
    const each = pixels.height * pixels.width * pixels.channels
    const nameOf = namesOfRows(batch)
    const more = Array.from({ length: batch.numRows }, (_, i) => ({
      group: scored.group?.values[scored.group.codes[i] as number] ?? '',
      score: scored.score[i] as number,
      name: nameOf(i),
      pixels: pixels.data.slice(i * each, (i + 1) * each),
    }))
    state.examples = strongest([...state.examples, ...more])
  },
  merge(into: State, from: State) {
    into.examples = strongest([...into.examples, ...from.examples])
  },
  finish: (_: Context, state: State) => state.examples,
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

function strongest(all: readonly Example[]): Example[] {
  const sorted = [...all].sort(
    (a, b) => compare(a.group, b.group) || b.score - a.score || compare(a.name, b.name) || Buffer.compare(a.pixels, b.pixels),
  )
  const taken = new Map<string, number>()
  return sorted.filter(({ group }) => {
    const n = taken.get(group) ?? 0
    taken.set(group, n + 1)
    return n < examplesShown
  })
}
