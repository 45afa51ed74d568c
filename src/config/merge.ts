import type { SourceSpec } from '../contracts/data.ts'
import type { FeatureSpec } from '../contracts/pipeline.ts'
import { resolveBaseModel } from './base-model.ts'
import { resolveFrom, type YamlFile } from './document.ts'
import { type ProvenanceLayer, resolveProvenance } from './provenance.ts'
import type { PipelineFile, SourceEntry } from './schema.ts'

type Plain = { readonly [key: string]: unknown }

const isMap = (value: unknown): value is Plain => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Later wins, maps merge key by key, everything else (lists too) replaces. */
export function merge<A, B>(earlier: A, later: B): A & B {
  if (!isMap(earlier) || !isMap(later)) return (later === undefined ? earlier : later) as A & B
  const out: Record<string, unknown> = { ...earlier }
  for (const [key, value] of Object.entries(later)) out[key] = key in earlier ? merge(earlier[key], value) : value
  return out as A & B
}

const mapPath = (path: string | readonly string[], to: (path: string) => string): string | readonly string[] =>
  typeof path === 'string' ? to(path) : path.map(to)

/** Paths become absolute; `-` stays: it is standard input. Without `path`, arrays name files. */
export function resolveSource(source: SourceEntry, to: (path: string) => string): SourceSpec {
  const file = (path: string): string => (path === '-' ? path : to(path))
  const arrays =
    source.arrays && source.path === undefined
      ? Object.fromEntries(Object.entries(source.arrays).map(([role, path]) => [role, file(path as string)]))
      : source.arrays
  return {
    ...source,
    ...(source.path === undefined ? {} : { path: mapPath(source.path, file) }),
    ...(arrays ? { arrays } : {}),
    ...(source.labels === undefined ? {} : { labels: to(source.labels) }),
    ...(source.images === undefined ? {} : { images: to(source.images) }),
  } as SourceSpec
}

function resolveFeatures(features: NonNullable<PipelineFile['features']>, to: (path: string) => string): FeatureSpec {
  const files = <T extends object>(part: T, keys: readonly string[]): T =>
    Object.fromEntries(Object.entries(part).map(([key, value]) => [key, keys.includes(key) ? to(value as string) : value])) as T
  return {
    ...(features.text ? { text: files(features.text, ['model', 'tokenizer']) } : {}),
    ...(features.image ? { image: files(features.image, ['model']) } : {}),
  } as FeatureSpec
}

/** A pipeline file whose paths no longer depend on where it lies. */
export interface Layer extends Omit<PipelineFile, 'version' | 'extends' | 'sources' | 'reference' | 'features' | 'provenance' | 'history'> {
  /** One of the two is null, so that a later layer replaces both. */
  readonly history?: { readonly path: string | null; readonly connection: { readonly env: string } | null }
  readonly sources?: readonly SourceSpec[]
  readonly reference?: readonly SourceSpec[]
  readonly features?: FeatureSpec
  readonly provenance?: ProvenanceLayer
}

/** Options of detectors that name a file: `claims: { table: claims.csv }`. */
const fileOptions: ReadonlySet<string> = new Set(['table'])

function resolveDetectors(detectors: NonNullable<PipelineFile['detectors']>, to: (path: string) => string): Layer['detectors'] {
  const resolved = (options: object) =>
    Object.fromEntries(Object.entries(options).map(([key, v]) => [key, fileOptions.has(key) && typeof v === 'string' ? to(v) : v]))
  return Object.fromEntries(
    Object.entries(detectors).map(([id, options]) => [id, typeof options === 'object' && options !== null ? resolved(options) : options]),
  ) as Layer['detectors']
}

/** The files that such options name, once resolved. */
export const detectorFiles = (detectors: Readonly<Record<string, unknown>>): readonly string[] =>
  Object.values(detectors).flatMap((options) =>
    Object.entries((options ?? {}) as object).flatMap(([key, v]) => (fileOptions.has(key) && typeof v === 'string' ? [v] : [])),
  )

/** In a preset, the path of the history stays as it is: it belongs to who uses the preset. */
export function toLayer(file: PipelineFile, yaml: YamlFile, preset: boolean): Layer {
  const to = (path: string): string => resolveFrom(yaml, path)
  const {
    version: _,
    extends: __,
    sources,
    reference,
    features,
    provenance,
    artifacts,
    waivers,
    detectors,
    'base-model': model,
    gate,
    history,
    ...rest
  } = file
  return {
    ...rest,
    ...(sources ? { sources: sources.map((s) => resolveSource(s, to)) } : {}),
    ...(reference ? { reference: reference.map((s) => resolveSource(s, to)) } : {}),
    ...(features ? { features: resolveFeatures(features, to) } : {}),
    ...(detectors ? { detectors: resolveDetectors(detectors, to) } : {}),
    ...(provenance ? { provenance: resolveProvenance(provenance, to, (s) => resolveSource(s, to)) } : {}),
    ...(model ? { 'base-model': resolveBaseModel(model, to) } : {}),
    ...(artifacts
      ? { artifacts: { ...artifacts, path: to(artifacts.path), ...(artifacts.base === undefined ? {} : { base: to(artifacts.base) }) } }
      : {}),
    ...(gate ? { gate: { ...gate, ...(gate.known === undefined ? {} : { known: to(gate.known) }) } } : {}),
    ...(history
      ? {
          history: {
            path: history.path === undefined ? null : preset ? history.path : to(history.path),
            connection: history.connection ?? null,
          },
        }
      : {}),
    ...(waivers === undefined ? {} : { waivers: to(waivers) }),
  }
}
