import { dense } from '../../math/counts.ts'
import { combine } from '../../math/tokens.ts'
import type { TextSketch } from '../text-sketch.ts'
import { bucketOf, buckets } from './pairing.ts'

/** Parts of a nat in the sums of log-likelihood ratios: integers, so that the order of the records does not matter. */
export const perNat = 64

/** Finished document frequencies, ready for reading. */
export interface PairReader {
  /** Passages with the token. */
  word(token: number): number
  /** Passages with the pair, 255 for more. */
  pair(pair: number): number
  three(three: number): number
  four(four: number): number
  /** Log-likelihood ratio of random against natural for two neighbours, in 1 / `perNat`. */
  edge(left: number, right: number): number
  /** How much rarer the token is than text is, in nats. */
  rarity(token: number): number
  /** The same from passages with the tokens, and with the pair. */
  edgeOf(leftWord: number, rightWord: number, pair: number): number
  rarityOf(word: number): number
  /** The tables themselves: a token's cell is `token >>> wordShift`. */
  readonly wordCells: Uint16Array
  readonly wordShift: number
  readonly pairCells: Uint8Array
  readonly pairShift: number
}

const opened = new WeakMap<TextSketch, PairReader>()

export function openPairs(sketch: TextSketch): PairReader {
  const known = opened.get(sketch)
  if (known) return known
  const words = dense(sketch.words) as Uint16Array
  const pairs = dense(sketch.pairs) as Uint8Array
  const [threes, fours] = [dense(sketch.threes), dense(sketch.fours)]
  const [w, p] = [32 - sketch.words.bits, 32 - sketch.pairs.bits]
  const [t, f] = [32 - sketch.threes.bits, 32 - sketch.fours.bits]
  const table = Int16Array.from(sketch.pair, (llr) => Math.round(llr * perNat))
  const bucket = Uint8Array.from({ length: 0x10000 }, (_, n) => bucketOf(n - 1))
  const unit = sketch.unit
  const reader: PairReader = {
    word: (token) => words[token >>> w] as number,
    pair: (pair) => pairs[pair >>> p] as number,
    three: (three) => threes[three >>> t] as number,
    four: (four) => fours[four >>> f] as number,
    edge: (left, right) =>
      reader.edgeOf(words[left >>> w] as number, words[right >>> w] as number, pairs[combine(left, right) >>> p] as number),
    rarity: (token) => reader.rarityOf(words[token >>> w] as number),
    edgeOf: (left, right, pair) =>
      table[((bucket[left] as number) * buckets + (bucket[right] as number)) * 2 + (pair > 1 ? 1 : 0)] as number,
    rarityOf: (word) => unit[bucket[word] as number] as number,
    wordCells: words,
    wordShift: w,
    pairCells: pairs,
    pairShift: p,
  }
  opened.set(sketch, reader)
  return reader
}
