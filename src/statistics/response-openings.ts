import type { Batch } from '../contracts/data.ts'
import type { Statistic } from '../contracts/statistic.ts'
import { addCounts, type Counts, dense, emptyCounts, packed } from '../math/counts.ts'
import { tokensOf } from './text/batch-tokens.ts'
import { openingOf } from './text/opening.ts'

/** How often answers begin with the same ten tokens: records by hash of the opening, at least. */
export interface ResponseOpenings {
  readonly records: number
  readonly counts: Counts
}

interface State {
  records: number
  counts: Counts
}

const works = new WeakMap<State, Uint16Array>()

/** @param bits cells as a power of two */
export const responseOpenings = ({ bits }: { readonly bits: number }): Statistic<State, ResponseOpenings> => ({
  id: `response-openings/${bits}`,
  version: 1,
  needs: ['response'],
  after: [],
  over: 'subject',
  init: () => ({ records: 0, counts: emptyCounts(bits, 16) }),
  update(c, state, batch: Batch) {
    const all = tokensOf(batch, 'response', c.seed)
    if (!all) return
    const cells = works.get(state) ?? (dense(state.counts) as Uint16Array)
    works.set(state, cells)
    for (let i = 0; i < batch.numRows; i++) {
      const opening = openingOf(all.row(i))
      if (opening === null) continue
      state.records++
      const at = opening >>> (32 - bits)
      if ((cells[at] as number) < 0xffff) cells[at] = (cells[at] as number) + 1
    }
  },
  seal(_, state) {
    const cells = works.get(state)
    if (cells) state.counts = packed(bits, cells)
  },
  merge(into, from) {
    into.records += from.records
    into.counts = addCounts(into.counts, from.counts)
  },
  finish: (_, state) => ({ records: state.records, counts: state.counts }),
  bytes: () => 2 ** (bits + 1) + 2 ** 20,
})
