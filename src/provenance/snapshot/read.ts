import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordLocation, SnapshotHeader } from '../../contracts/snapshot.ts'
import { type Bucket, readBuckets } from './buckets.ts'
import { damaged, SnapshotError } from './errors.ts'
import { bucketsFile, headerDigestOf, headerFile, parseHeader, schemaDigestOf, segmentsFolder } from './header.ts'
import { addNames, dictionariesOf, keyBytesOf, openSegments, partsOf } from './parts.ts'
import {
  type BucketDigest,
  bucketEntryBytes,
  digestAt,
  digestBucket,
  digestBytes,
  digestLeaves,
  digestLocations,
  rootsOf,
} from './roots.ts'
import { bucketCount, type LeafLayout, leafLayout, type NameCount } from './segment.ts'

/** A snapshot on disk whose header, counts and roots agree. Reading a bucket checks its records against the roots. */
export interface Snapshot {
  readonly folder: string
  readonly header: SnapshotHeader
  /** SHA-256 of `snapshot.json`. */
  readonly headerDigest: string
  readonly layout: LeafLayout
  /** Records of a bucket, 0..1023. */
  bucketSize(bucket: number): number
  /** 32 bytes; two snapshots of one layout, schema and key in which they are equal have the same records (keys, ...) in this bucket. */
  bucketDigest(bucket: number, of: BucketDigest): Buffer
  /** The wanted buckets in ascending order, each valid until the next is asked for. @throws SnapshotError `snapshot-damaged` */
  buckets(wanted: (bucket: number) => boolean): Generator<Bucket>
  location(bucket: Bucket, i: number): RecordLocation
  /** Records by label and by source of one shard of the header, without reading its records. */
  countsOf(shard: number): { readonly labels: readonly NameCount[]; readonly sources: readonly NameCount[] }
}

const maxHeaderBytes = 256 * 2 ** 20

export const isSnapshot = (folder: string): boolean => existsSync(join(folder, headerFile)) && existsSync(join(folder, bucketsFile))

function readBounded(path: string, maxBytes: number): Buffer {
  try {
    if (statSync(path).size > maxBytes) throw damaged(path, `is larger than ${maxBytes} bytes`)
    return readFileSync(path)
  } catch (e) {
    if (e instanceof SnapshotError) throw e
    throw damaged(path, 'cannot be read')
  }
}

const sameNames = (a: readonly NameCount[], b: readonly NameCount[]): boolean =>
  a.length === b.length && a.every((x, i) => x.name === b[i]?.name && x.count === b[i]?.count)

const badBucket = (folder: string, bucket: number): SnapshotError =>
  damaged(join(folder, segmentsFolder), `the records of bucket ${bucket} are not those of the roots: a segment was changed`)

/** The digest of every segment file against the header. */
async function checkSegments(folder: string, header: SnapshotHeader): Promise<void> {
  for (const { segments } of header.shards) {
    for (const { file, sha256 } of segments) {
      const path = join(folder, file)
      const hash = createHash('sha256')
      for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer)
      if (hash.digest('hex') !== sha256) throw damaged(path, 'its digest is not the one in the header: it was changed')
    }
  }
}

/** What stands in a snapshot's header, checked against its roots; its records are not looked at and may be gone. */
export interface HeaderOf {
  readonly header: SnapshotHeader
  readonly headerDigest: string
  /** `buckets.bin` */
  readonly entries: Buffer
}

/** @throws SnapshotError `not-a-snapshot` (exit 4), `snapshot-damaged` (exit 2) */
export function readHeader(folder: string): HeaderOf {
  const file = join(folder, headerFile)
  if (!existsSync(file)) {
    const hint = 'a snapshot is a folder that `assay snapshot DATA --out FOLDER` made'
    throw new SnapshotError('not-a-snapshot', `${folder}: holds no ${headerFile}`, { file: folder }, hint)
  }
  const bytes = readBounded(file, maxHeaderBytes)
  const header = parseHeader(bytes, file)
  const entries = readBounded(join(folder, bucketsFile), bucketCount * bucketEntryBytes)
  if (entries.length !== bucketCount * bucketEntryBytes) throw damaged(join(folder, bucketsFile), 'is cut off')
  if (header.schemaDigest !== schemaDigestOf(header.schema)) throw damaged(file, 'the digest of its schema is wrong')
  if (header.keyed !== (header.keyId !== null)) throw damaged(file, 'it does not say whether its digests are keyed')
  const roots = rootsOf(entries, header)
  for (const [name, root] of Object.entries(roots))
    if (root !== header.roots[name as keyof typeof roots])
      throw damaged(file, `its root of ${name} is not that of ${bucketsFile}: one of the two was changed`)
  return { header, headerDigest: headerDigestOf(bytes), entries }
}

/**
 * Header, counts and roots are always checked against each other, the records of a bucket when it is read. With `verify`
 * everything is read once: the digest of every segment, and all buckets with their locations.
 * @throws SnapshotError `not-a-snapshot` (exit 4); `snapshot-damaged` (exit 2) names the file that is not what the header says
 */
export async function openSnapshot(folder: string, options: { readonly verify?: boolean } = {}): Promise<Snapshot> {
  const file = join(folder, headerFile)
  const { header, headerDigest, entries } = readHeader(folder)
  const segments = openSegments(folder, header.shards)
  const layout = leafLayout(keyBytesOf(segments, header.columns.id))
  const dictionaries = dictionariesOf(segments)
  for (const what of ['labels', 'sources'] as const) {
    const found = addNames(
      dictionaries.map((d) => d[what]),
      what,
    )
    if (!sameNames(found, header[what])) throw damaged(file, `its ${what} are not those of its segments`)
  }
  if (header.shards.reduce((n, s) => n + s.rows, 0) !== header.records) throw damaged(file, 'its shards do not hold its records')
  const parts = partsOf(segments, header)
  const entry = (bucket: number, of: BucketDigest): Buffer => entries.subarray(digestAt(bucket, of), digestAt(bucket, of) + digestBytes)
  const whole = (bucket: number): Buffer => entries.subarray(bucket * bucketEntryBytes, (bucket + 1) * bucketEntryBytes)

  if (options.verify) {
    await checkSegments(folder, header)
    for (const bucket of readBuckets(parts, () => true))
      if (!digestBucket(bucket, layout).equals(whole(bucket.number))) throw badBucket(folder, bucket.number)
  }
  return {
    folder,
    header,
    headerDigest,
    layout,
    bucketSize: (bucket) => whole(bucket).readDoubleLE(0),
    bucketDigest: entry,
    *buckets(wanted) {
      for (const bucket of readBuckets(parts, wanted)) {
        const same =
          digestLeaves(bucket).equals(entry(bucket.number, 'records')) && digestLocations(bucket).equals(entry(bucket.number, 'locations'))
        if (!same) throw badBucket(folder, bucket.number)
        yield bucket
      }
    },
    location: (bucket, i) => ({
      id: bucket.id(i),
      shard: header.shards[bucket.shards[i] as number]?.id ?? '',
      row: bucket.rows[i] as number,
      label: header.labels[bucket.labels[i] as number]?.name ?? null,
      source: header.sources[bucket.sources[i] as number]?.name ?? null,
      time: Number.isNaN(bucket.times[i]) ? null : (bucket.times[i] as number),
    }),
    countsOf: (shard) => {
      const own = (segments[shard] ?? []).map((s) => s.dictionary)
      return {
        labels: addNames(
          own.map((d) => d.labels),
          'label',
        ),
        sources: addNames(
          own.map((d) => d.sources),
          'source',
        ),
      }
    },
  }
}
