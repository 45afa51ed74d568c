import { constants, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'
import { decodeLz4Frame } from '../../math/lz4.ts'
import { type Bytes, inMemory } from '../bytes.ts'
import { bunzip2 } from './bzip2.ts'
import { unlzma } from './lzma.ts'
import { Unreadable } from './member.ts'
import { unxz } from './xz.ts'
import { unzstd } from './zstd.ts'

export type Packing = 'gzip' | 'zlib' | 'deflate' | 'bzip2' | 'lzma' | 'xz' | 'lz4' | 'zstd'

const system = { gzip: gunzipSync, zlib: inflateSync, deflate: inflateRawSync } as const
const own = {
  bzip2: bunzip2,
  lzma: unlzma,
  xz: unxz,
  zstd: unzstd,
  lz4: (packed: Buffer, maxBytes: number): Buffer => Buffer.from(decodeLz4Frame(packed, maxBytes)),
} as const
/** Compressed bytes that are held at once. */
const maxPackedBytes = 1 << 30

/** All of it, at most `maxBytes`. @throws {Unreadable} */
export function unpackAll(packed: Bytes, packing: Packing, maxBytes: number): Bytes {
  if (packed.size > maxPackedBytes) throw new Unreadable('it has more compressed bytes than are read', 'large')
  const room = Math.max(1, maxBytes)
  try {
    const all = packed.read(0, packed.size)
    return inMemory(
      packing === 'gzip' || packing === 'zlib' || packing === 'deflate'
        ? system[packing](all, { maxOutputLength: room })
        : own[packing](all, room),
    )
  } catch (error) {
    if (error instanceof Unreadable) throw error
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Unreadable(`it unpacks to more than ${maxBytes.toLocaleString('en')} bytes`, 'large')
    throw new Unreadable(`its ${packing} data is damaged`, 'damaged')
  }
}

/** What can be unpacked from the first compressed bytes, at most `length` bytes. */
export function unpackHead(packed: Bytes, packing: keyof typeof system, length: number): Buffer {
  try {
    const some = packed.read(0, 4_096 + length)
    const out = system[packing](some, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: 64 << 20 })
    return out.subarray(0, length)
  } catch {
    return Buffer.alloc(0)
  }
}
