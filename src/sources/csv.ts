import { isUtf8 } from 'node:buffer'
import Papa from 'papaparse'
import type { Cells } from '../contracts/chunk.ts'
import type { ColumnMap, RowIssueCode, ShardSpec } from '../contracts/data.ts'
import { rolesOf } from './assemble.ts'
import { isGzip, readHead } from './bytes.ts'
import { parseNumber, uniqueNames } from './cells.ts'
import { csvRecords, type Dialect, type Records } from './csv-records.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { type RowBuffer, rowBuffer } from './row-buffer.ts'
import { sampleColumn } from './sample.ts'

const delimiters = [',', '\t', ';', '|'] as const
const dialectBytes = 65_536

/** The delimiter that cuts the first records into the most columns of one number, and the line end. */
export function dialectOf(text: string, path: string): Dialect {
  const newline = text.includes('\n') || !text.includes('\r') ? '\n' : '\r'
  const first = /\.(tsv|tab)(\.gz)?$/i.test(path) ? '\t' : ','
  let best: { delimiter: string; columns: number; share: number } = { delimiter: first, columns: 1, share: 0 }
  for (const delimiter of [first, ...delimiters.filter((d) => d !== first)]) {
    const parser = new Papa.Parser({ delimiter, newline, quoteChar: '"', preview: 50 })
    const { data, errors } = parser.parse(text, 0, true) as { data: string[][]; errors: Papa.ParseError[] }
    let rows = data.filter((r) => r.length > 1 || r[0]?.trim())
    if (rows.length === 0) rows = [text.split(delimiter)]
    const columns = rows[0]?.length ?? 1
    // with the wrong delimiter a quote closes in the middle of a field
    const share = rows.filter((r) => r.length === columns).length / (rows.length + errors.length)
    if (columns > 1 && (share > best.share + 0.2 || (share > best.share - 0.2 && columns > best.columns)))
      best = { delimiter, columns, share }
  }
  return { delimiter: best.delimiter, newline }
}

async function dialect(path: string): Promise<Dialect> {
  const { head } = await readHead(path, dialectBytes)
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) {
    throw new SourceError('unsupported', `${path}: is UTF-16`, { file: path }, 'save it as UTF-8')
  }
  return dialectOf(Buffer.from(head).toString('latin1'), path)
}

const isBlank = (row: readonly string[]): boolean => row.length === 1 && (row[0] === '' || row[0] === '\r')

/** Column names, and the index of the first record after them. */
function headerOf(records: Records, path: string): { names: string[]; next: number } {
  const at = records.rows.findIndex((r) => !isBlank(r))
  const header = chomp((at < 0 ? undefined : records.rows[at]) ?? [])
  if (header.length === 0) throw new SourceError('empty', `${path}: has no header line`, { file: path, line: 1 })
  if (header.length > limits.columns) throw new SourceError('too-large', `${path}: ${header.length} columns`, { file: path, line: 1 })
  const names = records.bytes ? header.map((h) => decode(h) ?? '') : header
  if (names.includes('') && records.bytes && header.some((h) => decode(h) === null)) {
    throw new SourceError(
      'corrupt',
      `${path}: the header line is not valid UTF-8`,
      { file: path, line: records.line(at) },
      'save it as UTF-8',
    )
  }
  const numbers = names.map((n) => parseNumber(n))
  const counting = numbers.every((n, i) => n === (numbers[0] as number) + i && (numbers[0] === 0 || numbers[0] === 1))
  if (names.length > 1 && !counting && numbers.every((n) => typeof n === 'number')) {
    throw new SourceError(
      'invalid-spec',
      `${path}: the first line holds numbers where column names are expected`,
      { file: path, line: 1 },
      'add a header line',
    )
  }
  return { names: names.map((n) => n.trim()), next: at + 1 }
}

/** Drops the carriage return that a line of a CRLF file ends with. */
const chomp = (row: string[]): string[] => {
  const last = row.length - 1
  if (row[last]?.endsWith('\r')) row[last] = (row[last] as string).slice(0, -1)
  return row
}

/** One character a byte to text; null where the bytes are not UTF-8. */
function decode(bytes: string): string | null {
  const buffer = Buffer.from(bytes, 'latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : null
}

const fieldAsText = (row: string[], header: readonly string[]): string | null => {
  for (let j = 0; j < row.length; j++) {
    const text = decode(row[j] as string)
    if (text === null) return header[j] ?? ''
    row[j] = text
  }
  return null
}

/** A whole small table: records of the width of the header, with their lines. Throws SourceError at the first that has another. */
export async function csvRows(
  path: string,
): Promise<{ columns: readonly ColumnSample[]; rows: { fields: readonly string[]; line: number }[] }> {
  const rows: { fields: readonly string[]; line: number }[] = []
  let header: string[] | null = null
  for await (const records of csvRecords(path, await dialect(path))) {
    let next = 0
    if (!header) ({ names: header, next } = headerOf(records, path))
    for (let i = next; i < records.rows.length; i++) {
      const fields = chomp(records.rows[i] as string[])
      if (isBlank(fields)) continue
      const line = records.line(i)
      if (fields.length !== header.length || records.malformed.has(i)) {
        const message = `${path}: line ${line} has ${fields.length} fields where the header has ${header.length}`
        throw new SourceError('corrupt', message, { file: path, line })
      }
      const invalid = records.bytes ? fieldAsText(fields, header) : null
      if (invalid !== null)
        throw new SourceError('corrupt', `${path}: line ${line} is not valid UTF-8`, { file: path, line, column: invalid })
      rows.push({ fields, line })
    }
  }
  const first = rows.slice(0, limits.sampleRows)
  const columns = (header ?? []).map((name, j) => sampleColumn(name, { kind: 'values', values: first.map((r) => r.fields[j]) }, null, true))
  return { columns, rows }
}

/** Control characters other than tab and line ends. */
/** Text may hold a stray control character, which somebody may have put there; data that are not text hold many, and zeros. */
const isBinary = (head: Uint8Array): boolean =>
  head.includes(0) || head.filter((b) => b < 9 || (b > 13 && b < 32)).length > 1 + 0.02 * head.length

export const csv: SourceFormat = {
  name: 'csv',
  gzip: true,
  extensions: ['.csv', '.tsv', '.tab', '.txt'],

  detect(head) {
    if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) return true
    const text = Buffer.from(head).toString('latin1')
    const start = text.replace(/^\xef\xbb\xbf/, '').trimStart()[0]
    return start !== undefined && start !== '{' && start !== '[' && !isGzip(head) && !isBinary(head) && !text.startsWith('%PDF')
  },

  async columns(path): Promise<readonly ColumnSample[]> {
    let header: string[] | null = null
    const rows: string[][] = []
    try {
      for await (const records of csvRecords(path, await dialect(path))) {
        let next = 0
        if (!header) ({ names: header, next } = headerOf(records, path))
        for (const row of records.rows.slice(next)) if (chomp(row).length === header.length && !isBlank(row)) rows.push(row)
        if (rows.length >= limits.sampleRows) break
      }
    } catch (e) {
      // damage after the first rows is met again, and told, when the shard is read
      if (!header || rows.length === 0) throw e
    }
    if (!header) throw new SourceError('empty', `${path}: has no header line`, { file: path, line: 1 })
    return header.map((name, j) => {
      const cells: Cells = { kind: 'values', values: rows.slice(0, limits.sampleRows).map((r) => r[j]) }
      return sampleColumn(name, cells, null, true)
    })
  },

  async shards(path, id): Promise<readonly ShardSpec[]> {
    const { size } = await readHead(path, 64)
    return [{ id, format: 'csv', path, bytes: size, expectedRows: null, options: { ...(await dialect(path)) } }]
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const { delimiter, newline } = shard.options as unknown as Dialect
    let buffer: RowBuffer = rowBuffer(roles, shard.path, issue)
    let numeric: readonly boolean[] = []
    let header: string[] | null = null
    let at: number[] = []
    let row = 0
    try {
      for await (const records of csvRecords(shard.path, { delimiter, newline })) {
        let next = 0
        if (!header) {
          ;({ names: header, next } = headerOf(records, shard.path))
          if (tap) header = uniqueNames(header)
          buffer = rowBuffer(roles, shard.path, issue, tap && { tap, names: header })
          // a tap sees the cells as they stand in the file
          numeric = tap ? [] : numericColumns(roles.columns, buffer.names)
          at = positions(buffer.names, header, shard.path)
        }
        const width = header.length
        const { values } = buffer
        for (let i = next; i < records.rows.length; i++) {
          const fields = chomp(records.rows[i] as string[])
          if (fields.length === 1 && isBlank(fields)) continue
          const n = row++
          const reject = (code: RowIssueCode, detail: { detail?: string; column?: string }) =>
            issue({ code, row: n, line: records.line(i), ...detail, rejected: true })
          if (records.malformed.has(i)) {
            reject('ragged-row', { detail: 'malformed quotes' })
            continue
          }
          if (fields.length !== width) {
            reject('ragged-row', { detail: `${fields.length} fields where the header has ${width}` })
            continue
          }
          const invalid = records.bytes ? fieldAsText(fields, header) : null
          if (invalid !== null) {
            reject('invalid-utf8', { column: invalid })
            continue
          }
          let size = 0
          for (let k = 0; k < at.length; k++) {
            const field = fields[at[k] as number] as string
            size += field.length
            // numbers are parsed at once: short-lived strings cost the least
            ;(values[k] as unknown[]).push(numeric[k] ? numberOr(field) : field)
          }
          if (!buffer.push(n, records.line(i), size)) continue
          const batch = buffer.flush()
          if (batch) yield batch
        }
      }
    } catch (e) {
      // what was read before the damage is valid
      const batch = buffer.flush()
      if (batch) yield batch
      throw e
    }
    const batch = buffer.flush()
    if (batch) yield batch
  },
}

/** A number, NaN where it is missing, the text itself where it is none: that is reported with the row. */
const numberOr = (field: string): number | string => {
  const n = parseNumber(field)
  return n === undefined ? field : (n ?? Number.NaN)
}

/** Columns that hold one number a row for every role that reads them. */
function numericColumns(map: ColumnMap, names: readonly string[]): boolean[] {
  const numeric = new Set<string>()
  const other = new Set<string>()
  for (const [role, value] of Object.entries(map)) {
    const list = typeof value === 'string' ? [value] : (value ?? [])
    const scalar = role === 'features' || ((role === 'embedding' || role === 'predictions') && list.length > 1)
    for (const name of list) (scalar ? numeric : other).add(name)
  }
  return names.map((name) => numeric.has(name) && !other.has(name))
}

const positions = (names: readonly string[], header: readonly string[], path: string): number[] =>
  names.map((name) => {
    const index = header.indexOf(name)
    if (index < 0) throw new SourceError('mixed-schema', `${path}: no column ${JSON.stringify(name)}`, { file: path, column: name })
    return index
  })
