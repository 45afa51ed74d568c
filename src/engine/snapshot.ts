import { join, resolve } from 'node:path'
import type { ShardSpec, SourceSpec } from '../contracts/data.ts'
import type { IssueCount } from '../contracts/outcome.ts'
import type { RecordSchema, SnapshotColumns, SnapshotHeader, SnapshotShard } from '../contracts/snapshot.ts'
import { loadSigningKey } from '../provenance/sign/signing-key.ts'
import { signFolder } from '../provenance/snapshot/chain.ts'
import { keyIdOf } from '../provenance/snapshot/digest.ts'
import { damaged, SnapshotError } from '../provenance/snapshot/errors.ts'
import { schemaDigestOf } from '../provenance/snapshot/header.ts'
import { openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { noSchema } from '../provenance/snapshot/schema.ts'
import { sealSnapshot } from '../provenance/snapshot/seal.ts'
import type { Misfits } from '../provenance/snapshot/sink.ts'
import type { RoleOptions } from '../sources/assemble.ts'
import { EngineError } from './errors.ts'
import { sha256File } from './files.ts'
import { segmentName, snapshotColumns } from './leaves.ts'
import type { Hooks } from './request.ts'
import { listForSnapshot, type NamedColumns, type SnapshotListing } from './snapshot-columns.ts'
import { fillFolder, refuseExisting, shareSegment } from './snapshot-folder.ts'
import { FileIdentities } from './snapshot-identity.ts'
import { openShardPool } from './snapshot-pool.ts'
import type { ShardLeaves } from './snapshot-shard.ts'

export interface SnapshotOptions {
  readonly subject: SnapshotHeader['subject']
  readonly now: Date
  readonly workers: number
  readonly hooks: Hooks
  /** Absent: that of `previous`, else every value by its own kind. */
  readonly schema?: RecordSchema | null
  /** Columns left out of the content. */
  readonly ignored?: readonly string[]
  /** For HMAC digests. */
  readonly key?: Uint8Array | null
  /** Folder of the snapshot before: its unchanged shards are not read again, and the new one is chained to it. */
  readonly previous?: string | null
  /** Columns by role; null: no column has it. What is not named here is as in the sources, or guessed. */
  readonly named?: NamedColumns
  /** Private key to sign the snapshot with. */
  readonly sign?: { readonly key: string; readonly password?: string | undefined } | null
}

export interface SnapshotResult {
  readonly header: SnapshotHeader
  readonly folder: string
  readonly guessed: boolean
  /** Shards and rows that were taken over from the snapshot before. */
  readonly reused: { readonly shards: number; readonly rows: number }
  readonly misfits: readonly Misfits[]
  readonly issues: readonly IssueCount[]
  /** Why it does not hold every record; empty where it does. */
  readonly incomplete: readonly string[]
  /** What a reader should know: arrays that are no part of the records. */
  readonly notes: readonly string[]
}

/**
 * Makes the snapshot of some sources in `folder`, which must not exist: written aside and renamed, so that it is there whole
 * or not at all. Shard names are relative to `base`. The roots do not depend on the number of workers.
 * @throws SnapshotError `snapshot-exists`, `snapshots-differ`, `snapshot-damaged`; SourceError; EngineError `input-changed`, `interrupted`
 */
export async function snapshotSources(
  specs: readonly SourceSpec[],
  base: string,
  folder: string,
  options: SnapshotOptions,
): Promise<SnapshotResult> {
  await refuseExisting(folder)
  // a key that signs nothing is told before the data are read
  const signing = options.sign ? loadSigningKey(options.sign.key, options.sign.password) : null
  const key = options.key ?? null
  const previous = options.previous ? await openSnapshot(options.previous) : null
  if (previous && previous.header.keyId !== keyIdOf(key)) {
    const message = `${options.previous}: its digests have ${previous.header.keyed ? 'another key' : 'no key'}`
    throw new SnapshotError(
      'snapshots-differ',
      message,
      { file: options.previous ?? '' },
      'a chain keeps its key; start a new one without --previous',
    )
  }
  const schema = options.schema ?? previous?.header.schema ?? noSchema
  const ignored = options.ignored ?? previous?.header.columns.ignored ?? []
  const listing = await listForSnapshot(specs, base, { before: previous?.header.columns ?? null, ignored, named: options.named ?? {} })
  const columns = listing.snapshotColumns
  return fillFolder(folder, async (into) => {
    const making = { hooks: options.hooks, workers: options.workers, previous, schema, columns, key }
    const { shards, ...made } = await makeSegments(listing, into, making)
    if (shards.every((s) => s.rows === 0)) {
      const message = made.incomplete[0] ?? 'the data hold no records'
      throw new SnapshotError('nothing-read', message, {}, 'a snapshot needs at least one record', 3)
    }
    const meta = {
      createdAt: options.now.toISOString(),
      subject: options.subject,
      schema,
      columns,
      keyId: keyIdOf(key),
      previous: previous && { root: previous.header.roots.records, header: previous.headerDigest },
    }
    const header = await sealSnapshot(into, meta, shards)
    if (signing) signFolder(into, header, signing)
    return { header, folder: resolve(folder), guessed: listing.guessed, ...made }
  })
}

interface Making {
  readonly hooks: Hooks
  readonly workers: number
  readonly previous: Snapshot | null
  readonly schema: RecordSchema
  readonly columns: SnapshotColumns
  readonly key: Uint8Array | null
}

interface Made extends Pick<SnapshotResult, 'reused' | 'misfits' | 'issues' | 'incomplete' | 'notes'> {
  readonly shards: readonly SnapshotShard[]
}

const unreadable = (shard: ShardSpec, error: string): SnapshotShard => ({
  id: shard.id,
  bytes: shard.bytes,
  sha256: '0'.repeat(64),
  reading: '0'.repeat(64),
  rows: 0,
  rejected: 0,
  misfits: 0,
  failure: error,
  segments: [],
})

async function makeSegments(listing: SnapshotListing, folder: string, making: Making): Promise<Made> {
  const { hooks, previous, schema, key } = making
  const identities = new FileIdentities()
  const known = new Map((reusable(previous, making) ? previous?.header.shards : [])?.map((s) => [s.id, s]))
  const total = listing.shards.some((s) => s.expectedRows === null) ? null : listing.shards.reduce((n, s) => n + (s.expectedRows ?? 0), 0)
  const pool = await openShardPool(Math.min(making.workers, listing.shards.length))
  const shards: SnapshotShard[] = []
  const leaves: ShardLeaves[] = []
  const notes: string[] = []
  let reused = { shards: 0, rows: 0 }
  let rows = 0
  const tick = (n: number): void => {
    rows += n
    hooks.progress({ phase: 'snapshot', done: rows, total, unit: 'rows' })
  }
  const take = async (shard: ShardSpec): Promise<void> => {
    const roles = shard.options.roles as unknown as RoleOptions | undefined
    if (!roles) {
      const { message } = shard.options.failure as unknown as { message: string }
      shards.push(unreadable(shard, message))
      return
    }
    const columns = snapshotColumns(roles.columns, making.columns.ignored)
    const identity = await identities.of(shard, columns)
    const before = known.get(shard.id)
    const same = before && before.bytes === identity.bytes && before.sha256 === identity.sha256 && before.reading === identity.reading
    if (previous && same && before.failure === null && before.rejected === 0) {
      await takeOver(previous.folder, folder, before)
      shards.push(before)
      reused = { shards: reused.shards + 1, rows: reused.rows + before.rows }
      tick(before.rows)
      return
    }
    const made = await pool.run({ shard, folder, stem: segmentName(shard), columns, schema, key }, tick, hooks.signal)
    if (await identities.changed(shard)) {
      throw new EngineError(
        'input-changed',
        `${shard.id}: was changed while it was read`,
        2,
        { file: shard.id },
        'take the snapshot of data that nobody is writing to',
      )
    }
    leaves.push(made)
    const misfits = made.misfits.reduce((n, m) => n + m.count, 0)
    shards.push({
      id: shard.id,
      ...identity,
      rows: made.rows,
      rejected: made.rejected,
      misfits,
      failure: made.failure,
      segments: made.segments,
    })
    const { skipped } = shard.options
    if (Array.isArray(skipped)) notes.push(`${shard.id}: not aligned with the records, left out: ${skipped.join(', ')}`)
  }
  try {
    await inLanes(pool.width, listing.shards, take)
  } finally {
    await pool.close()
  }
  hooks.progress({ phase: 'snapshot', done: rows, total: rows, unit: 'rows' })
  const incomplete = shards.flatMap(({ id, failure, rejected }) => [
    ...(failure === null ? [] : [failure]),
    ...(rejected > 0 ? [`${id}: ${rejected} ${rejected === 1 ? 'row' : 'rows'} could not be read`] : []),
  ])
  return {
    shards,
    reused,
    misfits: sum(leaves),
    issues: leaves.flatMap((l) => l.issues),
    incomplete: incomplete.sort(),
    notes: notes.sort(),
  }
}

/** Leaves of another schema, column or key are other leaves. */
const reusable = (previous: Snapshot | null, { schema, columns, key }: Making): boolean =>
  previous !== null &&
  previous.header.schemaDigest === schemaDigestOf(schema) &&
  previous.header.keyId === keyIdOf(key) &&
  JSON.stringify(previous.header.columns) === JSON.stringify({ ...columns, ignored: [...columns.ignored].sort() })

/** Segments of an unchanged shard. @throws SnapshotError where they are not what they were */
async function takeOver(from: string, to: string, { segments }: SnapshotShard): Promise<void> {
  for (const { file, sha256 } of segments) {
    if ((await sha256File(join(from, file)).catch(() => null)) !== sha256)
      throw damaged(join(from, file), 'its digest is not the one in the header: it was changed')
    await shareSegment(from, to, file)
  }
}

function sum(leaves: readonly ShardLeaves[]): Misfits[] {
  const byColumn = new Map<string, Misfits>()
  for (const m of leaves.flatMap((l) => l.misfits)) {
    const before = byColumn.get(m.column)
    byColumn.set(m.column, before ? { ...before, count: before.count + m.count } : m)
  }
  return [...byColumn.values()].sort((a, b) => (a.column < b.column ? -1 : 1))
}

/** As many at once as there are lanes; after a failure no further one is started. */
async function inLanes<T>(lanes: number, items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const item = items[next++] as T
      try {
        await work(item)
      } catch (error) {
        next = items.length
        throw error
      }
    }
  }
  const done = await Promise.allSettled(Array.from({ length: Math.min(lanes, items.length) }, lane))
  for (const d of done) if (d.status === 'rejected') throw d.reason
}
