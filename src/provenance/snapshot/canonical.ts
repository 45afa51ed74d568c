import { hash } from 'node:crypto'
import type { Lists } from '../../contracts/chunk.ts'
import { type Instant, narrow } from './parse.ts'
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

/** How a text of each of the usual lengths begins. */
export const textStarts = Array.from({ length: 2048 }, (_, n) => `t${n}:`)

export const textValue = (text: string): string => (textStarts[text.length] ?? `t${text.length}:`) + text

export const fieldPrefix = (name: string): string => `;${name.length}:${name}`

export const numberValue = (v: number): string => (v === 0 ? 'n0' : `n${v}`)

export const integerValue = (v: bigint): string => {
  const n = narrow(v)
  return typeof n === 'number' ? numberValue(n) : `i${n}`
}

export const timeValue = ({ ms, nanos }: Instant): string => (nanos === 0 ? `d${ms}` : `d${ms}.${nanos}`)

export function bytesValue(bytes: Uint8Array, e: Encoder): string {
  e.sketch?.bytes(bytes)
  return `x${bytes.length}:${hash('sha256', bytes, 'hex')}`
}

export function vectorValue(data: ArrayLike<number>, start: number, length: number, round: boolean, e: Encoder): string {
  if (length === 0) return '[]'
  const { type, bytes } = packNumbers(data, start, length, round)
  e.sketch?.bytes(bytes)
  return `v${type}${length}:${hash('sha256', bytes, 'hex')}`
}

type Data = Lists['data']

export const isBig = (data: unknown): data is BigInt64Array | BigUint64Array =>
  data instanceof BigInt64Array || data instanceof BigUint64Array

export const isNumberArray = (value: unknown): value is Data =>
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
