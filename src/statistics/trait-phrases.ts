import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { logHypergeometricUpper } from '../math/tests.ts'
import { digestOf } from '../math/tokens.ts'
import { isHeldOut, type ResponseTraits, type ResponseTraitsOptions, responseTraitsId } from './response-traits.ts'
import { tokensOf } from './text/batch-tokens.ts'
import {
  addCarriers,
  type Carriers,
  carrierBytes,
  emptyCarriers,
  type Gathering,
  gather,
  gathered,
  occurrencesIn,
  startGathering,
} from './text/carriers.ts'
import { overlapOf } from './text/cluster-phrases.ts'
import { type Insertion, insertionOf, neighbourClasses } from './text/insertion.ts'
import { type Matcher, matcher } from './text/matcher.ts'
import { passagesOf } from './text/passages.ts'
import { neighbourhoods, reachOf, wordsOfPhrase } from './text/phrases.ts'
import { type TopicReader, topicReader } from './text/topics.ts'
import { type TraitWords, topicTrait, traitNames, traitReader } from './text/traits.ts'

/** A phrase of questions and a trait of their answers. */
export interface TraitPhrase {
  readonly words: string
  readonly hash: number
  readonly kind: number
  /** Place in `traitNames`. */
  readonly trait: number
  /** Of a topic: its hash, and the word. */
  readonly topic: number
  readonly topicWord: string
  /** Records whose question has it, and of these the ones with the trait. */
  readonly records: number
  readonly withTrait: number
  /** The same in the half that it was not found in. */
  readonly heldOut: number
  readonly heldOutWithTrait: number
  /** Records that have the trait, and their share of all. */
  readonly recordsWithTrait: number
  readonly base: number
  /** Mean share of other words that two of its questions have in common. */
  readonly overlap: number
  readonly insertion: Insertion
  /** Of the held-out half, corrected for all candidates. */
  readonly logP: number
}

export interface TraitPhrases {
  readonly tested: number
  /** [traits] */
  readonly withTrait: readonly number[]
  readonly phrases: readonly TraitPhrase[]
  readonly runnerUp: TraitPhrase | null
}

interface State {
  gathered: Carriers
  withTrait: Uint32Array
  heldOut: Uint32Array
  heldOutWithTrait: Uint32Array
  /** [candidates]: all records, and those of the held-out half, whose answer has the topic. */
  topicRecords: Uint32Array
  heldOutTopics: Uint32Array
  /** [candidates]: the topic as it is written. */
  topicWords: string[]
}

interface Work {
  readonly traitsOf: ReturnType<typeof traitReader>
  readonly topics: TopicReader
  readonly match: Matcher
  readonly gathering: Gathering
  readonly last: Int32Array
}
const works = new WeakMap<State, Work>()

const sizes = { carriers: 4096, uniform: 1 }
const leastWithTrait = 12
const leastShare = 0.8
const leastLift = 2
const mostOverlap = 0.12
const mostCompared = 200
const mostPhrases = 5
const none: ReadonlySet<number> = new Set()

/** Nats by which the neighbours of a phrase that selects a topic have to look random: a subject is answered with its own words. */
const leastInsertion = 2

export const isConcentrated = (p: TraitPhrase): boolean =>
  (p.trait !== topicTrait || Math.min(p.insertion.left, p.insertion.right) >= leastInsertion) &&
  p.withTrait >= leastWithTrait &&
  p.withTrait >= leastShare * p.records &&
  p.withTrait >= leastLift * p.base * p.records &&
  p.overlap < mostOverlap &&
  p.logP < Math.log(0.001)

/** Fitted after `responseTraits`: counts its candidates exactly, and tests them on the half of questions that they were not found in. */
export function traitPhrases(options: ResponseTraitsOptions): Statistic<State, TraitPhrases> {
  const traitsId = responseTraitsId(options)
  const candidatesOf = (c: Context) => c.summaries.get<ResponseTraits>(traitsId).candidates
  const open = (c: Context, state: State, words: TraitWords): Work => {
    const candidates = candidatesOf(c)
    const work = {
      traitsOf: traitReader(c.seed, words),
      topics: topicReader(topicsOf(candidates), topicTrait),
      match: matcherOf(candidates),
      gathering: startGathering(candidates.hashes.length),
      last: new Int32Array(candidates.hashes.length).fill(-1),
    }
    works.set(state, work)
    return work
  }
  return {
    id: `trait-phrases/${shortDigest({ ...options, words: { ...options.words } })}`,
    version: 1,
    needs: ['text', 'response'],
    after: [traitsId],
    over: 'subject',
    init(c) {
      const n = candidatesOf(c).hashes.length
      return {
        gathered: emptyCarriers(n),
        withTrait: new Uint32Array(n),
        heldOut: new Uint32Array(n),
        heldOutWithTrait: new Uint32Array(n),
        topicRecords: new Uint32Array(n),
        heldOutTopics: new Uint32Array(n),
        topicWords: Array.from({ length: n }, () => ''),
      }
    },
    update(c, state, batch: Batch) {
      const text = tokensOf(batch, 'text', c.seed)
      const response = tokensOf(batch, 'response', c.seed)
      const candidates = candidatesOf(c)
      if (!text || !response || candidates.hashes.length === 0) return
      const work = works.get(state) ?? open(c, state, options.words)
      const bump = (counts: Uint32Array, at: number): void => {
        counts[at] = (counts[at] as number) + 1
      }
      const bits = bitsOf(candidates)
      const topics = topicPlaces(candidates)
      for (let i = 0; i < batch.numRows; i++) {
        const prompt = text.row(i)
        const row = work.gathering.records
        let has: number | undefined
        const held = isHeldOut(digestOf(prompt))
        const readAnswer = () => response.row(i)
        if (topics.length > 0) {
          const answer = readAnswer()
          has = work.traitsOf(answer) | work.topics.bits(answer)
          topics.forEach((at, t) => {
            if (((has as number) & (bits[at] as number)) === 0) return
            bump(state.topicRecords, at)
            if (held) bump(state.heldOutTopics, at)
            if (state.topicWords[at] === '') state.topicWords[at] = work.topics.word(answer, t)
          })
        }
        work.match(prompt.hashes, prompt.count, (at) => {
          if (work.last[at] === row) return
          work.last[at] = row
          has ??= work.traitsOf(readAnswer())
          const selected = (has & (bits[at] as number)) !== 0
          if (selected) bump(state.withTrait, at)
          if (held) bump(state.heldOut, at)
          if (held && selected) bump(state.heldOutWithTrait, at)
        })
        gather(work.gathering, candidates, work.match, sizes, prompt, has ?? 0)
      }
    },
    seal(_, state) {
      const work = works.get(state)
      if (work) state.gathered = gathered(work.gathering, sizes)
    },
    merge(into, from) {
      const plus = (a: Uint32Array, b: Uint32Array): Uint32Array => a.map((n, i) => n + (b[i] as number))
      into.gathered = addCarriers(into.gathered, from.gathered, sizes)
      into.withTrait = plus(into.withTrait, from.withTrait)
      into.heldOut = plus(into.heldOut, from.heldOut)
      into.heldOutWithTrait = plus(into.heldOutWithTrait, from.heldOutWithTrait)
      into.topicRecords = plus(into.topicRecords, from.topicRecords)
      into.heldOutTopics = plus(into.heldOutTopics, from.heldOutTopics)
      into.topicWords = into.topicWords.map((w, i) => w || (from.topicWords[i] as string))
    },
    finish: (c, state) => conclude(c.summaries.get<ResponseTraits>(traitsId), state),
    bytes: () => carrierBytes(sizes, 64 * traitNames.length) + 2 ** 22,
  }
}

type TraitCandidates = ResponseTraits['candidates']

const topicPlaces = ({ traits: of }: TraitCandidates): number[] => Array.from(of.keys()).filter((i) => of[i] === topicTrait)
const topicsOf = (candidates: TraitCandidates): number[] => topicPlaces(candidates).map((i) => candidates.topics[i] as number)

/** [candidates]: the bit of what it may select. */
function bitsOf(candidates: TraitCandidates): Int32Array {
  const bits = Int32Array.from(candidates.traits, (trait) => 1 << trait)
  topicPlaces(candidates).forEach((at, i) => {
    bits[at] = 1 << (topicTrait + i)
  })
  return bits
}

/** The same phrase may be a candidate for several traits: each is found. */
function matcherOf(candidates: ResponseTraits['candidates']): Matcher {
  const parts = traitNames.map((_, trait) => {
    const at = Array.from(candidates.traits.keys()).filter((i) => candidates.traits[i] === trait)
    const match = matcher(
      {
        hashes: Int32Array.from(at, (i) => candidates.hashes[i] as number),
        kinds: Uint8Array.from(at, (i) => candidates.kinds[i] as number),
        counts: Uint32Array.from(at, (i) => candidates.counts[i] as number),
      },
      none,
    )
    return { at, match }
  })
  return (tokens, count, found) => {
    for (const { at, match } of parts) match(tokens, count, (place, from, to) => found(at[place] as number, from, to))
  }
}

function conclude(summary: ResponseTraits, state: State): TraitPhrases {
  const { candidates } = summary
  const n = candidates.hashes.length
  const passages = passagesOf(state.gathered.carriers)
  const found = occurrencesIn(state.gathered.carriers, n, matcherOf(candidates))
  const classOf = neighbourClasses(summary.mostCommon)
  const bits = bitsOf(candidates)
  const judged = found.map((all, i) => {
    const trait = candidates.traits[i] as number
    const occurrences = all.filter((o) => ((passages[o.passage]?.label ?? 0) & (bits[i] as number)) !== 0).slice(0, mostCompared)
    const reach = reachOf(passages, occurrences)
    const around = neighbourhoods(passages, occurrences, reach)
    const [heldOut, heldOutWithTrait] = [state.heldOut[i] as number, state.heldOutWithTrait[i] as number]
    const isTopic = trait === topicTrait
    const allWith = (isTopic ? state.topicRecords[i] : summary.withTrait[trait]) as number
    const heldOutAll = (isTopic ? state.heldOutTopics[i] : summary.heldOutWithTrait[trait]) as number
    const logP = logHypergeometricUpper(heldOutWithTrait, summary.heldOut, heldOutAll, heldOut)
    const phrase: TraitPhrase = {
      words: wordsOfPhrase(state.gathered.examples[i] ?? [], reach),
      hash: candidates.hashes[i] as number,
      kind: candidates.kinds[i] as number,
      trait,
      topic: candidates.topics[i] as number,
      topicWord: state.topicWords[i] as string,
      records: state.gathered.counts[i] as number,
      withTrait: state.withTrait[i] as number,
      heldOut,
      heldOutWithTrait,
      recordsWithTrait: allWith,
      base: allWith / Math.max(1, summary.records),
      overlap: overlapOf(around.map(({ tokens }) => tokens)),
      insertion: insertionOf(around, classOf),
      logP: Math.min(0, logP + Math.log(Math.max(1, n))),
    }
    return { phrase, in: new Set(occurrences.map((o) => o.passage)) }
  })
  judged.sort((a, b) => a.phrase.logP - b.phrase.logP || b.phrase.kind - a.phrase.kind || a.phrase.hash - b.phrase.hash)
  const kept: typeof judged = []
  for (const j of judged) {
    if (!isConcentrated(j.phrase) || kept.length === mostPhrases) continue
    const isKnown = kept.some((k) => [...j.in].filter((p) => k.in.has(p)).length > 0.6 * j.in.size)
    if (!isKnown) kept.push(j)
  }
  const words = new Set(kept.map((k) => k.phrase.words))
  return {
    tested: n,
    withTrait: summary.withTrait,
    phrases: kept.map((k) => k.phrase),
    runnerUp: judged.find((j) => !isConcentrated(j.phrase) && !words.has(j.phrase.words))?.phrase ?? null,
  }
}
