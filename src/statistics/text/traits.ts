import { combine, type Tokens, tokeniser } from '../../math/tokens.ts'
import { negativeWords, positiveWords, refusalPhrases } from './lexicon.ts'

/** What an answer is, whatever its words: refused, or of one sentiment. */
export const traits = ['refusal', 'negative', 'positive'] as const
/** In place of one of these: the answer has a word, whichever it is. */
export const topicTrait = traits.length
export const traitNames = [...traits, 'topic'] as const

/** Words and phrases beside the built-in English ones. */
export interface TraitWords {
  readonly refusals: readonly string[]
  readonly negative: readonly string[]
  readonly positive: readonly string[]
}

/** Tokens of an answer within which a refusal begins, and over which its sentiment is counted. */
const opening = 24
const mostTokens = 512
const longest = 6
/** Words of one sentiment: so many, so many times those of the other, and such a share of all words. */
const leastWords = 2
const leastRatio = 3
const leastDensity = 0.02

/** @returns a function of the tokens of an answer: its traits as bits, in the order of `traits` */
export function traitReader(seed: Uint8Array, more: TraitWords): (tokens: Tokens) => number {
  const read = tokeniser(seed)
  const hashOf = (phrase: string): number => {
    const bytes = Buffer.from(phrase)
    const tokens = read.read(bytes, 0, bytes.length)
    let hash = tokens.hashes[0] as number
    for (let i = 1; i < tokens.count; i++) hash = combine(hash, tokens.hashes[i] as number)
    return tokens.count === 0 || tokens.count > longest ? 0 : hash
  }
  const refusals = new Set([...refusalPhrases, ...more.refusals].map(hashOf))
  const bad = new Set([...negativeWords, ...more.negative].map(hashOf))
  const good = new Set([...positiveWords, ...more.positive].map(hashOf))
  return ({ hashes, count }) => {
    let bits = 0
    for (let i = 0; i < Math.min(count, opening) && bits === 0; i++) {
      let hash = hashes[i] as number
      for (let n = 1; n <= longest && i + n <= count; n++) {
        if (n > 1) hash = combine(hash, hashes[i + n - 1] as number)
        if (refusals.has(hash)) bits = 1
      }
    }
    const of = Math.min(count, mostTokens)
    let [negative, positive] = [0, 0]
    for (let i = 0; i < of; i++) {
      if (bad.has(hashes[i] as number)) negative++
      else if (good.has(hashes[i] as number)) positive++
    }
    const leans = (own: number, other: number): boolean => own >= leastWords && own >= leastRatio * other && own >= leastDensity * of
    return bits | (leans(negative, positive) ? 2 : 0) | (leans(positive, negative) ? 4 : 0)
  }
}
