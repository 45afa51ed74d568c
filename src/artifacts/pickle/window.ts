import type { Bytes } from '../bytes.ts'

const windowBytes = 1 << 20
/** A line of protocol 0: a number, a name, or a quoted string. */
export const maxLineBytes = 64 << 20

/** A stretch of a pickle in memory, moved forward as it is read. Positions are bytes from the start of the whole. */
export interface Window {
  readonly bytes: Bytes
  buffer: Buffer
  /** Position of `buffer[0]`. */
  base: number
}

export const openWindow = (bytes: Bytes): Window => ({ bytes, buffer: Buffer.alloc(0), base: 0 })

/** Makes `position` the start of the buffer. */
export function moveTo(window: Window, position: number): void {
  window.buffer = window.bytes.read(position, windowBytes)
  window.base = position
}

/** Position after the line that begins at `position`, or -1 where none ends. */
export function endOfLine(window: Window, position: number): number {
  const within = window.buffer.indexOf(10, position - window.base)
  if (position >= window.base && within >= 0) return window.base + within + 1
  for (let at = position; at < Math.min(window.bytes.size, position + maxLineBytes); at += windowBytes) {
    const found = window.bytes.read(at, windowBytes).indexOf(10)
    if (found >= 0) return at + found + 1
  }
  return -1
}
