import type { RecordBatch } from 'apache-arrow'
import type { ChunkTap } from './chunk.ts'

/** What a column means to Assay. A source renames its columns to these. */
export const roles = [
  'id',
  'label',
  'text',
  'response',
  'image',
  'embedding',
  'features',
  'categories',
  'predictions',
  'source',
  'time',
  'url',
  'digest',
] as const
export type Role = (typeof roles)[number]

/** What a statistic or a detector may read: a role, or what is made of `image` in the first read. */
export type Column = Role | 'pixels' | 'noise'

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }
export type Maybe<T> = T | Promise<T>

/**
 * An Arrow record batch whose columns are roles, in these types only (see `batch.ts` for reading and making them):
 * - `row`: Uint32, always present: 0-based position within the shard's file, counting rejected rows
 * - `id`, `text`, `response`, `time`, `url`, `digest`: Utf8
 * - `label`, `source`: Dictionary<Utf8, Int32>, null where missing
 * - `embedding`, `predictions`: FixedSizeList<Float32 | Float64>, finite
 * - `features`: FixedSizeList<Float64>; NaN is a missing value; field metadata `names` is a JSON list of column names
 * - `categories`: FixedSizeList<Utf8>, empty where missing; field metadata `names` as of `features`
 * - `image`: Binary (an encoded file) or FixedSizeList<Uint8> (raw pixels; field metadata `height`, `width`, `channels`)
 * - `pixels`: FixedSizeList<Uint8>, made of `image`: one size for all records, as in its field metadata `height`, `width`, `channels` (1 or 3)
 * - `noise`: FixedSizeList<Float32>, made of `image` in its own size: `noiseParts` of `noise.ts`
 * - `key`, `content`: FixedSizeBinary(16), added by the engine: keyed digests of the record and of its non-label fields
 */
export type Batch = RecordBatch

export type ColumnMap = { readonly [R in Role]?: string | readonly string[] }

/** One entry of `sources:` or `reference:` in the pipeline file. Paths are absolute once the configuration is resolved. */
export interface SourceSpec {
  readonly path?: string | readonly string[]
  readonly format?: string
  readonly columns?: ColumnMap
  readonly arrays?: { readonly [R in Role]?: string }
  readonly features?: readonly string[]
  readonly labels?: string
  readonly classes?: readonly string[]
}

/** A part of a data set that is read in one go: a file, a row group, a range of an array. Plain data: it travels to workers. */
export interface ShardSpec {
  /** Stable name in flags and reports: the path as the user wrote it, relative, plus `#first+rows` for a part of a file. */
  readonly id: string
  readonly format: string
  readonly path: string
  readonly bytes: number
  /** Rows that the file itself declares (footer, header); null where the format declares none. */
  readonly expectedRows: number | null
  /** Everything the format needs to read the shard again: roles, range, dtype. */
  readonly options: { readonly [key: string]: Json }
}

export interface ColumnInfo {
  readonly name: string
  readonly type: string
  readonly role: Role | null
}

export interface SourceListing {
  readonly shards: readonly ShardSpec[]
  readonly columns: readonly ColumnInfo[]
  readonly roles: readonly Role[]
  /** True where the roles were guessed from names and types: the caller prints them. */
  readonly guessed: boolean
  /** Files behind the shards, each once. */
  readonly files: readonly { readonly path: string; readonly id: string; readonly bytes: number }[]
}

export const rowIssueCodes = [
  'ragged-row',
  'wrong-type',
  'invalid-utf8',
  'non-finite',
  'missing-label',
  'missing-value',
  'missing-id',
  'too-long',
  'undecodable-image',
  'invalid-json',
  'out-of-range',
] as const
export type RowIssueCode = (typeof rowIssueCodes)[number]

export interface RowIssue {
  readonly code: RowIssueCode
  readonly row: number
  readonly line?: number
  readonly column?: string
  readonly detail?: string
  /** True: the row is in no batch. False: it is, with the field missing. */
  readonly rejected: boolean
}

export type IssueSink = (issue: RowIssue) => void

/** A file format: adding one is one file in `sources/` and one line in its registry. */
export interface Format {
  readonly name: string
  /** Reading a shard again costs no more than reading the engine's own copy of it. */
  readonly rereadable?: boolean
  /** Extensions, lower case with dot, without `.gz`. */
  readonly extensions: readonly string[]
  /** Does the content look like this format? `head` is the first 4 KiB, decompressed. */
  detect(head: Uint8Array, path: string): boolean
  columns(path: string, spec: SourceSpec): Promise<readonly Omit<ColumnInfo, 'role'>[]>
  /** `every`: the shards are to hand over every column, and not only those that have a role. */
  shards(path: string, id: string, spec: SourceSpec, columns: ColumnMap, every?: boolean): Promise<readonly ShardSpec[]>
  /**
   * Throws SourceError where the rest of the shard cannot be read; reports every row it rejects. `tap` sees each chunk before
   * it becomes a batch; give one to shards that were listed with `every`.
   */
  read(shard: ShardSpec, issue: IssueSink, tap?: ChunkTap): AsyncIterable<Batch>
}
