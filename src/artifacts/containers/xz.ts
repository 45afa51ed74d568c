import { decodeLzma, type LzmaState, newLzmaState, resetState } from './lzma.ts'
import { Unreadable } from './member.ts'
import { damaged, Output } from './output.ts'

const magic = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0])
const checkBytes = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64]

/** Chunks of LZMA2 until the end mark; the position behind it. */
function lzma2(source: Buffer, from: number, out: Output): number {
  let at = from
  let state: LzmaState | null = null
  let since = out.length
  for (;;) {
    const control = source[at++] ?? damaged('xz')
    if (control === 0) return at
    if (control < 0x80) {
      if (control > 2 || at + 2 > source.length) damaged('xz')
      if (control === 1) since = out.length
      const size = source.readUInt16BE(at) + 1
      if (at + 2 + size > source.length) damaged('xz')
      out.append(source.subarray(at + 2, at + 2 + size))
      at += 2 + size
      continue
    }
    if (at + 5 > source.length) damaged('xz')
    const size = ((control & 0x1f) << 16) + source.readUInt16BE(at) + 1
    const packed = source.readUInt16BE(at + 2) + 1
    at += 4
    const reset = (control >> 5) & 3
    if (reset === 3) since = out.length
    if (reset >= 2) state = newLzmaState(source[at++] as number)
    else if (state === null) return damaged('xz')
    else if (reset === 1) resetState(state)
    if (at + packed > source.length) damaged('xz')
    decodeLzma(source, at, at + packed, state as LzmaState, out, since, size)
    at += packed
  }
}

/** All streams of an `.xz` file whose only filter is LZMA2. @throws {Unreadable} */
export function unxz(source: Buffer, maxBytes: number): Buffer {
  const out = new Output(maxBytes, source.length * 4)
  let at = 0
  while (at + 32 <= source.length && source.subarray(at, at + 6).equals(magic)) {
    const check = checkBytes[(source[at + 7] as number) & 0xf] as number
    at += 12
    const first = at
    while (source[at] !== 0) {
      const header = ((source[at] ?? damaged('xz')) + 1) * 4
      const flags = source[at + 1] ?? 0
      // One filter, and it is LZMA2: what every writer of models makes.
      let p = at + 2
      for (const bit of [0x40, 0x80]) if ((flags & bit) !== 0) while (((source[p++] ?? 0) & 0x80) !== 0) if (p > at + header) damaged('xz')
      if ((flags & 3) !== 0 || source[p] !== 0x21) throw new Unreadable('it is xz data with another filter than LZMA2', 'opaque')
      const start = at + header
      const end = lzma2(source, start, out)
      at = end + ((4 - ((end - first) % 4)) % 4) + check
      if (at >= source.length) damaged('xz')
    }
    at = endOfStream(source, at)
  }
  return out.buffer()
}

/** Behind index, footer and padding. */
function endOfStream(source: Buffer, index: number): number {
  const footer = source.indexOf('YZ', index, 'latin1')
  if (footer < 0) return source.length
  let at = footer + 2
  while (source[at] === 0) at++
  return at
}
