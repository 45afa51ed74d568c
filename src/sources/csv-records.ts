import { isUtf8 } from 'node:buffer'
import Papa from 'papaparse'
import { readContent } from './bytes.ts'
import { SourceError } from './errors.ts'
import { limits } from './limits.ts'

/** Complete records of one piece of a file. */
export interface Records {
  readonly rows: string[][]
  /** Indices of records whose quotes are malformed. */
  readonly malformed: ReadonlySet<number>
  /** True where the piece holds bytes that are not UTF-8: each character then stands for one byte. */
  readonly bytes: boolean
  /** 1-based line on which the i-th record begins. */
  readonly line: (i: number) => number
  /** The records as they stand in the file, each with the line end behind it. */
  readonly raw: () => readonly string[]
}

export interface Dialect {
  readonly delimiter: string
  readonly newline: '\n' | '\r'
}

/** Length of the longest prefix that does not end inside a UTF-8 sequence. */
const wholeCharacters = (bytes: Uint8Array): number => {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const b = bytes[bytes.length - back] as number
    if (b < 0x80) break
    if (b >= 0xc0) return b >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

const count = (text: string, char: string): number => {
  let n = 0
  for (let i = text.indexOf(char); i >= 0; i = text.indexOf(char, i + 1)) n++
  return n
}

/** Line of each record, from the line breaks inside the fields before it. */
function lines(rows: readonly string[][], first: number, newline: string, plain: boolean): (i: number) => number {
  if (plain) return (i) => first + i
  let starts: Float64Array | undefined
  return (i) => {
    if (!starts) {
      starts = new Float64Array(rows.length)
      let at = first
      for (const [k, row] of rows.entries()) {
        starts[k] = at
        at += 1 + row.reduce((n, field) => n + count(field, newline), 0)
      }
    }
    return starts[i] as number
  }
}

/** Where the record that begins at `start` ends, behind its line end. A quote opens a field only where the field begins. */
function endOf(text: string, start: number, { delimiter, newline }: Dialect): number {
  let at = start
  for (;;) {
    if (text[at] === '"') {
      at++
      for (;;) {
        const quote = text.indexOf('"', at)
        if (quote < 0) return text.length
        at = quote + 1
        if (text[at] !== '"') break
        at++
      }
    }
    const line = text.indexOf(newline, at)
    const next = text.indexOf(delimiter, at)
    if (line < 0 && next < 0) return text.length
    if (next < 0 || (line >= 0 && line < next)) return line + 1
    at = next + 1
  }
}

/** The text cut into its records; in text without quotes, into its lines. */
function cut(text: string, dialect: Dialect, plain: boolean): readonly string[] {
  const out: string[] = []
  for (let at = 0; at < text.length; ) {
    const line = plain ? text.indexOf(dialect.newline, at) : -1
    const end = plain ? (line < 0 ? text.length : line + 1) : endOf(text, at, dialect)
    out.push(text.slice(at, end))
    at = end
  }
  return out
}

/**
 * Records of a CSV file piece by piece (RFC 4180 with any of the usual delimiters). Blank lines are passed over.
 * Throws SourceError `truncated` at a quote that is never closed, after the records before it.
 */
export async function* csvRecords(path: string, dialect: Dialect): AsyncGenerator<Records> {
  const parser = new Papa.Parser({ delimiter: dialect.delimiter, newline: dialect.newline, quoteChar: '"' })
  let carry: Buffer = Buffer.alloc(0)
  let first = true
  let line = 1
  let wanted = 0
  const parse = (bytes: Buffer, last: boolean): { records: Records; rest: Buffer; error: SourceError | null; faults: number } => {
    const asBytes = !isUtf8(bytes)
    const text = bytes.toString(asBytes ? 'latin1' : 'utf8')
    const { data, errors, meta } = parser.parse(text, 0, !last) as { data: string[][]; errors: Papa.ParseError[]; meta: { cursor: number } }
    const used = last ? bytes.length : text.length === bytes.length ? meta.cursor : Buffer.byteLength(text.slice(0, meta.cursor))
    const quoted = text.includes('"')
    const starts = lines(data, line, dialect.newline, !quoted)
    const open = errors.find((e) => e.code === 'MissingQuotes')
    let error: SourceError | null = null
    if (open) {
      const at = starts(data.length - 1)
      error = new SourceError(
        'truncated',
        `${path}: the quote in the record that begins on line ${at} is never closed`,
        { file: path, line: at },
        'close the quote, or fetch the file again if it is cut off',
      )
      data.pop()
    }
    const malformed = new Set(errors.map((e) => e.row ?? -1).filter((r) => r >= 0 && r < data.length))
    line += quoted ? count(text.slice(0, meta.cursor), dialect.newline) : data.length
    const raw = () => cut(last ? text : text.slice(0, meta.cursor), dialect, !quoted)
    return {
      records: { rows: data, malformed, bytes: asBytes, line: starts, raw },
      rest: bytes.subarray(used),
      error,
      faults: errors.length,
    }
  }
  for await (const piece of readContent(path)) {
    carry = carry.length ? Buffer.concat([carry, piece]) : Buffer.from(piece)
    if (first && carry.length >= 3) {
      first = false
      if (carry[0] === 0xef && carry[1] === 0xbb && carry[2] === 0xbf) carry = carry.subarray(3)
    }
    if (carry.length < wanted) continue
    const whole = wholeCharacters(carry)
    const { records, rest, faults } = parse(carry.subarray(0, whole), false)
    const left = Buffer.concat([rest, carry.subarray(whole)])
    if (records.rows.length === 0 && (left.length > limits.recordBytes || faults > 1000)) {
      const what = faults > 1000 ? `has ${faults} misplaced quotes` : `is longer than ${limits.recordBytes} bytes`
      throw new SourceError(
        'corrupt',
        `${path}: the record that begins on line ${line} ${what}`,
        { file: path, line },
        'is there a quote that is never closed?',
      )
    }
    // a record longer than a piece is parsed again each time its bytes have doubled, not at every piece
    wanted = records.rows.length === 0 ? Math.min(2 * left.length, limits.recordBytes + 1) : 0
    carry = left
    if (records.rows.length) yield records
  }
  if (carry.length === 0) return
  const { records, error } = parse(carry, true)
  const final = records.rows.at(-1)
  if (final?.length === 1 && final[0] === '') records.rows.pop()
  if (records.rows.length) yield records
  if (error) throw error
}
