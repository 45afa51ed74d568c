import Papa from 'papaparse'
import { type ProblemList, shown } from './problem-list.ts'
import { textLines } from './text-lines.ts'
import { type UrlColumns, urlColumns } from './url-columns.ts'

/** Cells of one row by the name of their column; null where empty. */
export interface TableRow {
  readonly cells: Readonly<Record<string, string | null>>
  /** 0-based, without the header. */
  readonly row: number
  /** 1-based; null where the format has no lines. */
  readonly line: number | null
}

export interface Table {
  readonly columns: UrlColumns
  /** At most `limits.rows`; `more` tells whether there are others. */
  readonly rows: readonly TableRow[]
  readonly more: boolean
}

const maxFieldLength = 16_384

/** Without prototype: the names of columns come from the file. */
const record = (pairs: Iterable<readonly [string, string | null]>): TableRow['cells'] => {
  const cells: Record<string, string | null> = Object.create(null)
  for (const [name, value] of pairs) cells[name] = value
  return cells
}

const cell = (value: unknown): string | null => {
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  return typeof value === 'string' && value !== '' ? value.slice(0, maxFieldLength) : null
}

/** The delimiter under which the first line is a header of URLs and digests; null where there is none. */
export function delimiterOf(header: string): string | null {
  const line = header.replace(/^\ufeff/, '')
  return [',', '\t', ';', '|'].find((delimiter) => urlColumns(Papa.parse<string[]>(line, { delimiter }).data[0] ?? []) !== null) ?? null
}

/** Rows of a CSV or TSV text. `whole` is false for the beginning of a file, whose last record is then left out. */
export function delimitedTable(text: string, file: string, maxRows: number, whole: boolean, problems: ProblemList): Table | null {
  const plain = text.replace(/^\ufeff/, '')
  const end = plain.search(/[\r\n]/)
  const delimiter = delimiterOf(end < 0 ? plain : plain.slice(0, end))
  if (delimiter === null) return null
  let names: readonly string[] = []
  let columns: UrlColumns | null = null
  let row = -1
  const rows: TableRow[] = []
  let more = false
  const take = (fields: readonly string[], errors: readonly Papa.ParseError[]): void => {
    row += 1
    if (fields.length === 1 && fields[0] === '') return
    if (errors.length > 0) problems.error('malformed', `${file}, row ${row + 1}: its quotes are malformed.`, { file, row })
    if (fields.length !== names.length) {
      const message = `${file}, row ${row + 1}: ${fields.length} fields where the header has ${names.length}.`
      problems.error('malformed', message, { file, row })
    }
    rows.push({ cells: record(names.map((name, i) => [name, cell(fields[i])])), row, line: null })
  }
  Papa.parse<string[]>(plain, {
    delimiter,
    step({ data, errors }, parser) {
      if (columns === null) {
        names = data
        columns = urlColumns(data)
      } else if (rows.length < maxRows)
        take(
          data,
          errors.filter(({ type }) => type === 'Quotes'),
        )
      else {
        more = true
        parser.abort()
      }
    },
  })
  if (!whole) rows.pop()
  return columns && { columns, rows, more }
}

/** Rows of a text with one JSON object a line; the first says what its columns are. */
export function lineTable(bytes: Buffer, file: string, maxRows: number, whole: boolean, problems: ProblemList): Table | null {
  let columns: UrlColumns | null = null
  const rows: TableRow[] = []
  let row = -1
  for (const { line, text } of textLines(bytes)) {
    if (text?.trim() === '') continue
    row += 1
    if (rows.length === maxRows) return columns && { columns, rows, more: true }
    const value = text === null ? null : object(text)
    if (value === null) {
      problems.error('malformed', `${file}, line ${line}: "${shown(text ?? '')}" is no JSON object.`, { file, line })
      continue
    }
    columns ??= urlColumns(Object.keys(value))
    if (columns === null) return null
    rows.push({ cells: record(Object.entries(value).map(([name, each]) => [name, cell(each)])), row, line })
  }
  if (!whole) rows.pop()
  return columns && { columns, rows, more: false }
}

function object(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
