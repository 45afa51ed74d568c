import { readContent, readHead } from '../../sources/bytes.ts'
import { limits } from '../../sources/limits.ts'
import type { RowChange } from '../changes.ts'
import { InjectError } from '../errors.ts'
import { writePieces } from './text-file.ts'
import { ChangeCursor, type CopyWriter, categoryPlaces, columnOf, featurePlaces, storedLabel } from './writer.ts'

type Json = Record<string, unknown>

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A new value in place of the old one, of its kind where that can hold it. */
const alike = (old: unknown, value: string): unknown =>
  typeof old === 'number' && value.trim() !== '' && Number.isFinite(Number(value))
    ? Number(value)
    : typeof old === 'boolean'
      ? value === 'true'
      : value

/** The object that holds a column, and its key: the column's name, else a path through nested objects. */
function holder(record: Json, column: string): readonly [Json, string] {
  if (Object.hasOwn(record, column)) return [record, column]
  const path = column.split('.')
  let at: Json = record
  for (const key of path.slice(0, -1)) {
    const next = Object.hasOwn(at, key) ? at[key] : undefined
    if (!isObject(next)) throw new InjectError('missing-field', `a record has no field ${JSON.stringify(column)}`)
    at = next
  }
  return [at, path.at(-1) as string]
}

function put(record: Json, column: string, value: (old: unknown) => unknown): void {
  const [object, key] = holder(record, column)
  object[key] = value(object[key])
}

const lastPart = 10

/** Lines with their ends, a piece of a line where it is longer than a record may be. */
async function* lines(path: string): AsyncGenerator<{ readonly bytes: Buffer; readonly whole: boolean; readonly ends: boolean }> {
  let carry: Buffer = Buffer.alloc(0)
  let cut = false
  for await (const piece of readContent(path)) {
    let from = 0
    for (let end = piece.indexOf(lastPart); end >= 0; end = piece.indexOf(lastPart, from)) {
      const part = piece.subarray(from, end + 1)
      yield { bytes: carry.length ? Buffer.concat([carry, part]) : Buffer.from(part), whole: !cut, ends: true }
      carry = Buffer.alloc(0)
      cut = false
      from = end + 1
    }
    carry = Buffer.concat([carry, piece.subarray(from)])
    if (carry.length <= limits.recordBytes) continue
    yield { bytes: carry, whole: false, ends: false }
    carry = Buffer.alloc(0)
    cut = true
  }
  if (carry.length || cut) yield { bytes: carry, whole: !cut, ends: true }
}

export const writeJsonl: CopyWriter = async (job) => {
  const [shard] = job.shards
  if (!shard) return null
  const cursor = new ChangeCursor(job)
  const { gzip } = await readHead(job.path, 64)
  const edit = (text: string, change: RowChange): string => {
    let record: unknown
    try {
      record = JSON.parse(text)
    } catch {
      record = null
    }
    if (!isObject(record))
      throw new InjectError(
        'unsupported',
        `${job.path}: row ${change.row} is no strict JSON object and cannot be written anew`,
        undefined,
        { file: job.path },
        2,
      )
    const { label, text: words, response, numbers } = change
    if (label !== undefined) put(record, columnOf(shard, 'label'), (old) => alike(old, storedLabel(shard, label)))
    if (words !== undefined) put(record, columnOf(shard, 'text'), () => words)
    if (response !== undefined) put(record, columnOf(shard, 'response'), () => response)
    for (const { column, item, value } of featurePlaces(shard, numbers ?? []))
      put(record, column, (old) => (item !== null && Array.isArray(old) ? old.with(item, value) : value))
    for (const { column, value } of categoryPlaces(shard, change)) put(record, column, (old) => alike(old, value))
    return JSON.stringify(record)
  }
  async function* pieces(): AsyncGenerator<Uint8Array> {
    let row = 0
    let held: Buffer[] = []
    let size = 0
    for await (const { bytes, whole, ends } of lines(job.path)) {
      let out = bytes
      if (
        ends &&
        !(
          whole &&
          bytes
            .toString('latin1')
            .replace(/^\xef\xbb\xbf/, '')
            .trim() === ''
        )
      ) {
        const change = await cursor.at(row++)
        if (change) {
          const text = bytes.toString('utf8')
          const end = /\r?\n$/.exec(text)?.[0] ?? ''
          out = Buffer.from(edit(text.replace(/^\ufeff/, ''), change) + end)
        }
      }
      held.push(out)
      size += out.length
      if (size < limits.textPieceBytes) continue
      yield Buffer.concat(held)
      held = []
      size = 0
    }
    yield Buffer.concat(held)
  }
  await writePieces(job.out(job.path), gzip, pieces())
  await cursor.end(job.path)
  return null
}
