import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { asSourceError, SourceError } from './errors.ts'
import { limits } from './limits.ts'

export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b

/** Opens, calls, closes; whatever is thrown inside becomes a SourceError about `path`. */
export async function withFile<T>(path: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    return await use(handle)
  } catch (e) {
    throw asSourceError(e, path, 'cannot be read')
  } finally {
    await handle?.close()
  }
}

/** Exactly `length` bytes from `offset`, in a buffer of their own; SourceError `truncated` where the file ends before. */
export async function readExactly(handle: FileHandle, path: string, offset: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(length)
  const read = await readInto(handle, buffer, offset)
  if (read < length) {
    const at = offset + read
    throw new SourceError('truncated', `${path}: ends at byte ${at}, ${length - read} more were to follow`, { file: path, offset: at })
  }
  return buffer
}

/** Fills `buffer` from `offset`; returns the bytes read, fewer only at the end of the file. */
export async function readInto(handle: FileHandle, buffer: Uint8Array, offset: number): Promise<number> {
  let done = 0
  while (done < buffer.length) {
    const { bytesRead } = await handle.read(buffer, done, buffer.length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return done
}

/** The first bytes of the content, decompressed; short files give what there is. */
export const readHead = (path: string, bytes: number = limits.headBytes): Promise<{ head: Uint8Array; size: number; gzip: boolean }> =>
  withFile(path, async (handle) => {
    const { size } = await handle.stat()
    const raw = Buffer.alloc(Math.min(bytes, size))
    const head = raw.subarray(0, await readInto(handle, raw, 0))
    if (!isGzip(head)) return { head, size, gzip: false }
    try {
      const out = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: bytes * 1100 })
      return { head: out.subarray(0, bytes), size, gzip: true }
    } catch (e) {
      throw asSourceError(e, path, 'is not a readable gzip file')
    }
  })

/** Stops a stream whose decompressed size is out of all proportion to the bytes that it came from. */
export function checkExpansion(path: string, out: number, compressed: number): void {
  if (out > limits.expansionFloor && out > limits.expansion * Math.max(compressed, 1)) {
    throw new SourceError(
      'expands-too-much',
      `${path}: ${compressed} compressed bytes have become ${out}: more than ${limits.expansion} to 1`,
      { file: path },
      'if the file is genuine, decompress it yourself and audit the result',
    )
  }
  if (out > limits.decompressedBytes) {
    throw new SourceError('expands-too-much', `${path}: more than ${limits.decompressedBytes} bytes after decompression`, { file: path })
  }
}

/** The content of a file in pieces of 256 KiB, decompressed where it is gzip. A piece is valid until the next is asked for. */
export async function* readContent(path: string): AsyncGenerator<Buffer> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    const head = Buffer.alloc(2)
    await readInto(handle, head, 0)
    if (isGzip(head)) yield* gunzip(handle, path)
    else yield* plain(handle, 0, Number.POSITIVE_INFINITY)
  } catch (e) {
    throw asSourceError(e, path, 'cannot be read')
  } finally {
    await handle?.close()
  }
}

async function* plain(handle: FileHandle, from: number, to: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(limits.textPieceBytes)
  for (let offset = from; offset < to; ) {
    const n = await readInto(handle, buffer.subarray(0, Math.min(buffer.length, to - offset)), offset)
    if (n > 0) yield buffer.subarray(0, n)
    if (n < buffer.length) return
    offset += n
  }
}

/** Bytes from..to of a file that is not compressed, in pieces with the place where each begins. A piece is valid until the next is asked for. */
export async function* readRange(
  path: string,
  from: number,
  to: number,
): AsyncGenerator<{ readonly bytes: Buffer; readonly offset: number }> {
  let handle: FileHandle | undefined
  try {
    handle = await open(path, 'r')
    let offset = from
    for await (const bytes of plain(handle, from, to)) {
      yield { bytes, offset }
      offset += bytes.length
    }
  } catch (e) {
    throw asSourceError(e, path, 'cannot be read')
  } finally {
    await handle?.close()
  }
}

async function* gunzip(handle: FileHandle, path: string): AsyncGenerator<Buffer> {
  const input = createReadStream(path, { highWaterMark: 256 * 1024 })
  const output = createGunzip({ chunkSize: 256 * 1024 })
  input.on('error', (e) => output.destroy(e))
  input.pipe(output)
  let out = 0
  try {
    for await (const piece of output as AsyncIterable<Buffer>) {
      out += piece.length
      checkExpansion(path, out, output.bytesWritten)
      yield piece
    }
  } catch (e) {
    throw gzipError(e, path, out)
  } finally {
    input.destroy()
    output.destroy()
  }
  await checkTail(handle, path, output.bytesWritten)
}

function gzipError(e: unknown, path: string, out: number): SourceError {
  const code = (e as { code?: string }).code
  const place = { file: path, offset: out }
  const hint = 'fetch or compress the file again'
  if (code === 'Z_BUF_ERROR')
    return new SourceError('truncated', `${path}: the gzip stream ends early, after ${out} bytes of content`, place, hint)
  if (code?.startsWith('Z_')) return new SourceError('corrupt', `${path}: damaged gzip stream after ${out} bytes of content`, place, hint)
  return asSourceError(e, path, 'cannot be decompressed')
}

/** zlib takes a zero byte after a member for padding and stops: data must not hide behind it. */
async function checkTail(handle: FileHandle, path: string, from: number): Promise<void> {
  const buffer = Buffer.alloc(64 * 1024)
  for (let offset = from; ; ) {
    const n = await readInto(handle, buffer, offset)
    const at = buffer.subarray(0, n).findIndex((v) => v !== 0)
    if (at >= 0) throw new SourceError('corrupt', `${path}: data after the end of the gzip stream`, { file: path, offset: offset + at })
    if (n < buffer.length) return
    offset += n
  }
}
