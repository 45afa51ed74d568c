/** What reading one file may cost. A file that needs more is reported, never skipped in silence. */
export interface Limits {
  /** Archives within archives. */
  readonly maxDepth: number
  /** Members of all archives of one file. */
  readonly maxMembers: number
  /** Bytes that decompression may write for one file. */
  readonly maxUnpackedBytes: number
  /** Text that is parsed as a whole: JSON, templates, source code. */
  readonly maxTextBytes: number
}

export const defaultLimits: Limits = { maxDepth: 6, maxMembers: 100_000, maxUnpackedBytes: 1 << 30, maxTextBytes: 64 << 20 }

/** What is left for one file. */
export interface Budget {
  members: number
  unpackedBytes: number
}

export const budgetOf = (limits: Limits): Budget => ({ members: limits.maxMembers, unpackedBytes: limits.maxUnpackedBytes })
