import { tokeniser } from '../../math/tokens.ts'

/** Of Unicode's Sentence_Terminal those in wide use, full width ones as NFKC has them. */
const terminals = '. ! ? 。 ؟ ۔ । ॥ ። ။ ។'
const leastWords = 5

/** Hashes of the tokens that end sentences. */
export function sentenceEnds(seed: Uint8Array): ReadonlySet<number> {
  const bytes = new TextEncoder().encode(terminals)
  const { hashes, count } = tokeniser(seed).read(bytes, 0, bytes.length)
  return new Set(hashes.subarray(0, count))
}

/** One sentence and no more: the last token alone ends one, after five others at least. */
export const isSentence = (tokens: readonly number[], ends: ReadonlySet<number>): boolean =>
  tokens.length > leastWords && tokens.every((token, i) => ends.has(token) === (i === tokens.length - 1))
