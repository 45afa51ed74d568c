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

/** Maximum-scoring segments (Karlin and Altschul 1990; Kadane's algorithm) of per-token log-likelihood ratios, one of each kind. */
export function segmentsOf(pairs: PairReader, tokens: Int32Array, count: number): readonly [Segment, Segment, Segment] {
  const best = [0, 0, 0]
  const starts = [0, 0, 0]
  const ends = [0, 0, 0]
  let [a, b, c] = [0, 0, 0]
  let [sa, sb, sc] = [1, 1, 1]
  for (let i = 1; i < count; i++) {
    const token = tokens[i] as number
    const pair = pairs.edge(tokens[i - 1] as number, token) / perNat
    const rarity = pairs.rarity(token)
    const unit = Math.max(-unitLimit, Math.min(unitLimit, unitShare * rarity))
    if (a <= 0) {
      a = 0
      sa = i
    }
    a += pair + unit - drift[0]
    if (a > (best[0] as number)) {
      best[0] = a
      starts[0] = sa
      ends[0] = i + 1
    }
    if (b <= 0) {
      b = 0
      sb = i
    }
    b += pair - drift[1]
    if (b > (best[1] as number)) {
      best[1] = b
      starts[1] = sb
      ends[1] = i + 1
    }
    if (c <= 0) {
      c = 0
      sc = i
    }
    c += Math.max(-rareLimit, Math.min(rareLimit, rarity)) + drift[2]
    if (c > (best[2] as number)) {
      best[2] = c
      starts[2] = sc
      ends[2] = i + 1
    }
  }
  const of = (k: number): Segment => ({ score: best[k] as number, start: starts[k] as number, end: ends[k] as number })
  return [of(0), of(1), of(2)]
}
