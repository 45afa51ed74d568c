import { isUtf8 } from 'node:buffer'
import { type Data, DataType, type Decimal, MapRow, type RecordBatch, type Timestamp, Vector } from 'apache-arrow'
import { type Cells, invalidUtf8, type NumberArray } from '../contracts/chunk.ts'
import { fromHalf, fromInt64 } from './npy-items.ts'
import { isoInstant, isoTime } from './times.ts'

const broken = (what: string): never => {
  throw new Error(what)
}

/** 1 where rows `from` to `to` hold a value; null where all do. */
function validityOf(data: Data, from: number, to: number): Uint8Array | null {
  const bits = data.nullBitmap
  if (!bits || bits.length === 0 || data.nullCount === 0) return null
  if (bits.length * 8 < data.offset + to) broken('a validity bitmap is too short')
  let valid: Uint8Array | null = null
  for (let i = from; i < to; i++) {
    const at = data.offset + i
    if ((bits[at >> 3] as number) & (1 << (at & 7))) continue
    valid ??= new Uint8Array(to - from).fill(1)
    valid[i - from] = 0
  }
  return valid
}

const both = (a: Uint8Array | null, b: Uint8Array | null): Uint8Array | null => (a && b ? a.map((v, i) => v & (b[i] as number)) : (a ?? b))

/** The values from `from` to `to` of a column with one number a row. */
function span(data: Data, from: number, to: number): NumberArray {
  const values = data.values as NumberArray
  if (!values || values.length < to) broken('a column is shorter than its batch')
  return values.subarray(from, to)
}

function numbersOf(data: Data, from: number, to: number): NumberArray | null {
  const { type } = data
  if (DataType.isFloat(type) && type.precision === 0) return fromHalf(span(data, from, to) as Uint16Array)
  if (!DataType.isInt(type) && !DataType.isFloat(type)) return null
  const values = span(data, from, to)
  return values instanceof BigInt64Array || values instanceof BigUint64Array ? fromInt64(values) : values
}

/** Offsets `from` to `to` inclusive, checked to rise within `limit`. */
function offsetsOf(data: Data, from: number, to: number, limit: number): Float64Array {
  const raw = data.valueOffsets as unknown as Int32Array | BigInt64Array
  const out = new Float64Array(to - from + 1)
  if (to === from) return out
  if (!raw || raw.length <= to) broken('offsets are missing')
  let last = 0
  for (let i = from; i <= to; i++) {
    const at = Number(raw[i])
    if (!(at >= last && at <= limit)) broken('offsets out of range')
    out[i - from] = at
    last = at
  }
  return out
}

function bytesOf(data: Data, from: number, to: number, text: boolean): (string | Uint8Array | typeof invalidUtf8)[] {
  const values = data.values as Uint8Array
  const offsets = offsetsOf(data, from, to, values.length)
  const buffer = Buffer.from(values.buffer, values.byteOffset, values.byteLength)
  const clean = text && isUtf8(buffer.subarray(offsets[0] ?? 0, offsets[to - from] ?? 0))
  const out: (string | Uint8Array | typeof invalidUtf8)[] = new Array(to - from)
  for (let i = 0; i < out.length; i++) {
    const [a, b] = [offsets[i] as number, offsets[i + 1] as number]
    if (!text) out[i] = values.slice(a, b)
    else if (clean || isUtf8(buffer.subarray(a, b))) out[i] = buffer.toString('utf8', a, b)
    else out[i] = invalidUtf8
  }
  return out
}

/** Views: length, then the bytes in place or a prefix, a buffer and an offset (Arrow columnar format, "Variable-size Binary View"). */
function viewsOf(data: Data, from: number, to: number, text: boolean): (string | Uint8Array | typeof invalidUtf8)[] {
  const views = data.values as unknown as Uint8Array
  const buffers = (data as { variadicBuffers?: readonly Uint8Array[] }).variadicBuffers ?? []
  if (!views || views.byteLength < to * 16) return broken('views are missing')
  const dv = new DataView(views.buffer, views.byteOffset, views.byteLength)
  const out: (string | Uint8Array | typeof invalidUtf8)[] = []
  for (let i = from; i < to; i++) {
    const length = dv.getInt32(16 * i, true)
    const inline = length <= 12
    const source = inline ? views : buffers[dv.getInt32(16 * i + 8, true)]
    const start = inline ? 16 * i + 4 : dv.getInt32(16 * i + 12, true)
    if (!source || length < 0 || start < 0 || start + length > source.byteLength) return broken('a view out of range')
    const bytes = source.subarray(start, start + length)
    out.push(!text ? bytes.slice() : isUtf8(bytes) ? Buffer.from(bytes).toString('utf8') : invalidUtf8)
  }
  return out
}

/** 128- and 256-bit little-endian integers over a power of ten; a number where it is exact to the last digit, else text. */
function decimalsOf(data: Data<Decimal>, from: number, to: number): (number | string)[] {
  const { scale, precision, bitWidth } = data.type
  const words = bitWidth / 32
  const values = data.values as unknown as Uint32Array
  if (!values || values.length < to * words || Math.abs(scale) > 76) broken('decimals are missing')
  const out: (number | string)[] = []
  for (let i = from; i < to; i++) {
    let n = 0n
    for (let w = words - 1; w >= 0; w--) n = (n << 32n) | BigInt((values[i * words + w] as number) >>> 0)
    n = BigInt.asIntN(bitWidth, n)
    const digits = (n < 0n ? -n : n).toString().padStart(Math.max(scale, 0) + 1, '0')
    const cut = digits.length - Math.max(scale, 0)
    const fraction = digits.slice(cut).replace(/0+$/, '')
    const text = `${n < 0n ? '-' : ''}${digits.slice(0, cut)}${'0'.repeat(Math.max(-scale, 0))}${fraction ? `.${fraction}` : ''}`
    out.push(precision <= 15 ? Number(text) : text)
  }
  return out
}

/** Digits of a second's fraction by unit. */
const digits = [0, 3, 6, 9] as const

function timesOf(data: Data, from: number, to: number): (string | null)[] | null {
  const { type } = data
  if (DataType.isDate(type)) {
    const values = span(data, from, to)
    const unit = type.unit === 0 ? 86_400_000 : 1
    return Array.from(values as ArrayLike<number | bigint>, (v) => isoTime(Number(v) * unit))
  }
  if (!DataType.isTimestamp(type)) return null
  return Array.from(span(data, from, to) as unknown as BigInt64Array, (v) => isoInstant(BigInt(v), digits[(type as Timestamp).unit] ?? 0))
}

function booleansOf(data: Data, from: number, to: number): boolean[] {
  const bits = data.values as Uint8Array
  if (!bits || bits.length * 8 < data.offset + to) broken('booleans are missing')
  return Array.from({ length: to - from }, (_, i) => {
    const at = data.offset + from + i
    return ((bits[at >> 3] as number) & (1 << (at & 7))) !== 0
  })
}

/** Only the words that occur in these rows are decoded. */
function wordsOf(data: Data, from: number, to: number, valid: Uint8Array | null): Cells {
  const indices = span(data, from, to)
  const dictionary = data.dictionary as Vector | undefined
  if (!dictionary) return broken('a dictionary is missing')
  const chunks = dictionary.data
  const words: unknown[] = []
  const local = new Map<number, number>()
  const codes = new Int32Array(to - from).fill(-1)
  for (let i = 0; i < codes.length; i++) {
    if (valid && !valid[i]) continue
    const index = Number(indices[i])
    let code = local.get(index)
    if (code === undefined) {
      let at = index
      let c = 0
      while (c < chunks.length && at >= (chunks[c]?.length ?? 0)) at -= chunks[c++]?.length ?? 0
      const chunk = chunks[c]
      if (!(at >= 0) || !chunk) return broken('an index outside of its dictionary')
      const value = cellsOf(chunk, null, at, at + 1)
      code = words.push(value.kind === 'values' ? value.values[0] : value.kind === 'numbers' && !value.valid ? value.data[0] : null) - 1
      local.set(index, code)
    }
    codes[i] = code
  }
  if (words.every((w) => typeof w === 'string' || w === invalidUtf8)) return { kind: 'codes', codes, values: words as string[] }
  return { kind: 'values', values: Array.from(codes, (c) => (c < 0 ? null : words[c])) }
}

function listsOf(data: Data, from: number, to: number, valid: Uint8Array | null): Cells | null {
  const child = data.children[0]
  if (!child) return broken('a list without elements')
  if (DataType.isFixedSizeList(data.type)) {
    const dims = data.type.listSize
    if (!(dims >= 0) || child.length < to * dims) broken('lists are shorter than declared')
    const numbers = numbersOf(child, from * dims, to * dims)
    if (!numbers || dims === 0) return null
    return { kind: 'lists', data: numbers, dims, starts: null, lengths: null, valid, itemValid: validityOf(child, from * dims, to * dims) }
  }
  const offsets = offsetsOf(data, from, to, child.length)
  const low = offsets[0] as number
  const high = offsets[to - from] as number
  const numbers = numbersOf(child, low, high)
  if (!numbers) return null
  const starts = Uint32Array.from({ length: to - from }, (_, i) => (offsets[i] as number) - low)
  const lengths = Uint32Array.from({ length: to - from }, (_, i) => (offsets[i + 1] as number) - (offsets[i] as number))
  return { kind: 'lists', data: numbers, dims: null, starts, lengths, valid, itemValid: validityOf(child, low, high) }
}

/** Lists of texts, structs in lists, maps, times of day ...: as arrays, objects, numbers and texts. */
function nested(data: Data, from: number, to: number): unknown[] {
  const vector = new Vector([data])
  return Array.from({ length: to - from }, (_, i) => plain(vector.get(from + i)))
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (value instanceof Date) return isoTime(value.getTime())
  if (value instanceof Vector) return Array.from(value, plain)
  if (ArrayBuffer.isView(value)) return Array.from(value as unknown as ArrayLike<number>)
  const entries = [...(value as Iterable<[unknown, unknown]>)]
  if (value instanceof MapRow) return entries.map(([key, v]) => ({ key: plain(key), value: plain(v) }))
  return Object.fromEntries(entries.map(([key, v]) => [key, plain(v)]))
}

/** Rows `from` to `to` of a column; `above` is the validity of the structs around it. Throws Error where a buffer is too short. */
export function cellsOf(data: Data, above: Uint8Array | null, from: number, to: number): Cells {
  const { type } = data
  const valid = both(above, validityOf(data, from, to))
  const numbers = numbersOf(data, from, to)
  if (numbers) return { kind: 'numbers', data: numbers, valid }
  if (DataType.isDictionary(type)) return wordsOf(data, from, to, valid)
  if (DataType.isFixedSizeList(type) || DataType.isList(type) || DataType.isLargeList(type)) {
    const lists = listsOf(data, from, to, valid)
    if (lists) return lists
  }
  let values: readonly unknown[]
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type)) values = bytesOf(data, from, to, true)
  else if (DataType.isBinary(type) || DataType.isLargeBinary(type)) values = bytesOf(data, from, to, false)
  else if (DataType.isUtf8View(type)) values = viewsOf(data, from, to, true)
  else if (DataType.isBinaryView(type)) values = viewsOf(data, from, to, false)
  else if (DataType.isFixedSizeBinary(type)) {
    const width = type.byteWidth
    const bytes = data.values as Uint8Array
    if (!(width > 0) || bytes.length < to * width) broken('binary values are missing')
    values = Array.from({ length: to - from }, (_, i) => bytes.slice((from + i) * width, (from + i + 1) * width))
  } else if (DataType.isBool(type)) values = booleansOf(data, from, to)
  else if (DataType.isDecimal(type)) values = decimalsOf(data as Data<Decimal>, from, to)
  else if (DataType.isNull(type)) values = new Array(to - from).fill(null)
  else values = timesOf(data, from, to) ?? nested(data, from, to)
  return { kind: 'values', values: valid ? values.map((v, i) => (valid[i] ? v : null)) : values }
}

/** Arrow's canonical extension type for JSON: texts that are read as what they hold. */
export const jsonType = { key: 'ARROW:extension:name', value: 'arrow.json' } as const

/** As it is where it is no JSON: then it is told as a value of another kind than the others. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}

export interface ArrowLeaf {
  /** `image.bytes`: the fields of a struct are columns of their own. */
  readonly name: string
  readonly path: readonly number[]
  readonly type: string
  readonly json: boolean
}

/** The columns of a schema, structs taken apart. */
export function arrowLeaves(
  fields: readonly { name: string; type: DataType; metadata?: ReadonlyMap<string, string> }[],
  prefix = '',
  path: readonly number[] = [],
): ArrowLeaf[] {
  return fields.flatMap((field, i) => {
    const name = prefix + field.name
    if (DataType.isStruct(field.type) && path.length < 6) return arrowLeaves(field.type.children, `${name}.`, [...path, i])
    const type = String(field.type)
    const json = DataType.isUtf8(field.type) && field.metadata?.get(jsonType.key) === jsonType.value
    return [{ name, path: [...path, i], type: json ? 'JSON' : type.length > 60 ? `${type.slice(0, 60)}...` : type, json }]
  })
}

export function leafCells(batch: RecordBatch, leaf: ArrowLeaf, from: number, to: number): Cells {
  let data = batch.data as Data
  let valid: Uint8Array | null = null
  for (const i of leaf.path) {
    if (data !== batch.data) valid = both(valid, validityOf(data, from, to))
    data = (data.children[i] as Data | undefined) ?? broken('a column is missing')
    if (data.length < to) broken('a column is shorter than its batch')
  }
  const cells = cellsOf(data, valid, from, to)
  return leaf.json && cells.kind === 'values' ? { ...cells, values: cells.values.map(parsed) } : cells
}
