import type { Batch, Column, Maybe } from './data.ts'

/** Finished summaries by statistic id. Asking for one that was not declared in `after` throws. */
export interface Summaries {
  get<Summary>(id: string): Summary
}

export interface Context<Options = unknown> {
  readonly options: Options
  /** 128-bit key of every sample, fold, projection and sketch. */
  readonly seed: Uint8Array
  readonly summaries: Summaries
}

export type TypedArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Uint32Array
  | Uint8Array
  | Uint16Array
  | Int8Array
  | Int16Array
  | BigInt64Array
  | BigUint64Array

/** A tree of plain objects, arrays, strings, finite numbers and typed arrays: what `engine/codec.ts` can write. */
export type Tree = string | number | boolean | null | TypedArray | readonly Tree[] | { readonly [key: string]: Tree }

/**
 * A commutative monoid over batches. `init` is the identity; `merge` may come in any order and any tree.
 * The state is a Tree after `seal` (flush buffers, sort into the canonical order); `merge` takes sealed states.
 */
// biome-ignore lint/suspicious/noExplicitAny: states are private to their statistic
export interface Statistic<State = any, Summary = any> {
  /** Unique with its parameters: the engine shares one state between detectors that ask for the same id. */
  readonly id: string
  readonly version: number
  readonly needs: readonly Column[]
  /** Ids whose summaries it reads: it is fitted one level deeper. */
  readonly after: readonly string[]
  readonly over: 'subject' | 'reference' | 'baseline'
  /** It reads the columns `key` or `content`; the engine computes them only then. */
  readonly keyed?: boolean
  init(c: Context): State
  update(c: Context, state: State, batch: Batch): Maybe<void>
  seal?(c: Context, state: State): Maybe<void>
  merge(into: State, from: State): void
  /** Whatever is not linear. Must be a Tree too: it is stored and sent to workers. */
  finish(c: Context, state: State): Maybe<Summary>
  /** Upper bound of one state in bytes, for the plan. */
  bytes(shape: Shape): number
}

/** What is known of the data when the plan is made. */
export interface Shape {
  readonly rows: number | null
  readonly dims: number
  readonly classes: number
  readonly sources: number
  /** Columns of `categories`. */
  readonly categories?: number
  /** Of the column `pixels`, where there is one. */
  readonly pixels?: PixelShape
}

/** Row-major, height x width x channels; grey or RGB. */
export interface PixelShape {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
}
