import { Binary, Bool, type Data, Field, Float32, Float64, Int32, Int64, List, makeData, Utf8 } from 'apache-arrow'
import pg from 'pg'
import { binary, utf8 } from '../contracts/batch.ts'
import { jsonType } from '../sources/arrow-vectors.ts'

/** A column of a result: PostgreSQL sends text, the copy holds the values. */
export interface StoredColumn {
  readonly name: string
  readonly field: Field
  make(cells: readonly (string | null)[]): Data
}

/** What the server says of a column. */
export interface ServerField {
  readonly name: string
  readonly dataTypeID: number
  readonly dataTypeModifier: number
}

const oids = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  json: 114,
  jsonb: 3802,
  float4: 700,
  float8: 701,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
} as const
const listOids: ReadonlyMap<number, 'f4' | 'f8'> = new Map([
  [1005, 'f8'],
  [1007, 'f8'],
  [1016, 'f8'],
  [1021, 'f4'],
  [1022, 'f8'],
  [1231, 'f8'],
])
const textLists: ReadonlySet<number> = new Set([1002, 1009, 1014, 1015, 2951])

/** Bits of the rows that hold a value; nothing where all do. */
function validity(cells: readonly (string | null)[]): { nullBitmap?: Uint8Array; nullCount: number } {
  let nullBitmap: Uint8Array | undefined
  let nullCount = 0
  cells.forEach((cell, i) => {
    if (cell !== null) return
    nullBitmap ??= new Uint8Array(Math.ceil(cells.length / 64) * 8).fill(255)
    nullBitmap[i >> 3] = (nullBitmap[i >> 3] as number) & ~(1 << (i & 7))
    nullCount++
  })
  return { ...(nullBitmap ? { nullBitmap } : {}), nullCount }
}

const doubles = (cells: readonly (string | null)[]): Data =>
  makeData({
    type: new Float64(),
    length: cells.length,
    ...validity(cells),
    data: Float64Array.from(cells, (c) => (c === null ? 0 : Number(c))),
  })

const integers = (cells: readonly (string | null)[]): Data =>
  makeData({
    type: new Int32(),
    length: cells.length,
    ...validity(cells),
    data: Int32Array.from(cells, (c) => (c === null ? 0 : Number(c))),
  })

const longs = (cells: readonly (string | null)[]): Data =>
  makeData({ type: new Int64(), length: cells.length, ...validity(cells), data: BigInt64Array.from(cells, (c) => BigInt(c ?? 0)) })

function booleans(cells: readonly (string | null)[]): Data {
  const data = new Uint8Array(Math.ceil(cells.length / 64) * 8)
  cells.forEach((c, i) => {
    if (c === 't') data[i >> 3] = (data[i >> 3] as number) | (1 << (i & 7))
  })
  return makeData({ type: new Bool(), length: cells.length, ...validity(cells), data })
}

/** `{1,2,NULL}` and pgvector's `[1,2]`. A list inside of a list gives NaN, which is told of the row when it is read. */
const numbersIn = (cell: string | null): number[] =>
  cell === null || cell.length <= 2
    ? []
    : cell
        .slice(1, -1)
        .split(',')
        .map((item) => (item === '' ? Number.NaN : Number(item)))

function lists(cells: readonly (string | null)[], width: 'f4' | 'f8'): Data {
  const items = cells.map(numbersIn)
  const valueOffsets = new Int32Array(cells.length + 1)
  items.forEach((list, i) => {
    valueOffsets[i + 1] = (valueOffsets[i] as number) + list.length
  })
  const flat = items.flat()
  const child =
    width === 'f4'
      ? makeData({ type: new Float32(), data: Float32Array.from(flat) })
      : makeData({ type: new Float64(), data: Float64Array.from(flat) })
  const type = new List(new Field('item', child.type, false))
  return makeData({ type, length: cells.length, ...validity(cells), valueOffsets, child } as never) as Data
}

/** `2026-11-27 05:00:00+00` as ISO 8601; what is no date of our calendar stays as the server writes it. */
const isoOf = (cell: string | null): string | null => {
  const match = cell === null ? null : /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:\d{2}(?:\.\d+)?)(\+00)?$/.exec(cell)
  return match ? `${match[1]}T${match[2]}${match[3] ? 'Z' : ''}` : cell
}

const bytesOf = (cell: string | null): Uint8Array | null => (cell === null ? null : Buffer.from(cell.slice(2), 'hex'))

const precisionOf = (modifier: number): number => (modifier < 4 ? Number.POSITIVE_INFINITY : ((modifier - 4) >> 16) & 0xffff)

const json = new Map([[jsonType.key, jsonType.value]])

/** @param typeNames names of types by oid, of those that an extension made */
export function storedColumn(f: ServerField, typeNames: ReadonlyMap<number, string>): StoredColumn {
  const of = (type: Field['type'], make: StoredColumn['make'], metadata?: Map<string, string>): StoredColumn => ({
    name: f.name,
    field: new Field(f.name, type, true, metadata),
    make,
  })
  const oid = f.dataTypeID
  const extension = typeNames.get(oid)
  const width = extension === 'vector' || extension === 'halfvec' ? 'f4' : listOids.get(oid)
  if (width) return of(new List(new Field('item', width === 'f4' ? new Float32() : new Float64(), false)), (cells) => lists(cells, width))
  if (oid === oids.bool) return of(new Bool(), booleans)
  if (oid === oids.int2 || oid === oids.int4) return of(new Int32(), integers)
  if (oid === oids.int8) return of(new Int64(), longs)
  if (oid === oids.float4 || oid === oids.float8) return of(new Float64(), doubles)
  // a double is exact to the last of 15 digits
  if (oid === oids.numeric && precisionOf(f.dataTypeModifier) <= 15) return of(new Float64(), doubles)
  if (oid === oids.bytea) return of(new Binary(), (cells) => binary(cells.map(bytesOf)))
  if (oid === oids.json || oid === oids.jsonb) return of(new Utf8(), utf8, json)
  if (textLists.has(oid)) {
    const parse = pg.types.getTypeParser(1009 as never, 'text') as (text: string) => unknown
    return of(new Utf8(), (cells) => utf8(cells.map((c) => (c === null ? null : JSON.stringify(parse(c))))), json)
  }
  if (oid === oids.timestamp || oid === oids.timestamptz) return of(new Utf8(), (cells) => utf8(cells.map(isoOf)))
  return of(new Utf8(), utf8)
}
