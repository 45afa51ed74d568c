import type { FlagFormat } from '../contracts/pipeline.ts'
import type { RecordChange, RecordLocation } from '../contracts/snapshot.ts'
import { openTable, type TableColumn } from './table-writer.ts'

type Changes = readonly RecordChange[]
type Side = 'before' | 'after'

const texts = (name: string, of: (change: RecordChange) => string | null): TableColumn<Changes> => ({
  name,
  type: 'text',
  of: (changes) => changes.map(of),
})
const at = (side: Side, key: 'id' | 'shard' | 'label' | 'source') =>
  texts(`${key}_${side}`, (change) => (change[side] as RecordLocation | null)?.[key] ?? null)
const row = (side: Side): TableColumn<Changes> => ({
  name: `row_${side}`,
  type: 'count',
  of: (changes) => Float64Array.from(changes, (change) => change[side]?.row ?? Number.NaN),
})
const time = (side: Side) =>
  texts(`time_${side}`, (change) => {
    const ms = change[side]?.time ?? null
    // Data may hold any number as a time; a date reaches no further than this.
    return ms === null || !(Math.abs(ms) <= 8.64e15) ? null : new Date(ms).toISOString()
  })
const side = (which: Side): readonly TableColumn<Changes>[] => [
  at(which, 'id'),
  at(which, 'shard'),
  row(which),
  at(which, 'label'),
  at(which, 'source'),
  time(which),
]

const columns: readonly TableColumn<Changes>[] = [texts('kind', (change) => change.kind), ...side('before'), ...side('after')]

const pieceSize = 4_096

export interface ChangeWriter {
  /** Keeps the change until it is written; what fails is thrown by `close`. */
  add(change: RecordChange): void
  /** Finishes the file and gives it its name. */
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/**
 * One line a changed record: kind, and id, shard, row, label, source and time of either side.
 * @throws {ReportError} `unwritable`
 */
export async function openChangeWriter(path: string, format: FlagFormat): Promise<ChangeWriter> {
  const table = await openTable(path, format, columns)
  let piece: RecordChange[] = []
  let failure: unknown = null
  let last: Promise<void> = Promise.resolve()
  const flush = (): void => {
    const full = piece
    piece = []
    last = last
      .then(() => (failure === null ? table.write(full) : undefined))
      .catch((error: unknown) => {
        failure = error
      })
  }
  return {
    add(change) {
      piece.push(change)
      if (piece.length >= pieceSize) flush()
    },
    async close() {
      flush()
      await last
      if (failure !== null) {
        await table.abandon()
        throw failure
      }
      await table.close()
    },
    async abandon() {
      await last
      await table.abandon()
    },
  }
}
