import type { Cells } from '../contracts/chunk.ts'
import { cellAt, lengthOf, parseNumber } from './cells.ts'
import { isChat } from './chat.ts'
import type { ColumnSample } from './format.ts'
import { limits } from './limits.ts'

type Kind = ColumnSample['kind']

const kindOf = (value: unknown): Kind => {
  if (typeof value === 'string') return 'string'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  if (typeof value === 'bigint') return 'integer'
  if (typeof value === 'boolean') return 'boolean'
  if (value instanceof Uint8Array) return 'binary'
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'list'
  return 'other'
}

/** The kind of a column of text cells, from what they would parse to. */
const textKind = (values: readonly string[]): Kind => {
  let kind: Kind = 'empty'
  for (const text of values) {
    const trimmed = text.trim()
    const n = parseNumber(trimmed)
    let k: Kind
    if (trimmed === '' || n === null) continue
    else if (n !== undefined) k = Number.isInteger(n) && !/[.eE]/.test(trimmed) ? 'integer' : 'number'
    else if (trimmed.startsWith('[') && trimmed.endsWith(']')) k = 'list'
    else return 'string'
    kind = widen(kind, k)
  }
  return kind
}

const widen = (a: Kind, b: Kind): Kind => {
  if (a === 'empty' || a === b) return b
  if (b === 'empty') return a
  if ((a === 'integer' && b === 'number') || (a === 'number' && b === 'integer')) return 'number'
  return a === 'string' || b === 'string' ? 'string' : 'other'
}

const listOf = (value: unknown): ArrayLike<unknown> | null => {
  if (Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)) return value as unknown as ArrayLike<unknown>
  if (typeof value !== 'string' || !value.trimStart().startsWith('[')) return null
  try {
    const list = JSON.parse(value) as unknown
    return Array.isArray(list) ? list : null
  } catch {
    return null
  }
}

const isVector = (list: ArrayLike<unknown> | null): list is ArrayLike<unknown> =>
  list !== null &&
  !(list instanceof Uint8Array) &&
  list.length > 0 &&
  [0, list.length - 1].every((i) => /^(number|bigint)$/.test(typeof list[i]))

const commonLength = (lists: readonly ArrayLike<unknown>[]): number => {
  const counts = new Map<number, number>()
  for (const { length } of lists) counts.set(length, (counts.get(length) ?? 0) + 1)
  return [...counts].reduce((best, at) => (at[1] > best[1] ? at : best))[0]
}

const isProbabilities = (lists: readonly ArrayLike<unknown>[]): boolean =>
  lists.length > 0 &&
  lists.every((list) => {
    let sum = 0
    for (let j = 0; j < list.length; j++) {
      const p = Number(list[j])
      if (!(p >= -1e-6 && p <= 1 + 1e-3)) return false
      sum += p
    }
    return list.length >= 2 && Math.abs(sum - 1) < 0.02
  })

/** `text`: the cells are the text of a file without types. `type` is what the format declares, null where it declares none. */
export function sampleColumn(name: string, cells: Cells, type: string | null, text: boolean): ColumnSample {
  const rows = Math.min(lengthOf(cells), limits.sampleRows)
  const filled: unknown[] = []
  for (let i = 0; i < rows; i++) {
    const cell = cellAt(cells, i)
    const value = cells.kind === 'lists' && cell instanceof Uint8Array ? Array.from(cell) : cell
    if (value !== null && value !== undefined && value !== '' && !Number.isNaN(value)) filled.push(value)
  }
  let kind: Kind = 'empty'
  if (text) kind = textKind(filled.filter((v) => typeof v === 'string'))
  else for (const v of filled) kind = widen(kind, kindOf(v))
  const lists = kind === 'integer' || kind === 'number' || kind === 'boolean' ? [] : filled.map(listOf).filter(isVector)
  // a few bad rows do not hide what the column is: they are reported when they are read
  if (lists.length > 0 && lists.length * 2 >= filled.length) kind = 'list'
  const dims = kind === 'list' && lists.length ? commonLength(lists) : null
  if (kind === 'list' && dims === null) kind = 'other'
  const chat = filled.length > 0 && filled.filter(isChat).length * 2 >= filled.length
  if (chat) kind = 'other'
  const scalars = kind === 'list' || kind === 'binary' || kind === 'other' ? [] : filled.map(String)
  return {
    name,
    type: type ?? (dims !== null ? `list<number>[${dims}]` : chat ? 'list<turn>' : kind),
    kind,
    rows,
    filled: filled.length,
    distinct: scalars.length ? new Set(scalars).size : filled.length,
    dims,
    probabilities: dims !== null && isProbabilities(lists.slice(0, 100)),
    ...(chat ? { chat } : {}),
    counting: kind === 'integer' && scalars.length > 2 && scalars.every((v, i) => i === 0 || Number(v) === Number(scalars[i - 1]) + 1),
  }
}
