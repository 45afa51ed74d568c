import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { textCellsOf } from '../contracts/text-cells.ts'
import { bands, minHasher } from '../math/minhash.ts'

/** Place of a bucket in the sketch of so many cells. */
export const cellOf = (key: number, cells: number): number => (key % 4_294_967_296) % cells

export interface BandCounts {
  /** Texts whose bands fell into each cell: no bucket holds more than its cell says. */
  readonly counts: Uint32Array
  readonly texts: number
}

interface State {
  counts: Uint32Array
  texts: number
}

export interface BandOptions {
  /** Cells of the sketch. */
  readonly cells: number
}

export const bandCountsId = ({ cells }: BandOptions): string => `band-counts/${cells}`

/** A count sketch of the MinHash buckets of the role `text`: which of them can hold more than one text. */
export function bandCounts(options: BandOptions): Statistic<State, BandCounts> {
  const { cells } = options
  return {
    id: bandCountsId(options),
    version: 1,
    needs: ['text'],
    after: [],
    over: 'subject',
    init: () => ({ counts: new Uint32Array(cells), texts: 0 }),
    update(c: Context, state: State, batch: Batch) {
      const text = textCellsOf(batch, 'text')
      if (!text) return
      const hasher = minHasher(c.seed)
      const keys = new Float64Array(bands)
      for (let i = 0; i < batch.numRows; i++) {
        if (!hasher.bandsOf(text.values, text.offsets[i] as number, text.offsets[i + 1] as number, keys)) continue
        state.texts++
        for (const key of keys) {
          const at = cellOf(key, cells)
          state.counts[at] = (state.counts[at] as number) + 1
        }
      }
    },
    merge(into: State, from: State) {
      into.texts += from.texts
      for (let i = 0; i < cells; i++) into.counts[i] = (into.counts[i] as number) + (from.counts[i] as number)
    },
    finish: (_: Context, state: State) => state,
    bytes: () => 4 * cells,
  }
}
