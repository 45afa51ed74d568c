import { combine, type Tokens } from '../../math/tokens.ts'

const openingTokens = 10
const leastTokens = 3

/** Keyed hash of the first ten tokens of an answer; null for one of fewer than three. */
export function openingOf(tokens: Tokens): number | null {
  if (tokens.count < leastTokens) return null
  let hash = 0x3c6ef372
  for (let i = 0; i < Math.min(openingTokens, tokens.count); i++) hash = combine(hash, tokens.hashes[i] as number)
  return hash
}
