import type { Cells, Chunk } from '../contracts/chunk.ts'
import type { ColumnMap, Role } from '../contracts/data.ts'
import { sequence } from './cells.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample } from './format.ts'
import { limits } from './limits.ts'
import { type ArrayHeader, arrayType } from './npy-header.ts'
import { sampleColumn } from './sample.ts'

/** Reads the next `rows` rows of one array, in order. */
export interface ArrayReader {
  read(rows: number): Promise<Cells>
  close(): Promise<void>
}

/** Rows of a batch such that one array's part of it stays small. */
export const batchRowsOf = (headers: readonly ArrayHeader[]): number => {
  const widest = Math.max(...headers.map((h) => h.dims * h.itemBytes), 1)
  return Math.max(1, Math.min(limits.batchRows, Math.floor(limits.batchBytes / widest)))
}

/** H x W or H x W x C behind the first axis of an array of bytes. */
export const imageShape = (h: ArrayHeader): { height: number; width: number; channels: number } | null => {
  const [, height = 0, width = 0, channels = 1] = h.shape
  if (h.kind !== 'u1' || h.shape.length < 3 || h.shape.length > 4 || ![1, 3, 4].includes(channels)) return null
  return { height, width, channels }
}

export function sampleArray(name: string, h: ArrayHeader, cells: Cells): ColumnSample {
  const image = imageShape(h)
  const sample = sampleColumn(name, cells, arrayType(h), false)
  return { ...sample, dims: h.dims > 1 ? h.dims : null, ...(image ? { image } : {}) }
}

/** All arrays that roles read must have a record for every record of the others. */
export function checkAligned(arrays: readonly { name: string; header: ArrayHeader }[], file: string): number {
  const [first] = arrays
  if (!first) throw new SourceError('no-roles', `${file}: no array has a role`, { file })
  for (const a of arrays) {
    if (a.header.rows !== first.header.rows) {
      throw new SourceError(
        'row-count',
        `${a.name} has ${a.header.rows} rows, ${first.name} has ${first.header.rows}: they are not aligned`,
        { file, column: a.name },
        'arrays of one source hold the same records in the same order',
      )
    }
  }
  if (first.header.rows === 0) throw new SourceError('empty', `${file}: holds no records`, { file })
  return first.header.rows
}

/** Chunks of aligned arrays, `rows` rows from `first` on; the readers stand at `first` and are closed at the end. */
export async function* alignedChunks(
  readers: ReadonlyMap<string, ArrayReader>,
  first: number,
  rows: number,
  batchRows: number,
): AsyncGenerator<Chunk> {
  try {
    for (let done = 0; done < rows; ) {
      const n = Math.min(batchRows, rows - done)
      const columns = new Map<string, Cells>()
      for (const [name, reader] of readers) columns.set(name, await reader.read(n))
      yield { rows: sequence(first + done, n), lines: null, columns }
      done += n
    }
  } finally {
    for (const reader of readers.values()) await reader.close()
  }
}

/** Arrays by role from a `arrays:` entry or from columns with one name each. */
export const arrayRoles = (columns: ColumnMap): [Role, string][] =>
  Object.entries(columns).flatMap(([role, names]) => {
    const list = typeof names === 'string' ? [names] : (names ?? [])
    return list.map((name) => [role as Role, name] as [Role, string])
  })

/** Labels and sources print booleans as true and false. */
export const printsBooleans = (columns: ColumnMap, name: string): boolean => columns.label === name || columns.source === name

export const shardRowsOf = (headers: readonly ArrayHeader[]): number => {
  const widest = Math.max(...headers.map((h) => h.dims * h.itemBytes), 1)
  return Math.max(limits.batchRows, Math.min(limits.arrayShardRows, Math.floor(2 ** 30 / widest)))
}
