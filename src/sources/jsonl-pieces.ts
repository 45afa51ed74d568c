import { isUtf8 } from 'node:buffer'
import { readRange } from './bytes.ts'
import { limits } from './limits.ts'

/** A part of a JSONL file, whole lines of it. */
export interface Piece {
  /** Bytes from..to of the file. */
  readonly from: number
  readonly to: number
  /** Records before it, and in it. */
  readonly first: number
  readonly rows: number
  /** Lines before it. */
  readonly lines: number
}

/**
 * How long the pieces of a file are: so that several threads have work, and no piece is so small that what a thread sets up for it
 * costs more than reading it.
 */
export function pieceBytes(size: number): number {
  const { pieceLeastBytes: least, pieceMostBytes: most } = limits
  return Math.min(most, Math.max(least, size / 16))
}

const isBlank = (bytes: Buffer): boolean => (isUtf8(bytes) ? bytes.toString('utf8') : bytes.toString('latin1')).trim() === ''

/** Counts the lines of a file of `size` bytes and cuts it where one ends, every `length` bytes at least; a line is a record unless it is blank. */
export async function piecesOf(path: string, size: number, length = pieceBytes(size)): Promise<readonly Piece[]> {
  const pieces: Piece[] = []
  let [from, first, lines] = [0, 0, 0]
  let [row, line] = [0, 0]
  // The beginning of a line whose end is not read yet.
  let carry: Buffer = Buffer.alloc(0)
  let carried = 0
  const endLine = (bytes: Buffer, before: number): void => {
    line++
    const start = bytes[0] ?? 0x0a
    // Most lines begin with a brace; what may be blank is looked at.
    if (before + bytes.length > limits.recordBytes || (start > 0x20 && start < 0x80) || !isBlank(bytes)) row++
  }
  for await (const { bytes, offset } of readRange(path, 0, size)) {
    let at = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
      if (carried > 0) {
        endLine(Buffer.concat([carry, bytes.subarray(0, end)]), carried - carry.length)
        carry = Buffer.alloc(0)
        carried = 0
      } else endLine(bytes.subarray(at, end), 0)
      at = end + 1
      if (offset + at - from < length || offset + at >= size) continue
      pieces.push({ from, to: offset + at, first, rows: row - first, lines })
      ;[from, first, lines] = [offset + at, row, line]
    }
    carried += bytes.length - at
    // Of a line that is too long for a record its length is enough.
    if (carried <= limits.recordBytes) carry = Buffer.concat([carry, bytes.subarray(at)])
  }
  if (carried > 0) endLine(carry, carried - carry.length)
  pieces.push({ from, to: size, first, rows: row - first, lines })
  return pieces
}
