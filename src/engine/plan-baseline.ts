import { stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import type { ColumnInfo, ColumnMap, ShardSpec, SourceSpec } from '../contracts/data.ts'
import type { Pipeline, ProvenanceSpec } from '../contracts/pipeline.ts'
import type { RecordSchema, SnapshotHeader } from '../contracts/snapshot.ts'
import { keyIdOf } from '../provenance/snapshot/digest.ts'
import { SnapshotError } from '../provenance/snapshot/errors.ts'
import { schemaDigestOf } from '../provenance/snapshot/header.ts'
import { isSnapshot, openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { inferSchema, noSchema } from '../provenance/snapshot/schema.ts'
import { listSources } from '../sources/list.ts'
import { EngineError } from './errors.ts'
import { type PlannedSnapshot, snapshotColumns, snapshotKey } from './leaves.ts'
import type { Part, PlannedFile } from './plan.ts'

/** What the records are compared with. */
export type PlannedBaseline =
  | {
      readonly kind: 'snapshot'
      readonly folder: string
      readonly name: string
      /** Digest of its header. */
      readonly digest: string
      readonly records: number
    }
  | {
      readonly kind: 'data'
      readonly name: string
      readonly spec: SourceSpec
      readonly shards: readonly ShardSpec[]
      readonly files: readonly PlannedFile[]
    }

export interface PlannedComparison {
  readonly snapshot: PlannedSnapshot
  readonly baseline: PlannedBaseline | null
}

const nameFrom = (base: string, path: string): string => relative(base, path).split(sep).join('/') || '.'

/** A trusted original is read like the subject where it does not say how. */
function likeSubject(spec: SourceSpec, sources: readonly SourceSpec[]): SourceSpec {
  const says = spec.columns ?? spec.arrays ?? spec.features ?? spec.labels ?? spec.classes
  const [source] = sources
  if (says !== undefined || sources.length !== 1 || source?.path === undefined) return spec
  const { path: _, labels: __, copied, format, ...own } = source
  // the format of a copy is that of the copy alone
  const rest = copied || format === undefined ? own : { ...own, format }
  return { ...rest, ...spec }
}

async function planData(spec: SourceSpec, base: string): Promise<PlannedBaseline & { readonly columns: readonly ColumnInfo[] }> {
  const listing = await listSources([spec], base)
  const files = await Promise.all(listing.files.map(async (f) => ({ ...f, modified: Math.round((await stat(f.path)).mtimeMs) })))
  const [first] = files
  const more = files.length > 1 ? ` and ${files.length - 1} more` : ''
  return { kind: 'data', name: `${first?.id ?? 'baseline'}${more}`, spec, shards: listing.shards, files, columns: listing.columns }
}

const ofSnapshot = (folder: string, base: string, snapshot: Snapshot): PlannedBaseline => ({
  kind: 'snapshot',
  folder,
  name: nameFrom(base, folder),
  digest: snapshot.headerDigest,
  records: snapshot.header.records,
})

const isText = (shards: readonly ShardSpec[]): boolean => shards.some((s) => s.format === 'csv' || s.format === 'tsv')
const formatsOf = (shards: readonly ShardSpec[]): string => [...new Set(shards.map((s) => s.format))].sort().join()

/** Records in files of two kinds compare under a schema: that which the typed one of the two suggests. */
function schemaBetween(
  subject: Part,
  other: { readonly shards: readonly ShardSpec[]; readonly columns: readonly ColumnInfo[] },
): RecordSchema {
  if (formatsOf(subject.shards) === formatsOf(other.shards)) return noSchema
  return inferSchema(isText(subject.shards) ? other.columns : subject.columns)
}

const rolesOf = (shards: readonly ShardSpec[]): ColumnMap =>
  shards.flatMap((s) => (s.options.roles as { readonly columns?: ColumnMap } | undefined)?.columns ?? [])[0] ?? {}

/** What would not compare is refused before anything is read. @throws SnapshotError `snapshots-differ` */
function checkAgainst({ folder, header }: Snapshot, own: Pick<SnapshotHeader, 'schema' | 'columns' | 'keyId'>): void {
  const refuse = (what: string, hint: string): never => {
    throw new SnapshotError('snapshots-differ', `${folder}: ${what}`, { file: folder }, hint)
  }
  if (schemaDigestOf(own.schema) !== header.schemaDigest)
    refuse('was made under another schema than provenance.schema', 'leave provenance.schema out: that of the snapshot is used')
  if (own.keyId !== header.keyId)
    refuse(
      header.keyed ? 'its digests have another key' : 'its digests have no key',
      'set provenance.snapshot-key as it was when it was made',
    )
  for (const role of ['id', 'label'] as const) {
    const [theirs, ours] = [header.columns[role], own.columns[role]]
    if ((theirs === null) !== (ours === null))
      refuse(
        `${theirs === null ? 'has no' : 'has an'} ${role} column, and the data ${ours === null ? 'have none' : `have ${JSON.stringify(ours)}`}`,
        `name the ${role} column under sources[].columns as it was when the snapshot was made`,
      )
  }
}

/** Where a snapshot is asked for, nothing may be in its place. */
export async function checkTarget(spec: ProvenanceSpec): Promise<void> {
  if (spec.snapshot === null || !(await stat(spec.snapshot).catch(() => null))) return
  throw new EngineError(
    'bad-option',
    `${spec.snapshot}: is there already`,
    4,
    { file: spec.snapshot },
    'a snapshot is never overwritten: name another folder as provenance.snapshot',
  )
}

export const asksForSnapshot = ({ provenance }: Pipeline): boolean =>
  provenance !== null && (provenance.baseline !== null || provenance.snapshot !== null)

/** What the first read leaves for the snapshot, and what it is compared with. @throws SnapshotError, SourceError, EngineError */
export async function planComparison(pipeline: Pipeline, base: string, subject: Part): Promise<PlannedComparison | null> {
  const spec = pipeline.provenance
  if (!spec || !asksForSnapshot(pipeline)) return null
  const key = snapshotKey(spec.snapshotKey)
  const named = spec.baseline
  const folder = typeof named === 'string' && isSnapshot(named) ? named : null
  const before = folder === null ? null : await openSnapshot(folder)
  const data =
    named === null || folder !== null
      ? null
      : await planData(likeSubject(typeof named === 'string' ? { path: named } : named, pipeline.sources), base)
  const schema = spec.schema ?? before?.header.schema ?? (data?.kind === 'data' ? schemaBetween(subject, data) : noSchema)
  const columns = snapshotColumns(rolesOf(subject.shards), before?.header.columns.ignored ?? [])
  if (before) checkAgainst(before, { schema, columns, keyId: keyIdOf(key) })
  const baseline = folder !== null && before ? ofSnapshot(folder, base, before) : data
  return { snapshot: { columns, schema, keyVariable: spec.snapshotKey }, baseline }
}

/** What counts of a baseline, wherever it lies. */
export const contentOf = (baseline: PlannedBaseline): object =>
  baseline.kind === 'snapshot'
    ? { digest: baseline.digest }
    : { shards: baseline.shards.map(({ path: _, options: __, ...shard }) => shard) }
