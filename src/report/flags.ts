import { open, rename, rm } from 'node:fs/promises'
import type { ColumnSource } from 'hyparquet-writer'
import type { FlagFormat } from '../contracts/pipeline.ts'
import { ReportError } from './errors.ts'
import { escapeCsv } from './escape.ts'

export type RowKind = 'flags' | 'scores'
type Texts = readonly (string | null)[]

/** Columns of `length` rows. `detector` and `rule` may be one name for all rows; columns left out are null. */
export interface FlagColumns {
  readonly length: number
  readonly id?: Texts
  readonly shard: Texts | string
  /** 0-based within the shard's file. */
  readonly row: Uint32Array
  readonly detector: Texts | string
  /** Flags only. */
  readonly rule?: Texts | string
  /** 0..1; NaN is written as null. */
  readonly score: Float64Array
  /** 0..1; NaN is written as null. */
  readonly pValue?: Float64Array
  /** Flags only: the cell whose threshold applied. */
  readonly group?: Texts
  readonly givenLabel?: Texts
  readonly suggestedLabel?: Texts
}

export interface RowWriter {
  write(rows: FlagColumns): Promise<void>
  /** Finishes the file and gives it its name. */
  close(): Promise<void>
  /** Removes what was written. */
  abandon(): Promise<void>
}

/** How a column is called in the file, and how it is read from `FlagColumns`. */
interface Column {
  readonly name: string
  readonly type: 'text' | 'row' | 'number'
  readonly of: (rows: FlagColumns) => Texts | string | Uint32Array | Float64Array | undefined
}

const flagColumns: readonly Column[] = [
  { name: 'id', type: 'text', of: (r) => r.id },
  { name: 'shard', type: 'text', of: (r) => r.shard },
  { name: 'row', type: 'row', of: (r) => r.row },
  { name: 'detector', type: 'text', of: (r) => r.detector },
  { name: 'rule', type: 'text', of: (r) => r.rule },
  { name: 'score', type: 'number', of: (r) => r.score },
  { name: 'p_value', type: 'number', of: (r) => r.pValue },
  { name: 'group', type: 'text', of: (r) => r.group },
  { name: 'given_label', type: 'text', of: (r) => r.givenLabel },
  { name: 'suggested_label', type: 'text', of: (r) => r.suggestedLabel },
]
const columnsOf = (kind: RowKind): readonly Column[] =>
  kind === 'flags' ? flagColumns : flagColumns.filter((c) => c.name !== 'rule' && c.name !== 'group')

/**
 * Writes flags or scores as they come: Snappy-compressed Parquet in row groups of 100,000, CSV with a header, or JSON Lines.
 * The file has a temporary name beside `path` until `close`.
 * @throws {ReportError} `unwritable`
 */
export async function openRowWriter(path: string, format: FlagFormat, kind: RowKind): Promise<RowWriter> {
  const temporary = `${path}.${process.pid}.tmp`
  const columns = columnsOf(kind)
  try {
    const sink = format === 'parquet' ? await parquetSink(temporary, columns) : await textSink(temporary, columns, format)
    return {
      write: (rows) => (rows.length === 0 ? Promise.resolve() : sink.write(rows).catch(unwritable(path))),
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

interface Sink {
  write(rows: FlagColumns): Promise<void>
  end(): Promise<void>
}

const chunkChars = 1 << 18

async function textSink(path: string, columns: readonly Column[], format: 'csv' | 'jsonl'): Promise<Sink> {
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

type Values = readonly (Texts | string | Uint32Array | Float64Array | undefined)[]

function valueAt(values: Values[number], i: number): string | number | null {
  if (values === undefined) return null
  if (typeof values === 'string') return values
  const value = values[i] as string | number | null | undefined
  return value === undefined || Number.isNaN(value) ? null : value
}

function csvLine(columns: readonly Column[], values: Values, i: number): string {
  let text = ''
  for (let c = 0; c < columns.length; c++) {
    const value = valueAt(values[c], i)
    if (c > 0) text += ','
    if (value !== null) text += typeof value === 'string' ? escapeCsv(value) : value
  }
  return `${text}\n`
}

function jsonLine(columns: readonly Column[], values: Values, i: number): string {
  let text = '{'
  for (let c = 0; c < columns.length; c++)
    text += `${c > 0 ? ',' : ''}"${(columns[c] as Column).name}":${JSON.stringify(valueAt(values[c], i))}`
  return `${text}}\n`
}

const rowGroup = 100_000

/** Rows of one row group, column by column: typed arrays where there are numbers, filled from the start. */
const emptyGroup = (columns: readonly Column[]): Buffer[] =>
  columns.map((c) =>
    c.type === 'text' ? new Array<string | null>(rowGroup) : c.type === 'row' ? new Uint32Array(rowGroup) : new Float64Array(rowGroup),
  )
type Buffer = (string | null)[] | Uint32Array | Float64Array

async function parquetSink(path: string, columns: readonly Column[]): Promise<Sink> {
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

function fill(into: Buffer, at: number, values: Values[number], from: number, to: number): void {
  if (Array.isArray(into)) {
    if (values === undefined || typeof values === 'string') into.fill(values ?? null, at, at + to - from)
    else for (let i = from; i < to; i++) into[at + i - from] = (values as Texts)[i] ?? null
  } else if (values === undefined) into.fill(Number.NaN, at, at + to - from)
  else into.set((values as Uint32Array).subarray(from, to), at)
}

/** The shape that hyparquet-writer is quick with: typed arrays without nulls, dictionaries for text, noise uncompressed. */
function parquetColumn(column: Column, values: Buffer, rows: number): ColumnSource {
  const { name } = column
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
