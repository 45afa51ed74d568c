import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { type Cells, invalidUtf8, type Lists } from '../../contracts/chunk.ts'
import type { FieldType } from '../../contracts/snapshot.ts'
import { fromEpoch, type Instant, narrow, parseBool, parseFloat64, parseInteger, parseTime } from './parse.ts'
import type { FieldSpec } from './schema.ts'
import type { Sketch } from './sketch.ts'
import { packNumbers } from './vectors.ts'

/**
 * `assay-record-1`: a record as text, which is digested in UTF-8. Fields in the order of their names by code unit, missing
 * ones left out, each `;` length of the name `:` name value. Lengths are in UTF-16 code units or bytes. A value is
 *
 * | | |
 * |---|---|
 * | text | `t` length `:` text |
 * | number | `n` and the shortest decimal that reads as the same double (ECMAScript), 0 for -0 |
 * | integer that no double holds | `i` digits |
 * | boolean | `b0` or `b1` |
 * | time | `d` milliseconds since 1970, where there are any `.` nanoseconds beyond them |
 * | bytes | `x` length `:` SHA-256 |
 * | list of numbers | `v` type count `:` SHA-256 of them in the narrowest of u1, i4, f4, f8 that holds all |
 * | other list | `[`, each value with `,` before it (`z` where missing), `]` |
 * | object | `{`, its fields as above, `}` |
 * | of another type than the schema declares | `!` and the value by its own kind |
 *
 * It reads back in one way only, so no two records have one text. An empty text is a missing one: CSV knows no difference.
 */
export interface Encoder {
  /** Digested beside the text, for records without ids. */
  readonly sketch: Sketch | null
  readonly nulls: ReadonlySet<string>
  /** Called where a value does not have its declared type. */
  misfit(value: unknown): void
}

/** A row cannot be told from others: its bytes are not known. */
export class Unreadable extends Error {}

const lengths = Array.from({ length: 2048 }, (_, n) => `t${n}:`)

export const textValue = (text: string): string => (lengths[text.length] ?? `t${text.length}:`) + text

export const fieldPrefix = (name: string): string => `;${name.length}:${name}`

const numberValue = (v: number): string => (v === 0 ? 'n0' : `n${v}`)

const integerValue = (v: bigint): string => {
  const n = narrow(v)
  return typeof n === 'number' ? numberValue(n) : `i${n}`
}

const timeValue = ({ ms, nanos }: Instant): string => (nanos === 0 ? `d${ms}` : `d${ms}.${nanos}`)

function bytesValue(bytes: Uint8Array, e: Encoder): string {
  e.sketch?.bytes(bytes)
  return `x${bytes.length}:${hash('sha256', bytes, 'hex')}`
}

function vectorValue(data: ArrayLike<number>, start: number, length: number, round: boolean, e: Encoder): string {
  if (length === 0) return '[]'
  const { type, bytes } = packNumbers(data, start, length, round)
  e.sketch?.bytes(bytes)
  return `v${type}${length}:${hash('sha256', bytes, 'hex')}`
}

type Data = Lists['data']

const isBig = (data: unknown): data is BigInt64Array | BigUint64Array => data instanceof BigInt64Array || data instanceof BigUint64Array

const isNumberArray = (value: unknown): value is Data =>
  ArrayBuffer.isView(value) && !(value instanceof DataView) && !(value instanceof Uint8Array)

const maxDepth = 64

/** A value by its own kind; null where it is missing. */
export function byValue(value: unknown, e: Encoder, depth = 0): string | null {
  switch (typeof value) {
    case 'string':
      return value === '' && depth === 0 ? null : textValue(value)
    case 'number':
      return numberValue(value)
    case 'boolean':
      return value ? 'b1' : 'b0'
    case 'bigint':
      return integerValue(value)
    case 'symbol':
      throw new Unreadable()
    case 'object':
      if (value === null) return null
      if (depth > maxDepth) throw new Unreadable()
      if (value instanceof Uint8Array) return bytesValue(value, e)
      if (value instanceof Date) return timeValue({ ms: value.getTime(), nanos: 0 })
      if (Array.isArray(value)) return listByValue(value, e, depth)
      if (isNumberArray(value))
        return isBig(value) ? listByValue(Array.from(value), e, depth) : vectorValue(value, 0, value.length, false, e)
      return objectByValue(value as Readonly<Record<string, unknown>>, e, depth)
    default:
      return null
  }
}

function listByValue(list: readonly unknown[], e: Encoder, depth: number): string {
  const plain = list.every((v) => typeof v === 'bigint') ? (list as readonly bigint[]).map(narrow) : list
  if (plain.every((v) => typeof v === 'number')) return vectorValue(plain as readonly number[], 0, plain.length, false, e)
  return `[${list.map((v) => `,${byValue(v, e, depth + 1) ?? 'z'}`).join('')}]`
}

function objectByValue(object: Readonly<Record<string, unknown>>, e: Encoder, depth: number): string {
  let out = '{'
  for (const name of Object.keys(object).sort()) {
    const value = byValue(object[name], e, depth + 1)
    if (value !== null) out += fieldPrefix(name) + value
  }
  return `${out}}`
}

/** Bytes that are text as text. */
const unpacked = (value: unknown): unknown =>
  value instanceof Uint8Array && isUtf8(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8') : value

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** As the declared type; null missing, undefined of another type. */
function scalar(type: FieldType, given: unknown, e: Encoder): string | null | undefined {
  if (given === null || given === undefined || given === '') return null
  if (given === invalidUtf8) throw new Unreadable()
  const value = type === 'binary' ? given : unpacked(given)
  const text = typeof value === 'string'
  if (text && type !== 'text' && e.nulls.has(value.trim())) return null
  switch (type) {
    case 'text': {
      if (text) return value === '' ? null : textValue(value)
      if (typeof value === 'number') return textValue(String(value === 0 ? 0 : value))
      return typeof value === 'bigint' || typeof value === 'boolean' ? textValue(String(value)) : undefined
    }
    case 'int64': {
      const n = text ? parseInteger(value) : value
      if (typeof n === 'number') return Number.isInteger(n) ? numberValue(n) : undefined
      return typeof n === 'bigint' ? integerValue(n) : typeof n === 'boolean' ? numberValue(Number(n)) : undefined
    }
    case 'float64':
    case 'float32': {
      const n = text ? parseFloat64(value) : typeof value === 'bigint' || typeof value === 'boolean' ? Number(value) : value
      if (typeof n !== 'number') return undefined
      if (type === 'float64') return numberValue(n)
      const single = Math.fround(n)
      return Number.isFinite(n) && !Number.isFinite(single) ? undefined : numberValue(single)
    }
    case 'bool': {
      const b = text ? parseBool(value) : value === 1 || value === 1n ? true : value === 0 || value === 0n ? false : value
      return typeof b === 'boolean' ? (b ? 'b1' : 'b0') : undefined
    }
    case 'timestamp': {
      const t = instant(value)
      return t && timeValue(t)
    }
    case 'binary': {
      if (value instanceof Uint8Array) return bytesValue(value, e)
      return text && base64.test(value) ? bytesValue(Buffer.from(value, 'base64'), e) : undefined
    }
  }
}

/** Any value as an instant; undefined where it is none. */
export function instant(value: unknown): Instant | undefined {
  if (typeof value === 'string') return parseTime(value)
  if (typeof value === 'number' || typeof value === 'bigint') return fromEpoch(value)
  return value instanceof Date ? { ms: value.getTime(), nanos: 0 } : undefined
}

const jsonList = (text: string): unknown => {
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) ? list : text
  } catch {
    return text
  }
}

function list(spec: FieldSpec, given: unknown, e: Encoder): string | null | undefined {
  if (given === null || given === undefined || given === '') return null
  const value = typeof given === 'string' ? (e.nulls.has(given.trim()) ? null : jsonList(given)) : given
  if (value === null) return null
  const array = Array.isArray(value) ? value : isNumberArray(value) || value instanceof Uint8Array ? (value as ArrayLike<unknown>) : null
  if (array === null || (spec.length !== null && array.length !== spec.length)) return undefined
  const float = spec.type === 'float64' || spec.type === 'float32'
  const numeric = float || spec.type === 'int64'
  const number = (v: unknown): unknown => (typeof v !== 'bigint' ? v : float ? Number(v) : narrow(v))
  const plain = isBig(array) || (numeric && Array.isArray(array)) ? Array.from(array as ArrayLike<unknown>, number) : array
  if (numeric && isNumbers(plain) && fits(plain, spec.type)) return vectorValue(plain, 0, plain.length, spec.type === 'float32', e)
  const parts: string[] = []
  for (let i = 0; i < plain.length; i++) {
    const part = scalar(spec.type, plain[i], e)
    if (part === undefined) return undefined
    parts.push(`,${part ?? 'z'}`)
  }
  return parts.length ? `[${parts.join('')}]` : '[]'
}

function isNumbers(values: ArrayLike<unknown>): values is ArrayLike<number> {
  return !Array.isArray(values) || values.every((v) => typeof v === 'number')
}

function fits(values: ArrayLike<number>, type: FieldType): boolean {
  if (type === 'float64' || values instanceof Float32Array) return type !== 'int64' || wholeNumbers(values)
  if (type === 'int64') return wholeNumbers(values)
  for (let i = 0; i < values.length; i++) {
    const v = values[i] as number
    if (Math.abs(Math.fround(v)) === Number.POSITIVE_INFINITY && Number.isFinite(v)) return false
  }
  return true
}

function wholeNumbers(values: ArrayLike<number>): boolean {
  if (values instanceof Uint8Array || values instanceof Int32Array) return true
  for (let i = 0; i < values.length; i++) if (!Number.isInteger(values[i])) return false
  return true
}

/** A value under a declared type; one of another type counts by its own kind and is reported. */
export function typed(spec: FieldSpec, value: unknown, e: Encoder): string | null {
  const found = spec.list ? list(spec, value, e) : scalar(spec.type, value, e)
  if (found !== undefined) return found
  e.misfit(value)
  return `!${byValue(value, e) ?? 'z'}`
}

/** A column's name as it begins a field, and the same with the beginnings of texts, which most values are. */
export interface FieldName {
  readonly prefix: string
  readonly texts: readonly string[]
}

export const fieldName = (name: string): FieldName => {
  const prefix = fieldPrefix(name)
  return { prefix, texts: lengths.slice(0, 512).map((length) => prefix + length) }
}

/** Appends the field of row i to a record; a missing value appends nothing. */
export type FieldAppender = (record: string, i: number) => string

/** `Unreadable` is thrown for a row that cannot be told. */
export function columnAppender({ prefix, texts }: FieldName, cells: Cells, spec: FieldSpec | null, e: Encoder): FieldAppender {
  const value = columnValues(cells, spec, e)
  const slow = (record: string, i: number): string => {
    const text = value(i)
    return text === null ? record : record + prefix + text
  }
  if (cells.kind !== 'values' || (spec !== null && (spec.type !== 'text' || spec.list))) return slow
  const { values } = cells
  return (record, i) => {
    const given = values[i]
    if (typeof given !== 'string') return slow(record, i)
    const start = texts[given.length]
    return given === '' || start === undefined ? slow(record, i) : record + start + given
  }
}

/** The canonical values of a column by row; null where missing. */
function columnValues(cells: Cells, spec: FieldSpec | null, e: Encoder): (i: number) => string | null {
  const one = spec === null ? (value: unknown) => byValue(value, e) : (value: unknown) => typed(spec, value, e)
  switch (cells.kind) {
    case 'values': {
      const { values } = cells
      return (i) => one(values[i])
    }
    case 'codes': {
      const { codes, values } = cells
      const cache: (string | null | undefined)[] = new Array(values.length)
      return (i) => {
        const code = codes[i] as number
        if (code < 0) return null
        let text = cache[code]
        if (text === undefined) text = cache[code] = one(values[code])
        else if (text?.[0] === '!') e.misfit(values[code])
        return text
      }
    }
    case 'numbers': {
      const { data, valid } = cells
      return (i) => (valid && !valid[i] ? null : one(data[i]))
    }
    case 'lists':
      return listValues(cells, one, spec, e)
  }
}

function listValues(
  cells: Lists,
  one: (value: unknown) => string | null,
  spec: FieldSpec | null,
  e: Encoder,
): (i: number) => string | null {
  const { data, dims, starts, lengths: sizes, valid, itemValid } = cells
  return (i) => {
    if (valid && !valid[i]) return null
    const start = dims === null ? (starts?.[i] ?? 0) : i * dims
    const length = dims ?? sizes?.[i] ?? 0
    // a list of exactly one where one value is declared: N x 1 arrays
    if (spec !== null && !spec.list && length === 1) return one(itemValid && !itemValid[start] ? null : data[start])
    if (spec === null && !itemValid && !isBig(data)) return vectorValue(data, start, length, false, e)
    const part = data.subarray(start, start + length)
    // bytes of a list are numbers; by themselves they would be binary
    const whole = !itemValid?.subarray(start, start + length).includes(0) && (spec?.list || !(part instanceof Uint8Array))
    return one(whole ? part : Array.from(part as ArrayLike<unknown>, (v, k) => (itemValid && !itemValid[start + k] ? null : v)))
  }
}
