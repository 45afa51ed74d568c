import { isUtf8 } from 'node:buffer'
import { type Cells, invalidUtf8 } from '../contracts/chunk.ts'
import type { RowIssueCode } from '../contracts/data.ts'
import type { Codes } from '../contracts/detector.ts'
import { lengthOf, toText } from './cells.ts'
import { limits } from './limits.ts'

type Reject = (i: number, code: RowIssueCode, detail?: string) => void

const notScalar = 'a list or an object where one value is expected'

/** Values as text; the indices of missing ones go to `empty`. */
export function textsFrom(cells: Cells, rows: number, maxLength: number, empty: number[], reject: Reject): (string | null)[] {
  const out = new Array<string | null>(rows)
  const at = reader(cells)
  for (let i = 0; i < rows; i++) {
    const value = at(i)
    const text = typeof value === 'string' && value !== '' ? value : toText(value)
    if (text === undefined) {
      out[i] = null
      if (value === invalidUtf8) reject(i, 'invalid-utf8')
      else reject(i, 'wrong-type', notScalar)
    } else {
      out[i] = text
      if (text === null) empty.push(i)
      else if (text.length > maxLength) {
        out[i] = null
        reject(i, 'too-long', `${text.length} characters`)
      }
    }
  }
  return out
}

const asText = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? isUtf8(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
      : invalidUtf8
    : value

const reader = (cells: Cells): ((i: number) => unknown) => {
  if (cells.kind === 'values') return (i) => asText(cells.values[i])
  if (cells.kind === 'numbers') return (i) => (cells.valid && !cells.valid[i] ? null : cells.data[i])
  if (cells.kind === 'codes') return (i) => ((cells.codes[i] as number) < 0 ? null : cells.values[cells.codes[i] as number])
  const scalar = cells.dims === 1
  return (i) => (scalar ? cells.data[i] : [])
}

/** The name of an integer label, or null where it has none. */
const className = (text: string, classes: readonly string[]): string | null => {
  if (!/^[+-]?\d+(\.0+)?$/.test(text)) return classes.includes(text) ? text : null
  return classes[Number(text)] ?? null
}

/** Labels or sources as codes in the order of their first appearance; the indices of missing ones go to `empty`. */
export function codesFrom(cells: Cells, rows: number, classes: readonly string[] | null, empty: number[], reject: Reject): Codes {
  const codes = new Int32Array(rows).fill(-1)
  const values: string[] = []
  const byName = new Map<string, number>()
  const bySource = new Map<unknown, number>()
  /** -1 missing, -2 rejected for its type, -3 not UTF-8, -4 too long, -5 no such class, -6 infinite */
  const code = (value: unknown): number => {
    if (value === invalidUtf8) return -3
    if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) return -6
    const text = toText(value)
    if (text === undefined) return -2
    if (text === null || text.trim() === '') return -1
    if (text.length > limits.nameLength) return -4
    const name = classes ? className(text, classes) : text
    if (name === null) return -5
    let c = byName.get(name)
    if (c === undefined) {
      c = values.push(name) - 1
      byName.set(name, c)
    }
    return c
  }
  const at = reader(cells)
  const scalars = lengthOf(cells) === rows
  for (let i = 0; i < rows; i++) {
    const value = scalars ? at(i) : []
    let c = bySource.get(value)
    if (c === undefined) {
      c = code(value)
      if (typeof value !== 'object') bySource.set(value, c)
    }
    codes[i] = Math.max(c, -1)
    if (c >= 0) continue
    if (c === -1) empty.push(i)
    else if (c === -3) reject(i, 'invalid-utf8')
    else if (c === -4) reject(i, 'too-long')
    else if (c === -5) reject(i, 'out-of-range', `no class ${String(value).slice(0, 40)} among the ${classes?.length} named`)
    else if (c === -6) reject(i, 'non-finite', 'infinite')
    else reject(i, 'wrong-type', notScalar)
  }
  return { codes, values }
}
