import { SourceError } from '../sources/errors.ts'
import { limits } from '../sources/limits.ts'
import type { ArrowCopy } from './arrow-copy.ts'

export type Cells = readonly (string | null)[]

/** Rows in the order of a key on their way into a copy. */
export interface Rows {
  add(row: Cells): Promise<void>
  /** Forgets rows whose key may go on: what is read again begins behind `lastKey`. */
  rewind(): void
  /** The last key of which every row is here; null before there is one. */
  lastKey(): string | null
  /** Writes what is left. */
  end(): Promise<void>
  /** Rows of complete keys so far. */
  written(): number
}

const mostOfOneKey = 100_000

/** Equal keys have no order of their own: their rows are put in that of their content, so that every copy is the same. */
const byContent = (rows: readonly Cells[]): readonly Cells[] =>
  rows.length < 2
    ? rows
    : rows
        .map((row) => ({ row, text: JSON.stringify(row) }))
        .sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
        .map(({ row }) => row)

const sizeOf = (row: Cells): number => row.reduce((n, cell) => n + (cell?.length ?? 0), 0)

/** @param at the column of the key */
export function createRows(at: number, copy: ArrowCopy): Rows {
  let pending: Cells[] = []
  let ready: Cells[] = []
  let bytes = 0
  let written = 0
  let last: string | null = null
  const flush = async (): Promise<void> => {
    if (ready.length === 0) return
    const width = ready[0]?.length ?? 0
    const rows = ready
    ready = []
    bytes = 0
    await copy.write(Array.from({ length: width }, (_, c) => rows.map((row) => row[c] ?? null)))
  }
  const settle = async (): Promise<void> => {
    if (pending.length === 0) return
    last = pending[0]?.[at] as string
    for (const row of byContent(pending)) {
      const size = sizeOf(row)
      if (bytes + size > limits.batchBytes) await flush()
      ready.push(row)
      bytes += size
      written++
      if (ready.length >= limits.batchRows) await flush()
    }
    pending = []
  }
  return {
    async add(row) {
      const key = row[at] ?? null
      if (key === null)
        throw new SourceError(
          'invalid-spec',
          `the key is missing in a row behind ${written + pending.length} others`,
          {},
          'name a key: that every row has, or leave such rows out of the query',
        )
      if (pending.length > 0 && pending[0]?.[at] !== key) await settle()
      pending.push(row)
      if (pending.length > mostOfOneKey)
        throw new SourceError('too-large', `more than ${mostOfOneKey} rows have one key`, {}, 'name another key:, whose values are unique')
    },
    rewind() {
      pending = []
    },
    lastKey: () => last,
    async end() {
      await settle()
      await flush()
    },
    written: () => written,
  }
}
