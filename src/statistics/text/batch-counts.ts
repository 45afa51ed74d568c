import { combine } from '../../math/tokens.ts'
import type { BatchTokens } from './batch-tokens.ts'
import type { PairReader } from './pair-reader.ts'

/** What the sketch says of every token of a batch. */
export interface BatchCounts {
  /** Passages with each token, 65535 for more. */
  readonly words: Uint16Array
  /** Passages with the pair of each token and the next one, 255 for more; 0 at the end of a row. */
  readonly pairs: Uint8Array
}

const known = new WeakMap<BatchTokens, { readonly reader: PairReader; readonly counts: BatchCounts }>()

/** Looked up once for all statistics of a read. The tables are larger than the processor's caches: loops that do nothing else let it fetch ahead. */
export function countsOf(tokens: BatchTokens, reader: PairReader): BatchCounts {
  const found = known.get(tokens)
  if (found?.reader === reader) return found.counts
  const { hashes, ends } = tokens
  const count = ends[ends.length - 1] as number
  const words = new Uint16Array(count)
  const pairs = new Uint8Array(count)
  const { wordCells, wordShift, pairCells, pairShift } = reader
  for (let i = 0; i < count; i++) words[i] = wordCells[(hashes[i] as number) >>> wordShift] as number
  for (let i = 1; i < count; i++) pairs[i - 1] = pairCells[combine(hashes[i - 1] as number, hashes[i] as number) >>> pairShift] as number
  for (let row = 1; row < ends.length; row++) if ((ends[row] as number) > 0) pairs[(ends[row] as number) - 1] = 0
  const counts = { words, pairs }
  known.set(tokens, { reader, counts })
  return counts
}
