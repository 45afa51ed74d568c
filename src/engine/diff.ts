import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import type { SourceSpec } from '../contracts/data.ts'
import type { AuditOutcome, Incomplete, InputFile } from '../contracts/outcome.ts'
import type { FlagFormat, Gate } from '../contracts/pipeline.ts'
import type { RecordSchema, SnapshotHeader } from '../contracts/snapshot.ts'
import { SnapshotError } from '../provenance/snapshot/errors.ts'
import { isSnapshot, openSnapshot, type Snapshot } from '../provenance/snapshot/read.ts'
import { parseSchema } from '../provenance/snapshot/schema.ts'
import { buildReport } from '../report/build.ts'
import type { Report } from '../report/schema.ts'
import { compareSnapshots, type Show } from './changes.ts'
import { EngineError } from './errors.ts'
import { withExcerpts } from './excerpts.ts'
import { provenanceDetector, rowlessOutcome } from './provenance-outcome.ts'
import type { Hooks } from './request.ts'
import { type SnapshotOptions, snapshotSources } from './snapshot.ts'

/** A schema file, see `parseSchema`. @throws SnapshotError `invalid-schema` */
export const readSchema = async (file: string): Promise<RecordSchema> => parseSchema(await readFile(file, 'utf8'), file)

/** One side of a comparison: the folder of a snapshot, a path to data, or data with their columns. */
export type DiffSide = string | SourceSpec

export interface DiffOptions {
  /** The folder that names of shards are relative to. */
  readonly base: string
  readonly now: Date
  readonly workers: number
  readonly hooks: Hooks
  /** Of data; absent: that of a snapshot on the other side, else every value by its own kind. */
  readonly schema?: RecordSchema | null
  /** Columns by their role, null for none; the others are guessed. */
  readonly named?: SnapshotOptions['named']
  /** Columns left out of the content. */
  readonly ignored?: readonly string[]
  /** For HMAC digests. */
  readonly key?: Uint8Array | null
  /** File that names every change; null: none is written. */
  readonly changes: { readonly file: string; readonly format: FlagFormat } | null
  /** Reports may show texts and images of changed records. */
  readonly excerpts: boolean
  readonly gate?: Partial<Gate>
}

export interface DiffResult {
  readonly outcome: AuditOutcome
  readonly report: Report
}

interface Side {
  readonly snapshot: Snapshot
  /** The data behind it, where they were given. */
  readonly spec: SourceSpec | null
  readonly incomplete: readonly string[]
  readonly notes: readonly string[]
}

const specOf = (side: DiffSide): SourceSpec => (typeof side === 'string' ? { path: side } : side)
const nameOf = ({ path, arrays }: SourceSpec): string => basename([path ?? Object.values(arrays ?? {})[0] ?? 'data'].flat()[0] ?? 'data')

/** The folder of a snapshot, where a side is one. */
function snapshotFolder(side: DiffSide, base: string): string | null {
  const { path, ...rest } = specOf(side)
  if (typeof path !== 'string' || path === '-') return null
  const folder = resolve(base, path)
  return isSnapshot(folder) && Object.keys(rest).every((key) => key === 'columns' || key === 'classes') ? folder : null
}

const complaintsOf = ({ shards }: SnapshotHeader): string[] =>
  shards.flatMap(({ id, failure, rejected }) => [
    ...(failure === null ? [] : [failure]),
    ...(rejected > 0 ? [`${id}: ${rejected} ${rejected === 1 ? 'row' : 'rows'} could not be read`] : []),
  ])

async function openSide(folder: string): Promise<Side> {
  const snapshot = await openSnapshot(folder)
  return { snapshot, spec: null, incomplete: complaintsOf(snapshot.header), notes: [] }
}

async function takeSide(side: DiffSide, folder: string, previous: string | null, options: DiffOptions): Promise<Side> {
  const spec = specOf(side)
  const { base, now, workers, hooks, schema, named, ignored, key = null } = options
  const made = await snapshotSources([spec], base, folder, {
    subject: { name: nameOf(spec), version: null },
    now,
    workers,
    hooks,
    key,
    previous,
    ...(schema ? { schema } : {}),
    ...(named ? { named } : {}),
    ...(ignored ? { ignored } : {}),
  }).catch(inOtherWords)
  return { snapshot: await openSnapshot(folder), spec, incomplete: made.incomplete, notes: made.notes }
}

/** A snapshot is made after another one here as in a chain, of which the user knows nothing. */
function inOtherWords(error: unknown): never {
  if (!(error instanceof SnapshotError) || error.code !== 'snapshots-differ') throw error
  const hint = 'both sides need the same columns and the same key: --id, --label, --source and --time name columns, --key-env the key'
  throw new SnapshotError('snapshots-differ', `the two do not compare: ${error.message}`, error.place, hint)
}

/** Both sides as snapshots under one schema; of a shard that both have, the leaves are made once. */
async function openSides(before: DiffSide, after: DiffSide, scratch: string, options: DiffOptions): Promise<readonly [Side, Side]> {
  const [old, fresh] = [snapshotFolder(before, options.base), snapshotFolder(after, options.base)]
  if (old !== null) {
    const side = await openSide(old)
    return [side, fresh === null ? await takeSide(after, join(scratch, 'after'), old, options) : await openSide(fresh)]
  }
  if (fresh !== null) return [await takeSide(before, join(scratch, 'before'), fresh, options), await openSide(fresh)]
  const side = await takeSide(before, join(scratch, 'before'), null, options)
  return [side, await takeSide(after, join(scratch, 'after'), side.snapshot.folder, options)]
}

async function showOf({ spec }: Side, base: string): Promise<Show | undefined> {
  if (spec === null) return undefined
  const { listSources } = await import('../sources/list.ts')
  const { shards } = await listSources([spec], base)
  return (records) => withExcerpts(shards, records)
}

const inputsOf = ({ snapshot }: Side, over: InputFile['over']): InputFile[] =>
  snapshot.header.shards.map(({ id, bytes, sha256 }) => ({ id, bytes, sha256, over }))

const incompleteOf = (side: Side, what: string): Incomplete[] =>
  side.incomplete.map((message) => ({
    code: 'snapshot-incomplete',
    message: `${what}: ${message}`,
    place: {},
    hint: 'what could not be read counts as missing: correct it and compare again',
  }))

/**
 * Compares two data sets, two snapshots, or one of each, and reports what changed as an audit does. Data are read once, into
 * snapshots in a scratch folder that is removed at the end.
 * @throws SnapshotError where the two do not compare; SourceError, EngineError, ReportError
 */
export async function diffData(before: DiffSide, after: DiffSide, options: DiffOptions): Promise<DiffResult> {
  const { base, now, changes, excerpts, gate } = options
  for (const side of [before, after]) await checkThere(side, base)
  const scratch = await mkdtemp(join(tmpdir(), 'assay-diff-'))
  try {
    const [old, fresh] = await openSides(before, after, scratch, options)
    const [showOld, showFresh] = excerpts ? [await showOf(old, base), await showOf(fresh, base)] : []
    const { summary, conclusion } = await compareSnapshots(old.snapshot, fresh.snapshot, {
      file: changes?.file ?? null,
      format: changes?.format ?? 'csv',
      show: { ...(showOld ? { before: showOld } : {}), ...(showFresh ? { after: showFresh } : {}) },
    })
    const notes = [...old.notes, ...fresh.notes, ...conclusion.notes]
    const reason = `${old.snapshot.header.records} records before and ${fresh.snapshot.header.records} after, compared one by one`
    const outcome: AuditOutcome = {
      ...rowlessOutcome({
        subject: { ...fresh.snapshot.header.subject },
        now,
        provenance: {
          root: null,
          manifests: [],
          coverage: null,
          files: [],
          facts: [],
          changes: summary,
          changesFile: changes && basename(changes.file),
          snapshot: null,
        },
        detectors: [provenanceDetector({ status: 'ran', reason }, [{ ...conclusion, notes }])],
        incomplete: [...incompleteOf(old, 'before'), ...incompleteOf(fresh, 'after')],
      }),
      inputs: [...inputsOf(old, 'reference'), ...inputsOf(fresh, 'subject')],
    }
    const policy = {
      gate: { 'fail-on': 'high', 'max-flagged': 1, require: [], 'min-coverage': 0, ...gate },
      waivers: [],
      now,
      excerpts,
    } as const
    return { outcome, report: buildReport(outcome, policy) }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function checkThere(side: DiffSide, base: string): Promise<void> {
  const { path } = specOf(side)
  if (typeof path !== 'string' || /[*?{[]/.test(path)) return
  await stat(resolve(base, path)).catch(() => {
    throw new EngineError(
      'bad-option',
      `${path}: no such file or folder`,
      4,
      { file: path },
      'name a data set, or a folder that assay snapshot made',
    )
  })
}
