import { eachGram } from './grams.ts'

const sharedShare = 0.3
const leastShare = 0.4
const leastPrompts = 8
const longestPhrase = 5
const mostPhrases = 40

/** Mean share of words that two questions have in common, words of more than 30 % of them left out; 0..1. */
export function overlapOf(prompts: readonly Int32Array[]): number {
  const sets = prompts.map((p) => new Set(p))
  const counts = new Map<number, number>()
  for (const s of sets) for (const t of s) counts.set(t, (counts.get(t) ?? 0) + 1)
  const own = sets.map((s) => new Set([...s].filter((t) => (counts.get(t) as number) <= sharedShare * sets.length)))
  let [sum, pairs] = [0, 0]
  for (let i = 1; i < own.length; i++) {
    const [a, b] = [own[i - 1] as Set<number>, own[i] as Set<number>]
    if (a.size + b.size === 0) continue
    let both = 0
    for (const t of a) if (b.has(t)) both++
    sum += both / (a.size + b.size - both)
    pairs++
  }
  return pairs > 0 ? sum / pairs : 1
}

/** Phrases of one to five tokens that many of the questions share, the most frequent and longest first. */
export function sharedPhrases(
  prompts: readonly Int32Array[],
): { readonly hash: number; readonly kind: number; readonly prompts: number }[] {
  const counts = new Map<number, { hash: number; kind: number; prompts: number; last: number }>()
  prompts.forEach((tokens, i) => {
    eachGram(tokens, tokens.length, longestPhrase, (hash, kind) => {
      const key = hash * 8 + kind
      const known = counts.get(key)
      if (!known) counts.set(key, { hash, kind, prompts: 1, last: i })
      else if (known.last !== i) {
        known.prompts++
        known.last = i
      }
    })
  })
  return [...counts.values()]
    .filter((g) => g.prompts >= Math.max(leastPrompts, leastShare * prompts.length))
    .sort((a, b) => b.prompts - a.prompts || b.kind - a.kind || a.hash - b.hash)
    .slice(0, mostPhrases)
    .map(({ hash, kind, prompts: n }) => ({ hash, kind, prompts: n }))
}
