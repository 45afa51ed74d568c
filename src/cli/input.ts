import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type LoadedPipeline, loadPipeline, type Overrides, pipelineForData } from '../config/load.ts'
import type { SourceSpec } from '../contracts/data.ts'
import { detectorIds, spoolInput } from '../engine/inputs.ts'
import type { AuditRequest } from '../engine/request.ts'
import { withCopies } from '../engine/stores.ts'
import { UsageError } from './errors.ts'
import type { Io } from './io.ts'
import { columnsOf, type DataOptions } from './options.ts'

const isPipelineFile = (path: string): boolean => /\.ya?ml$/i.test(path)

const overridesOf = (options: DataOptions, data: readonly string[]): Overrides => {
  const columns = columnsOf(options)
  const entries: { readonly [K in keyof Overrides]: Overrides[K] | undefined } = {
    knownDetectors: detectorIds(),
    data,
    preset: options.preset,
    columns: columns ?? undefined,
    labels: options.imageLabels,
    reference: options.reference,
    failOn: options.failOn,
    maxFlagged: options.maxFlagged,
    minCoverage: options.minCoverage,
    known: options.known,
    history: options.history,
    formats: options.formats,
    excerpts: options.excerpts,
    flags: options.flags,
    scores: options.keepScores,
    baseline: options.baseline,
    since: options.since,
    keys: options.key,
    only: options.only,
    sensitivity: options.sensitivity,
  }
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as Overrides
}

/** `assay audit DATA...`, `assay audit FILE.yaml`, or `assay audit --config FILE.yaml [DATA...]`. */
export function loadInput(paths: readonly string[], options: DataOptions): Promise<LoadedPipeline> {
  const files = options.config === undefined ? paths.filter(isPipelineFile) : []
  const [file] = files
  if (options.since !== undefined && options.baseline !== undefined)
    throw new UsageError('--since is the baseline as well: name one of the two', 'to compare with another snapshot, audit without --since')
  if (file !== undefined && paths.length > 1)
    throw new UsageError(
      'a pipeline file stands alone: its sources say what is audited',
      `to audit other data with it: --config ${file} DATA`,
    )
  if (file !== undefined) return loadPipeline(file, overridesOf(options, []))
  if (options.config !== undefined) return loadPipeline(options.config, overridesOf(options, paths))
  const arrays = Object.values(columnsOf(options) ?? {}).some((name) => typeof name === 'string' && /\.npy$/i.test(name))
  if (paths.length === 0 && !arrays)
    throw new UsageError(
      'nothing to audit: name data or a pipeline file',
      'for example: assay audit records.csv, or assay audit pipeline.yaml',
    )
  return pipelineForData(paths, overridesOf(options, paths))
}

/** The clock of the run; `ASSAY_NOW` sets it for tests and reproducible reports. */
export function clock(env: Io['env']): Date {
  const fixed = env.ASSAY_NOW
  const now = fixed === undefined || fixed === '' ? new Date() : new Date(fixed)
  if (Number.isNaN(now.getTime())) throw new UsageError('ASSAY_NOW is not a time', 'write it as 2026-11-23T09:00:00Z')
  return now
}

/** `assay-runs/chest-xray-20261123-090000`: new on every run, so that nothing is overwritten and nothing refused. */
export function newRunDir(subject: string, now: Date): string {
  const name =
    subject
      .normalize('NFKD')
      .replaceAll(/[^\w.-]+/g, '-')
      .replace(/^[-.]+/, '')
      .slice(0, 60) || 'run'
  const moment = now
    .toISOString()
    .replaceAll(/[-:]|\..*/g, '')
    .replace('T', '-')
  const stem = join('assay-runs', `${name}-${moment}`)
  for (let i = 1; ; i++) {
    const folder = resolve(i === 1 ? stem : `${stem}-${i}`)
    if (!existsSync(folder)) return folder
  }
}

const readsStdin = (source: SourceSpec): boolean => source.path === '-' || (Array.isArray(source.path) && source.path.includes('-'))

/** Standard input as a file in `folder`, because it is read more than once. */
export async function spool(loaded: LoadedPipeline, folder: string, io: Io): Promise<LoadedPipeline> {
  const { pipeline } = loaded
  const count = [...pipeline.sources, ...pipeline.reference].filter(readsStdin).length
  if (count === 0) return loaded
  if (count > 1) throw new UsageError('standard input can be read for one source only')
  if (io.stdin.isTTY === true)
    throw new UsageError('nothing comes in on standard input', 'pipe data into it: cat records.csv | assay audit -')
  const file = await spoolInput(io.stdin, folder)
  const swap = (path: string): string => (path === '-' ? file : path)
  const replace = (source: SourceSpec): SourceSpec =>
    readsStdin(source) ? { ...source, path: typeof source.path === 'string' ? swap(source.path) : (source.path ?? []).map(swap) } : source
  const sources = pipeline.sources.map(replace)
  // Records of standard input are named by the spooled file alone, wherever the run directory is.
  const base = sources.every((source) => source.path === file) ? folder : loaded.base
  return { ...loaded, pipeline: { ...pipeline, sources, reference: pipeline.reference.map(replace) }, base }
}

/** Databases, object stores and addresses as files in the run directory. @throws SourceError */
export const copied = async (loaded: LoadedPipeline, runDir: string, how: Parameters<typeof withCopies>[2]): Promise<LoadedPipeline> => ({
  ...loaded,
  pipeline: await withCopies(loaded.pipeline, runDir, how),
})

/** A folder for standard input where no run directory is wanted; gone afterwards. */
export async function withScratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-'))
  try {
    return await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export const requestOf = (
  loaded: LoadedPipeline,
  options: DataOptions,
  now: Date,
  rest: Pick<AuditRequest, 'runDir' | 'resume' | 'hooks'>,
): AuditRequest => ({
  pipeline: loaded.pipeline,
  base: loaded.base,
  seed: options.seed ?? null,
  now,
  workers: options.workers ?? availableParallelism(),
  ...rest,
})
