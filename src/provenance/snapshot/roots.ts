import { createHash, hash } from 'node:crypto'
import type { Json } from '../../contracts/data.ts'
import type { SnapshotColumns, SnapshotHeader, SnapshotRoots, SnapshotShard } from '../../contracts/snapshot.ts'
import { canonicalJson } from '../../math/hash.ts'
import type { Bucket } from './buckets.ts'
import { bucketCount, type LeafLayout, leafBytes } from './segment.ts'

/** What is digested of each bucket, in the order in which `buckets.bin` holds the digests. */
export const bucketDigests = ['records', 'key', 'content', 'label', 'locations'] as const
export type BucketDigest = (typeof bucketDigests)[number]
export const digestBytes = 32

/** `buckets.bin`: for each bucket the number of its records (f64, little-endian) and five SHA-256 digests. */
export const bucketEntryBytes = 8 + bucketDigests.length * digestBytes

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer')

/** Bytes `from` to `to` of every leaf, side by side behind the key. */
function parts(bucket: Bucket, { keyBytes }: LeafLayout, [from, to]: readonly [number, number]): Buffer {
  const key = keyBytes / 4
  const [first, last] = [from / 4, to / 4]
  const out = new Uint32Array(bucket.size * (key + last - first))
  const leaves = new Uint32Array(bucket.leaves.buffer, bucket.leaves.byteOffset, bucket.leaves.length / 4)
  let at = 0
  for (let o = 0; o < leaves.length; o += leafBytes / 4) {
    for (let k = 0; k < key; k++) out[at++] = leaves[o + k] as number
    for (let k = first; k < last; k++) out[at++] = leaves[o + k] as number
  }
  return Buffer.from(out.buffer)
}

function sameKey(bytes: Uint8Array, a: number, b: number, keyBytes: number): boolean {
  for (let k = 0; k < keyBytes; k++) if (bytes[a + k] !== bytes[b + k]) return false
  return true
}

/** Among records of one key the order is that of their contents: for a digest over other parts it must be that of these parts. */
function sortEqualKeys(bytes: Buffer, width: number, keyBytes: number): Buffer {
  const rows = bytes.length / width
  for (let low = 0; low < rows; ) {
    let high = low + 1
    while (high < rows && sameKey(bytes, low * width, high * width, keyBytes)) high++
    if (high - low > 1) {
      const run = Array.from({ length: high - low }, (_, i) => Buffer.from(bytes.subarray((low + i) * width, (low + i + 1) * width)))
      run.sort(Buffer.compare)
      for (const [i, part] of run.entries()) part.copy(bytes, (low + i) * width)
    }
    low = high
  }
  return bytes
}

/** The digest of shard, row, codes and time of every record, in the order of the bucket. */
export function digestLocations(bucket: Bucket): Buffer {
  if (bucket.size === 0) return none
  const words = new Uint32Array(bucket.size * 6)
  const times = new Uint32Array(bucket.times.buffer)
  for (let i = 0; i < bucket.size; i++) {
    words[6 * i] = bucket.shards[i] as number
    words[6 * i + 1] = bucket.rows[i] as number
    words[6 * i + 2] = bucket.labels[i] as number
    words[6 * i + 3] = bucket.sources[i] as number
    words[6 * i + 4] = times[2 * i] as number
    words[6 * i + 5] = times[2 * i + 1] as number
  }
  return sha256(new Uint8Array(words.buffer))
}

/** The digest of the leaves as they stand: what a reader checks before it believes a bucket. */
export const digestLeaves = (bucket: Bucket): Buffer => (bucket.size === 0 ? none : sha256(bucket.leaves))

const none = sha256(Buffer.alloc(0))
const emptyEntry = Buffer.concat([Buffer.alloc(8), ...bucketDigests.map(() => none)])

/** One entry of `buckets.bin`. */
export function digestBucket(bucket: Bucket, layout: LeafLayout): Buffer {
  if (bucket.size === 0) return emptyEntry
  const { keyBytes } = layout
  const labels = sortEqualKeys(parts(bucket, layout, layout.label), keyBytes + layout.label[1] - layout.label[0], keyBytes)
  const size = Buffer.alloc(8)
  size.writeDoubleLE(bucket.size)
  return Buffer.concat([
    size,
    digestLeaves(bucket),
    sha256(parts(bucket, layout, [0, 0])),
    sha256(keyBytes === 16 ? parts(bucket, layout, layout.content) : parts(bucket, layout, [0, 0])),
    sha256(labels),
    digestLocations(bucket),
  ])
}

/** Position of a digest in `buckets.bin`. */
export const digestAt = (bucket: number, of: BucketDigest): number =>
  bucket * bucketEntryBytes + 8 + bucketDigests.indexOf(of) * digestBytes

function fold(entries: Buffer, of: BucketDigest): string {
  const all = createHash('sha256')
  for (let b = 0; b < bucketCount; b++) all.update(entries.subarray(digestAt(b, of), digestAt(b, of) + digestBytes))
  return all.digest('hex')
}

export type Counted = Pick<SnapshotHeader, 'canonical' | 'schemaDigest' | 'keyId' | 'records' | 'labels' | 'sources'> & {
  readonly columns: SnapshotColumns
  readonly shards: readonly Pick<SnapshotShard, 'id'>[]
}

const pairs = (names: SnapshotHeader['labels']): Json => names.map(({ name, count }) => [name, count])

/** The roots over the entries of `buckets.bin` and what the header says of the whole. */
export function rootsOf(entries: Buffer, h: Counted): SnapshotRoots {
  const { id, label, source, time, ignored } = h.columns
  const records = canonicalJson({
    canonical: h.canonical,
    schema: h.schemaDigest,
    columns: { id, label, ignored },
    key: h.keyId,
    records: h.records,
    labels: pairs(h.labels),
    leaves: fold(entries, 'records'),
  })
  const places = canonicalJson({
    columns: { source, time },
    shards: h.shards.map((s) => s.id),
    sources: pairs(h.sources),
    locations: fold(entries, 'locations'),
  })
  return {
    records: hash('sha256', records, 'hex'),
    key: fold(entries, 'key'),
    content: fold(entries, 'content'),
    label: fold(entries, 'label'),
    locations: hash('sha256', places, 'hex'),
  }
}
