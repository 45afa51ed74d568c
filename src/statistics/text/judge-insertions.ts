import type { RepeatedGrams } from '../repeated-grams.ts'
import type { Carriers, Occurrence } from './carriers.ts'
import { isShape } from './grams.ts'
import { closingOf, type Insertion, insertionOf, type Neighbourhood, type Transitions, transitionsOf } from './insertion.ts'
import { likeness } from './likeness.ts'
import type { Candidates } from './matcher.ts'
import { type Passage, passagesOf } from './passages.ts'
import { neighbourhoods, reachOf, wordsOfPhrase } from './phrases.ts'
import { isSentence } from './sentences.ts'

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
  /** Of a whole sentence: what stands before it says nothing, because sentences stand after sentences. */
  readonly sentence: Sentence | null
}

export interface Sentence {
  /** How texts close over it, in nats. */
  readonly closing: number
  /** How alike its records are besides it, and how alike any records are. */
  readonly alike: number
  readonly alikeBase: number
}

/** What phrases are judged by beside where they stand. */
export interface InsertionCase {
  readonly candidates: Candidates & { readonly looksInserted?: Uint8Array }
  readonly carriers: Carriers
  /** Of each candidate its occurrences in the carriers. */
  readonly found: readonly (readonly Occurrence[])[]
  readonly grams: RepeatedGrams
  /** Tokens by frequency, the most frequent first; as many of them as shapes keep. */
  readonly common: Int32Array
  readonly classOf: (token: number) => number
  /** Tokens that end sentences. */
  readonly ends: ReadonlySet<number>
}

/** Evidence from which on a phrase, and a sentence, is taken for inserted, in nats. */
export interface LeastInsertion {
  readonly insertion: number
  readonly sentence: number
}

const leastOccurrences = 12
const mostOccurrences = 400
const looksAt = [64, 128, 256, mostOccurrences] as const
/** The strongest kept, for the report and for what lies below its threshold. */
const most = 20

/** Nats an occurrence by which texts close over what was put into them: .5 to 1.4; over adverbs, which stand anywhere too, .3 at most. */
const leastClosing = 0.35

const atRandom = ({ insertion, closing }: InsertedPhrase): number => {
  const weaker = Math.min(insertion.left, insertion.right)
  return closing < leastClosing * insertion.occurrences ? Math.min(0, weaker) : weaker
}

/** Sentences of one kind of text have no fixed place in it, and are boilerplate. */
const isElsewhere = ({ alike, alikeBase }: Sentence): boolean => alike <= 1.5 * alikeBase + 0.01

const ofSentence = ({ sentence }: InsertedPhrase): number =>
  sentence && isElsewhere(sentence) ? sentence.closing : Number.NEGATIVE_INFINITY

/** Nats for having been put there: those of the weaker side, unless the texts do not close over it; of a sentence, how they close over it. */
export const strengthOfInsertion = (p: InsertedPhrase): number => Math.max(atRandom(p), ofSentence(p))

/** A sentence put between others, rather than a phrase put anywhere. */
export const isBetweenSentences = (p: InsertedPhrase): boolean => ofSentence(p) > atRandom(p)

export const isInserted = (p: InsertedPhrase, least: LeastInsertion): boolean =>
  atRandom(p) >= least.insertion || ofSentence(p) >= least.sentence

/**
 * Transitions of 300 words are a coarse picture of a language, and what they miss adds up over many occurrences. The mean of Bayes factors of
 * the first 64, 128, ... is one too (Vovk and Wang 2021), and no less than a share of the largest.
 */
function closingOfSentence(around: readonly Neighbourhood[], share: number, transitions: Transitions): number {
  const looks = looksAt.filter((n, i) => i === 0 || n < around.length)
  return Math.max(...looks.map((n) => closingOf(around.slice(0, n), share, transitions))) - Math.log(looks.length)
}

/** The insertion test of every candidate that is a phrase, extended to the whole of it; the strongest first. */
export function judgeInsertions(of: InsertionCase): { readonly strongest: readonly InsertedPhrase[]; readonly judged: number } {
  const { candidates, carriers, found, grams, classOf, ends } = of
  const common = new Set(of.common)
  const passages = passagesOf(carriers.carriers)
  const uniform = passagesOf(carriers.uniform)
  const alikeBase = likeness(grams, uniform, common, new Set())
  const transitions = transitionsOf(
    uniform.map((p) => p.tokens),
    classOf,
  )
  const out: InsertedPhrase[] = []
  found.forEach((all, candidate) => {
    const occurrences = all.slice(0, mostOccurrences)
    const kind = candidates.kinds[candidate] as number
    if (isShape(kind) || occurrences.length < leastOccurrences || candidates.looksInserted?.[candidate] === 0) return
    const reach = reachOf(passages, occurrences, ends)
    const words = wordsOfPhrase(carriers.examples[candidate] ?? [], reach)
    if (!/\p{L}|\d{3}/u.test(words)) return
    const around = neighbourhoods(passages, occurrences, reach, ends)
    const judged = occurrences.map((o) => passages[o.passage] as Passage)
    const [one] = occurrences as [Occurrence]
    const whole = [...reach.before, ...(judged[0] as Passage).tokens.subarray(one.from, one.to), ...reach.after]
    const share = (carriers.counts[candidate] as number) / carriers.records
    // A word of a sentence stands elsewhere too.
    const closing = kind === 4 && isSentence(whole, ends) ? closingOfSentence(around, share, transitions) : 0
    out.push({
      words,
      hash: candidates.hashes[candidate] as number,
      kind,
      records: carriers.counts[candidate] as number,
      insertion: insertionOf(around, classOf),
      closing: closingOf(around, share, transitions),
      sentence: closing > 0 ? { closing, alike: likeness(grams, judged, common, new Set(whole)), alikeBase } : null,
    })
  })
  out.sort((a, b) => strengthOfInsertion(b) - strengthOfInsertion(a) || (a.words < b.words ? -1 : 1))
  const distinct = out.filter((p, i) => out.findIndex((q) => q.words === p.words) === i)
  return { strongest: distinct.slice(0, most), judged: distinct.length }
}
