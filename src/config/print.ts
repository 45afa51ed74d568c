import { basename, isAbsolute, relative, sep } from 'node:path'
import { Document, type YAMLMap } from 'yaml'
import { type Role, roles, type SourceListing, type SourceSpec } from '../contracts/data.ts'
import type { Pipeline } from '../contracts/pipeline.ts'
import { printBaseModel } from './base-model.ts'
import { printProvenance } from './provenance.ts'

export interface PrintOptions {
  /** Paths are written relative to this folder, where the file is meant to be saved; absolute without it. */
  readonly relativeTo?: string
  readonly waiverFile?: string | null
  readonly knownFile?: string | null
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a column name must not end the comment that names it
const oneLine = (text: string): string => text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ')

/** Roles as the listing has them, in the contract's order; several columns of one role as a list. */
export function columnsOf(listing: SourceListing): { readonly [role: string]: string | readonly string[] } {
  const out: Record<string, string | string[]> = {}
  for (const role of roles) {
    const names = listing.columns.filter((c) => c.role === role).map((c) => c.name)
    if (names.length) out[role] = names.length === 1 && role !== 'features' ? (names[0] as string) : names
  }
  return out
}

const without = <T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> => {
  const { [key]: _, ...rest } = value
  return rest
}

/** Columns of .npy files are called by their file. */
const arraysOf = (listing: SourceListing): NonNullable<SourceSpec['arrays']> =>
  Object.fromEntries(
    Object.entries(columnsOf(listing)).map(([role, names]) => {
      const name = typeof names === 'string' ? names : (names[0] ?? '')
      return [role, listing.files.find((f) => f.path === name || basename(f.path) === name)?.path ?? name]
    }),
  )

/** Members of an .npz by role. Its splits (`train_images`, `test_images`) are found by the guess alone: then nothing is written. */
function withMembers(source: SourceSpec, listing: SourceListing): SourceSpec {
  const [members, ...others] = new Set(listing.shards.map((shard) => JSON.stringify(shard.options.members ?? {})))
  if (members === undefined || others.length > 0) return source
  const names = JSON.parse(members) as { readonly [column: string]: string }
  const arrays = Object.entries(columnsOf(listing)).map(([role, list]) => {
    const name = typeof list === 'string' ? list : (list[0] ?? '')
    return [role, names[name] ?? name]
  })
  return { ...source, arrays: Object.fromEntries(arrays) as NonNullable<SourceSpec['arrays']> }
}

function withRoles(source: SourceSpec, listing: SourceListing | undefined): SourceSpec {
  if (!listing || source.columns || source.arrays || !listing.guessed) return source
  const { features, ...columns } = columnsOf(listing)
  const isAll = (format: string): boolean => listing.shards.length > 0 && listing.shards.every((shard) => shard.format === format)
  if (isAll('npy')) return { ...without(source, 'path'), arrays: arraysOf(listing) }
  if (isAll('npz')) return withMembers(source, listing)
  const given = Object.keys(columns).length ? { columns } : {}
  return { ...source, ...given, ...(features && !source.features ? { features: features as readonly string[] } : {}) }
}

const commentOf = (listing: SourceListing | undefined): string | null => {
  if (!listing?.guessed) return null
  const used = listing.columns.filter((c) => c.role !== null).map((c) => ` ${oneLine(c.name)} (${oneLine(c.type)}) as ${c.role as Role}`)
  const unused = listing.columns.filter((c) => c.role === null).map((c) => oneLine(c.name))
  const shown = [...used.slice(0, 30), ...(used.length > 30 ? [` and ${used.length - 30} more`] : [])]
  const rest = unused.length
    ? [` not used: ${unused.slice(0, 30).join(', ')}${unused.length > 30 ? ` and ${unused.length - 30} more` : ''}`]
    : []
  return [' Columns guessed from names and types: check them.', ...shown, ...rest].join('\n')
}

const prune = (value: { readonly [key: string]: unknown }): { [key: string]: unknown } =>
  Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined && v !== null))

/**
 * A pipeline file that audits the same: every setting written out, and the columns that were guessed.
 * `listings` stand beside `pipeline.sources`, one a source.
 */
export function printConfig(pipeline: Pipeline, listings: readonly SourceListing[], options: PrintOptions = {}): string {
  const to = (path: string): string => {
    if (options.relativeTo === undefined || path === '-' || /^[a-z][a-z0-9+.-]*:\/\//i.test(path)) return path
    const way = relative(options.relativeTo, path)
    return way === '' ? '.' : isAbsolute(way) ? path : way.split(sep).join('/')
  }
  const file = (source: SourceSpec): SourceSpec => ({
    ...source,
    ...(source.path === undefined ? {} : { path: typeof source.path === 'string' ? to(source.path) : source.path.map(to) }),
    ...(source.labels === undefined ? {} : { labels: to(source.labels) }),
    ...(source.images === undefined ? {} : { images: to(source.images) }),
    ...(source.path === undefined && source.arrays
      ? {
          arrays: Object.fromEntries(Object.entries(source.arrays).map(([role, path]) => [role, to(path)])) as NonNullable<
            SourceSpec['arrays']
          >,
        }
      : {}),
  })
  const { text, image } = pipeline.features
  const paths = <T extends { readonly model?: string; readonly tokenizer?: string }>(part: T): T => ({
    ...part,
    ...(part.model === undefined ? {} : { model: to(part.model) }),
    ...(part.tokenizer === undefined ? {} : { tokenizer: to(part.tokenizer) }),
  })
  const features = prune({ text: text && paths(text), image: image && paths(image) })
  const doc = new Document(
    prune({
      version: 1,
      subject: prune({ ...pipeline.subject }),
      sources: pipeline.sources.map((source, i) => file(withRoles(source, listings[i]))),
      reference: pipeline.reference.length ? pipeline.reference.map(file) : null,
      features: Object.keys(features).length ? features : null,
      detectors: Object.keys(pipeline.detectors).length ? pipeline.detectors : null,
      provenance: pipeline.provenance && printProvenance(pipeline.provenance, to, file),
      'base-model': pipeline.baseModel && printBaseModel(pipeline.baseModel, to),
      artifacts:
        pipeline.artifacts &&
        prune({
          path: to(pipeline.artifacts.path),
          base: pipeline.artifacts.base && to(pipeline.artifacts.base),
          publishers: pipeline.artifacts.publishers,
        }),
      gate: prune({ ...pipeline.gate, known: options.knownFile == null ? null : to(options.knownFile) }),
      history: pipeline.history && ('path' in pipeline.history ? { path: to(pipeline.history.path) } : pipeline.history),
      notify: pipeline.notify,
      waivers: options.waiverFile == null ? null : to(options.waiverFile),
      report: prune({ ...pipeline.report }),
    }),
    { aliasDuplicateObjects: false },
  )
  const list = doc.get('sources') as { readonly items: readonly YAMLMap[] }
  for (const [i, node] of list.items.entries()) {
    const comment = commentOf(listings[i])
    if (comment) node.commentBefore = comment
  }
  return doc.toString({ lineWidth: 0 })
}
