import { textBytes } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { addCounts, type Counts, dense, emptyCounts, packed } from '../math/counts.ts'
import { shortDigest } from '../math/hash.ts'
import { combine, maxTokens, type Seen, scramble, seen, type Tokeniser, tokenisation, tokeniser } from '../math/tokens.ts'
import { type Pairing, pairingOf } from './text/pairing.ts'
import {
  emptySample,
  mergeSamples,
  offer,
  type PassageSample,
  passagesOf,
  passageTokens,
  type Sampling,
  sampleOf,
  startSampling,
} from './text/passages.ts'

/** How often tokens, pairs and fours of tokens occur: in how many passages of at most `passageTokens` tokens. */
export interface TextSketch extends Pairing {
  readonly records: number
  readonly passages: number
  readonly tokens: number
  /** Records longer than is read of one. */
  readonly cut: number
  readonly tokenisation: string
  readonly words: Counts
  readonly pairs: Counts
  readonly fours: Counts
}

interface State {
  records: number
  passages: number
  tokens: number
  cut: number
  words: Counts
  pairs: Counts
  fours: Counts
  sample: PassageSample
}

export interface TextSketchOptions {
  readonly over: 'subject' | 'reference'
  /** Cells as powers of two. */
  readonly bits: { readonly words: number; readonly pairs: number; readonly fours: number }
  /** Passages of the sample from which natural pairing is learnt. */
  readonly sample: number
}

export const textSketchDefaults: TextSketchOptions = { over: 'subject', bits: { words: 22, pairs: 25, fours: 24 }, sample: 3000 }

/** Of a passage of the sample. */
const sampledTokens = 512

interface Work {
  readonly tokeniser: Tokeniser
  readonly words: Uint16Array
  readonly pairs: Uint8Array
  readonly fours: Uint8Array
  readonly seen: Seen
  readonly sampling: Sampling
}
const works = new WeakMap<State, Work>()

export const textSketchId = (options: TextSketchOptions): string => `text-sketch/${shortDigest({ ...options })}`

/** Document frequencies by hashing into counters that add up (Cormode and Muthukrishnan 2005, one row, keyed). */
export function textSketch(options: TextSketchOptions = textSketchDefaults): Statistic<State, TextSketch> {
  const { bits } = options
  return {
    id: textSketchId(options),
    version: 1,
    needs: ['text'],
    after: [],
    over: options.over,
    init: () => ({
      records: 0,
      passages: 0,
      tokens: 0,
      cut: 0,
      words: emptyCounts(bits.words, 16),
      pairs: emptyCounts(bits.pairs, 8),
      fours: emptyCounts(bits.fours, 8),
      sample: emptySample(),
    }),
    update(c: Context, state: State, batch: Batch) {
      const text = textBytes(batch, 'text')
      if (!text) return
      const work = works.get(state) ?? open(c, state)
      for (let i = 0; i < batch.numRows; i++) {
        const tokens = work.tokeniser.read(text.bytes, text.offsets[i] as number, text.offsets[i + 1] as number)
        if (tokens.count === 0) continue
        state.records++
        state.tokens += tokens.count
        if (tokens.cut) state.cut++
        for (let from = 0; from < tokens.count; from += passageTokens) {
          const to = Math.min(tokens.count, from + passageTokens)
          state.passages++
          const key = countPassage(work, bits, tokens.hashes, from, to)
          offer(work.sampling, options.sample, key, () => ({
            key,
            order: key,
            label: -1,
            tokens: tokens.hashes.slice(from, Math.min(to, from + sampledTokens)),
          }))
        }
      }
    },
    seal(_: Context, state: State) {
      const work = works.get(state)
      if (work) {
        state.words = packed(bits.words, work.words)
        state.pairs = packed(bits.pairs, work.pairs)
        state.fours = packed(bits.fours, work.fours)
        state.sample = sampleOf([...passagesOf(state.sample), ...work.sampling.list], options.sample)
      }
    },
    merge(into: State, from: State) {
      into.records += from.records
      into.passages += from.passages
      into.tokens += from.tokens
      into.cut += from.cut
      into.words = addCounts(into.words, from.words)
      into.pairs = addCounts(into.pairs, from.pairs)
      into.fours = addCounts(into.fours, from.fours)
      into.sample = mergeSamples(into.sample, from.sample, options.sample)
    },
    finish(c: Context, state: State) {
      const { sample: _, ...counted } = state
      return { ...counted, tokenisation, ...pairingOf(c.seed, state.sample, sampledTokens, state.words, state.pairs) }
    },
    bytes: () => 2 ** (bits.words + 1) + 2 ** bits.pairs + 2 ** bits.fours + 2 * options.sample * 4 * 520 + maxTokens * 12,
  }
}

function open(c: Context, state: State): Work {
  const work: Work = {
    tokeniser: tokeniser(c.seed),
    words: dense(state.words) as Uint16Array,
    pairs: dense(state.pairs) as Uint8Array,
    fours: dense(state.fours) as Uint8Array,
    seen: seen(),
    sampling: startSampling(),
  }
  works.set(state, work)
  return work
}

/** Counts what is new within the passage; returns its keyed digest. */
function countPassage(work: Work, bits: TextSketchOptions['bits'], hashes: Int32Array, from: number, to: number): number {
  const { words, pairs, fours } = work
  const [w, p, f] = [32 - bits.words, 32 - bits.pairs, 32 - bits.fours]
  work.seen.clear()
  let key = 0
  let pair1 = 0
  let pair3 = 0
  for (let i = from; i < to; i++) {
    const token = hashes[i] as number
    key = Math.imul(key ^ token, 0x01000193)
    key ^= key >>> 15
    if (work.seen.add(token)) {
      const at = token >>> w
      if ((words[at] as number) < 0xffff) words[at] = (words[at] as number) + 1
    }
    if (i === from) continue
    const pair = combine(hashes[i - 1] as number, token)
    if (work.seen.add(pair)) {
      const at = pair >>> p
      if ((pairs[at] as number) < 0xff) pairs[at] = (pairs[at] as number) + 1
    }
    if (i - from >= 3) {
      const four = combine(pair3, pair)
      if (work.seen.add(four)) {
        const at = four >>> f
        if ((fours[at] as number) < 0xff) fours[at] = (fours[at] as number) + 1
      }
    }
    pair3 = pair1
    pair1 = pair
  }
  return scramble(key)
}
