import { open, rename, rm } from 'node:fs/promises'
import type { ColumnSource } from 'hyparquet-writer'
import type { FlagFormat } from '../contracts/pipeline.ts'
import { ReportError } from './errors.ts'
import { escapeCsv } from './escape.ts'

export type Texts = readonly (string | null)[]
type Values = Texts | string | Uint32Array | Float64Array | undefined

/**
 * How a column is called in the file, and how it is read from a piece of the table.
 * - `text`: one a row, or one for all rows; `undefined`: null in every row
 * - `row`: unsigned 32 bits, never null
 * - `number`: double, NaN is written as null
 * - `count`: like `number`, of whole numbers up to 2^53 - 1
 */
export interface TableColumn<Piece> {
  readonly name: string
  readonly type: 'text' | 'row' | 'number' | 'count'
  readonly of: (piece: Piece) => Values
}

export interface TableWriter<Piece> {
  write(piece: Piece): Promise<void>
  /** Finishes the file and gives it its name. */
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/**
 * Writes a table as it comes: Snappy-compressed Parquet in row groups of 100,000, CSV with a header, or JSON Lines.
 * The file has a temporary name beside `path` until `close`.
 * @throws {ReportError} `unwritable`
 */
export async function openTable<Piece extends { readonly length: number }>(
  path: string,
  format: FlagFormat,
  columns: readonly TableColumn<Piece>[],
): Promise<TableWriter<Piece>> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const sink = format === 'parquet' ? await parquetSink(temporary, columns) : await textSink(temporary, columns, format)
    return {
      write: (piece) => (piece.length === 0 ? Promise.resolve() : sink.write(piece).catch(unwritable(path))),
      close: async () => {
        await sink.end().catch(unwritable(path))
        await rename(temporary, path)
      },
      abandon: async () => {
        await sink.end().catch(() => undefined)
        await rm(temporary, { force: true })
      },
    }
  } catch (error) {
    return unwritable(path)(error)
  }
}

const unwritable =
  (path: string) =>
  (error: unknown): never => {
    throw ReportError.of(
      'unwritable',
      `cannot write ${path}: ${(error as Error).message}`,
      2,
      'Check the folder, its permissions and the free space.',
      { file: path },
    )
  }

interface Sink<Piece> {
  write(piece: Piece): Promise<void>
  end(): Promise<void>
}

const chunkChars = 1 << 18

async function textSink<Piece extends { readonly length: number }>(
  path: string,
  columns: readonly TableColumn<Piece>[],
  format: 'csv' | 'jsonl',
): Promise<Sink<Piece>> {
  const file = await open(path, 'w')
  if (format === 'csv') await file.writeFile(`${columns.map((c) => c.name).join(',')}\n`)
  const line = format === 'csv' ? csvLine : jsonLine
  return {
    async write(rows) {
      const values = columns.map((c) => c.of(rows))
      let text = ''
      for (let i = 0; i < rows.length; i++) {
        text += line(columns, values, i)
        if (text.length < chunkChars && i + 1 < rows.length) continue
        await file.writeFile(text)
        text = ''
      }
    },
    end: () => file.close(),
  }
}

type Named = { readonly name: string; readonly type: TableColumn<never>['type'] }

function valueAt(values: Values, i: number): string | number | null {
  if (values === undefined) return null
  if (typeof values === 'string') return values
  const value = values[i] as string | number | null | undefined
  return value === undefined || Number.isNaN(value) ? null : value
}

function csvLine(columns: readonly Named[], values: readonly Values[], i: number): string {
  let text = ''
  for (let c = 0; c < columns.length; c++) {
    const value = valueAt(values[c], i)
    if (c > 0) text += ','
    if (value !== null) text += typeof value === 'string' ? escapeCsv(value) : value
  }
  return `${text}\n`
}

function jsonLine(columns: readonly Named[], values: readonly Values[], i: number): string {
  let text = '{'
  for (let c = 0; c < columns.length; c++)
    text += `${c > 0 ? ',' : ''}"${(columns[c] as Named).name}":${JSON.stringify(valueAt(values[c], i))}`
  return `${text}}\n`
}

const rowGroup = 100_000

/** Rows of one row group, column by column: typed arrays where there are numbers, filled from the start. */
const emptyGroup = (columns: readonly Named[]): Buffer[] =>
  columns.map((c) =>
    c.type === 'text' ? new Array<string | null>(rowGroup) : c.type === 'row' ? new Uint32Array(rowGroup) : new Float64Array(rowGroup),
  )
type Buffer = (string | null)[] | Uint32Array | Float64Array

async function parquetSink<Piece extends { readonly length: number }>(
  path: string,
  columns: readonly TableColumn<Piece>[],
): Promise<Sink<Piece>> {
  const { fileWriter, ParquetWriter } = await import('hyparquet-writer')
  const writer = new ParquetWriter({
    writer: fileWriter(path),
    createdBy: 'assay',
    // Statistics of these columns help no reader and cost a third of the time.
    statistics: false,
    schema: [
      { name: 'root', num_children: columns.length },
      ...columns.map((c) =>
        c.type === 'text'
          ? ({ name: c.name, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const)
          : c.type === 'row'
            ? ({ name: c.name, type: 'INT32', converted_type: 'UINT_32', repetition_type: 'REQUIRED' } as const)
            : c.type === 'count'
              ? ({ name: c.name, type: 'INT64', repetition_type: 'OPTIONAL' } as const)
              : ({ name: c.name, type: 'DOUBLE', repetition_type: 'OPTIONAL' } as const),
      ),
    ],
  })
  const group = emptyGroup(columns)
  let rows = 0
  const flush = async (): Promise<void> => {
    if (rows === 0) return
    const columnData = columns.map((c, at) => parquetColumn(c, group[at] as Buffer, rows))
    rows = 0
    await writer.write({ columnData, rowGroupSize: rowGroup, pageSize: 0 })
  }
  return {
    async write(batch) {
      const values = columns.map((c) => c.of(batch))
      for (let from = 0; from < batch.length; ) {
        const to = Math.min(batch.length, from + rowGroup - rows)
        for (let at = 0; at < columns.length; at++) fill(group[at] as Buffer, rows, values[at], from, to)
        rows += to - from
        from = to
        if (rows === rowGroup) await flush()
      }
    },
    async end() {
      await flush()
      await writer.finish()
    },
  }
}

function fill(into: Buffer, at: number, values: Values, from: number, to: number): void {
  if (Array.isArray(into)) {
    if (values === undefined || typeof values === 'string') into.fill(values ?? null, at, at + to - from)
    else for (let i = from; i < to; i++) into[at + i - from] = (values as Texts)[i] ?? null
  } else if (values === undefined) into.fill(Number.NaN, at, at + to - from)
  else into.set((values as Uint32Array).subarray(from, to), at)
}

/** The shape that hyparquet-writer is quick with: typed arrays without nulls, dictionaries for text, noise uncompressed. */
function parquetColumn(column: Named, values: Buffer, rows: number): ColumnSource {
  const { name } = column
  if (column.type === 'count') {
    const whole = Array.from((values as Float64Array).subarray(0, rows), (n) => (Number.isNaN(n) ? null : BigInt(n)))
    return { name, data: whole, encoding: 'PLAIN' }
  }
  if (Array.isArray(values)) return { name, data: values.slice(0, rows) }
  if (values instanceof Uint32Array) {
    const row = values.subarray(0, rows)
    // The library takes numbers beyond 2^31 for unsigned columns from plain arrays alone.
    return { name, data: row.some((r) => r > 0x7fffffff) ? Array.from(row) : row, encoding: 'PLAIN' }
  }
  const numbers = values.subarray(0, rows)
  const missing = numbers.some(Number.isNaN)
  const data = missing ? Array.from(numbers, (n) => (Number.isNaN(n) ? null : n)) : numbers
  return { name, data, encoding: 'PLAIN', codec: 'UNCOMPRESSED' }
}
