import type { Pipeline } from '../contracts/pipeline.ts'

export interface ProgressEvent {
  readonly phase: string
  readonly done: number
  readonly total: number | null
  readonly unit: 'rows' | 'bytes' | 'shards' | 'trials'
}

export interface Hooks {
  progress(event: ProgressEvent): void
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: object): void
  readonly signal?: AbortSignal
}

export interface AuditRequest {
  readonly pipeline: Pipeline
  /** The folder that shard names are relative to. */
  readonly base: string
  readonly runDir: string
  readonly resume: boolean
  /** 32 hex digits, or any text; null draws one. */
  readonly seed: string | null
  readonly now: Date
  /** Worker threads; 1 runs everything in this thread. The result does not depend on it. */
  readonly workers: number
  readonly hooks: Hooks
  /** The records lie behind a cluster's engine: the sources are a sample of them, of which there are so many in truth. */
  readonly remote?: { readonly rows: number; readonly referenceRows: number | null }
  /** Private key that signs the verdict; absent: it is not signed. */
  readonly sign?: { readonly key: string; readonly password?: string | undefined }
}

/** `i/n`, 1-based: this machine's share of the shard groups. */
export interface Share {
  readonly index: number
  readonly count: number
}
