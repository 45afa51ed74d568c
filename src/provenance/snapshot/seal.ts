import { closeSync, existsSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SnapshotHeader, SnapshotShard } from '../../contracts/snapshot.ts'
import { readBuckets } from './buckets.ts'
import { SnapshotError } from './errors.ts'
import { bucketsFile, canonicalId, headerFile, schemaDigestOf } from './header.ts'
import { addNames, byCodeUnit, dictionariesOf, keyBytesOf, openSegments, partsOf } from './parts.ts'
import { digestBucket, rootsOf } from './roots.ts'
import { leafLayout } from './segment.ts'

/** What is known of a snapshot before its records are. */
export type SnapshotMeta = Pick<SnapshotHeader, 'createdAt' | 'subject' | 'schema' | 'columns' | 'keyId' | 'previous'>

/** Written aside, brought to the disk, renamed. */
export function writeWhole(path: string, bytes: Uint8Array | string): void {
  const aside = `${path}.${process.pid}.tmp`
  writeFileSync(aside, bytes)
  const fd = openSync(aside, 'r+')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(aside, path)
}

/**
 * Makes the snapshot of segments that lie in `folder/segments`: bucket by bucket over all of them, so that the roots depend
 * on the records alone and not on shards, batches or order. Writes `buckets.bin`, then `snapshot.json`, whose existence is
 * the mark that the snapshot is whole. Memory is bounded by a window of buckets (24 MiB) and the largest bucket.
 * @throws SnapshotError `snapshot-exists`, `snapshots-differ`, `too-many-names`, `snapshot-damaged`
 */
export async function sealSnapshot(folder: string, meta: SnapshotMeta, shards: readonly SnapshotShard[]): Promise<SnapshotHeader> {
  const target = join(folder, headerFile)
  if (existsSync(target)) throw new SnapshotError('snapshot-exists', `${folder}: holds a snapshot already`, { file: target })
  const sorted = [...shards].sort((a, b) => byCodeUnit(a.id, b.id))
  const twice = sorted.find((s, i) => sorted[i + 1]?.id === s.id)
  if (twice) throw new SnapshotError('snapshots-differ', `${twice.id}: is in the snapshot twice`, { file: twice.id })
  const segments = openSegments(folder, sorted)
  const dictionaries = dictionariesOf(segments)
  const labels = addNames(
    dictionaries.map((d) => d.labels),
    'label',
  )
  const sources = addNames(
    dictionaries.map((d) => d.sources),
    'source',
  )
  const layout = leafLayout(keyBytesOf(segments, meta.columns.id))
  const entries: Buffer[] = []
  for (const bucket of readBuckets(partsOf(segments, { labels, sources }), () => true)) {
    entries.push(digestBucket(bucket, layout))
    // seconds of sorting and hashing: whoever waits for this thread gets a turn
    if (bucket.number % 16 === 15) await new Promise(setImmediate)
  }
  const buckets = Buffer.concat(entries)
  const counted = {
    canonical: canonicalId,
    schemaDigest: schemaDigestOf(meta.schema),
    columns: { ...meta.columns, ignored: [...meta.columns.ignored].sort(byCodeUnit) },
    keyId: meta.keyId,
    records: sorted.reduce((n, s) => n + s.rows, 0),
    labels,
    sources,
    shards: sorted,
  } as const
  const header: SnapshotHeader = {
    format: 'assay-snapshot',
    version: 1,
    canonical: counted.canonical,
    createdAt: meta.createdAt,
    subject: meta.subject,
    schema: meta.schema,
    schemaDigest: counted.schemaDigest,
    columns: counted.columns,
    keyed: counted.keyId !== null,
    keyId: counted.keyId,
    records: counted.records,
    labels,
    sources,
    roots: rootsOf(buckets, counted),
    previous: meta.previous,
    shards: sorted,
  }
  writeWhole(join(folder, bucketsFile), buckets)
  writeWhole(target, `${JSON.stringify(header, null, 1)}\n`)
  return header
}
