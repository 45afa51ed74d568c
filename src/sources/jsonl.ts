import { isUtf8 } from 'node:buffer'
import type { Cells } from '../contracts/chunk.ts'
import type { ShardSpec } from '../contracts/data.ts'
import { rolesOf } from './assemble.ts'
import { readContent, readHead, readRange } from './bytes.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { FieldColumns } from './json-fields.ts'
import { type Piece, pieceBytes, piecesOf } from './jsonl-pieces.ts'
import { limits } from './limits.ts'
import { rowBuffer } from './row-buffer.ts'
import { sampleColumn } from './sample.ts'

interface Line {
  /** Null where the line is longer than a record may be. */
  readonly text: string | null
  /** 1-based. */
  readonly line: number
  readonly utf8: boolean
}

async function* contentOf(path: string, piece: Piece | null): AsyncGenerator<Buffer> {
  if (!piece) yield* readContent(path)
  else for await (const { bytes } of readRange(path, piece.from, piece.to)) yield bytes
}

/** Lines of a file, or of a piece of it, with their numbers, blank ones left out. */
async function* linesOf(path: string, piece: Piece | null): AsyncGenerator<Line[]> {
  let carry: Buffer = Buffer.alloc(0)
  let line = piece?.lines ?? 0
  let dropping = false
  let first = line === 0
  const cut = (bytes: Buffer, into: Line[]): void => {
    const whole = isUtf8(bytes)
    const parts = bytes.toString(whole ? 'utf8' : 'latin1').split('\n')
    for (const part of parts) {
      line++
      if (part === '' || part === '\r') continue
      const raw = whole ? null : Buffer.from(part, 'latin1')
      const utf8 = raw === null || isUtf8(raw)
      into.push({ text: raw && utf8 ? raw.toString('utf8') : part, line, utf8 })
    }
  }
  for await (const bytes of contentOf(path, piece)) {
    const out: Line[] = []
    let rest: Buffer = bytes
    if (dropping) {
      const end = rest.indexOf(10)
      if (end < 0) continue
      dropping = false
      line++
      out.push({ text: null, line, utf8: true })
      rest = rest.subarray(end + 1)
    }
    const end = rest.lastIndexOf(10)
    if (end >= 0) {
      let bytes = carry.length ? Buffer.concat([carry, rest.subarray(0, end)]) : rest.subarray(0, end)
      if (first && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) bytes = bytes.subarray(3)
      first = false
      cut(bytes, out)
      carry = Buffer.from(rest.subarray(end + 1))
    } else carry = Buffer.concat([carry, rest])
    if (carry.length > limits.recordBytes) {
      carry = Buffer.alloc(0)
      dropping = true
    }
    if (out.length) yield out
  }
  const out: Line[] = []
  if (dropping) out.push({ text: null, line: line + 1, utf8: true })
  else if (carry.length) cut(first && carry[0] === 0xef && carry[1] === 0xbb && carry[2] === 0xbf ? carry.subarray(3) : carry, out)
  if (out.length) yield out
}

/** NaN and Infinity outside of strings, put into quotes: one pass, whatever the line holds. */
function quoteWords(text: string): string {
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34) {
      for (i++; i < text.length && text.charCodeAt(i) !== 34; i++) if (text.charCodeAt(i) === 92) i++
    } else if (c === 78 || c === 73) {
      const word = c === 78 ? 'NaN' : 'Infinity'
      if (!text.startsWith(word, i)) continue
      const start = text.charCodeAt(i - 1) === 45 ? i - 1 : i
      out += `${text.slice(from, start)}"${text.slice(start, i + word.length)}"`
      i += word.length - 1
      from = i + 1
    }
  }
  return out + text.slice(from)
}

type Parsed = Readonly<Record<string, unknown>>

/** One line as an object; null where it is none. */
function parseStrictly(text: string): Parsed | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Parsed) : null
}

/** The same with NaN and Infinity, which Python writes: they are read as the numbers that they are. */
const parse = (text: string): Parsed | null => parseStrictly(text) ?? (/NaN|Infinity/.test(text) ? parseStrictly(quoteWords(text)) : null)

const isObject = (v: unknown): v is Parsed => typeof v === 'object' && v !== null && !Array.isArray(v)

/** A key as it stands, else a path through nested objects: `meta.label`. */
function getter(name: string): (record: Parsed) => unknown {
  const path = name.split('.')
  return (record) => {
    if (Object.hasOwn(record, name)) return record[name]
    let at: unknown = record
    for (const key of path) {
      if (!isObject(at) || !Object.hasOwn(at, key)) return null
      at = at[key]
    }
    return at
  }
}

function leafNames(record: Parsed, prefix: string, depth: number, into: Set<string>): void {
  for (const key of Object.keys(record)) {
    if (into.size >= limits.columns) return
    const value = record[key]
    if (isObject(value) && depth < 6 && Object.keys(value).length) leafNames(value, `${prefix}${key}.`, depth + 1, into)
    else into.add(prefix + key)
  }
}

export const jsonl: SourceFormat = {
  name: 'jsonl',
  gzip: true,
  extensions: ['.jsonl', '.ndjson', '.json'],

  detect(head) {
    const text = Buffer.from(head.subarray(0, 256)).toString('latin1')
    return text
      .replace(/^\xef\xbb\xbf/, '')
      .trimStart()
      .startsWith('{')
  },

  async columns(path): Promise<readonly ColumnSample[]> {
    const records: Parsed[] = []
    let seen = 0
    try {
      for await (const lines of linesOf(path, null)) {
        for (const { text, utf8 } of lines) {
          seen++
          const record = text !== null && utf8 ? parse(text) : null
          if (record) records.push(record)
          if (records.length >= limits.sampleRows) break
        }
        if (records.length >= limits.sampleRows) break
      }
    } catch (e) {
      // damage after the first records is met again, and told, when the shard is read
      if (records.length === 0) throw e
    }
    if (seen === 0) throw new SourceError('empty', `${path}: holds no records`, { file: path })
    if (records.length === 0) {
      throw new SourceError('corrupt', `${path}: no line is a JSON object`, { file: path, line: 1 }, 'one object a line is expected')
    }
    const names = new Set<string>()
    for (const record of records) leafNames(record, '', 0, names)
    return [...names].map((name) => {
      const cells: Cells = { kind: 'values', values: records.map(getter(name)) }
      return sampleColumn(name, cells, null, false)
    })
  },

  async shards(path, id): Promise<readonly ShardSpec[]> {
    const { size, gzip } = await readHead(path, 64)
    const whole: ShardSpec = { id, format: 'jsonl', path, bytes: size, expectedRows: null, options: {} }
    if (gzip || size < 2 * pieceBytes(size)) return [whole]
    const pieces = await piecesOf(path, size)
    return pieces.map((piece) => ({
      ...whole,
      id: `${id}#${piece.first}+${piece.rows}`,
      bytes: piece.to - piece.from,
      options: { piece: { ...piece } },
    }))
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const fields = tap ? new FieldColumns(shard.path) : null
    const buffer = rowBuffer(roles, shard.path, issue, tap && fields ? { tap, names: [], take: () => fields.take() } : undefined)
    const get = buffer.names.map(getter)
    const piece = (shard.options.piece ?? null) as Piece | null
    let row = piece?.first ?? 0
    try {
      for await (const lines of linesOf(shard.path, piece)) {
        for (const { text, line, utf8 } of lines) {
          const n = row
          if (text?.trim() === '') continue
          row++
          if (text === null) {
            issue({ code: 'too-long', row: n, line, detail: `more than ${limits.recordBytes} bytes`, rejected: true })
            continue
          }
          if (!utf8) {
            issue({ code: 'invalid-utf8', row: n, line, rejected: true })
            continue
          }
          const strict = parseStrictly(text)
          const record = strict ?? parse(text)
          if (!record) {
            issue({ code: 'invalid-json', row: n, line, rejected: true })
            continue
          }
          const twice = fields?.add(text, strict)
          if (twice) {
            issue({ code: 'invalid-json', row: n, line, column: twice, detail: 'two fields of this name', rejected: true })
            continue
          }
          for (let k = 0; k < get.length; k++) buffer.values[k]?.push(get[k]?.(record))
          if (!buffer.push(n, line, text.length)) continue
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
