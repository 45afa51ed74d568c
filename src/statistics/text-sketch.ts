import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { addCounts, type Counts, dense, emptyCounts, packed } from '../math/counts.ts'
import { shortDigest } from '../math/hash.ts'
import { combine, type Seen, scramble, seen, tokenisation } from '../math/tokens.ts'
import { batchTokenBytes, tokensOf } from './text/batch-tokens.ts'
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

/** How often tokens, pairs, threes and fours of tokens occur: in how many passages of at most `passageTokens` tokens. */
export interface TextSketch extends Pairing {
  readonly records: number
  readonly passages: number
  readonly tokens: number
  /** Records longer than is read of one. */
  readonly cut: number
  readonly tokenisation: string
  readonly words: Counts
  readonly pairs: Counts
  readonly threes: Counts
  readonly fours: Counts
}

interface State {
  records: number
  passages: number
  tokens: number
  cut: number
  words: Counts
  pairs: Counts
  threes: Counts
  fours: Counts
  sample: PassageSample
}

export interface TextSketchOptions {
  readonly over: 'subject' | 'reference'
  /** Cells as powers of two. */
  readonly bits: { readonly words: number; readonly pairs: number; readonly threes: number; readonly fours: number }
  /** Passages of the sample from which natural pairing is learnt. */
  readonly sample: number
}

export const textSketchDefaults: TextSketchOptions = {
  over: 'subject',
  bits: { words: 22, pairs: 25, threes: 24, fours: 23 },
  sample: 3000,
}

/** Of a passage of the sample. */
const sampledTokens = 512

interface Work {
  readonly words: Uint16Array
  readonly pairs: Uint8Array
  readonly threes: Uint8Array
  readonly fours: Uint8Array
  readonly seen: Seen
  /** Cells of the passage at hand. */
  readonly cells: { readonly words: Int32Array; readonly pairs: Int32Array; readonly threes: Int32Array; readonly fours: Int32Array }
  readonly sampling: Sampling
}
const works = new WeakMap<State, Work>()

export const textSketchId = (options: TextSketchOptions): string => `text-sketch/${shortDigest({ ...options })}`

/** Document frequencies by hashing into counters that add up (Cormode and Muthukrishnan 2005, one row, keyed). */
export function textSketch(options: TextSketchOptions = textSketchDefaults): Statistic<State, TextSketch> {
  const { bits } = options
  return {
    id: textSketchId(options),
    version: 2,
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
      threes: emptyCounts(bits.threes, 8),
      fours: emptyCounts(bits.fours, 8),
      sample: emptySample(),
    }),
    update(c: Context, state: State, batch: Batch) {
      const all = tokensOf(batch, 'text', c.seed)
      if (!all) return
      const work = works.get(state) ?? open(state)
      for (let i = 0; i < batch.numRows; i++) {
        const tokens = all.row(i)
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
        state.threes = packed(bits.threes, work.threes)
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
      into.threes = addCounts(into.threes, from.threes)
      into.fours = addCounts(into.fours, from.fours)
      into.sample = mergeSamples(into.sample, from.sample, options.sample)
    },
    finish(c: Context, state: State) {
      const { sample: _, ...counted } = state
      return { ...counted, tokenisation, ...pairingOf(c.seed, state.sample, sampledTokens, state.words, state.pairs) }
    },
    bytes: () =>
      2 ** (bits.words + 1) + 2 ** bits.pairs + 2 ** bits.threes + 2 ** bits.fours + 2 * options.sample * 4 * 520 + batchTokenBytes,
  }
}

const room = (): Int32Array => new Int32Array(passageTokens)

function open(state: State): Work {
  const work: Work = {
    words: dense(state.words) as Uint16Array,
    pairs: dense(state.pairs) as Uint8Array,
    threes: dense(state.threes) as Uint8Array,
    fours: dense(state.fours) as Uint8Array,
    seen: seen(),
    cells: { words: room(), pairs: room(), threes: room(), fours: room() },
    sampling: startSampling(),
  }
  works.set(state, work)
  return work
}

/** Counts what is new within the passage; returns its keyed digest. */
function countPassage(work: Work, bits: TextSketchOptions['bits'], hashes: Int32Array, from: number, to: number): number {
  const { words, pairs, threes, fours } = work.cells
  const { seen } = work
  const [w, p, t, f] = [32 - bits.words, 32 - bits.pairs, 32 - bits.threes, 32 - bits.fours]
  seen.clear()
  let [newWords, newPairs, newThrees, newFours] = [0, 0, 0, 0]
  let key = 0
  let pair1 = 0
  let pair3 = 0
  for (let i = from; i < to; i++) {
    const token = hashes[i] as number
    key = Math.imul(key ^ token, 0x01000193)
    key ^= key >>> 15
    if (seen.add(token)) words[newWords++] = token >>> w
    if (i === from) continue
    const pair = combine(hashes[i - 1] as number, token)
    if (seen.add(pair)) pairs[newPairs++] = pair >>> p
    if (i - from >= 2) {
      const three = combine(pair1, token)
      if (seen.add(three)) threes[newThrees++] = three >>> t
    }
    if (i - from >= 3) {
      const four = combine(pair3, pair)
      if (seen.add(four)) fours[newFours++] = four >>> f
    }
    pair3 = pair1
    pair1 = pair
  }
  addWords(work.words, words, newWords)
  addBytes(work.pairs, pairs, newPairs)
  addBytes(work.threes, threes, newThrees)
  addBytes(work.fours, fours, newFours)
  return scramble(key)
}

// The tables are larger than the processor's caches: loops that do nothing else let it fetch ahead.
function addWords(counts: Uint16Array, cells: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const at = cells[i] as number
    const count = counts[at] as number
    counts[at] = count + (count < 0xffff ? 1 : 0)
  }
}

function addBytes(counts: Uint8Array, cells: Int32Array, n: number): void {
  for (let i = 0; i < n; i++) {
    const at = cells[i] as number
    const count = counts[at] as number
    counts[at] = count + (count < 0xff ? 1 : 0)
  }
}
