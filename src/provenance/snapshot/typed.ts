import { isUtf8 } from 'node:buffer'
import { invalidUtf8 } from '../../contracts/chunk.ts'
import type { FieldType } from '../../contracts/snapshot.ts'
import {
  bytesValue,
  byValue,
  type Encoder,
  integerValue,
  isBig,
  isNumberArray,
  numberValue,
  textValue,
  timeValue,
  Unreadable,
  vectorValue,
} from './canonical.ts'
import { fromEpoch, type Instant, narrow, parseBool, parseFloat64, parseInteger, parseTime } from './parse.ts'
import type { FieldSpec } from './schema.ts'

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
