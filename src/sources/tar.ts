import { isUtf8 } from 'node:buffer'
import { type Cells, invalidUtf8 } from '../contracts/chunk.ts'
import type { ShardSpec } from '../contracts/data.ts'
import { rolesOf } from './assemble.ts'
import { readHead } from './bytes.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { imageKind } from './image-kind.ts'
import { limits } from './limits.ts'
import { rowBuffer } from './row-buffer.ts'
import { sampleColumn } from './sample.ts'
import { type TarSample, tarSamples } from './tar-samples.ts'

const keyColumn = '__key__'
const mostColumns = 1000

const textFields = /^(txt|text|caption|cls|cls2|label|transcript|id|index|prompt|response)$/

/** A member as the value of a column: an image as bytes, text as text, JSON as its fields. */
function valuesOf(sample: TarSample): { readonly values: ReadonlyMap<string, unknown>; readonly badJson: string | null } {
  const values = new Map<string, unknown>([[keyColumn, sample.key]])
  let badJson: string | null = null
  for (const [field, bytes] of sample.fields) {
    if (field === 'json') badJson = addJson(bytes, values) ? null : field
    else if (textFields.test(field)) values.set(field, isUtf8(bytes) ? bytes.toString('utf8').replace(/\r?\n$/, '') : invalidUtf8)
    else if (imageKind(bytes) !== null || /^(jpe?g|png|webp|tiff?)$/.test(field)) values.set(field, bytes)
  }
  return { values, badJson }
}

function addJson(bytes: Buffer, values: Map<string, unknown>): boolean {
  let parsed: unknown
  try {
    parsed = isUtf8(bytes) && bytes.length <= limits.recordBytes ? JSON.parse(bytes.toString('utf8')) : null
  } catch {
    return false
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return false
  for (const [name, value] of Object.entries(parsed).slice(0, mostColumns)) if (!values.has(name)) values.set(name, value)
  return true
}

/** Tar archives in the layout of WebDataset: the members of one key are one row, the fields of its .json columns of their own. */
export const tar: SourceFormat = {
  name: 'tar',
  extensions: ['.tar', '.tgz'],
  gzip: true,
  // POSIX and GNU archives say so at byte 257 of the first header.
  detect: (head) => Buffer.from(head.subarray(257, 262)).toString('latin1') === 'ustar',

  async columns(path): Promise<readonly ColumnSample[]> {
    const rows: ReadonlyMap<string, unknown>[] = []
    let bytes = 0
    try {
      for await (const sample of tarSamples(path)) {
        rows.push(valuesOf(sample).values)
        bytes += sample.bytes
        if (rows.length >= limits.sampleRows || bytes > limits.batchBytes) break
      }
    } catch (e) {
      // damage after the first samples is met again, and told, when the shard is read
      if (rows.length === 0) throw e
    }
    if (rows.length === 0) throw new SourceError('empty', `${path}: holds no files with a name and an extension`, { file: path })
    const names = [...new Set(rows.flatMap((r) => [...r.keys()]))].slice(0, mostColumns)
    return names.map((name) => {
      const cells: Cells = { kind: 'values', values: rows.map((r) => r.get(name)) }
      return sampleColumn(name, cells, null, false)
    })
  },

  async shards(path, id): Promise<readonly ShardSpec[]> {
    const { size } = await readHead(path, 64)
    return [{ id, format: 'tar', path, bytes: size, expectedRows: null, options: {} }]
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const names = tap ? (await tar.columns(shard.path, {})).map((c) => c.name) : []
    const buffer = rowBuffer(roles, shard.path, issue, tap && { tap, names })
    let n = 0
    try {
      for await (const sample of tarSamples(shard.path)) {
        const row = n++
        if (sample.tooLong.length > 0) {
          issue({ code: 'too-long', row, column: sample.tooLong[0] as string, rejected: true })
          continue
        }
        const { values, badJson } = valuesOf(sample)
        if (badJson) {
          issue({ code: 'invalid-json', row, column: badJson, rejected: true })
          continue
        }
        for (const [k, name] of buffer.names.entries()) buffer.values[k]?.push(values.get(name))
        if (!buffer.push(row, row + 1, sample.bytes)) continue
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
