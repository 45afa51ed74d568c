import { constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { type Bytes, inMemory } from '../bytes.ts'
import { Unreadable } from './member.ts'

export type Packing = 'gzip' | 'zlib' | 'deflate'

const unpackers = { gzip: gunzipSync, zlib: inflateSync, deflate: inflateRawSync } as const
/** Compressed bytes that are held at once. */
const maxPackedBytes = 1 << 30

/** All of it, at most `maxBytes`. @throws {Unreadable} */
export function unpackAll(packed: Bytes, packing: Packing, maxBytes: number): Bytes {
  if (packed.size > maxPackedBytes) throw new Unreadable('it has more compressed bytes than are read', 'large')
  try {
    return inMemory(unpackers[packing](packed.read(0, packed.size), { maxOutputLength: Math.max(1, maxBytes) }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Unreadable(`it unpacks to more than ${maxBytes.toLocaleString('en')} bytes`, 'large')
    throw new Unreadable(`its ${packing} data is damaged`, 'damaged')
  }
}

/** What can be unpacked from the first compressed bytes, at most `length` bytes. */
export function unpackHead(packed: Bytes, packing: Packing, length: number): Buffer {
  try {
    const some = packed.read(0, 4_096 + length)
    const out = unpackers[packing](some, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 << 20 })
    return out.subarray(0, length)
  } catch {
    return Buffer.alloc(0)
  }
}
