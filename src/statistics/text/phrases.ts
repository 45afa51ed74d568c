import type { Example, Occurrence } from './carriers.ts'
import type { Neighbourhood } from './insertion.ts'
import type { Passage } from './passages.ts'

/** A neighbour that stands beside so many occurrences belongs to the phrase. */
const belongs = 0.8
const longestReach = 12
const longestSentence = 40

/** Tokens before and after a candidate that belong to the whole phrase. */
export interface Reach {
  readonly before: readonly number[]
  readonly after: readonly number[]
}

/** @param ends tokens that end sentences: none of those before the phrase belongs to it, and what is after it may be longer */
export function reachOf(passages: readonly Passage[], occurrences: readonly Occurrence[], ends?: ReadonlySet<number>): Reach {
  const longest = ends ? longestSentence : longestReach
  const mode = (at: (o: Occurrence) => number): number | null => {
    const counts = new Map<number, number>()
    for (const o of occurrences) {
      const token = (passages[o.passage] as Passage).tokens[at(o)]
      if (token !== undefined) counts.set(token, (counts.get(token) ?? 0) + 1)
    }
    const [token, n] = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0] ?? [0, 0]
    return n >= belongs * occurrences.length ? token : null
  }
  const before: number[] = []
  const after: number[] = []
  for (let token: number | null; after.length < longest; after.push(token)) {
    token = mode((o) => o.to + after.length)
    if (token === null) break
  }
  for (let token: number | null; before.length < longest; before.unshift(token)) {
    token = mode((o) => o.from - 1 - before.length)
    if (token === null || ends?.has(token)) break
  }
  return { before, after }
}

/** @param ends tokens that end sentences: those with which the phrase begins are its neighbours */
export const neighbourhoods = (
  passages: readonly Passage[],
  occurrences: readonly Occurrence[],
  reach: Reach,
  ends: ReadonlySet<number> = new Set(),
): Neighbourhood[] =>
  occurrences.map((o) => {
    const { tokens } = passages[o.passage] as Passage
    const to = Math.min(tokens.length, o.to + reach.after.length)
    let from = Math.max(0, o.from - reach.before.length)
    while (from + 1 < to && ends.has(tokens[from] as number)) from++
    return { tokens, from, to }
  })

/** The whole phrase in words, as most examples have it. */
export function wordsOfPhrase(examples: readonly Example[], reach: Reach): string {
  const forms = examples.map((e) => {
    const before = reach.before.length ? e.before.split(' ').slice(-reach.before.length) : []
    const after = e.after.split(' ').slice(0, reach.after.length)
    return [...before, e.phrase, ...after].filter((word) => word !== '').join(' ')
  })
  const votes = (form: string): number => forms.filter((f) => f === form).length
  return [...forms].sort((a, b) => votes(b) - votes(a) || (a < b ? -1 : 1))[0] ?? ''
}
