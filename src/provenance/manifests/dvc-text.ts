import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeliveredFile, Delivery } from '../../contracts/provenance.ts'

const chunkBytes = 2 ** 20
const headBytes = 512
const isTextByte = (b: number): boolean => (b >= 32 && b < 127) || b === 10 || b === 13 || b === 9 || b === 12 || b === 8

/** Whether DVC takes a file for text: no NUL in its first 512 bytes, and at most 30 % of them outside of printable ASCII. */
const isText = (head: Uint8Array): boolean =>
  !head.includes(0) && head.reduce((n, b) => n + (isTextByte(b) ? 0 : 1), 0) <= 0.3 * head.length

const withoutReturns = (chunk: Buffer): Buffer => Buffer.from(chunk.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')

/**
 * The MD5 that DVC gave a text file before version 3: over CR LF as LF, in pieces of 1 MiB as DVC read them (a pair on the
 * border of two pieces stays). Null where the file is no text, or has no CR LF and its MD5 is the plain one.
 * Source: `dvc_data.hashfile.hash` of dvc-data 0.x.
 */
export async function normalisedMd5(delivery: Delivery, file: DeliveredFile): Promise<string | null> {
  const handle = await open(join(delivery.root, ...file.path.split('/'))).catch(() => null)
  if (!handle) return null
  try {
    const hash = createHash('md5')
    const buffer = Buffer.allocUnsafe(chunkBytes)
    let changed = false
    for (let first = true; ; first = false) {
      const length = await fill(handle, buffer)
      if (length === 0) break
      const chunk = buffer.subarray(0, length)
      if (first && !isText(chunk.subarray(0, headBytes))) return null
      const plain = chunk.includes('\r\n') ? withoutReturns(chunk) : chunk
      changed ||= plain !== chunk
      hash.update(plain)
    }
    return changed ? hash.digest('hex') : null
  } finally {
    await handle.close()
  }
}

type Handle = Awaited<ReturnType<typeof open>>

/** Reads until the buffer is full or the file ends. */
async function fill(handle: Handle, buffer: Buffer): Promise<number> {
  let length = 0
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return length
}
