import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { keyed } from '../../src/math/rng.ts'

export interface Blobs {
  readonly vectors: Float64Array
  readonly truth: Int32Array
  readonly dims: number
  readonly classes: number
}

/** Gaussian classes around random centres `apart` standard deviations from the origin. */
export function blobs(name: string, rows: number, classes: number, dims: number, apart: number): Blobs {
  const random = keyed(new Uint8Array(16), name)
  const centres = Array.from({ length: classes }, () => random.normals(dims).map((v) => (v * apart) / Math.sqrt(dims)))
  const truth = Int32Array.from({ length: rows }, () => random.below(classes))
  const vectors = new Float64Array(rows * dims)
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < dims; j++) vectors[i * dims + j] = (centres[truth[i] as number]?.[j] as number) + random.normal()
  return { vectors, truth, dims, classes }
}

/** Changes the labels of a share of the rows that `where` picks. */
export function flip(
  name: string,
  labels: Int32Array,
  rate: number,
  to: (label: number, below: (n: number) => number) => number,
  where: (i: number) => boolean,
): Int32Array {
  const random = keyed(new Uint8Array(16), name)
  return labels.map((label, i) => (where(i) && random.uniform() < rate ? to(label, random.below) : label))
}

export function batchesOf(b: Blobs, labels: Int32Array, source: readonly string[] | null = null, size = 500): Batch[] {
  const values = Array.from({ length: b.classes }, (_, c) => `class ${c}`)
  const out: Batch[] = []
  for (let from = 0; from < labels.length; from += size) {
    const rows = Math.min(size, labels.length - from)
    const sources = source ? [...new Set(source)] : []
    out.push(
      makeBatch({
        row: Uint32Array.from({ length: rows }, (_, i) => from + i),
        label: { codes: labels.slice(from, from + rows), values },
        ...(source
          ? { source: { codes: Int32Array.from({ length: rows }, (_, i) => sources.indexOf(source[from + i] as string)), values: sources } }
          : {}),
        embedding: { data: b.vectors.slice(from * b.dims, (from + rows) * b.dims), rows, dims: b.dims },
      }),
    )
  }
  return out
}
