import { availableParallelism } from 'node:os'
import { basename, resolve } from 'node:path'
import { stringify } from 'yaml'
import type { LoadedPipeline } from '../config/load.ts'
import type { RecordSchema, SnapshotHeader } from '../contracts/snapshot.ts'
import { readSchema } from '../engine/diff.ts'
import { snapshotKey } from '../engine/leaves.ts'
import { type SnapshotResult, snapshotSources } from '../engine/snapshot.ts'
import { mergeSnapshots } from '../engine/snapshot-merge.ts'
import { suggestSchema } from '../engine/snapshot-schema.ts'
import { isSnapshotFolder } from '../engine/snapshot-verify.ts'
import { escapeTerminal } from '../report/escape.ts'
import { formatCount, plural } from '../report/format.ts'
import { shortPath } from './describe-plan.ts'
import { UsageError } from './errors.ts'
import { clock, copied, loadInput, spool, withScratch } from './input.ts'
import { type Io, write } from './io.ts'
import type { WatchOptions } from './options.ts'
import { passwordOf } from './password.ts'
import { openWatch } from './watch.ts'

export interface SnapshotCommandOptions extends WatchOptions {
  readonly out?: string
  readonly config?: string
  readonly id?: string
  readonly label?: string
  readonly source?: string
  readonly time?: string
  readonly classes?: readonly string[]
  readonly imageLabels?: string
  readonly ignore?: readonly string[]
  readonly schema?: string
  readonly printSchema?: boolean
  readonly previous?: string
  readonly sign?: string
  readonly passwordEnv?: string
  readonly keyEnv?: string
  readonly name?: string
  readonly workers?: number
  readonly json?: boolean
}

const roles = ['id', 'label', 'source', 'time'] as const
const shown = 12

/** `--label none`: no column is the label. */
export const namedColumns = (options: Pick<SnapshotCommandOptions, (typeof roles)[number]>) =>
  Object.fromEntries(
    roles.flatMap((role) => (options[role] === undefined ? [] : [[role, options[role] === 'none' ? null : options[role]]])),
  )

/** `assay snapshot DATA --out S`: what the records are, as a signed and chained statement. */
export async function runSnapshot(data: readonly string[], options: SnapshotCommandOptions, io: Io): Promise<number> {
  if (options.out === undefined && !options.printSchema)
    throw new UsageError(
      'where does the snapshot go? --out names a folder',
      'for example: assay snapshot records.csv --out snapshots/today',
    )
  if (data.length > 0 && data.every(isSnapshotFolder)) return merge(data, options, io)
  const { config, imageLabels } = options
  const given = {
    progress: options.progress,
    logLevel: options.logLevel,
    ...(config === undefined ? {} : { config }),
    ...(imageLabels === undefined ? {} : { imageLabels }),
  }
  const loaded = await loadInput(data, given)
  const { hooks, progress } = await openWatch(options, io)
  return withScratch(async (folder) => {
    const ready = await copied(await spool(loaded, folder, io), folder, { hooks, resume: false })
    progress.stop()
    return take(ready, options, io)
  }).finally(() => progress.stop())
}

async function take({ pipeline, base }: LoadedPipeline, options: SnapshotCommandOptions, io: Io): Promise<number> {
  const { provenance } = pipeline
  const sources = pipeline.sources.map((source) => (options.classes ? { ...source, classes: options.classes } : source))
  const named = namedColumns(options)
  if (options.printSchema) {
    await write(io.stdout, stringify(await suggestSchema(sources, base, named, options.ignore ?? [])))
    return 0
  }
  const schema: RecordSchema | null = options.schema === undefined ? (provenance?.schema ?? null) : await readSchema(options.schema)
  const baseline = provenance?.baseline
  const previous =
    options.previous ?? (options.config !== undefined && typeof baseline === 'string' && isSnapshotFolder(baseline) ? baseline : null)
  const { hooks, progress, quiet } = await openWatch(options, io)
  const started = performance.now()
  try {
    const result = await snapshotSources(sources, base, options.out as string, {
      subject: { name: options.name ?? pipeline.subject.name, version: pipeline.subject.version },
      now: clock(io.env),
      workers: options.workers ?? availableParallelism(),
      hooks,
      schema,
      named,
      previous,
      key: snapshotKey(options.keyEnv ?? provenance?.snapshotKey ?? null, io.env as NodeJS.ProcessEnv),
      sign: signOf(options, io),
      ...(options.ignore ? { ignored: options.ignore } : {}),
    })
    progress.stop()
    const seconds = (performance.now() - started) / 1000
    if (options.json) await write(io.stdout, `${JSON.stringify(summaryOf(result), null, 1)}\n`)
    else if (!quiet) await write(io.stdout, describe(result, seconds, options))
    return result.incomplete.length > 0 ? 2 : 0
  } finally {
    progress.stop()
  }
}

const signOf = ({ sign, passwordEnv }: SnapshotCommandOptions, io: Io) =>
  sign === undefined ? null : { key: sign, password: passwordOf(passwordEnv, io.env) }

async function merge(folders: readonly string[], options: SnapshotCommandOptions, io: Io): Promise<number> {
  const out = options.out as string
  const subject = { name: options.name ?? basename(resolve(out)), version: null }
  const header = await mergeSnapshots(folders, out, { subject, now: clock(io.env), sign: signOf(options, io) })
  const incomplete = incompleteIn(header)
  const reused = { shards: header.shards.length, rows: header.records }
  const result = { header, folder: resolve(out), guessed: false, reused, misfits: [], issues: [], incomplete, notes: [] }
  if (options.json) await write(io.stdout, `${JSON.stringify(summaryOf(result), null, 1)}\n`)
  else if (!options.quiet) await write(io.stdout, describe(result, null, options))
  return incomplete.length > 0 ? 2 : 0
}

const incompleteIn = ({ shards }: SnapshotHeader): string[] =>
  shards.flatMap(({ id, failure, rejected }) =>
    failure !== null ? [failure] : rejected > 0 ? [`${id}: ${plural(rejected, 'row')} could not be read`] : [],
  )

/** For scripts: the header but for its shards, and what happened. */
function summaryOf({ header, folder, reused, misfits, incomplete, notes, issues }: SnapshotResult): object {
  const { shards, ...rest } = header
  return { ...rest, folder, shards: shards.length, reused, misfits, incomplete, notes, issues }
}

function describe(result: SnapshotResult, seconds: number | null, options: SnapshotCommandOptions): string {
  const { header, reused, guessed } = result
  const e = escapeTerminal
  const { id, label, source, time, ignored } = header.columns
  const columns = [
    ...Object.entries({ id, label, source, time }).flatMap(([role, name]) => (name === null ? [] : [`${role} <- ${e(name.slice(0, 60))}`])),
    ...(ignored.length ? [`ignored: ${ignored.map(e).join(', ')}`] : []),
  ]
  const list = (names: SnapshotHeader['labels']): string => {
    const first = [...names].sort((a, b) => b.count - a.count).slice(0, shown)
    return `${first.map((n) => `${e(n.name.slice(0, 60))} ${formatCount(n.count)}`).join(', ')}${names.length > shown ? `, and ${formatCount(names.length - shown)} more` : ''}`
  }
  const text = isText(result)
  const lines = [
    `snapshot of ${e(header.subject.name)}: ${plural(header.records, 'record')} in ${plural(header.shards.length, 'shard')}`,
    `  root      ${header.roots.records}`,
    `  columns   ${columns.join(', ') || 'all are content'}${guessed ? ' (guessed)' : ''}`,
    ...(header.labels.length ? [`  classes   ${list(header.labels)}`] : []),
    ...(header.sources.length ? [`  sources   ${list(header.sources)}`] : []),
    `  schema    ${header.schema.columns === null ? `none: every value counts by its own kind${text ? ', a cell of CSV as text' : ''}` : plural(Object.keys(header.schema.columns).length, 'declared column')}`,
    ...(id === null ? ['  no ids    records are told by their content: an edit is a removal and an addition'] : []),
    ...(header.keyed ? ['  keyed     digests are HMACs, no ids are kept'] : []),
    ...(reused.shards > 0
      ? [`  reused    ${plural(reused.rows, 'record')} of ${plural(reused.shards, 'unchanged shard')}, not read again`]
      : []),
    ...(header.previous ? [`  previous  ${header.previous.root}`] : []),
    ...(options.sign === undefined ? [] : ['  signed    snapshot.dsse.json']),
    ...(seconds === null
      ? []
      : [`  rate      ${formatCount(Math.round(header.records / Math.max(seconds, 0.001)))} records/s, ${seconds.toFixed(1)} s`]),
    `  folder    ${e(shortPath(result.folder))}`,
    ...result.misfits.map(
      (m) => `  note: column ${e(m.column)}: ${plural(m.count, 'value')} not of the declared type, such as ${e(m.example)}`,
    ),
    ...result.notes.map((n) => `  note: ${e(n)}`),
    ...result.incomplete.map((n) => `  incomplete: ${e(n)}`),
  ]
  return `${lines.join('\n')}\n`
}

const isText = ({ header }: SnapshotResult): boolean => header.shards.some(({ id }) => /\.(csv|tsv|tab|txt)(\.gz)?(#.*)?$/i.test(id))
