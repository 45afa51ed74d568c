import { type Counts, dense } from '../../math/counts.ts'
import { keyed } from '../../math/rng.ts'
import { combine } from '../../math/tokens.ts'
import { type PassageSample, passagesOf } from './passages.ts'

/** Buckets of a document frequency: 0 for one passage at most, then by powers of two. */
export const buckets = 16
export const bucketOf = (count: number): number => (count <= 1 ? 0 : Math.min(buckets - 1, 32 - Math.clz32(count)))

/** Tokens that are a class of their own where neighbours are compared; all others are one class. */
const commonTokens = 400

/** How natural text pairs its tokens, learnt from the sample; log-likelihood ratios in nats. */
export interface Pairing {
  /**
   * [buckets of the left token, buckets of the right token, pair seen in another passage]: ln P(seen or not | random neighbours) - the same
   * for natural neighbours. Positive: random.
   */
  readonly pair: Float32Array
  /** [bucket]: ln P(bucket | a random token of the vocabulary) - ln P(bucket | text). Positive: rarer than text is. */
  readonly unit: Float32Array
  /** Hashes of the most frequent tokens, the most frequent first. */
  readonly mostCommon: Int32Array
  /** Records' tokens in the sample, for the reader. */
  readonly sampledTokens: number
}

const minCell = 20

export function pairingOf(seed: Uint8Array, sample: PassageSample, wordCounts: Counts, pairCounts: Counts): Pairing {
  const words = dense(wordCounts)
  const pairs = dense(pairCounts)
  const [w, p] = [32 - wordCounts.bits, 32 - pairCounts.bits]
  const bucket = (token: number): number => bucketOf((words[token >>> w] as number) - 1)
  const natural = new Float64Array(buckets * buckets * 2)
  const random = new Float64Array(buckets * buckets * 2)
  const inText = new Float64Array(buckets).fill(1)
  const inVocabulary = new Float64Array(buckets).fill(1)
  const frequency = new Map<number, number>()
  const { tokens } = sample
  for (const passage of passagesOf(sample)) {
    passage.tokens.forEach((token, i) => {
      frequency.set(token, (frequency.get(token) ?? 0) + 1)
      const b = bucket(token)
      inText[b] = (inText[b] as number) + 1
      if (i === 0) return
      const left = passage.tokens[i - 1] as number
      const isSeen = (pairs[combine(left, token) >>> p] as number) > 1 ? 1 : 0
      const cell = (bucket(left) * buckets + b) * 2 + isSeen
      natural[cell] = (natural[cell] as number) + 1
    })
  }
  const draw = keyed(seed, 'random pairs of tokens')
  for (let i = 0; i < tokens.length; i++) {
    const [left, right] = [tokens[draw.below(tokens.length)] as number, tokens[draw.below(tokens.length)] as number]
    // A planted pair has counted itself; a drawn one has not.
    const isSeen = (pairs[combine(left, right) >>> p] as number) > 0 ? 1 : 0
    const cell = (bucket(left) * buckets + bucket(right)) * 2 + isSeen
    random[cell] = (random[cell] as number) + 1
  }
  const cells = new Uint32Array(0x10000)
  for (let i = 0; i < words.length; i++) cells[words[i] as number] = (cells[words[i] as number] as number) + 1
  for (let count = 1; count < cells.length; count++) {
    const b = bucketOf(count - 1)
    inVocabulary[b] = (inVocabulary[b] as number) + (cells[count] as number)
  }
  const pair = new Float32Array(natural.length)
  for (let cell = 0; cell < natural.length; cell += 2) {
    const n = (natural[cell] as number) + (natural[cell + 1] as number)
    const m = (random[cell] as number) + (random[cell + 1] as number)
    if (n < minCell || m < minCell) continue
    const [pn, pr] = [((natural[cell + 1] as number) + 1) / (n + 2), ((random[cell + 1] as number) + 1) / (m + 2)]
    pair[cell] = Math.log((1 - pr) / (1 - pn))
    pair[cell + 1] = Math.log(pr / pn)
  }
  const [text, vocabulary] = [inText.reduce((a, b) => a + b), inVocabulary.reduce((a, b) => a + b)]
  const unit = Float32Array.from(inText, (n, b) => Math.log((inVocabulary[b] as number) / vocabulary) - Math.log(n / text))
  const common = [...frequency].sort(([a, n], [b, m]) => m - n || a - b).slice(0, commonTokens)
  return { pair, unit, mostCommon: Int32Array.from(common, ([token]) => token), sampledTokens: tokens.length }
}
