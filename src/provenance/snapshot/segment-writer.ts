import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { SnapshotSegment } from '../../contracts/snapshot.ts'
import {
  bucketCount,
  headBytes,
  type KeyBytes,
  magic,
  maxIdBytes,
  type NameCount,
  noId,
  recordBytes,
  recordsAt,
  version,
} from './segment.ts'

/** Names in the order of their first appearance, and how many records bear each. */
export class Names {
  private codes = new Map<string, number>()
  private names: string[] = []
  private counts: number[] = []

  /** The code of a name, counted once more. */
  count(name: string): number {
    let code = this.codes.get(name)
    if (code === undefined) {
      code = this.names.push(name) - 1
      this.codes.set(name, code)
      this.counts.push(0)
    }
    this.counts[code] = (this.counts[code] as number) + 1
    return code
  }

  list(): NameCount[] {
    return this.names.map((name, i) => ({ name, count: this.counts[i] as number }))
  }

  clear(): void {
    this.codes = new Map()
    this.names = []
    this.counts = []
  }
}

const stagingBytes = 1 << 20
/** Records that one bucket takes at a time of the memory that all share. */
const blockRows = 16
const blockBytes = blockRows * recordBytes
/** What a shard begins with: most of many shards are small. */
const firstBlocks = 256

/** Writes all of `bytes`. */
function put(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done)
}

/** UTF-8 of a text, its length; plain characters are put sooner one by one than through the encoder. */
function putText(text: string, out: Buffer, at: number, most: number): number {
  if (text.length > 64) return out.write(text, at, most, 'utf8')
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c > 127) return out.write(text, at, most, 'utf8')
    out[at + i] = c
  }
  return text.length
}

/**
 * Records of one shard, partitioned by bucket as they come; so many of them become a segment file. `begin` says where the next
 * record goes (`bytes` and `words` are views of the memory), the caller fills it and calls `next`.
 */
export class SegmentWriter {
  bytes: Buffer
  words: Uint32Array
  readonly labels = new Names()
  readonly sources = new Names()
  private readonly maxRows: number
  private rows = 0
  /** Of each bucket: the records it has, and the byte at which its next one goes. */
  private readonly counts = new Uint32Array(bucketCount)
  private readonly tails = new Float64Array(bucketCount)
  /** The bucket of each block, in the order in which they were taken. */
  private readonly owners: number[] = []
  private bucket = 0
  private readonly segments: SnapshotSegment[] = []
  private ids: Buffer = Buffer.allocUnsafeSlow(1 << 16)
  private idsUsed = 0

  /** `stem`: what the names of the files begin with, relative to `folder`; `bufferBytes` bounds the records in memory. */
  constructor(
    private readonly folder: string,
    private readonly stem: string,
    private readonly keyBytes: KeyBytes,
    bufferBytes: number,
  ) {
    this.maxRows = Math.max(1, Math.floor(bufferBytes / recordBytes))
    const memory = new ArrayBuffer(firstBlocks * blockBytes)
    this.bytes = Buffer.from(memory)
    this.words = new Uint32Array(memory)
  }

  /** Byte at which the next record of a bucket begins. */
  begin(bucket: number): number {
    this.bucket = bucket
    if ((this.counts[bucket] as number) % blockRows === 0) {
      const block = this.owners.push(bucket) - 1
      if (this.owners.length * blockBytes > this.bytes.length) this.grow()
      this.tails[bucket] = block * blockBytes
    }
    return this.tails[bucket] as number
  }

  /** Keeps an id; its place for the record. */
  keepId(id: string): number {
    const most = Math.min(id.length * 3, maxIdBytes)
    if (this.idsUsed + most + 2 > this.ids.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.ids.length, this.idsUsed + most + 2))
      this.ids.copy(larger, 0, 0, this.idsUsed)
      this.ids = larger
    }
    const place = this.idsUsed
    const size = putText(id, this.ids, place + 2, most)
    this.ids.writeUInt16LE(size, place)
    this.idsUsed += 2 + size
    return place
  }

  /** The record that was begun is complete. */
  next(): void {
    const { bucket } = this
    this.counts[bucket] = (this.counts[bucket] as number) + 1
    this.tails[bucket] = (this.tails[bucket] as number) + recordBytes
    this.rows++
    if (this.rows === this.maxRows || this.idsUsed > noId - 0x20000) this.flush()
  }

  /** Writes what is left; the segments of the shard in order. */
  close(): readonly SnapshotSegment[] {
    if (this.rows > 0) this.flush()
    return this.segments
  }

  abandon(): void {
    for (const { file } of this.segments) rmSync(join(this.folder, file), { force: true })
    this.segments.length = 0
    this.clear()
  }

  private clear(): void {
    this.rows = 0
    this.counts.fill(0)
    this.owners.length = 0
    this.idsUsed = 0
    this.labels.clear()
    this.sources.clear()
  }

  /** As many blocks as the records fill, and one for each bucket whose last is not full. */
  private grow(): void {
    const most = (Math.ceil(this.maxRows / blockRows) + bucketCount) * blockBytes
    const memory = new ArrayBuffer(Math.min(2 * this.bytes.length, Math.max(most, this.bytes.length + blockBytes)))
    const larger = Buffer.from(memory)
    this.bytes.copy(larger)
    this.bytes = larger
    this.words = new Uint32Array(memory)
  }

  private flush(): void {
    const { rows } = this
    const offsets = this.offsets()
    const dictionary = Buffer.from(JSON.stringify({ labels: this.labels.list(), sources: this.sources.list() }))
    const head = Buffer.alloc(recordsAt)
    head.write(magic, 0, 'latin1')
    head.writeUInt32LE(version, 8)
    head.writeUInt32LE(rows, 12)
    head.writeUInt32LE(this.keyBytes, 16)
    head.writeDoubleLE(this.idsUsed, 24)
    head.writeDoubleLE(dictionary.length, 32)
    for (let b = 0; b <= bucketCount; b++) head.writeUInt32LE(offsets[b] as number, headBytes + 4 * b)

    const file = `${this.stem}-${this.segments.length}.seg`
    const path = join(this.folder, file)
    const hash = createHash('sha256')
    const fd = openSync(path, 'wx')
    const write = (bytes: Uint8Array): void => {
      hash.update(bytes)
      put(fd, bytes)
    }
    try {
      write(head)
      this.writeRecords(write)
      write(this.ids.subarray(0, this.idsUsed))
      write(dictionary)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    this.segments.push({ file, sha256: hash.digest('hex'), rows })
    this.clear()
  }

  /** Number of the record at which each bucket begins. */
  private offsets(): Uint32Array {
    const offsets = new Uint32Array(bucketCount + 1)
    for (let b = 0; b < bucketCount; b++) offsets[b + 1] = (offsets[b] as number) + (this.counts[b] as number)
    return offsets
  }

  /** The blocks of one bucket after those of another; all of a bucket but its last are full. */
  private writeRecords(write: (bytes: Uint8Array) => void): void {
    const blocks: number[][] = Array.from({ length: bucketCount }, () => [])
    for (const [block, owner] of this.owners.entries()) blocks[owner]?.push(block)
    const staging = Buffer.allocUnsafeSlow(Math.min(stagingBytes, Math.max(blockBytes, this.rows * recordBytes)))
    let used = 0
    for (const [bucket, own] of blocks.entries()) {
      for (const [i, block] of own.entries()) {
        const rows = Math.min(blockRows, (this.counts[bucket] as number) - i * blockRows)
        if (used + rows * recordBytes > staging.length) {
          write(staging.subarray(0, used))
          used = 0
        }
        used += this.bytes.copy(staging, used, block * blockBytes, block * blockBytes + rows * recordBytes)
      }
    }
    write(staging.subarray(0, used))
  }
}
