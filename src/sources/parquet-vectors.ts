import type { DuckDBDataChunk, DuckDBVector } from '@duckdb/node-api'
import type { Cells, NumberArray } from '../contracts/chunk.ts'
import { limits } from './limits.ts'
import { fromInt64 } from './npy-items.ts'
import { type ReadPointer, textsOf } from './parquet-texts.ts'
import { isoInstant } from './times.ts'

/** The parts of DuckDB's vectors that are read without making a JavaScript object of every value. */
interface Raw {
  readonly items?: NumberArray
  readonly dataView?: DataView
  readonly validity: { readonly data: BigUint64Array | null; itemValid(i: number): boolean }
  readonly childVector?: DuckDBVector
  readonly childData?: DuckDBVector
  readonly arrayType?: { readonly length: number }
  readonly entryData?: BigUint64Array
}

const raw = (vector: DuckDBVector): Raw => vector as unknown as Raw

/** 1 where there is a value, null where there is one everywhere. */
function validityOf(vector: DuckDBVector, from: number, to: number): Uint8Array | null {
  const { validity } = raw(vector)
  if (!validity.data) return null
  let valid: Uint8Array | null = null
  for (let i = from; i < to; i++) {
    if (validity.itemValid(i)) continue
    valid ??= new Uint8Array(to - from).fill(1)
    valid[i - from] = 0
  }
  return valid
}

const isNumbers = (items: unknown): items is NumberArray =>
  ArrayBuffer.isView(items) && !(items instanceof DataView) && !(items instanceof Uint8ClampedArray)

const numericTypes = /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER|UBIGINT|FLOAT|DOUBLE)$/

/** A copy of the numbers of a vector: its memory goes with the chunk. */
function numbersOf(vector: DuckDBVector, from: number, to: number): NumberArray | null {
  const { items } = raw(vector)
  if (!numericTypes.test(String(vector.type)) || !isNumbers(items)) return null
  const copy = items.slice(from, to)
  return copy instanceof BigInt64Array || copy instanceof BigUint64Array ? fromInt64(copy) : copy
}

function listsOf(vector: DuckDBVector, from: number, to: number): Cells | null {
  const { childVector, childData, arrayType, entryData } = raw(vector)
  const child = childVector ?? childData
  if (!child) return null
  const valid = validityOf(vector, from, to)
  const fixed = arrayType?.length
  if (fixed !== undefined) {
    const data = numbersOf(child, from * fixed, to * fixed)
    if (!data) return null
    return { kind: 'lists', data, dims: fixed, starts: null, lengths: null, valid, itemValid: validityOf(child, from * fixed, to * fixed) }
  }
  if (!entryData) return null
  const starts = new Uint32Array(to - from)
  const lengths = new Uint32Array(to - from)
  let low = Number.POSITIVE_INFINITY
  let high = 0
  for (let i = from; i < to; i++) {
    if (valid && !valid[i - from]) continue
    const start = Number(entryData[2 * i])
    const length = Number(entryData[2 * i + 1])
    starts[i - from] = start
    lengths[i - from] = length
    if (length > 0) low = Math.min(low, start)
    high = Math.max(high, start + length)
  }
  if (high === 0) low = 0
  const data = numbersOf(child, low, high)
  if (!data) return null
  for (let i = 0; i < starts.length; i++) starts[i] = Math.max((starts[i] as number) - low, 0)
  return { kind: 'lists', data, dims: null, starts, lengths, valid, itemValid: validityOf(child, low, high) }
}

interface Decimal {
  readonly width: number
  toDouble(): number
}

/** A decimal as a number where a double is exact to its last digit, else as text. */
const decimal = (value: Decimal): number | string => {
  if (value.width <= 15) return value.toDouble()
  const text = String(value)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

interface Timestamp {
  readonly seconds?: bigint
  readonly millis?: bigint
  readonly micros?: bigint
  readonly nanos?: bigint
}

/** A timestamp of any unit; DuckDB's own text would be in the time zone of this machine. */
function timestamp(value: object): string | null {
  if (!value.constructor.name.startsWith('DuckDBTimestamp')) return null
  const { seconds, millis, micros, nanos } = value as Timestamp
  if (micros !== undefined) return isoInstant(micros, 6)
  if (millis !== undefined) return isoInstant(millis, 3)
  if (nanos !== undefined) return isoInstant(nanos, 9)
  return seconds === undefined ? null : isoInstant(seconds, 0)
}

function plain(value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return value
  const v = value as { bytes?: unknown; width?: unknown; items?: unknown; toDouble?: unknown; entries?: unknown }
  if (v.bytes instanceof Uint8Array) return Uint8Array.from(v.bytes)
  if (typeof v.toDouble === 'function' && typeof v.width === 'number') return decimal(value as Decimal)
  if (Array.isArray(v.items)) return v.items.map(plain)
  if (Array.isArray(v.entries))
    return v.entries.map((e: { key: unknown; value: unknown }) => ({ key: plain(e.key), value: plain(e.value) }))
  if (typeof v.entries === 'object' && v.entries !== null)
    return Object.fromEntries(Object.entries(v.entries).map(([k, x]) => [k, plain(x)]))
  return timestamp(value) ?? String(value)
}

/** Rows `from` to `to` of a vector, copied. */
export function cellsOf(vector: DuckDBVector, from: number, to: number, read: ReadPointer): Cells {
  const data = numbersOf(vector, from, to)
  if (data) return { kind: 'numbers', data, valid: validityOf(vector, from, to) }
  const lists = listsOf(vector, from, to)
  if (lists) return lists
  const { dataView } = raw(vector)
  if (dataView && dataView.byteOffset % 4 === 0 && String(vector.type) === 'VARCHAR')
    return { kind: 'values', values: textsOf(dataView, from, to, validityOf(vector, from, to), read) }
  const values: unknown[] = []
  for (let i = from; i < to; i++) values.push(plain(vector.getItem(i)))
  return { kind: 'values', values }
}

/** 0, ..., row count: between two of them the long fields of a chunk stay below a batch's bytes. */
export function cuts(chunk: DuckDBDataChunk): number[] {
  const rows = chunk.rowCount
  const views: DataView[] = []
  for (let c = 0; c < chunk.columnCount; c++) {
    const vector = chunk.getColumnVector(c)
    const { dataView } = raw(vector)
    if (dataView && /^(VARCHAR|BLOB)$/.test(String(vector.type))) views.push(dataView)
  }
  const out = [0]
  let size = 0
  for (let i = 0; i < rows; i++) {
    let bytes = 0
    for (const view of views) bytes += view.getUint32(16 * i, true)
    if (size > 0 && size + bytes > limits.batchBytes) {
      out.push(i)
      size = 0
    }
    size += bytes
  }
  out.push(rows)
  return out
}
