import type { Batch, Maybe } from './data.ts'
import type { Context, Shape } from './statistic.ts'

/** Records on their way to a bucket, in one buffer. */
export interface Sent {
  /** Where the answer goes; -1: none is wanted. Given by the engine, handed back as it is. */
  readonly places: Float64Array
  /** `places.length` x `width` bytes. */
  readonly payload: Uint8Array
}

/** Copies of the rows of a batch, each for one bucket; a row has exactly one copy that wants an answer. */
export interface Routed {
  readonly rows: Uint32Array
  readonly buckets: Uint32Array
  /** 1 where the row's answer comes from this bucket. */
  readonly wants: Uint8Array
  /** `rows.length` x `width` bytes. */
  readonly payload: Uint8Array
}

export interface Answered {
  readonly places: Float64Array
  /** `places.length` x `answers`. */
  readonly values: Float32Array
}

/**
 * What a record can only learn beside others, wherever they are: copies of records go to buckets, each bucket is worked alone, and
 * what comes of it returns to the records as the column `neighbours`. It runs once the statistics of `after` are there; those that read
 * the column are fitted after it. Neither routing nor work may depend on the order of records or on who routed them.
 */
export interface Exchange {
  readonly id: string
  readonly version: number
  /** Ids of the statistics whose summaries it reads. */
  readonly after: readonly string[]
  /** Numbers a record gets, in single precision. */
  readonly answers: number
  /** For the plan: what one worker holds while it works a bucket, and what all copies of a record take on disk. */
  bytes(shape: Shape): { readonly memory: number; readonly aRecord: number }
  /** Buckets, and bytes of a copy; no buckets: there is nothing to learn. */
  layout(c: Context): { readonly buckets: number; readonly width: number }
  route(c: Context, batch: Batch): Maybe<Routed>
  /** `read` gives everything that was sent to one bucket, as often as it is called, in blocks in any order. */
  work(c: Context, read: () => AsyncIterable<Sent>): AsyncIterable<Answered>
}
