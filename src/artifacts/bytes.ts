import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/** Bytes at rest: a file, a part of one, or memory. Only what is asked for is read. */
export interface Bytes {
  readonly size: number
  /** `length` bytes from `offset`; fewer where they end before, none from outside. */
  read(offset: number, length: number): Buffer
}

const nothing = Buffer.alloc(0)

export const inMemory = (buffer: Buffer): Bytes => ({
  size: buffer.length,
  read: (offset, length) => (offset >= 0 ? buffer.subarray(offset, Math.min(offset + Math.max(0, length), buffer.length)) : nothing),
})

/** A part that begins at `offset`, cut where the whole ends. */
export function partOf(whole: Bytes, offset: number, length: number): Bytes {
  const from = Math.min(Math.max(0, offset), whole.size)
  const size = Math.max(0, Math.min(length, whole.size - from))
  return { size, read: (at, n) => (at < 0 || at >= size ? nothing : whole.read(from + at, Math.min(Math.max(0, n), size - at))) }
}

export interface OpenFile extends Bytes {
  /** Fills `target` from `offset`; how much there was. */
  readInto(target: Buffer, offset: number): number
  close(): void
}

/** Opens a regular file; a pipe that took its place neither blocks nor is read. @throws the system's error, or one that says so */
export function openBytes(path: string): OpenFile {
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  const info = fstatSync(fd)
  if (!info.isFile()) {
    closeSync(fd)
    throw new Error('it is not a regular file')
  }
  const readInto = (target: Buffer, offset: number): number => {
    let filled = 0
    while (filled < target.length) {
      const n = readSync(fd, target, filled, target.length - filled, offset + filled)
      if (n === 0) break
      filled += n
    }
    return filled
  }
  return {
    size: info.size,
    read(offset, length) {
      if (offset < 0 || offset >= info.size) return nothing
      const target = Buffer.allocUnsafe(Math.max(0, Math.min(length, info.size - offset)))
      return target.subarray(0, readInto(target, offset))
    },
    readInto,
    close: () => closeSync(fd),
  }
}

const searchWindow = 1 << 20

/** The first place of `what` (at most 64 bytes) in [from, to), or -1. */
export function indexOfBytes(bytes: Bytes, what: Buffer, from = 0, to = bytes.size): number {
  for (let at = from; at < to; at += searchWindow) {
    const window = bytes.read(at, Math.min(searchWindow + what.length - 1, to - at))
    const found = window.indexOf(what)
    if (found >= 0) return at + found
  }
  return -1
}
