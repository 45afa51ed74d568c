import { isUtf8 } from 'node:buffer'
import { type Cells, invalidUtf8, type NumberArray } from '../contracts/chunk.ts'
import { regularLists } from './cells.ts'
import type { ArrayHeader } from './npy-header.ts'

let halves: Float32Array | undefined

/** Every float16 as a float32, by its bits (IEEE 754 binary16). */
function halfTable(): Float32Array {
  if (halves) return halves
  halves = new Float32Array(65_536)
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1
    const exponent = (bits >> 10) & 31
    const fraction = bits & 1023
    halves[bits] =
      exponent === 31
        ? fraction
          ? Number.NaN
          : sign * Number.POSITIVE_INFINITY
        : sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024))
  }
  return halves
}

export function fromHalf(bits: Uint16Array): Float32Array {
  const table = halfTable()
  const out = new Float32Array(bits.length)
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i] as number] as number
  return out
}

/** 64-bit integers as doubles where every one is exact, else as they are. */
export function fromInt64(data: BigInt64Array | BigUint64Array): Float64Array | BigInt64Array | BigUint64Array {
  const words = new Uint32Array(data.buffer, data.byteOffset, data.length * 2)
  const highs = data instanceof BigInt64Array ? new Int32Array(data.buffer, data.byteOffset, data.length * 2) : words
  const out = new Float64Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const high = highs[2 * i + 1] as number
    if (high >= 2 ** 21 || high < -(2 ** 21)) return data
    out[i] = high * 2 ** 32 + (words[2 * i] as number)
  }
  return out
}

function swap(bytes: Buffer, itemBytes: number): void {
  if (itemBytes === 2) bytes.swap16()
  else if (itemBytes === 4) bytes.swap32()
  else if (itemBytes === 8) bytes.swap64()
}

function numbers(bytes: Buffer, h: ArrayHeader): NumberArray {
  const { buffer, byteOffset } = bytes
  const n = bytes.length / h.itemBytes
  switch (h.kind) {
    case 'f2':
      return fromHalf(new Uint16Array(buffer, byteOffset, n))
    case 'f4':
      return new Float32Array(buffer, byteOffset, n)
    case 'f8':
      return new Float64Array(buffer, byteOffset, n)
    case 'i1':
      return new Int8Array(buffer, byteOffset, n)
    case 'i2':
      return new Int16Array(buffer, byteOffset, n)
    case 'i4':
      return new Int32Array(buffer, byteOffset, n)
    case 'i8':
      return fromInt64(new BigInt64Array(buffer, byteOffset, n))
    case 'u2':
      return new Uint16Array(buffer, byteOffset, n)
    case 'u4':
      return new Uint32Array(buffer, byteOffset, n)
    case 'u8':
      return fromInt64(new BigUint64Array(buffer, byteOffset, n))
    default:
      return new Uint8Array(buffer, byteOffset, n)
  }
}

function strings(bytes: Buffer, h: ArrayHeader): (string | typeof invalidUtf8)[] {
  const out: (string | typeof invalidUtf8)[] = []
  for (let at = 0; at < bytes.length; at += h.itemBytes) {
    const item = bytes.subarray(at, at + h.itemBytes)
    out.push(h.kind === 'S' ? byteString(item) : codePoints(item))
  }
  return out
}

function byteString(item: Buffer): string | typeof invalidUtf8 {
  let end = item.length
  while (end > 0 && item[end - 1] === 0) end--
  const bytes = item.subarray(0, end)
  return isUtf8(bytes) ? bytes.toString('utf8') : invalidUtf8
}

function codePoints(item: Buffer): string | typeof invalidUtf8 {
  let end = item.length
  while (end >= 4 && item.readUInt32LE(end - 4) === 0) end -= 4
  const points: number[] = []
  for (let i = 0; i < end; i += 4) {
    const p = item.readUInt32LE(i)
    if (p > 0x10ffff || (p >= 0xd800 && p < 0xe000)) return invalidUtf8
    points.push(p)
  }
  let text = ''
  for (let i = 0; i < points.length; i += 4096) text += String.fromCodePoint(...points.slice(i, i + 4096))
  return text
}

/** Whole rows in C order as cells; `bytes` begins at a multiple of 8 in its buffer and is not used again by the caller. */
export function itemsOf(bytes: Buffer, h: ArrayHeader, boolText: boolean): Cells {
  if (h.bigEndian) swap(bytes, h.kind === 'U' ? 4 : h.itemBytes)
  if (h.kind === 'U' || h.kind === 'S') return { kind: 'values', values: strings(bytes, h) }
  const data = numbers(bytes, h)
  if (h.dims > 1) return regularLists(data, h.dims)
  if (h.kind === 'b1' && boolText) return { kind: 'values', values: Array.from(data as Uint8Array, (v) => v !== 0) }
  return { kind: 'numbers', data, valid: null }
}

/** Rows of a block that was read column by column (Fortran order), put into C order. `block` is dims x rows. */
export function transposed(block: Buffer, rows: number, h: ArrayHeader): Buffer {
  const out = Buffer.from(new ArrayBuffer(block.length))
  const to = destinations(h.shape.slice(1))
  const { dims, itemBytes: w } = h
  const Array_ = w === 1 ? Uint8Array : w === 2 ? Uint16Array : w === 4 ? Uint32Array : w === 8 ? BigUint64Array : null
  if (!Array_) {
    for (let j = 0; j < dims; j++)
      for (let i = 0; i < rows; i++) block.copy(out, (i * dims + (to[j] as number)) * w, (j * rows + i) * w, (j * rows + i + 1) * w)
    return out
  }
  const source = new Array_(block.buffer as ArrayBuffer, block.byteOffset, rows * dims)
  const target = new Array_(out.buffer as ArrayBuffer, out.byteOffset, rows * dims)
  for (let j = 0; j < dims; j++) {
    const column = to[j] as number
    for (let i = 0; i < rows; i++) target[i * dims + column] = source[j * rows + i] as never
  }
  return out
}

/** For each position in Fortran order of the axes after the first, its position in C order. */
function destinations(axes: readonly number[]): Uint32Array {
  const dims = axes.reduce((a, b) => a * b, 1)
  const to = new Uint32Array(dims)
  for (let j = 0; j < dims; j++) {
    let rest = j
    let at = 0
    const index = axes.map((n) => {
      const k = rest % n
      rest = (rest - k) / n
      return k
    })
    for (let a = 0; a < axes.length; a++) at = at * (axes[a] as number) + (index[a] as number)
    to[j] = at
  }
  return to
}
