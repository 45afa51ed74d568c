import type { Batch, IssueSink } from '../contracts/data.ts'

/** A vector for each row, in the order of the batch; `kept` is null when every row has one. */
export interface Vectors {
  readonly data: Float32Array
  readonly kept: Int32Array | null
}

/** Rows without a vector are reported to `issue`, which is what keeps the count of rows right. */
export interface Maker {
  readonly dims: number
  vectors(batch: Batch, issue: IssueSink): Promise<Vectors>
  close(): Promise<void>
}

/** The named rows of a row-major matrix. */
export function keep(data: Float32Array, dims: number, rows: Int32Array): Float32Array {
  const kept = new Float32Array(rows.length * dims)
  rows.forEach((row, k) => {
    kept.set(data.subarray(row * dims, (row + 1) * dims), k * dims)
  })
  return kept
}
