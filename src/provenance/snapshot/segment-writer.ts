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
  word,
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
/** What a shard begins with: most of many shards are small. */
const firstBytes = 1 << 20

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
 * Records of one shard in a buffer of fixed size; a full one is partitioned by bucket and becomes a segment file.
 * The caller fills the record at `at` (`bytes` and `words` are views of the buffer) and calls `next`.
 */
export class SegmentWriter {
  bytes: Buffer
  words: Uint32Array
  readonly labels = new Names()
  readonly sources = new Names()
  /** Byte at which the record to be filled begins. */
  at = 0
  private readonly maxRows: number
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
    const memory = new ArrayBuffer(Math.min(this.maxRows, Math.floor(firstBytes / recordBytes)) * recordBytes)
    this.bytes = Buffer.from(memory)
    this.words = new Uint32Array(memory)
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

  /** The record at `at` is complete. */
  next(): void {
    this.at += recordBytes
    if (this.at < this.bytes.length && this.idsUsed <= noId - 0x20000) return
    if (this.at < this.maxRows * recordBytes && this.idsUsed <= noId - 0x20000) this.grow()
    else this.flush()
  }

  /** Writes what is left; the segments of the shard in order. */
  close(): readonly SnapshotSegment[] {
    if (this.at > 0) this.flush()
    return this.segments
  }

  abandon(): void {
    for (const { file } of this.segments) rmSync(join(this.folder, file), { force: true })
    this.segments.length = 0
    this.at = 0
  }

  private grow(): void {
    const memory = new ArrayBuffer(Math.min(2 * this.bytes.length, this.maxRows * recordBytes))
    const larger = Buffer.from(memory)
    this.bytes.copy(larger)
    this.bytes = larger
    this.words = new Uint32Array(memory)
  }

  private flush(): void {
    const rows = this.at / recordBytes
    const { offsets, order } = this.partition(rows)
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
      this.writeRecords(order, write)
      write(this.ids.subarray(0, this.idsUsed))
      write(dictionary)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    this.segments.push({ file, sha256: hash.digest('hex'), rows })
    this.at = 0
    this.idsUsed = 0
    this.labels.clear()
    this.sources.clear()
  }

  /** Counting sort by the first ten bits: record numbers in the order of buckets. */
  private partition(rows: number): { offsets: Uint32Array; order: Uint32Array } {
    const { bytes } = this
    const bucket = (i: number): number => ((bytes[i * recordBytes] as number) << 2) | ((bytes[i * recordBytes + 1] as number) >> 6)
    const offsets = new Uint32Array(bucketCount + 1)
    for (let i = 0; i < rows; i++) {
      const b = bucket(i) + 1
      offsets[b] = (offsets[b] as number) + 1
    }
    for (let b = 1; b <= bucketCount; b++) offsets[b] = (offsets[b] as number) + (offsets[b - 1] as number)
    const next = offsets.slice()
    const order = new Uint32Array(rows)
    for (let i = 0; i < rows; i++) {
      const b = bucket(i)
      const at = next[b] as number
      order[at] = i
      next[b] = at + 1
    }
    return { offsets, order }
  }

  private writeRecords(order: Uint32Array, write: (bytes: Uint8Array) => void): void {
    const perPiece = Math.floor(stagingBytes / recordBytes)
    const memory = new ArrayBuffer(Math.min(order.length, perPiece) * recordBytes)
    const words = new Uint32Array(memory)
    const bytes = new Uint8Array(memory)
    for (let from = 0; from < order.length; from += perPiece) {
      const to = Math.min(order.length, from + perPiece)
      for (let i = from; i < to; i++) {
        const source = (order[i] as number) * word.all
        const target = (i - from) * word.all
        for (let w = 0; w < word.all; w++) words[target + w] = this.words[source + w] as number
      }
      write(bytes.subarray(0, (to - from) * recordBytes))
    }
  }
}
