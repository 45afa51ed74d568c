import type { Test } from './finding.ts'

/** Types that a schema may declare for a column; lists are `type[n]` or `type[]`. */
export const fieldTypes = ['text', 'int64', 'float64', 'float32', 'bool', 'binary', 'timestamp'] as const
export type FieldType = (typeof fieldTypes)[number]

/** What a record is, whatever file it comes in. Its digest is part of every root. */
export interface RecordSchema {
  /** Types by column, lists as `float32[512]` or `int64[]`. Null: every value counts by its own kind, a CSV cell as text. */
  readonly columns: Readonly<Record<string, string>> | null
  /** Texts that stand for a missing value where a column is not text. */
  readonly nulls: readonly string[]
}

/** Columns of the data that play a part in a snapshot. The others are content. */
export interface SnapshotColumns {
  readonly id: string | null
  readonly label: string | null
  readonly source: string | null
  readonly time: string | null
  /** Columns left out of the content, sorted. */
  readonly ignored: readonly string[]
}

/** Order-free roots, 64 hex digits each: which of them differ says at once what kind of thing changed. */
export interface SnapshotRoots {
  /** Over whole leaves, the schema and the counts: what is signed and compared first. */
  readonly records: string
  readonly key: string
  readonly content: string
  readonly label: string
  /** Over shards, rows, sources and times. */
  readonly locations: string
}

export interface SnapshotShard {
  /** Name of the shard, as in reports. */
  readonly id: string
  /** Of the file behind it; equal size and digest: the shard is not read again. */
  readonly bytes: number
  readonly sha256: string
  /** Digest of how the file was read: range, columns, classes. Where it differs as well, the shard is read again. */
  readonly reading: string
  readonly rows: number
  /** Rows that could not be read; a snapshot with any is incomplete. */
  readonly rejected: number
  /** Values that are not of the type that the schema declares; they count as what they are. */
  readonly misfits: number
  /** Why the shard could not be read to its end; null where it was. A snapshot with any such is incomplete. */
  readonly failure: string | null
  /** In the order in which their rows were read. */
  readonly segments: readonly SnapshotSegment[]
}

/** Leaves of a part of a shard, partitioned by bucket: any set of segments merges. */
export interface SnapshotSegment {
  readonly file: string
  readonly sha256: string
  readonly rows: number
}

/** `snapshot.json`. */
export interface SnapshotHeader {
  readonly format: 'assay-snapshot'
  readonly version: 1
  /** Version of the canonical record. */
  readonly canonical: 'assay-record-1'
  readonly createdAt: string
  readonly subject: { readonly name: string; readonly version: string | null }
  readonly schema: RecordSchema
  readonly schemaDigest: string
  readonly columns: SnapshotColumns
  /** Digests are keyed (HMAC): a snapshot compares only with those of the same key. */
  readonly keyed: boolean
  /** Tells keys apart and tells nothing of them; null where digests are not keyed. */
  readonly keyId: string | null
  readonly records: number
  /** By name, ascending by code unit; records without a label are in none. */
  readonly labels: readonly { readonly name: string; readonly count: number }[]
  readonly sources: readonly { readonly name: string; readonly count: number }[]
  readonly roots: SnapshotRoots
  /** `roots.records` and the digest of the header of the snapshot before; null for the first of a chain. */
  readonly previous: { readonly root: string; readonly header: string } | null
  /** By id, ascending by code unit. */
  readonly shards: readonly SnapshotShard[]
}

export const changeKinds = ['added', 'removed', 'edited', 'relabelled', 'replaced'] as const
/** `edited`: same id, other content. `replaced`: other content and other label under one id, or an edit paired without ids. */
export type ChangeKind = (typeof changeKinds)[number]

export interface RecordLocation {
  /** Null without an id column, or where a keyed snapshot keeps no ids. */
  readonly id: string | null
  readonly shard: string
  readonly row: number
  readonly label: string | null
  readonly source: string | null
  /** Milliseconds since 1970; null where unknown. */
  readonly time: number | null
}

export interface RecordChange {
  readonly kind: ChangeKind
  readonly before: RecordLocation | null
  readonly after: RecordLocation | null
}

/** Along what changes may pile up. `class-pair`: given label before and after, for relabelled records. */
export const concentrationAxes = ['class', 'class-pair', 'source', 'time', 'position'] as const
export type ConcentrationAxis = (typeof concentrationAxes)[number]

/** Is one cell of an axis touched more often than random corrections would touch it? */
export interface Concentration {
  readonly kind: ChangeKind
  readonly axis: ConcentrationAxis
  /** Stratum within which records are exchangeable under the null: a split, or null for the whole set. */
  readonly within: string | null
  /** The cell with the smallest p-value. */
  readonly cell: string
  readonly changed: number
  readonly cellRecords: number
  readonly allChanged: number
  readonly allRecords: number
  /** Over the cells of the axis, after Bonferroni's correction over them. */
  readonly test: Test
  /** Of `test.p`, kept where that is too small for a double. */
  readonly log10P: number
  /** Corrected over everything that this diff tested, 0..1. */
  readonly adjusted: number
  /** `adjusted` is small enough, and enough records of the cell are touched, to rule out random corrections. */
  readonly concentrated: boolean
}

/** Added records that copy the content of another one, against the rate of such copies in the baseline. */
export interface Flood {
  readonly added: number
  readonly copies: number
  /** Records beyond the first of their content / records, in the baseline. */
  readonly rate: number
  /** The content copied most often: copies added, and one of the records. */
  readonly largest: { readonly copies: number; readonly record: RecordLocation } | null
  readonly test: Test
  readonly log10P: number
  readonly adjusted: number
  readonly concentrated: boolean
}

export interface ChangeSummary {
  readonly before: { readonly name: string; readonly root: string; readonly records: number }
  readonly after: { readonly name: string; readonly root: string; readonly records: number }
  readonly counts: Readonly<Record<ChangeKind, number>>
  readonly classes: readonly {
    readonly name: string
    /** Split (what follows `#` in the name of a shard) where the data has several; else null. */
    readonly split: string | null
    readonly before: number
    readonly after: number
    readonly counts: Readonly<Record<ChangeKind, number>>
  }[]
  readonly sources: readonly {
    readonly name: string
    readonly before: number
    readonly after: number
    readonly counts: Readonly<Record<ChangeKind, number>>
  }[]
  /** Relabelled and replaced records by label before (rows) and after (columns). */
  readonly transitions: {
    readonly labels: readonly string[]
    readonly counts: readonly (readonly number[])[]
  }
  /** Records beyond the first of their content, whatever their labels. Null where no record changed: they were not counted. */
  readonly duplicates: { readonly before: number; readonly after: number } | null
  readonly concentrations: readonly Concentration[]
  /** Null where nothing was added. */
  readonly flood: Flood | null
  /** Sentences: what was not compared or not tested, and why. */
  readonly notes: readonly string[]
}
