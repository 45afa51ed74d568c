import type { PairReader } from './pair-reader.ts'
import { perNat } from './pair-reader.ts'

/** Ways in which a part of a text can be unlike the corpus. */
export const segmentKinds = ['random pairs of rare tokens', 'random pairs of tokens', 'tokens that are rare in the corpus'] as const

/** The highest-scoring run of tokens of one kind, in nats; tokens start..end. */
export interface Segment {
  readonly score: number
  readonly start: number
  readonly end: number
}

const drift = [0.35, 0.1, 1] as const
const unitShare = 0.4
const unitLimit = 1.5
const rareLimit = 3

/**
 * Maximum-scoring segments (Karlin and Altschul 1990; Kadane's algorithm) of per-token log-likelihood ratios, one of each kind. `words`
 * and `pairs` are the passages with each token from..to, and with its pair with the next.
 */
export function segmentsOf(
  reader: PairReader,
  words: Uint16Array,
  pairs: Uint8Array,
  from: number,
  to: number,
): readonly [Segment, Segment, Segment] {
  let [best0, start0, end0] = [0, 0, 0]
  let [best1, start1, end1] = [0, 0, 0]
  let [best2, start2, end2] = [0, 0, 0]
  let [a, b, c] = [0, 0, 0]
  let [sa, sb, sc] = [1, 1, 1]
  for (let i = from + 1; i < to; i++) {
    const word = words[i] as number
    const pair = reader.edgeOf(words[i - 1] as number, word, pairs[i - 1] as number) / perNat
    const rarity = reader.rarityOf(word)
    const unit = Math.max(-unitLimit, Math.min(unitLimit, unitShare * rarity))
    const place = i - from
    if (a <= 0) {
      a = 0
      sa = place
    }
    a += pair + unit - drift[0]
    if (a > best0) {
      best0 = a
      start0 = sa
      end0 = place + 1
    }
    if (b <= 0) {
      b = 0
      sb = place
    }
    b += pair - drift[1]
    if (b > best1) {
      best1 = b
      start1 = sb
      end1 = place + 1
    }
    if (c <= 0) {
      c = 0
      sc = place
    }
    c += Math.max(-rareLimit, Math.min(rareLimit, rarity)) + drift[2]
    if (c > best2) {
      best2 = c
      start2 = sc
      end2 = place + 1
    }
  }
  return [
    { score: best0, start: start0, end: end0 },
    { score: best1, start: start1, end: end1 },
    { score: best2, start: start2, end: end2 },
  ]
}
