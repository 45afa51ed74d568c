import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { ColumnMap, ShardSpec } from '../contracts/data.ts'
import type { RecordSchema, SnapshotColumns, SnapshotSegment } from '../contracts/snapshot.ts'
import { type LeafSink, type Misfits, openLeafSink } from '../provenance/snapshot/sink.ts'
import { EngineError } from './errors.ts'
import { layout } from './files.ts'
import type { Run } from './run.ts'

/** What a snapshot is made under. Plain data, part of the plan. */
export interface PlannedSnapshot {
  readonly columns: SnapshotColumns
  readonly schema: RecordSchema
  /** Name of the environment variable with the key of the digests; null: no key. */
  readonly keyVariable: string | null
}

/** What the first read leaves of one shard. */
export interface ShardLeaves {
  readonly segments: readonly SnapshotSegment[]
  readonly rows: number
  /** Rows that cannot be told from others. */
  readonly rejected: number
  readonly misfits: readonly Misfits[]
}

/** The key of the digests, from the environment alone. @throws EngineError where it is not set */
export function snapshotKey(variable: string | null, env: NodeJS.ProcessEnv = process.env): Buffer | null {
  if (variable === null) return null
  const text = env[variable]
  if (text) return Buffer.from(text, 'utf8')
  throw new EngineError(
    'bad-option',
    `the environment variable ${variable}, which is to hold the key of snapshots, is not set`,
    4,
    {},
    `set it, or take provenance.snapshot-key out of the pipeline file`,
  )
}

const one = (names: string | readonly string[] | undefined): string | null => (typeof names === 'string' ? names : (names?.[0] ?? null))

/** The columns that play a part in a snapshot, by the roles of a shard. */
export const snapshotColumns = (columns: ColumnMap, ignored: readonly string[]): SnapshotColumns => ({
  id: one(columns.id),
  label: one(columns.label),
  source: one(columns.source),
  time: one(columns.time),
  ignored,
})

interface RolesOfShard {
  readonly columns: ColumnMap
  readonly classes: readonly string[] | null
}

/** Segment files of a shard begin with this: an id may hold any character. */
export const segmentName = (shard: ShardSpec): string => createHash('sha256').update(shard.id).digest('hex').slice(0, 32)

/** Where the leaves of a shard go; what an interrupted attempt left is removed. Null for a shard that could not be opened. */
export function openLeaves(run: Run, shard: ShardSpec, planned: PlannedSnapshot): LeafSink | null {
  if (!shard.options.roles) return null
  const folder = run.path(layout.snapshot)
  const name = segmentName(shard)
  const segments = join(folder, 'segments')
  mkdirSync(segments, { recursive: true })
  for (const file of readdirSync(segments)) if (file.startsWith(`${name}-`)) rmSync(join(segments, file))
  const roles = shard.options.roles as unknown as RolesOfShard
  const columns = snapshotColumns(roles.columns, planned.columns.ignored)
  return openLeafSink(folder, name, columns, planned.schema, snapshotKey(planned.keyVariable), { classes: roles.classes })
}

export const hasSnapshot = (folder: string): boolean => existsSync(join(folder, 'snapshot.json'))
