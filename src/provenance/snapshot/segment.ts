import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { damaged } from './errors.ts'

/**
 * A segment holds the leaves of a part of one shard, partitioned by bucket and otherwise in the order in which they were
 * read. All numbers are little-endian.
 *
 * | bytes | what |
 * |---|---|
 * | 64 | head: magic, version, rows, bytes of a key, bytes of the ids, bytes of the dictionary |
 * | 4 x 1,025, padded to 4,104 | number of the first record of each bucket |
 * | 88 x rows | records: leaf (64), time (f64), row (u32), label (i32), source (i32), place of the id (u32) |
 * | | ids: length (u16) and UTF-8 bytes each |
 * | | dictionary: JSON, names and counts of labels and sources |
 *
 * A leaf with an id is 16 bytes of the id's digest, 24 of the content's, 24 of the label's; without one 32 of the content's,
 * 24 of the label's, 8 of a sketch by which an edited record is found again. The first 10 bits are the number of the bucket.
 */
export const bucketCount = 1024
export const leafBytes = 64
export const recordBytes = 88
export const headBytes = 64
export const recordsAt = headBytes + 4104
export const magic = 'assayseg'
export const version = 1
/** Of a record that has no id of its own, or whose id is not kept. */
export const noId = 0xffffffff
/** Longer ids are cut in the segment; their digest is whole. */
export const maxIdBytes = 0xffff

/** Positions of the parts beside a leaf, in words of four bytes. */
export const word = { time: 16, row: 18, label: 19, source: 20, id: 21, all: 22 } as const

export type KeyBytes = 16 | 32

/** First byte and the byte after the last of the parts of a leaf. */
export interface LeafLayout {
  readonly keyBytes: KeyBytes
  readonly content: readonly [number, number]
  readonly label: readonly [number, number]
}

export const leafLayout = (keyBytes: KeyBytes): LeafLayout =>
  keyBytes === 16 ? { keyBytes, content: [16, 40], label: [40, 64] } : { keyBytes, content: [0, 32], label: [32, 56] }

export interface NameCount {
  readonly name: string
  readonly count: number
}

/** Names by code, with the number of records that bear them. */
export interface Dictionary {
  readonly labels: readonly NameCount[]
  readonly sources: readonly NameCount[]
}

/** A segment opened: everything but its records and ids. */
export interface Segment {
  readonly path: string
  readonly rows: number
  readonly keyBytes: KeyBytes
  /** Record number at which each bucket begins, and the number of all records. */
  readonly offsets: Uint32Array
  readonly idsAt: number
  readonly idsBytes: number
  readonly dictionary: Dictionary
}

/** Fills `into` from `offset`. @throws SnapshotError where the file ends before */
export function readFully(fd: number, path: string, into: Uint8Array, offset: number): void {
  for (let done = 0; done < into.length; ) {
    const n = readSync(fd, into, done, into.length - done, offset + done)
    if (n === 0) throw damaged(path, 'is cut off')
    done += n
  }
}

const maxDictionaryBytes = 512 * 2 ** 20

const isNames = (value: unknown): value is NameCount[] =>
  Array.isArray(value) &&
  value.every((v: unknown) => {
    const { name, count } = (v ?? {}) as { name?: unknown; count?: unknown }
    return typeof name === 'string' && Number.isSafeInteger(count) && (count as number) >= 0
  })

function parseDictionary(bytes: Buffer, path: string): Dictionary {
  let value: { labels?: unknown; sources?: unknown }
  try {
    value = JSON.parse(bytes.toString('utf8')) as typeof value
  } catch {
    throw damaged(path, 'its dictionary is not JSON')
  }
  if (!isNames(value?.labels) || !isNames(value.sources)) throw damaged(path, 'its dictionary is malformed')
  return { labels: value.labels, sources: value.sources }
}

/** Reads and checks head, offsets and dictionary. @throws SnapshotError `snapshot-damaged` */
export function openSegment(path: string): Segment {
  let fd: number
  try {
    fd = openSync(path, 'r')
  } catch {
    throw damaged(path, 'is missing or cannot be opened')
  }
  try {
    const { size } = fstatSync(fd)
    if (size < recordsAt) throw damaged(path, 'is shorter than the head of a segment')
    const head = Buffer.alloc(recordsAt)
    readFully(fd, path, head, 0)
    if (head.toString('latin1', 0, 8) !== magic || head.readUInt32LE(8) !== version) throw damaged(path, 'is not a segment of version 1')
    const rows = head.readUInt32LE(12)
    const keyBytes = head.readUInt32LE(16)
    const idsBytes = head.readDoubleLE(24)
    const dictionaryBytes = head.readDoubleLE(32)
    const idsAt = recordsAt + rows * recordBytes
    if (keyBytes !== 16 && keyBytes !== 32) throw damaged(path, `has keys of ${keyBytes} bytes`)
    if (!(idsBytes >= 0) || !(dictionaryBytes >= 0 && dictionaryBytes <= maxDictionaryBytes) || idsAt + idsBytes + dictionaryBytes !== size)
      throw damaged(path, `has ${size} bytes where its head declares others`)
    const offsets = new Uint32Array(bucketCount + 1)
    for (let b = 0; b <= bucketCount; b++) {
      offsets[b] = head.readUInt32LE(headBytes + 4 * b)
      if (b > 0 && (offsets[b] as number) < (offsets[b - 1] as number)) throw damaged(path, 'its buckets are out of order')
    }
    if (offsets[0] !== 0 || offsets[bucketCount] !== rows) throw damaged(path, 'its buckets do not hold its records')
    const dictionary = Buffer.alloc(dictionaryBytes)
    readFully(fd, path, dictionary, idsAt + idsBytes)
    return { path, rows, keyBytes, offsets, idsAt, idsBytes, dictionary: parseDictionary(dictionary, path) }
  } finally {
    closeSync(fd)
  }
}
