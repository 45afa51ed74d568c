import type { Matrix } from '../contracts/batch.ts'
import type { Cells, Lists, NumberArray } from '../contracts/chunk.ts'
import { toNumber } from './cells.ts'

/** Called once for a row that cannot be used; `column` is the index into the columns given. */
export type Fault = (i: number, code: 'wrong-type' | 'missing-value' | 'non-finite', column: number, detail: string) => void

type Floats = Float32Array | Float64Array

/** True when no element is NaN or infinite: x * 0 is 0 for every finite x. */
export function allFinite(data: Floats): boolean {
  const end = data.length - (data.length % 4)
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  for (let i = 0; i < end; i += 4) {
    a += (data[i] as number) * 0
    b += (data[i + 1] as number) * 0
    c += (data[i + 2] as number) * 0
    d += (data[i + 3] as number) * 0
  }
  for (let i = end; i < data.length; i++) a += (data[i] as number) * 0
  return a + b + c + d === 0
}

/** Small integers fit a float32 exactly, the others take a float64. */
export function toFloats(data: NumberArray): Floats {
  if (data instanceof Float32Array || data instanceof Float64Array) return data
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return Float64Array.from(data, Number)
  return data.BYTES_PER_ELEMENT <= 2 ? Float32Array.from(data) : Float64Array.from(data)
}

const isRegular = (cells: Lists, dims: number): boolean => {
  if (cells.dims !== null) return cells.dims === dims
  const { starts, lengths } = cells
  if (!starts || !lengths) return false
  const first = starts[0] ?? 0
  for (let i = 0; i < starts.length; i++) if (lengths[i] !== dims || starts[i] !== first + i * dims) return false
  return true
}

function fromLists(cells: Lists, rows: number, dims: number, fault: Fault): Matrix {
  if (!cells.valid && !cells.itemValid && isRegular(cells, dims)) {
    const first = cells.starts?.[0] ?? 0
    return { data: toFloats(cells.data.subarray(first, first + rows * dims)), rows, dims }
  }
  const source = toFloats(cells.data)
  const data = source instanceof Float32Array ? new Float32Array(rows * dims) : new Float64Array(rows * dims)
  for (let i = 0; i < rows; i++) {
    const start = cells.dims !== null ? i * cells.dims : (cells.starts?.[i] ?? 0)
    const length = cells.dims ?? cells.lengths?.[i] ?? 0
    if (cells.valid && !cells.valid[i]) fault(i, 'missing-value', 0, 'no vector')
    else if (length !== dims) fault(i, 'wrong-type', 0, `${length} numbers where ${dims} are expected`)
    else if (cells.itemValid?.subarray(start, start + length).includes(0)) fault(i, 'non-finite', 0, 'null inside the vector')
    else data.set(source.subarray(start, start + length) as Float32Array & Float64Array, i * dims)
  }
  return { data, rows, dims }
}

function listOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value) as unknown
  } catch {
    return value
  }
}

function fromValues(values: readonly unknown[], rows: number, dims: number, fault: Fault): Matrix {
  const data = new Float64Array(rows * dims)
  for (let i = 0; i < rows; i++) {
    const value = values[i]
    if (value === null || value === undefined || value === '') {
      fault(i, 'missing-value', 0, 'no vector')
      continue
    }
    const list = listOf(value)
    if (!Array.isArray(list) && !(ArrayBuffer.isView(list) && 'length' in list)) {
      fault(i, 'wrong-type', 0, 'not a list of numbers')
      continue
    }
    const items = list as ArrayLike<unknown>
    if (items.length !== dims) {
      fault(i, 'wrong-type', 0, `${items.length} numbers where ${dims} are expected`)
      continue
    }
    for (let j = 0; j < dims; j++) {
      const item = items[j]
      if (typeof item === 'number') data[i * dims + j] = item
      else {
        const n = toNumber(item)
        if (n === undefined || typeof item === 'boolean') {
          fault(i, 'wrong-type', 0, 'an element of the vector is no number')
          break
        }
        data[i * dims + j] = n ?? Number.NaN
      }
    }
  }
  return { data, rows, dims }
}

/** A column of scalars as float64, NaN where missing. */
export function toFloat64(cells: Cells, rows: number, column: number, fault: Fault): Float64Array {
  if (cells.kind === 'numbers') {
    const { data, valid } = cells
    const out = data instanceof Float64Array && !valid ? data : Float64Array.from(data as ArrayLike<number | bigint>, Number)
    if (valid) for (let i = 0; i < rows; i++) if (!valid[i]) out[i] = Number.NaN
    return out
  }
  const out = new Float64Array(rows)
  if (cells.kind === 'lists') {
    for (let i = 0; i < rows; i++) fault(i, 'wrong-type', column, 'a list where a number is expected')
    return out
  }
  const codes = cells.kind === 'codes' ? cells.codes : null
  for (let i = 0; i < rows; i++) {
    const value = codes ? ((codes[i] as number) < 0 ? null : cells.values[codes[i] as number]) : cells.values[i]
    const n = typeof value === 'number' ? value : toNumber(value)
    if (n === undefined) fault(i, 'wrong-type', column, describe(value))
    else out[i] = n ?? Number.NaN
  }
  return out
}

const describe = (value: unknown): string =>
  typeof value === 'string' ? `${JSON.stringify(value.slice(0, 40))} is no number` : 'not a number'

/** Several scalar columns side by side, `rows` x `columns.length`, float64, NaN where missing. */
export function sideBySide(columns: readonly Cells[], rows: number, fault: Fault): Matrix<Float64Array> {
  const dims = columns.length
  const data = new Float64Array(rows * dims)
  columns.forEach((cells, c) => {
    const values = toFloat64(cells, rows, c, fault)
    for (let i = 0; i < rows; i++) data[i * dims + c] = values[i] as number
  })
  return { data, rows, dims }
}

/**
 * Embeddings or predictions: one list column or several scalar columns as one finite matrix.
 * Rows whose vector is missing, of another length or not finite go to `fault`; their numbers in the result mean nothing.
 */
export function vectorsFrom(columns: readonly Cells[], rows: number, dims: number, fault: Fault): Matrix {
  const only = columns.length === 1 ? (columns[0] as Cells) : null
  const m =
    only?.kind === 'lists'
      ? fromLists(only, rows, dims, fault)
      : only?.kind === 'values' && dims >= 1 && !isScalars(only.values)
        ? fromValues(only.values, rows, dims, fault)
        : sideBySide(columns, rows, fault)
  if (!allFinite(m.data)) {
    for (let i = 0; i < rows; i++) {
      const row = m.data.subarray(i * dims, (i + 1) * dims)
      if (!allFinite(row)) fault(i, 'non-finite', 0, row.some(Number.isNaN) ? 'NaN' : 'infinite')
    }
  }
  return m
}

const isScalars = (values: readonly unknown[]): boolean =>
  values.every((v) => v === null || v === undefined || typeof v === 'number' || (typeof v === 'string' && !v.trimStart().startsWith('[')))

/** The rows in `keep`, in order. */
export function gather<T extends Float32Array | Float64Array | Uint8Array>(m: Matrix<T>, keep: Uint32Array): Matrix<T> {
  const { dims } = m
  const data = new (m.data.constructor as new (n: number) => T)(keep.length * dims)
  for (let i = 0; i < keep.length; i++) {
    const from = (keep[i] as number) * dims
    data.set(m.data.subarray(from, from + dims) as never, i * dims)
  }
  return { data, rows: keep.length, dims }
}
