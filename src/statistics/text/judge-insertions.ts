import type { Carriers, Occurrence } from './carriers.ts'
import { isShape } from './grams.ts'
import { closingOf, type Insertion, insertionOf, transitionsOf } from './insertion.ts'
import type { Candidates } from './matcher.ts'
import { passagesOf } from './passages.ts'
import { neighbourhoods, reachOf, wordsOfPhrase } from './phrases.ts'

/** A phrase with its neighbours against expectation. */
export interface InsertedPhrase {
  readonly words: string
  readonly hash: number
  readonly kind: number
  /** Records with the part of it that was counted. */
  readonly records: number
  readonly insertion: Insertion
  /** How much better its records read without it than phrases of the language do, in nats. */
  readonly closing: number
}

const leastOccurrences = 12
const mostOccurrences = 400
/** The strongest kept, for the report and for what lies below its threshold. */
const most = 20

/** Nats for having been put there: those of the weaker side, unless the texts do not close over it. */
export const strengthOfInsertion = ({ insertion, closing }: InsertedPhrase): number =>
  closing < 0 ? Math.min(0, insertion.left, insertion.right) : Math.min(insertion.left, insertion.right)

/** The insertion test of every candidate that is a phrase, extended to the whole of it; the strongest first. */
export function judgeInsertions(
  candidates: Candidates,
  carriers: Carriers,
  found: readonly (readonly Occurrence[])[],
  classOf: (token: number) => number,
): { readonly strongest: readonly InsertedPhrase[]; readonly judged: number } {
  const passages = passagesOf(carriers.carriers)
  const transitions = transitionsOf(
    passagesOf(carriers.uniform).map((p) => p.tokens),
    classOf,
  )
  const out: InsertedPhrase[] = []
  found.forEach((all, candidate) => {
    const occurrences = all.slice(0, mostOccurrences)
    const kind = candidates.kinds[candidate] as number
    if (isShape(kind) || occurrences.length < leastOccurrences) return
    const reach = reachOf(passages, occurrences)
    const words = wordsOfPhrase(carriers.examples[candidate] ?? [], reach)
    if (!/\p{L}|\d{3}/u.test(words)) return
    const around = neighbourhoods(passages, occurrences, reach)
    out.push({
      words,
      hash: candidates.hashes[candidate] as number,
      kind,
      records: carriers.counts[candidate] as number,
      insertion: insertionOf(around, classOf),
      closing: closingOf(around, transitions),
    })
  })
  out.sort((a, b) => strengthOfInsertion(b) - strengthOfInsertion(a) || (a.words < b.words ? -1 : 1))
  const whole = out.filter((p, i) => out.findIndex((q) => q.words === p.words) === i)
  return { strongest: whole.slice(0, most), judged: whole.length }
}
