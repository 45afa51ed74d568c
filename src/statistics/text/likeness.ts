import type { RepeatedGrams } from '../repeated-grams.ts'
import { findGram } from './gram-table.ts'
import type { Passage } from './passages.ts'

const mostPassages = 40
const mostWords = 128

/** Mean cosine of all pairs of up to 40 texts, over their words that are not common, weighted by rarity; 0..1. */
export function likeness(
  grams: RepeatedGrams,
  passages: readonly Passage[],
  common: ReadonlySet<number>,
  ignored: ReadonlySet<number>,
): number {
  const sparse = passages.slice(0, mostPassages).map((p) => {
    const words = new Map<number, number>()
    let square = 0
    for (const token of p.tokens) {
      if (words.size === mostWords) break
      if (common.has(token) || ignored.has(token) || words.has(token)) continue
      const place = findGram(grams, token, 1)
      if (place < 0) continue
      const weight = Math.log(grams.records / (grams.counts[place] as number))
      words.set(token, weight)
      square += weight * weight
    }
    return { words, norm: Math.sqrt(square) }
  })
  let [sum, pairs] = [0, 0]
  for (let i = 0; i < sparse.length; i++) {
    for (let j = 0; j < i; j++) {
      const [a, b] = [sparse[i], sparse[j]] as [(typeof sparse)[number], (typeof sparse)[number]]
      if (a.norm === 0 || b.norm === 0) continue
      let dot = 0
      for (const [token, weight] of a.words) if (b.words.has(token)) dot += weight * weight
      sum += dot / (a.norm * b.norm)
      pairs++
    }
  }
  return pairs === 0 ? 0 : sum / pairs
}
