import { createHash } from 'node:crypto'
import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { rowsOf } from '../contracts/batch.ts'
import type { Batch, ShardSpec } from '../contracts/data.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { diffSnapshots } from '../provenance/snapshot/diff.ts'
import { openSnapshot } from '../provenance/snapshot/read.ts'
import { EngineError } from './errors.ts'
import { isDone, layout, type Over, readJson, writeBytes, writeJson } from './files.ts'
import { hasSnapshot, snapshotKey } from './leaves.ts'
import type { PlannedDetector } from './plan.ts'
import type { AuditRequest } from './request.ts'
import type { Run } from './run.ts'
import { snapshotSources } from './snapshot.ts'

/** Rows that are kept in memory while they are told apart, and read by the worker of a shard: 4 bytes each. */
const maxNewRows = 20_000_000

/** Which records are new or changed since a snapshot. Part of the plan. */
export interface PlannedSince {
  /** Digest of the header of that snapshot. */
  readonly digest: string
  readonly newRows: number
  /** Why not every record could be told apart; empty where all were. */
  readonly incomplete: readonly string[]
}

const folder = 'since'
const done = join(folder, 'since.json')
const fileOf = (id: string): string => join(folder, `${createHash('sha256').update(id).digest('hex').slice(0, 32)}.rows`)

/**
 * Takes the snapshot of the sources, compares it with the one that is named, and leaves a sorted list of the new and changed rows
 * of every shard in the run directory. Done once a run. @throws SnapshotError, EngineError
 */
export async function planSince(
  request: Pick<AuditRequest, 'pipeline' | 'base' | 'runDir' | 'now' | 'workers' | 'hooks'>,
): Promise<PlannedSince | null> {
  const { pipeline, base, runDir, now, workers, hooks } = request
  if (pipeline.since === undefined) return null
  const before = await openSnapshot(pipeline.since)
  if (isDone(runDir, done)) {
    const stored = await readJson<PlannedSince>(join(runDir, done))
    if (stored.digest === before.headerDigest) return stored
    throw new EngineError(
      'input-changed',
      `${pipeline.since}: is another snapshot than when this run was planned`,
      4,
      { file: pipeline.since },
      'name another --run-dir',
    )
  }
  const target = join(runDir, layout.snapshot)
  await mkdir(dirname(target), { recursive: true })
  if (!hasSnapshot(target))
    await snapshotSources(pipeline.sources, base, target, {
      subject: { name: pipeline.subject.name, version: pipeline.subject.version },
      now,
      workers,
      hooks,
      schema: pipeline.provenance?.schema ?? before.header.schema,
      previous: pipeline.since,
      key: snapshotKey(pipeline.provenance?.snapshotKey ?? null),
    })
  const after = await openSnapshot(target)
  const rows = new Map<string, number[]>(after.header.shards.map((shard) => [shard.id, []]))
  let newRows = 0
  await diffSnapshots(before, after, ({ after: at }) => {
    if (at === null) return
    if (++newRows > maxNewRows)
      throw new EngineError(
        'bad-option',
        `more than ${maxNewRows} records are new since ${pipeline.since}`,
        4,
        {},
        'audit all of it: leave --since out',
      )
    rows.get(at.shard)?.push(at.row)
  })
  for (const [id, list] of rows) {
    const sorted = Uint32Array.from(list).sort()
    await writeBytes(join(runDir, fileOf(id)), Buffer.from(sorted.buffer))
  }
  const incomplete = after.header.shards.flatMap(({ id, failure, rejected }) => [
    ...(failure === null ? [] : [failure]),
    ...(rejected > 0 ? [`${id}: ${rejected} ${rejected === 1 ? 'row' : 'rows'} could not be read`] : []),
  ])
  const planned: PlannedSince = { digest: before.headerDigest, newRows, incomplete }
  await writeJson(join(runDir, done), planned)
  return planned
}

/** A night on which nothing came in is no audit that failed. */
export const withoutRecords = (d: PlannedDetector): PlannedDetector =>
  d.status === 'runs'
    ? { ...d, status: 'not-applicable', reason: 'no record is new or changed since the snapshot', required: false, reads: [] }
    : d

export type Keep = (batch: Batch) => Batch

/** A shard of the subject that is read again as reference, for the records that it had before. */
export const isReadAgain = ({ plan }: Run, over: Over, shard: ShardSpec): boolean =>
  plan.since !== null && over === 'reference' && plan.subject.shards.some((s) => s.id === shard.id)

/** The rows of a shard that this part of the run is about; null: all. */
export async function keepOf(run: Run, over: Over, shard: ShardSpec): Promise<Keep | null> {
  if (!run.plan.since) return null
  if (over === 'subject') return openKeep(run.dir, shard, 'new')
  return isReadAgain(run, over, shard) ? openKeep(run.dir, shard, 'known') : null
}

/** What is new, or, as reference, what is not. */
async function openKeep(runDir: string, shard: ShardSpec, side: 'new' | 'known'): Promise<Keep> {
  const bytes = await readFile(join(runDir, fileOf(shard.id)))
  const rows = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
  const isNew = (row: number): boolean => {
    let low = 0
    let high = rows.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((rows[middle] as number) < row) low = middle + 1
      else high = middle
    }
    return rows[low] === row
  }
  return (batch) => {
    const all = rowsOf(batch)
    const kept: number[] = []
    for (let i = 0; i < all.length; i++) if (isNew(all[i] as number) === (side === 'new')) kept.push(i)
    return kept.length === all.length ? batch : takeRows(batch, Int32Array.from(kept))
  }
}
