import { basename, dirname, extname, resolve } from 'node:path'
import type { ColumnMap, SourceSpec } from '../contracts/data.ts'
import type { HistorySpec } from '../contracts/history.ts'
import type { ArtifactsSpec, Declared, FlagFormat, Gate, NotifySpec, Pipeline, ReportFormat } from '../contracts/pipeline.ts'
import { toBaseModel } from './base-model.ts'
import { checkModel, checkRequired, checkTrust } from './checks.ts'
import { absolute, issueAt } from './document.ts'
import { ConfigError, fileError } from './errors.ts'
import { type Loaded, loadChain, loadPreset } from './extends.ts'
import { loadKnown } from './known.ts'
import { detectorFiles, type Layer, merge, resolveSource } from './merge.ts'
import { nearest } from './nearest.ts'
import { type ProvenanceLayer, toProvenance } from './provenance.ts'
import { defaults } from './schema.ts'
import { toSensitivity } from './sensitivity.ts'
import { loadWaivers } from './waivers.ts'

/** What the command line says. It wins over every file; its paths are relative to `cwd`. */
export interface Overrides {
  /** Detector ids that a file may name; not checked when absent. */
  readonly knownDetectors?: readonly string[]
  readonly cwd?: string
  /** Applied over the file. */
  readonly preset?: string
  /** Paths to audit instead of the file's sources; `-` is standard input. */
  readonly data?: readonly string[]
  /** Role: column, or array where the data are .npy and .npz. Applied to every source. */
  readonly columns?: ColumnMap
  readonly labels?: string
  readonly reference?: readonly string[]
  readonly failOn?: Gate['fail-on']
  readonly maxFlagged?: number
  readonly minCoverage?: number
  /** A file of known findings. */
  readonly known?: string
  /** A DuckDB file that keeps every audit. */
  readonly history?: string
  readonly formats?: readonly ReportFormat[]
  readonly excerpts?: boolean
  readonly flags?: FlagFormat
  readonly scores?: FlagFormat
  /** A snapshot folder or a trusted original. */
  readonly baseline?: string
  /** A snapshot folder: only what is new or changed since then is audited. It is the baseline as well. */
  readonly since?: string
  /** Files of public keys, instead of those of the file. */
  readonly keys?: readonly string[]
  /** Known attacks are tried on the records. */
  readonly sensitivity?: boolean
  /** Detectors that run; the others that are known are switched off. */
  readonly only?: readonly string[]
}

export interface LoadedPipeline {
  readonly pipeline: Pipeline
  /** The folder that names of shards are relative to. */
  readonly base: string
  readonly waiverFile: string | null
  readonly knownFile: string | null
  /** Sources of which the command line alone names columns, by position: the roles that it leaves out are still to be guessed. */
  readonly partial: { readonly sources: readonly number[]; readonly reference: readonly number[] }
}

const defined = <T extends object>(value: T): Partial<T> =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as Partial<T>

const isNpz = (path: SourceSpec['path']): boolean =>
  path !== undefined && (typeof path === 'string' ? [path] : path).every((p) => p.toLowerCase().endsWith('.npz'))

/** Columns of the command line: members of an .npz, .npy files where the source is made of those, else columns. */
function withColumns(source: SourceSpec, columns: ColumnMap | undefined, cwd: string): SourceSpec {
  if (!columns || Object.keys(columns).length === 0) return source
  if (!source.arrays && !isNpz(source.path)) return { ...source, columns: { ...source.columns, ...columns } }
  const members = Object.fromEntries(Object.entries(columns).map(([role, name]) => [role, typeof name === 'string' ? name : name[0]]))
  const arrays = source.path === undefined ? resolveSource({ arrays: members } as never, (path) => absolute(cwd, path)).arrays : members
  return { ...source, arrays: { ...source.arrays, ...arrays } as NonNullable<SourceSpec['arrays']> }
}

const isUnnamed = (source: SourceSpec): boolean => source.columns === undefined && source.arrays === undefined && !isNpz(source.path)

const positions = (sources: readonly SourceSpec[], o: Overrides): readonly number[] =>
  o.columns === undefined ? [] : sources.flatMap((source, i) => (isUnnamed(source) ? [i] : []))

const isNpyMap = (columns: ColumnMap | undefined): boolean =>
  columns !== undefined && Object.values(columns).some((name) => typeof name === 'string' && name.toLowerCase().endsWith('.npy'))

interface Overridden {
  readonly sources: readonly SourceSpec[]
  readonly partial: readonly number[]
}

function overrideSources(sources: readonly SourceSpec[] | undefined, o: Overrides, cwd: string): Overridden {
  const to = (path: string): string => absolute(cwd, path)
  let out: readonly SourceSpec[] = sources ?? []
  if (o.data?.length) {
    // A file with one source says how data of this kind are read: only its path is replaced.
    const template = out.length === 1 && out[0]?.path !== undefined ? out[0] : {}
    out = [resolveSource({ ...(template as object), path: o.data.length === 1 ? (o.data[0] as string) : [...o.data] }, to)]
  } else if (out.length === 0 && isNpyMap(o.columns)) out = [{ arrays: {} }]
  const labels = o.labels === undefined ? {} : { labels: to(o.labels) }
  return { sources: out.map((source) => ({ ...withColumns(source, o.columns, cwd), ...labels })), partial: positions(out, o) }
}

function overrideReference(layer: Layer, o: Overrides, cwd: string): Overridden {
  const reference = o.reference?.length
    ? [resolveSource({ path: o.reference.length === 1 ? (o.reference[0] as string) : [...o.reference] }, (path) => absolute(cwd, path))]
    : (layer.reference ?? [])
  if (isNpyMap(o.columns)) return { sources: reference, partial: [] }
  return { sources: reference.map((source) => withColumns(source, o.columns, cwd)), partial: positions(reference, o) }
}

/** A baseline by itself asks for no manifests: only a file, a preset or a key does. */
function overrideProvenance(below: Layer, o: Overrides, cwd: string): Pick<Layer, 'provenance'> {
  const baseline = o.baseline ?? o.since
  if (baseline === undefined && o.keys === undefined) return {}
  return {
    provenance: defined({
      ...(below.provenance === undefined && o.keys === undefined ? { manifests: false as const } : {}),
      baseline: baseline === undefined ? undefined : absolute(cwd, baseline),
      trust: o.keys && { keys: o.keys.map((key) => absolute(cwd, key)) },
    }) as ProvenanceLayer,
  }
}

function detectorsBut(only: readonly string[], known: readonly string[]): Layer['detectors'] {
  const wrong = only.find((id) => !known.includes(id))
  if (wrong !== undefined) {
    const near = nearest(wrong, known)
    throw fileError(
      'invalid-config',
      '--only',
      `there is no detector "${wrong}"`,
      near ? `did you mean ${near}?` : `choose from ${known.join(', ')}`,
    )
  }
  return Object.fromEntries(known.filter((id) => !only.includes(id)).map((id) => [id, false as const]))
}

const overrideSettings = (o: Overrides, cwd: string): Layer =>
  ({
    ...(o.only ? { detectors: detectorsBut(o.only, o.knownDetectors ?? []) } : {}),
    ...(o.sensitivity ? { sensitivity: true } : {}),
    ...(o.history === undefined ? {} : { history: { path: absolute(cwd, o.history), connection: null } }),
    gate: defined({
      'fail-on': o.failOn,
      'max-flagged': o.maxFlagged,
      'min-coverage': o.minCoverage,
      known: o.known && absolute(cwd, o.known),
    }),
    report: defined({ formats: o.formats ? [...o.formats] : undefined, excerpts: o.excerpts, flags: o.flags, scores: o.scores }),
  }) as Layer

/** `scans/train.csv.gz` is about `train`. */
const nameOf = (path: string): string => {
  const file = basename(path).replace(/\.(gz|zst)$/i, '')
  return file.slice(0, file.length - extname(file).length) || file
}

/** What several files have in common: the start of their names, up to a mark, else their folder. */
function commonName(paths: readonly string[]): string {
  const names = paths.map(nameOf)
  let start = names[0] ?? ''
  while (!names.every((name) => name.startsWith(start))) start = start.slice(0, -1)
  const whole = names.every((name) => name.length === start.length || /[._-]/.test(name[start.length] as string) || /[._-]$/.test(start))
  const stem = start.replace(/[._-]+$/, '')
  return whole && stem.length >= 3 ? stem : basename(dirname(paths[0] ?? ''))
}

function subjectName(sources: readonly SourceSpec[], cwd: string): string {
  const paths = sources.flatMap(({ path, arrays = {} }) =>
    path === undefined ? Object.values(arrays) : typeof path === 'string' ? [path] : path,
  )
  const [only] = paths
  if (only === undefined) return basename(cwd) || 'data'
  if (only === '-') return 'standard input'
  if (/[*?[\]{}]/.test(basename(only))) return basename(dirname(only)) || 'data'
  return (paths.length === 1 ? nameOf(only) : commonName(paths)) || 'data'
}

const blandNames = new Set(['pipeline', 'assay', 'audit', 'config'])

function toPipeline(
  layer: Layer,
  sources: readonly SourceSpec[],
  reference: readonly SourceSpec[],
  name: string,
): Omit<Pipeline, 'waivers'> {
  const { known: _, ...given } = layer.gate ?? {}
  const gate = { ...defaults.gate, ...given } as Gate
  const tried = toSensitivity(layer.sensitivity)
  const baseModel = layer['base-model'] ? toBaseModel(layer['base-model']) : null
  const report = { scores: null, ...defaults.report, ...layer.report } as Omit<Pipeline['report'], 'scores'> & {
    scores: FlagFormat | false | null
  }
  return {
    version: 1,
    subject: {
      name: layer.subject?.name ?? name,
      version: layer.subject?.version ?? null,
      ...(layer.subject?.declared ? { declared: layer.subject.declared as Declared } : {}),
    },
    sources,
    reference,
    features: layer.features ?? {},
    detectors: (layer.detectors ?? {}) as Pipeline['detectors'],
    provenance: layer.provenance ? toProvenance(layer.provenance) : null,
    ...(baseModel ? { baseModel } : {}),
    ...(layer.artifacts ? { artifacts: layer.artifacts as ArtifactsSpec } : {}),
    ...(tried ? { sensitivity: tried } : {}),
    gate,
    ...(layer.notify ? { notify: layer.notify as readonly NotifySpec[] } : {}),
    report: {
      formats: [...new Set(report.formats)],
      excerpts: report.excerpts,
      flags: report.flags,
      scores: report.scores || null,
    },
  }
}

const toHistory = (layer: Layer['history'], home: string): HistorySpec | null =>
  layer?.connection ? { connection: layer.connection } : layer?.path ? { path: absolute(home, layer.path) } : null

async function finish(chain: readonly Loaded[], o: Overrides, cwd: string, main: Loaded | null): Promise<LoadedPipeline> {
  const presets = o.preset !== undefined && main ? await loadPreset(o.preset, o.knownDetectors) : []
  const all = [...chain, ...presets]
  const written = all.reduce<Layer>((below, { layer }) => merge(below, layer), {})
  const settings = overrideSettings(typeof written.sensitivity === 'object' ? { ...o, sensitivity: false } : o, cwd)
  const layer = merge(written, { ...settings, ...overrideProvenance(written, o, cwd) }) as Layer
  const { sources, partial } = overrideSources(layer.sources, o, cwd)
  const reference = overrideReference(layer, o, cwd)
  if (sources.length === 0) {
    const hint = 'add sources: [{ path: data.csv }], or name the data on the command line'
    if (main) throw new ConfigError('no-sources', [issueAt(main.yaml, ['sources'], 'is missing: nothing to audit', { hint, on: 'key' })])
    throw fileError('no-sources', 'assay', 'no data to audit', 'name a file, a folder or a glob')
  }
  checkRequired(all, layer)
  checkModel(all, layer)
  const fromData = (o.data?.length ?? 0) > 0 || main === null
  const home = main ? dirname(main.yaml.path) : cwd
  const base = fromData ? cwd : home
  const waiverFile = layer.waivers ?? null
  const knownFile = layer.gate?.known ?? null
  const stem = main ? nameOf(main.yaml.path) : ''
  const name = fromData ? subjectName(sources, cwd) : blandNames.has(stem.toLowerCase()) ? basename(home) || stem : stem
  const pipeline = toPipeline(layer, sources, reference.sources, name)
  const history = toHistory(layer.history, home)
  const accepted = [waiverFile, knownFile, history && 'path' in history ? history.path : null].filter((file) => file !== null)
  checkTrust(all, sources, accepted, detectorFiles(pipeline.detectors), pipeline.provenance, base, fromData)
  const waivers = waiverFile === null ? [] : await loadWaivers(waiverFile)
  const known = knownFile === null ? {} : { known: await loadKnown(knownFile) }
  return {
    pipeline: {
      ...pipeline,
      waivers,
      ...known,
      ...(history ? { history } : {}),
      ...(o.since === undefined ? {} : { since: absolute(cwd, o.since) }),
    },
    base,
    waiverFile,
    knownFile,
    partial: { sources: partial, reference: reference.partial },
  }
}

/**
 * A pipeline file with everything it extends, its waivers and the command line's overrides.
 * @throws ConfigError (exit 4) with file, line and column of every mistake
 */
export async function loadPipeline(file: string, overrides: Overrides = {}): Promise<LoadedPipeline> {
  const cwd = resolve(overrides.cwd ?? '.')
  const chain = await loadChain(resolve(cwd, file), overrides.knownDetectors)
  return finish(chain, overrides, cwd, chain.at(-1) ?? null)
}

export const defaultPreset = 'pretraining-gate'

/**
 * The pipeline of `assay audit DATA`: a preset over these paths, columns guessed unless overridden.
 * @throws ConfigError (exit 4)
 */
export async function pipelineForData(paths: readonly string[], overrides: Overrides = {}): Promise<LoadedPipeline> {
  const cwd = resolve(overrides.cwd ?? '.')
  const chain = await loadPreset(overrides.preset ?? defaultPreset, overrides.knownDetectors)
  return finish(chain, { ...overrides, data: paths }, cwd, null)
}
