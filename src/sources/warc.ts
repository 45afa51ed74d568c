import { isUtf8 } from 'node:buffer'
import type { Cells } from '../contracts/chunk.ts'
import type { RowIssue, ShardSpec } from '../contracts/data.ts'
import { rolesOf } from './assemble.ts'
import { readHead } from './bytes.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { rowBuffer } from './row-buffer.ts'
import { sampleColumn } from './sample.ts'
import { headersOf, type WarcRecord, warcRecords } from './warc-records.ts'

const columns = ['id', 'url', 'time', 'text', 'media_type'] as const
type Row = Readonly<Record<(typeof columns)[number], string | null>>

/** WET text, and whatever was fetched; requests, metadata and revisits hold no text of their own. */
const isText = (headers: ReadonlyMap<string, string>): boolean => /^(conversion|response|resource)$/i.test(headers.get('warc-type') ?? '')
const wanted = (headers: ReadonlyMap<string, string>, length: number): boolean => isText(headers) && length <= limits.recordBytes

const textual = /^(text\/|application\/(xhtml|xml|json|javascript|ld\+json)|$)/i
const endOfHead = Buffer.from('\r\n\r\n')

/** A response without its HTTP header. */
function payload(record: WarcRecord): { readonly type: string; readonly encoding: string; readonly body: Buffer } {
  const body = record.body as Buffer
  const type = record.headers.get('content-type') ?? ''
  if (!/^application\/http/i.test(type)) return { type, encoding: '', body }
  const end = body.indexOf(endOfHead)
  const lines = body.subarray(0, Math.max(end, 0)).toString('latin1').split('\r\n').slice(1)
  const headers = end < 0 ? null : headersOf(lines)
  return {
    type: headers?.get('content-type') ?? '',
    encoding: headers?.get('content-encoding') ?? '',
    body: end < 0 ? body : body.subarray(end + endOfHead.length),
  }
}

/** As the declared charset says, else UTF-8; null where the bytes are not of it. */
function decode(body: Buffer, type: string): string | null {
  const charset = /charset\s*=\s*["']?([\w.:-]{1,40})/i.exec(type)?.[1] ?? 'utf-8'
  if (/^utf-?8$/i.test(charset)) return isUtf8(body) ? body.toString('utf8') : null
  try {
    return new TextDecoder(charset, { fatal: true }).decode(body)
  } catch {
    return null
  }
}

type Problem = Pick<RowIssue, 'code' | 'detail'>

function rowOf(record: WarcRecord): Row | Problem {
  const { headers } = record
  if (record.body === null) return { code: 'too-long', detail: `${record.length} bytes` }
  const { type, encoding, body } = payload(record)
  const common = {
    id: headers.get('warc-record-id') ?? null,
    url: headers.get('warc-target-uri') ?? null,
    time: headers.get('warc-date') ?? null,
    media_type: type.split(';', 1)[0]?.trim() || null,
  }
  if (encoding && encoding !== 'identity') return { code: 'wrong-type', detail: `content encoding ${encoding.slice(0, 40)}` }
  if (!textual.test(type)) return { ...common, text: null }
  const text = decode(body, type)
  return text === null ? { code: 'invalid-utf8', detail: 'not of the declared character set' } : { ...common, text }
}

const isProblem = (row: Row | Problem): row is Problem => 'code' in row

/** Web archives of Common Crawl and others: one row a record that was fetched or extracted, with its address and date. */
export const warc: SourceFormat = {
  name: 'warc',
  extensions: ['.warc', '.wet'],
  gzip: true,
  detect: (head) => Buffer.from(head.subarray(0, 5)).toString('latin1') === 'WARC/',

  async columns(path): Promise<readonly ColumnSample[]> {
    const rows: Row[] = []
    let bytes = 0
    try {
      for await (const record of warcRecords(path, wanted)) {
        if (!isText(record.headers)) continue
        const row = rowOf(record)
        bytes += record.length
        if (!isProblem(row)) rows.push(row)
        if (rows.length >= limits.sampleRows || bytes > limits.batchBytes) break
      }
    } catch (e) {
      // damage after the first records is met again, and told, when the shard is read
      if (rows.length === 0) throw e
    }
    if (rows.length === 0) throw new SourceError('empty', `${path}: holds no record with a text`, { file: path })
    return columns.map((name) => sampleColumn(name, { kind: 'values', values: rows.map((r) => r[name]) } satisfies Cells, null, false))
  },

  async shards(path, id): Promise<readonly ShardSpec[]> {
    const { size } = await readHead(path, 64)
    return [{ id, format: 'warc', path, bytes: size, expectedRows: null, options: {} }]
  },

  async *read(shard, issue, tap) {
    const buffer = rowBuffer(rolesOf(shard.options), shard.path, issue, tap && { tap, names: [...columns] })
    let n = 0
    try {
      for await (const record of warcRecords(shard.path, wanted)) {
        if (!isText(record.headers)) continue
        const row = rowOf(record)
        const at = n++
        if (isProblem(row)) {
          issue({ ...row, row: at, column: 'text', rejected: true })
          continue
        }
        for (const [k, name] of buffer.names.entries()) buffer.values[k]?.push(row[name as keyof Row] ?? null)
        if (!buffer.push(at, at + 1, record.length)) continue
        const batch = buffer.flush()
        if (batch) yield batch
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
