import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { logBinomialUpper } from '../math/tests.ts'
import { digestOf } from '../math/tokens.ts'
import { tokensOf } from './text/batch-tokens.ts'
import { eachGram } from './text/grams.ts'
import { neighbourClasses } from './text/insertion.ts'
import type { Candidates } from './text/matcher.ts'
import { emptySample, mergeSamples, offer, type Passage, type PassageSample, passagesOf, sampleOf, startSampling } from './text/passages.ts'
import { questionAndAnswer, topicPairs, topicTokens } from './text/topics.ts'
import { type TraitWords, topicTrait, traitReader, traits } from './text/traits.ts'

/** Phrases of questions that may select a trait of their answers, found on one half of the questions. */
export interface ResponseTraits {
  readonly records: number
  /** [traits] */
  readonly withTrait: readonly number[]
  /** Records of the half on which candidates are tested, and of these by trait. */
  readonly heldOut: number
  readonly heldOutWithTrait: readonly number[]
  /** The `traits[i]`-th is what candidate i may select, or `topicTrait`: answers with the token `topics[i]`. */
  /** Their counts are estimates, of all records. */
  readonly candidates: Candidates & { readonly traits: Uint8Array; readonly topics: Int32Array }
  /** The most common tokens of questions, most common first. */
  readonly mostCommon: Int32Array
}

export interface ResponseTraitsOptions {
  readonly words: TraitWords
  /** Questions of each trait, and of all records, that are looked at. */
  readonly sample: number
  /** Questions with a phrase. */
  readonly least: number
}

interface State {
  records: number
  heldOut: number
  withTrait: number[]
  heldOutWithTrait: number[]
  /** One sample for each trait, then one of all records. */
  samples: PassageSample[]
  /** Questions with the words of their answers. */
  pairs: PassageSample
}

/** Tokens of a question that are read for phrases. */
export const questionTokens = 96
const longestPhrase = 5
const mostPerTrait = 64
const mostCommonTokens = 300
/** Questions with their answers that are searched for topics. */
const sampledPairs = 16_384

/** The half of questions on which phrases are tested, not looked for. */
export const isHeldOut = (digest: number): boolean => (digest & 1) === 1

interface Work {
  readonly traitsOf: ReturnType<typeof traitReader>
  readonly samplings: ReturnType<typeof startSampling>[]
  readonly pairs: ReturnType<typeof startSampling>
}
const works = new WeakMap<State, Work>()
const none = (): number[] => traits.map(() => 0)
const plus = (a: readonly number[], b: readonly number[]): number[] => a.map((n, i) => n + (b[i] as number))

export const responseTraitsId = (options: ResponseTraitsOptions): string =>
  `response-traits/${shortDigest({ ...options, words: { ...options.words } })}`

export function responseTraits(options: ResponseTraitsOptions): Statistic<State, ResponseTraits> {
  const open = (c: Context, state: State): Work => {
    const work = {
      traitsOf: traitReader(c.seed, options.words),
      samplings: [...traits, 'all'].map(startSampling),
      pairs: startSampling(),
    }
    works.set(state, work)
    return work
  }
  return {
    id: responseTraitsId(options),
    version: 1,
    needs: ['text', 'response'],
    after: [],
    over: 'subject',
    init: () => ({
      records: 0,
      heldOut: 0,
      withTrait: none(),
      heldOutWithTrait: none(),
      samples: [...traits, 'all'].map(emptySample),
      pairs: emptySample(),
    }),
    update(c, state, batch: Batch) {
      const text = tokensOf(batch, 'text', c.seed)
      const response = tokensOf(batch, 'response', c.seed)
      if (!text || !response) return
      const work = works.get(state) ?? open(c, state)
      for (let i = 0; i < batch.numRows; i++) {
        const answer = response.row(i)
        const has = work.traitsOf(answer)
        const prompt = text.row(i)
        const key = digestOf(prompt)
        const held = isHeldOut(key)
        state.records++
        if (held) state.heldOut++
        const order = (key >>> 0) / 2 ** 32
        const passage = (): Passage => ({ key, order, label: -1, tokens: prompt.hashes.slice(0, Math.min(prompt.count, questionTokens)) })
        if (!held)
          offer(work.pairs, sampledPairs, order, () =>
            questionAndAnswer(key, order, passage().tokens, answer.hashes.subarray(0, answer.count)),
          )
        work.samplings.forEach((sampling, t) => {
          if (t < traits.length) {
            if ((has & (1 << t)) === 0) return
            state.withTrait[t] = (state.withTrait[t] as number) + 1
            if (held) state.heldOutWithTrait[t] = (state.heldOutWithTrait[t] as number) + 1
          }
          if (!held) offer(sampling, options.sample, order, passage)
        })
      }
    },
    seal(_, state) {
      const work = works.get(state)
      if (!work) return
      state.samples = work.samplings.map((s) => sampleOf(s.list, options.sample))
      state.pairs = sampleOf(work.pairs.list, sampledPairs)
    },
    merge(into, from) {
      into.records += from.records
      into.heldOut += from.heldOut
      into.withTrait = plus(into.withTrait, from.withTrait)
      into.heldOutWithTrait = plus(into.heldOutWithTrait, from.heldOutWithTrait)
      into.samples = into.samples.map((s, i) => mergeSamples(s, from.samples[i] as PassageSample, options.sample))
      into.pairs = mergeSamples(into.pairs, from.pairs, sampledPairs)
    },
    finish(_, state) {
      const { records, heldOut, withTrait, heldOutWithTrait } = state
      const all = passagesOf(state.samples[traits.length] as PassageSample)
      const mostCommon = mostCommonOf(all)
      const pairs = passagesOf(state.pairs)
      const found = [
        ...traits.flatMap((_, trait) =>
          enriched(passagesOf(state.samples[trait] as PassageSample), all, options.least).map(({ g, share }) => ({
            ...g,
            trait,
            topic: 0,
            count: Math.max(g.count, Math.round(share * records)),
          })),
        ),
        ...topicPairs(pairs, options.least, neighbourClasses(mostCommon)).map((p) => ({
          ...p,
          trait: topicTrait,
          count: Math.round((p.count * records) / pairs.length),
        })),
      ]
      return {
        records,
        withTrait,
        heldOut,
        heldOutWithTrait,
        candidates: {
          hashes: Int32Array.from(found, (g) => g.hash),
          kinds: Uint8Array.from(found, (g) => g.kind),
          counts: Uint32Array.from(found, (g) => g.count),
          traits: Uint8Array.from(found, (g) => g.trait),
          topics: Int32Array.from(found, (g) => g.topic),
        },
        mostCommon,
      }
    },
    bytes: () =>
      2 *
      2 *
      ((traits.length + 1) * options.sample * (questionTokens * 4 + 100) + sampledPairs * ((questionTokens + topicTokens) * 4 + 100)),
  }
}

interface Gram {
  readonly hash: number
  readonly kind: number
  count: number
  last: number
}

function gramsOf(passages: readonly Passage[], wanted: (key: number) => boolean): Map<number, Gram> {
  const out = new Map<number, Gram>()
  passages.forEach(({ tokens }, i) => {
    eachGram(tokens, tokens.length, longestPhrase, (hash, kind) => {
      const key = hash * 8 + kind
      const known = out.get(key)
      if (!known) {
        if (wanted(key)) out.set(key, { hash, kind, count: 1, last: i })
      } else if (known.last !== i) {
        known.count++
        known.last = i
      }
    })
  })
  return out
}

/** Phrases that questions with the trait have more often than all questions, the surest first. */
function enriched(own: readonly Passage[], all: readonly Passage[], least: number): { readonly g: Gram; readonly share: number }[] {
  const often = [...gramsOf(own, () => true)].filter(([, g]) => g.count >= least)
  const keys = new Set(often.map(([key]) => key))
  const everywhere = gramsOf(all, (key) => keys.has(key))
  return often
    .map(([key, g]) => {
      const share = ((everywhere.get(key)?.count ?? 0) + 1) / (all.length + 2)
      return { g, share, logP: logBinomialUpper(g.count, own.length, Math.min(1, share)) }
    })
    .filter(({ logP }) => logP < Math.log(1e-3))
    .sort((a, b) => a.logP - b.logP || b.g.kind - a.g.kind || a.g.hash - b.g.hash)
    .slice(0, mostPerTrait)
}

function mostCommonOf(all: readonly Passage[]): Int32Array {
  const counts = new Map<number, number>()
  for (const { tokens } of all) for (const t of tokens) counts.set(t, (counts.get(t) ?? 0) + 1)
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0])
  return Int32Array.from(sorted.slice(0, mostCommonTokens), ([t]) => t)
}
