/** `history:` of the pipeline file. Paths are absolute once the configuration is resolved. */
export type HistorySpec =
  /** An embedded DuckDB file. */
  | { readonly path: string }
  /** PostgreSQL: the name of the environment variable with its address. */
  | { readonly connection: { readonly env: string } }

/** What changed since the snapshot that a run was compared with, by class, source and pair of classes. */
export interface NightChanges {
  /** Roots of the two snapshots. */
  readonly before: string
  readonly after: string
  readonly classes: readonly NightCount[]
  readonly sources: readonly NightCount[]
  readonly pairs: readonly { readonly from: string; readonly to: string; readonly count: number }[]
}

export interface NightCount {
  readonly name: string
  /** Records in the snapshot before. */
  readonly before: number
  /** Records whose label was changed; of a class: those that left it. */
  readonly relabelled: number
}

/** One audit as the history keeps it for trends. */
export interface Night {
  readonly run: string
  /** ISO 8601 */
  readonly startedAt: string
  /** False: the audit was incomplete, and its counts say nothing. */
  readonly whole: boolean
  /** The audit read only what was new since a snapshot: its records are others every night. */
  readonly fresh: boolean
  readonly labels: readonly { readonly name: string; readonly count: number; readonly flagged: number }[]
  readonly sources: readonly { readonly name: string; readonly count: number; readonly flagged: number }[]
  /** Null where it was compared with no snapshot. */
  readonly changes: NightChanges | null
}
