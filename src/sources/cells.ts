import type { Cells, Lists, NumberArray } from '../contracts/chunk.ts'
import { plainDecimal } from '../math/decimal.ts'

export const sequence = (first: number, count: number): Uint32Array => {
  const rows = new Uint32Array(count)
  for (let i = 0; i < count; i++) rows[i] = first + i
  return rows
}

/** Names of columns, each only once: a second `a` is `a#2`. */
export function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set(names)
  const seen = new Set<string>()
  return names.map((name) => {
    let free = name
    for (let k = 2; seen.has(free) || (free !== name && taken.has(free)); k++) free = `${name}#${k}`
    seen.add(free)
    return free
  })
}

export const regularLists = (data: NumberArray, dims: number): Lists => ({
  kind: 'lists',
  data,
  dims,
  starts: null,
  lengths: null,
  valid: null,
  itemValid: null,
})

const missingWords = new Set(['', 'nan', 'na', 'n/a', '#n/a', '#na', 'null', 'none', 'nil', '<na>', '-nan'])

/** Does a text cell of a numeric column stand for a missing value? */
export const isMissingNumber = (text: string): boolean => text.length < 6 && missingWords.has(text.trim().toLowerCase())

/** A text cell as a number: null where it is missing, undefined where it is no number. Decimal notation only. */
export function parseNumber(text: string): number | null | undefined {
  const plain = plainDecimal(text)
  if (plain - plain === 0) return plain
  const trimmed = text.trim()
  if (trimmed === '' || isMissingNumber(trimmed)) return null
  const n = Number(trimmed)
  if (!Number.isNaN(n)) return /^[+-]?0[xbo]/i.test(trimmed) ? undefined : n
  const inf = /^([+-]?)inf(inity)?$/i.exec(trimmed)
  if (!inf) return undefined
  return inf[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
}

/** Any scalar as a number: null missing, undefined not a number. */
export function toNumber(value: unknown): number | null | undefined {
  if (typeof value === 'number') return value
  if (value === null || value === undefined) return null
  if (typeof value === 'string') return parseNumber(value)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'boolean') return value ? 1 : 0
  return undefined
}

/** Any scalar as text, integers and booleans printed plainly: null missing, undefined not a scalar. */
export function toText(value: unknown): string | null | undefined {
  if (typeof value === 'string') return value === '' ? null : value
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isNaN(value) ? null : String(value === 0 ? 0 : value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString()
  return undefined
}

export const lengthOf = (cells: Cells): number => {
  if (cells.kind === 'values') return cells.values.length
  if (cells.kind === 'numbers') return cells.data.length
  if (cells.kind === 'codes') return cells.codes.length
  return cells.lengths ? cells.lengths.length : cells.dims ? cells.data.length / cells.dims : 0
}

/** The value of one row, for samples and slow paths. */
export function cellAt(cells: Cells, i: number): unknown {
  switch (cells.kind) {
    case 'values':
      return cells.values[i]
    case 'numbers':
      return cells.valid && !cells.valid[i] ? null : cells.data[i]
    case 'codes': {
      const code = cells.codes[i] as number
      return code < 0 ? null : cells.values[code]
    }
    case 'lists': {
      if (cells.valid && !cells.valid[i]) return null
      const start = cells.dims === null ? (cells.starts?.[i] ?? 0) : i * cells.dims
      const length = cells.dims ?? cells.lengths?.[i] ?? 0
      return cells.data.subarray(start, start + length)
    }
  }
}
