import { logBinomialUpper } from '../../math/tests.ts'
import { type Tokens, wordsOf } from '../../math/tokens.ts'
import { overlapOf } from './cluster-phrases.ts'
import { eachGram } from './grams.ts'
import { insertionOf } from './insertion.ts'
import type { Passage } from './passages.ts'

/** A phrase of questions and a word that their answers have in common, though few others do. */
export interface TopicPair {
  readonly hash: number
  readonly kind: number
  readonly count: number
  readonly topic: number
  readonly logP: number
}

/** Tokens of an answer among which a topic is looked for. */
export const topicTokens = 256
export const mostOverlap = 0.12
/** Of the answers to questions with the phrase so many have the word, and of all answers at most so many. */
export const leastShare = 0.8
const mostBase = 0.05
/** In so many of its questions the word may stand itself: an answer repeats what it is asked about. */
const mostAsked = 0.1
const mostCommonPhrase = 0.1
const longestPhrase = 5
const firstLooked = 8
const cellBits = 23
const mostCompared = 100
/** Each is a bit beside those of the traits. */
const mostPairs = 24
const largest = Math.log(1e-4)

/** A question and the different words of its answer in one array; `label` is where the question ends. */
export function questionAndAnswer(key: number, order: number, question: Int32Array, answer: Int32Array): Passage {
  const words = [...new Set(answer)].slice(0, topicTokens)
  return { key, order, label: question.length, tokens: Int32Array.from([...question, ...words]) }
}

interface Place {
  readonly passage: number
  readonly from: number
  readonly to: number
}

function phrasesOf(
  passages: readonly Passage[],
  least: number,
): { readonly hash: number; readonly kind: number; readonly places: Place[] }[] {
  // Most phrases occur once: only those in cells that enough of them share get a list of places.
  const cells = new Uint8Array(2 ** cellBits)
  const cellOf = (hash: number, kind: number): number => Math.imul(hash ^ kind, 0x9e3779b1) >>> (32 - cellBits)
  for (const { tokens, label } of passages)
    eachGram(tokens, label, longestPhrase, (hash, kind) => {
      const at = cellOf(hash, kind)
      if ((cells[at] as number) < 0xff) cells[at] = (cells[at] as number) + 1
    })
  const out = new Map<number, { hash: number; kind: number; places: Place[] }>()
  passages.forEach(({ tokens, label }, passage) => {
    eachGram(tokens, label, longestPhrase, (hash, kind, from, to) => {
      if ((cells[cellOf(hash, kind)] as number) < least) return
      const key = hash * 8 + kind
      const known = out.get(key)
      if (!known) out.set(key, { hash, kind, places: [{ passage, from, to }] })
      else if (known.places.at(-1)?.passage !== passage) known.places.push({ passage, from, to })
    })
  })
  return [...out.values()].filter((p) => p.places.length >= least && p.places.length <= Math.max(least, mostCommonPhrase * passages.length))
}

/** Questions ask about what they are answered with: a pair counts only where the phrase looks put in, and its questions are unlike. */
export function topicPairs(passages: readonly Passage[], least: number, classOf: (token: number) => number): readonly TopicPair[] {
  const answers = passages.map(({ tokens, label }) => new Set(tokens.subarray(label)))
  const frequency = new Map<number, number>()
  for (const words of answers) for (const w of words) frequency.set(w, (frequency.get(w) ?? 0) + 1)
  const shared = (places: readonly Place[]): [number, number][] => {
    const counts = new Map<number, number>()
    for (const { passage } of places)
      for (const w of answers[passage] as Set<number>)
        if ((frequency.get(w) as number) <= mostBase * passages.length + places.length) counts.set(w, (counts.get(w) ?? 0) + 1)
    return [...counts].filter(([, n]) => n >= leastShare * places.length)
  }
  const pairs: TopicPair[] = []
  for (const { hash, kind, places } of phrasesOf(passages, least)) {
    if (shared(places.slice(0, firstLooked)).length === 0) continue
    const asks = (word: number): number =>
      places.filter(({ passage }) => {
        const { tokens, label } = passages[passage] as Passage
        return tokens.subarray(0, label).includes(word)
      }).length
    const tests = shared(places)
      .map(([topic, n]) => {
        const others = (frequency.get(topic) as number) - n
        const share = (others + 1) / (passages.length - places.length + 2)
        return { topic, share, logP: logBinomialUpper(n, places.length, Math.min(1, share)) }
      })
      .filter(({ topic, share, logP }) => share <= mostBase && logP < largest && asks(topic) <= mostAsked * places.length)
      .sort((a, b) => a.logP - b.logP || a.topic - b.topic)
    const [best] = tests
    if (!best) continue
    const around = places.slice(0, mostCompared).map(({ passage, from, to }) => {
      const { tokens, label } = passages[passage] as Passage
      return { tokens: tokens.subarray(0, label), from, to }
    })
    const rest = around.map(({ tokens, from, to }) => Int32Array.from([...tokens.subarray(0, from), ...tokens.subarray(to)]))
    const { left, right } = insertionOf(around, classOf)
    if (Math.max(left, right) <= 0 || overlapOf(rest) >= mostOverlap) continue
    pairs.push({ hash, kind, count: places.length, topic: best.topic, logP: best.logP })
  }
  return pairs.sort((a, b) => a.logP - b.logP || b.kind - a.kind || a.hash - b.hash).slice(0, mostPairs)
}

export interface TopicReader {
  /** The topics of an answer: bit `first` + i for the i-th. */
  bits(answer: Tokens): number
  /** The i-th topic as the answer writes it; empty where it does not have it. */
  word(answer: Tokens, i: number): string
}

export function topicReader(topics: readonly number[], first: number): TopicReader {
  const bitOf = new Map<number, number>()
  topics.forEach((topic, i) => {
    bitOf.set(topic, (bitOf.get(topic) ?? 0) | (1 << (first + i)))
  })
  return {
    bits({ hashes, count }) {
      let bits = 0
      for (let k = 0; bitOf.size > 0 && k < count; k++) bits |= bitOf.get(hashes[k] as number) ?? 0
      return bits
    },
    word(answer, i) {
      const at = answer.hashes.subarray(0, answer.count).indexOf(topics[i] as number)
      return at < 0 ? '' : wordsOf(answer, at, at + 1)
    },
  }
}
