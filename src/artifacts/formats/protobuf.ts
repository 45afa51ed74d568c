import type { Bytes } from '../bytes.ts'

export interface Field {
  readonly number: number
  /** 0 varint, 1 eight bytes, 2 length-delimited, 5 four bytes. */
  readonly wire: number
  /** Of a varint. */
  readonly value: number
  /** Where the content lies. */
  readonly from: number
  readonly to: number
}

export class ProtobufError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message)
  }
}

const windowBytes = 1 << 16

/** Fields of one message, [from, to) of the bytes, by their bounds: contents are skipped, not read. @throws {ProtobufError} */
export function* fieldsOf(bytes: Bytes, from = 0, to = bytes.size): Generator<Field> {
  let base = from
  let window = bytes.read(from, Math.min(windowBytes, to - from))
  const byteAt = (at: number): number => {
    if (at >= to) throw new ProtobufError('it is cut off', at)
    if (at < base || at >= base + window.length) {
      base = at
      window = bytes.read(at, Math.min(windowBytes, to - at))
    }
    return window[at - base] ?? 0
  }
  let at = from
  const varint = (): number => {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const b = byteAt(at++)
      value += (b & 0x7f) * 2 ** shift
      if (b < 0x80) return value
    }
    throw new ProtobufError('a number has too many bytes', at)
  }
  while (at < to) {
    const start = at
    const key = varint()
    const number = Math.floor(key / 8)
    const wire = key % 8
    if (number === 0 || number > 0x1fffffff) throw new ProtobufError('a field has no number', start)
    if (wire === 0) {
      const value = varint()
      yield { number, wire, value, from: start, to: at }
      continue
    }
    const length = wire === 2 ? varint() : wire === 1 ? 8 : wire === 5 ? 4 : -1
    if (length < 0) throw new ProtobufError(`a field is of the unknown kind ${wire}`, start)
    if (at + length > to) throw new ProtobufError('a field is longer than what holds it', start)
    yield { number, wire, value: 0, from: at, to: at + length }
    at += length
  }
}

const maxText = 4_096
export const textOf = (bytes: Bytes, { from, to }: Field): string => bytes.read(from, Math.min(maxText, to - from)).toString('utf8')
