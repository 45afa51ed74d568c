import { createContext, runInContext } from 'node:vm'
import { Decompress } from 'fzstd'
import { Unreadable } from './member.ts'
import { damaged, Output } from './output.ts'

const magic = 0xfd2fb528
const isSkippable = (word: number): boolean => word >= 0x184d2a50 && word <= 0x184d2a5f
/** What the format asks a reader to hold at most is 8 MiB; `--long` writes up to so much. */
const maxWindow = 1 << 27
/** A block of a few bytes can ask for minutes of copying: time is what bounds it. */
const msAtLeast = 500
const bytesPerMs = 8 << 10
const maxBlock = 128 << 10

interface Frame {
  readonly end: number
  /** Bytes that it writes at most; 0 of a frame that is to be skipped. */
  readonly writes: number
}

/** One frame by its header and the sizes of its blocks (RFC 8878, 3.1.1). @throws {Unreadable} */
function frameAt(source: Buffer, at: number): Frame {
  if (at + 8 > source.length) return damaged('zstd')
  const word = source.readUInt32LE(at)
  if (isSkippable(word)) {
    const end = at + 8 + source.readUInt32LE(at + 4)
    return end > source.length ? damaged('zstd') : { end, writes: 0 }
  }
  if (word !== magic) return damaged('zstd')
  const flags = source[at + 4] as number
  const isSingle = (flags & 0x20) !== 0
  const idBytes = [0, 1, 2, 4][flags & 3] as number
  const sizeBytes = flags >> 6 === 0 ? (isSingle ? 1 : 0) : 1 << (flags >> 6)
  let next = at + 5 + (isSingle ? 0 : 1)
  if (next + idBytes + sizeBytes + 3 > source.length) return damaged('zstd')
  if (idBytes > 0 && source.readUIntLE(next, idBytes) !== 0) throw new Unreadable('it is Zstandard data that needs a dictionary', 'opaque')
  next += idBytes
  const size =
    sizeBytes === 8
      ? Number(source.readBigUInt64LE(next))
      : sizeBytes === 0
        ? 0
        : source.readUIntLE(next, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  const descriptor = source[at + 5] as number
  const window = isSingle ? size : 2 ** (10 + (descriptor >> 3)) * (1 + (descriptor & 7) / 8)
  if (window > maxWindow) throw new Unreadable('it is Zstandard data with a window of more than 128 MiB', 'large')
  next += sizeBytes
  let writes = 0
  for (let isLast = false; !isLast; ) {
    if (next + 3 > source.length) return damaged('zstd')
    const block = source.readUIntLE(next, 3)
    isLast = (block & 1) !== 0
    const kind = (block >> 1) & 3
    writes += kind === 2 ? Math.min(maxBlock, window) : block >> 3
    next += 3 + (kind === 1 ? 1 : block >> 3)
  }
  const end = next + ((flags & 4) !== 0 ? 4 : 0)
  return end > source.length ? damaged('zstd') : { end, writes }
}

const context = createContext({ run: (): void => {} })

/** Runs at most so long. @throws {Unreadable} */
function within(ms: number, run: () => void): void {
  context.run = run
  try {
    runInContext('run()', context, { timeout: ms })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new Unreadable(`it takes longer than ${(ms / 1000).toFixed(1)} seconds to unpack`, 'large')
    throw error
  } finally {
    context.run = (): void => {}
  }
}

/**
 * All frames of Zstandard data, at most `maxBytes`, in at most half a second and one more for each 8 MiB that may be written. What follows the
 * last frame is not read. @throws {Unreadable}
 */
export function unzstd(source: Buffer, maxBytes: number): Buffer {
  const out = new Output(maxBytes, source.length * 4)
  const frames: Uint8Array[] = []
  let writes = 0
  for (let at = 0; at < source.length && (at === 0 || startsFrame(source, at)); ) {
    const frame = frameAt(source, at)
    // Plain bytes: a Buffer's own methods would copy less than the decoder counts on.
    if (frame.writes > 0) frames.push(new Uint8Array(source.buffer, source.byteOffset + at, frame.end - at))
    writes += frame.writes
    at = frame.end
  }
  within(msAtLeast + Math.ceil(Math.min(maxBytes, writes) / bytesPerMs), () => {
    for (const frame of frames) new Decompress((part) => out.append(part)).push(frame, true)
  })
  return out.buffer()
}

function startsFrame(source: Buffer, at: number): boolean {
  if (at + 4 > source.length) return false
  const word = source.readUInt32LE(at)
  return word === magic || isSkippable(word)
}
