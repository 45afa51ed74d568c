import type { TypedArray } from './statistic.ts'

export type NumberArray = TypedArray

/** Stands in a list of values for bytes that were to be text and are not UTF-8. */
export const invalidUtf8 = Symbol('invalid UTF-8')

/**
 * One column of a chunk before it has a role.
 * - `values`: string, number, bigint, boolean, Uint8Array, array, object, `invalidUtf8`; null or undefined where missing
 * - `numbers`: one number a row; `valid[i]` 0 where missing
 * - `codes`: indices into `values`, -1 where missing
 * - `lists`: row i is `data[i * dims ...]`, or `lengths[i]` numbers from `starts[i]` where `dims` is null
 */
export type Cells =
  | { readonly kind: 'values'; readonly values: readonly unknown[] }
  | { readonly kind: 'numbers'; readonly data: NumberArray; readonly valid: Uint8Array | null }
  | { readonly kind: 'codes'; readonly codes: Int32Array; readonly values: readonly (string | typeof invalidUtf8)[] }
  | Lists

export interface Lists {
  readonly kind: 'lists'
  readonly data: NumberArray
  readonly dims: number | null
  readonly starts: Uint32Array | null
  readonly lengths: Uint32Array | null
  /** 0 where the list itself is missing. */
  readonly valid: Uint8Array | null
  /** 0 where a number inside a list is missing. */
  readonly itemValid: Uint8Array | null
}

/** Rows as a format reads them: columns by their own names. */
export interface Chunk {
  /** 0-based position of each row within the shard's file, rejected rows counted. */
  readonly rows: Uint32Array
  /** 1-based line of the i-th row in a text file. */
  readonly lines: ((i: number) => number) | null
  readonly columns: ReadonlyMap<string, Cells>
}

/** Sees every chunk of a shard before its columns become roles: each row that the format could read, with every column asked for. */
export type ChunkTap = (chunk: Chunk) => void
