import type { Batch, IssueSink } from '../contracts/data.ts'
import type { Pixels } from './pixel-vector.ts'

/** A vector for each row, in the order of the batch; `kept` is null when every row has one. */
export interface Vectors {
  readonly data: Float32Array
  readonly kept: Int32Array | null
}

/** Rows without a vector are reported to `issue`, which is what keeps the count of rows right. */
export interface Maker {
  readonly dims: number
  /** Hands every encoded image of a batch to `see` as well, decoded, with its row in the batch. */
  readonly decodes: boolean
  vectors(batch: Batch, issue: IssueSink, see?: (image: Pixels, i: number) => void): Promise<Vectors>
  close(): Promise<void>
}

/** The named rows of a row-major matrix. */
export function keep<T extends Float32Array | Uint8Array>(data: T, dims: number, rows: Int32Array): T {
  const kept = new (data.constructor as new (n: number) => T)(rows.length * dims)
  rows.forEach((row, k) => {
    kept.set(data.subarray(row * dims, (row + 1) * dims), k * dims)
  })
  return kept
}

/** 0-based rows of a batch but the rejected ones. */
export function rowsWithout(rows: number, rejected: readonly number[]): Int32Array {
  const gone = new Set(rejected)
  return Int32Array.from({ length: rows }, (_, i) => i).filter((i) => !gone.has(i))
}
