import type { VectorSample } from '../vector-sample.ts'

/** Class and content of row i, as a key. @param contents [rows, 16] */
export const recordKey = (label: number, contents: Uint8Array, i: number): string =>
  `${label} ${Buffer.from(contents.buffer, contents.byteOffset + i * 16, 16).toString('latin1')}`

const known = new WeakMap<VectorSample, ReadonlyMap<string, number>>()

/** Rows of a sample by class and content. */
export function placesOf(sample: VectorSample): ReadonlyMap<string, number> {
  const before = known.get(sample)
  if (before) return before
  const made = new Map<string, number>()
  for (let i = 0; i < sample.rows; i++) made.set(recordKey(sample.labels[i] as number, sample.contents, i), i)
  known.set(sample, made)
  return made
}
