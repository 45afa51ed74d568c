import { isUtf8 } from 'node:buffer'
import Papa from 'papaparse'
import type { ShardSpec } from '../contracts/data.ts'
import { assemble, rolesOf, usedColumns } from './assemble.ts'
import { isGzip, readHead } from './bytes.ts'
import type { Cells } from './cells.ts'
import { parseNumber } from './cells.ts'
import { csvRecords, type Dialect, type Records } from './csv-records.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { sampleColumn } from './sample.ts'

const delimiters = [',', '\t', ';', '|'] as const
const dialectBytes = 65_536

/** The delimiter that cuts the first records into the most columns of one number, and the line end. */
export function dialectOf(text: string, path: string): Dialect {
  const newline = text.includes('\n') || !text.includes('\r') ? '\n' : '\r'
  const first = /\.(tsv|tab)(\.gz)?$/i.test(path) ? '\t' : ','
  let best: { delimiter: string; columns: number; share: number } = { delimiter: first, columns: 1, share: 0 }
  for (const delimiter of [first, ...delimiters.filter((d) => d !== first)]) {
    const parsed = new Papa.Parser({ delimiter, newline, quoteChar: '"', preview: 50 }).parse(text, 0, true)
    let rows = (parsed as { data: string[][] }).data.filter((r) => r.length > 1 || r[0]?.trim())
    if (rows.length === 0) rows = [text.split(delimiter)]
    const columns = rows[0]?.length ?? 1
    const share = rows.filter((r) => r.length === columns).length / rows.length
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
const isBinary = (head: Uint8Array): boolean => head.some((b) => b < 9 || (b > 13 && b < 32))

export const csv: SourceFormat = {
  name: 'csv',
  extensions: ['.csv', '.tsv', '.tab', '.txt'],

  detect(head) {
    if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) return true
    const text = Buffer.from(head).toString('latin1')
    const start = text.replace(/^\xef\xbb\xbf/, '').trimStart()[0]
    return start !== undefined && start !== '{' && start !== '[' && !isGzip(head) && !isBinary(head) && !text.startsWith('%PDF')
  },

  async columns(path): Promise<readonly ColumnSample[]> {
    const d = await dialect(path)
    for await (const records of csvRecords(path, d)) {
      const { names, next } = headerOf(records, path)
      const rows = records.rows.slice(next, next + 2 * limits.sampleRows).filter((r) => !isBlank(r) && chomp(r).length === names.length)
      return names.map((name, j) => {
        const cells: Cells = { kind: 'values', values: rows.slice(0, limits.sampleRows).map((r) => r[j]) }
        return sampleColumn(name, cells, null, true)
      })
    }
    throw new SourceError('empty', `${path}: has no header line`, { file: path, line: 1 })
  },

  async shards(path, id): Promise<readonly ShardSpec[]> {
    const { size } = await readHead(path, 64)
    return [{ id, format: 'csv', path, bytes: size, expectedRows: null, options: { ...(await dialect(path)) } }]
  },

  async *read(shard, issue) {
    const roles = rolesOf(shard.options)
    const { delimiter, newline } = shard.options as unknown as Dialect
    const wanted = usedColumns(roles.columns)
    let header: string[] | null = null
    let at: number[] = []
    let row = 0
    for await (const records of csvRecords(shard.path, { delimiter, newline })) {
      let next = 0
      if (!header) {
        const found = headerOf(records, shard.path)
        header = found.names
        next = found.next
        at = wanted.map((name) => {
          const index = (header as string[]).indexOf(name)
          if (index < 0) {
            const message = `${shard.path}: no column ${JSON.stringify(name)}`
            throw new SourceError('mixed-schema', message, { file: shard.path, column: name })
          }
          return index
        })
      }
      const width = header.length
      let values: unknown[][] = at.map(() => [])
      let rows: number[] = []
      let lines: number[] = []
      let size = 0
      const flush = () => {
        const columns = new Map<string, Cells>(wanted.map((name, k) => [name, { kind: 'values', values: values[k] as unknown[] }]))
        const from = lines
        const chunk = { rows: Uint32Array.from(rows), lines: (i: number) => records.line(from[i] as number), columns }
        values = at.map(() => [])
        rows = []
        lines = []
        size = 0
        return assemble(chunk, roles, shard.path, issue)
      }
      for (let i = next; i < records.rows.length; i++) {
        const fields = records.rows[i] as string[]
        if (isBlank(fields)) continue
        const n = row++
        const last = fields[fields.length - 1] as string
        if (last.charCodeAt(last.length - 1) === 13) fields[fields.length - 1] = last.slice(0, -1)
        const line = () => records.line(i)
        if (records.malformed.has(i)) {
          issue({ code: 'ragged-row', row: n, line: line(), detail: 'malformed quotes', rejected: true })
          continue
        }
        if (fields.length !== width) {
          issue({
            code: 'ragged-row',
            row: n,
            line: line(),
            detail: `${fields.length} fields where the header has ${width}`,
            rejected: true,
          })
          continue
        }
        const invalid = records.bytes ? fieldAsText(fields, header) : null
        if (invalid !== null) {
          issue({ code: 'invalid-utf8', row: n, line: line(), column: invalid, rejected: true })
          continue
        }
        for (let k = 0; k < at.length; k++) {
          const field = fields[at[k] as number] as string
          size += field.length
          ;(values[k] as unknown[]).push(field)
        }
        rows.push(n)
        lines.push(i)
        if (rows.length >= limits.batchRows || size >= limits.batchBytes) {
          const batch = flush()
          if (batch) yield batch
        }
      }
      if (rows.length) {
        const batch = flush()
        if (batch) yield batch
      }
    }
  },
}
