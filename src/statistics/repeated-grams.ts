import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { combine, maxTokens, type Seen, seen } from '../math/tokens.ts'
import { type LabelCensus, labelCensus } from './label-census.ts'
import { type BatchCounts, countsOf } from './text/batch-counts.ts'
import { tokensOf } from './text/batch-tokens.ts'
import {
  addGrams,
  emptyGrams,
  type GramTable,
  type Growing,
  gramBytes,
  type RecordGrams,
  recordGrams,
  sealedGrams,
  startGrams,
  tallyGrams,
} from './text/gram-table.ts'
import { eachShape, shapeTokens, type TokenSet, tokenSet } from './text/grams.ts'
import { classesOf, codeMap } from './text/label-codes.ts'
import { openPairs, type PairReader, perNat } from './text/pair-reader.ts'
import { sentenceEnds } from './text/sentences.ts'
import { type TextSketch, type TextSketchOptions, textSketchDefaults, textSketchId } from './text-sketch.ts'

/** Exact counts of what occurs often: phrases, and with labels also the shapes of texts. */
export interface RepeatedGrams extends GramTable {
  /** Labels that are counted, the most frequent ones. */
  readonly labels: readonly string[]
  readonly records: number
  readonly recordsByLabel: Float64Array
  /** A phrase occurs in at least so many passages. */
  readonly least: number
}

interface State {
  table: GramTable
  records: number
  recordsByLabel: Float64Array
}

export interface RepeatedGramsOptions {
  readonly sketch: TextSketchOptions
  readonly labelled: boolean
  /** Most grams that are kept; those with the smallest keyed hashes where there are more. */
  readonly most: number
}

export const repeatedGramsDefaults = (labelled: boolean): RepeatedGramsOptions => ({ sketch: textSketchDefaults, labelled, most: 2 ** 20 })

const census = labelCensus({ over: 'subject' })

interface Work {
  readonly pairs: PairReader
  /** Tokens that end sentences. */
  readonly ends: ReadonlySet<number>
  readonly common: TokenSet
  readonly least: number
  readonly leastWord: number
  readonly mostWord: number
  readonly classes: readonly string[]
  readonly growing: Growing
  readonly seen: Seen
  record: RecordGrams
  edges: Int16Array
  threes: Uint8Array
  fours: Uint8Array
}
const works = new WeakMap<State, Work>()

/** In so many passages a phrase has to occur: of 80,000 in 17, of a million in 60. */
const leastRoot = 0.06
export const leastOf = (passages: number): number => Math.min(250, Math.max(8, Math.ceil(leastRoot * Math.sqrt(passages))))

/** Words bear witness on the labels of others, and may be rarer than phrases: of a million passages in 17. */
const leastWordOf = (passages: number): number => Math.max(3, Math.ceil(passages / 60_000))

/** A word, and a phrase of four, in more records is no candidate for having been inserted. */
export const mostInserted = (records: number): number => Math.min(3000, Math.max(12, records * 0.05))
export const mostInsertedPhrase = (records: number): number => Math.min(10_000, Math.max(12, records * 0.2))

export const repeatedGramsId = (options: RepeatedGramsOptions): string =>
  `repeated-grams/${shortDigest({ ...options, sketch: textSketchId(options.sketch) })}`

export function repeatedGrams(options: RepeatedGramsOptions): Statistic<State, RepeatedGrams> {
  const sketchId = textSketchId(options.sketch)
  const open = (c: Context, state: State): Work => {
    const sketch = c.summaries.get<TextSketch>(sketchId)
    const least = leastOf(sketch.passages)
    const classes = options.labelled ? classesOf(c.summaries.get<LabelCensus>(census.id)) : []
    const work: Work = {
      pairs: openPairs(sketch),
      ends: sentenceEnds(c.seed),
      common: tokenSet(sketch.mostCommon.subarray(0, shapeTokens)),
      least,
      leastWord: options.labelled ? leastWordOf(sketch.passages) : least,
      // Without labels only words that may have been inserted are looked for.
      mostWord: options.labelled ? Number.POSITIVE_INFINITY : mostInserted(sketch.records),
      classes,
      growing: startGrams(classes.length, options.most),
      seen: seen(),
      record: recordGrams(0),
      edges: new Int16Array(0),
      threes: new Uint8Array(0),
      fours: new Uint8Array(0),
    }
    works.set(state, work)
    return work
  }
  return {
    id: repeatedGramsId(options),
    version: 3,
    needs: options.labelled ? ['text', 'label'] : ['text'],
    after: options.labelled ? [sketchId, census.id] : [sketchId],
    over: options.sketch.over,
    init: (c) => {
      const classes = options.labelled ? classesOf(c.summaries.get<LabelCensus>(census.id)) : []
      return { table: emptyGrams(classes.length), records: 0, recordsByLabel: new Float64Array(classes.length) }
    },
    update(c: Context, state: State, batch: Batch) {
      const all = tokensOf(batch, 'text', c.seed)
      if (!all) return
      const work = works.get(state) ?? open(c, state)
      const counts = countsOf(all, work.pairs)
      const label = options.labelled ? codesOf(batch, 'label') : null
      const codes = label && codeMap(label.values, work.classes)
      for (let i = 0; i < batch.numRows; i++) {
        const [from, to] = [all.ends[i] as number, all.ends[i + 1] as number]
        if (from === to) continue
        const given = label && codes ? (codes[label.codes[i] as number] ?? -1) : -1
        state.records++
        if (given >= 0) state.recordsByLabel[given] = (state.recordsByLabel[given] as number) + 1
        const own: BatchCounts = { words: counts.words.subarray(from, to), pairs: counts.pairs.subarray(from, to) }
        gramsOf(work, options.labelled, all.hashes.subarray(from, to), own)
        tallyGrams(work.growing, work.record, given)
      }
    },
    seal(_: Context, state: State) {
      const work = works.get(state)
      if (work) state.table = sealedGrams(work.growing)
    },
    merge(into: State, from: State) {
      into.table = addGrams(into.table, from.table, options.most)
      into.records += from.records
      into.recordsByLabel = into.recordsByLabel.map((n, i) => n + (from.recordsByLabel[i] as number))
    },
    finish(c: Context, state: State) {
      const classes = options.labelled ? classesOf(c.summaries.get<LabelCensus>(census.id)) : []
      const { passages } = c.summaries.get<TextSketch>(sketchId)
      return {
        ...state.table,
        records: state.records,
        recordsByLabel: state.recordsByLabel,
        labels: classes,
        least: leastOf(passages),
      }
    },
    bytes: ({ classes }) => gramBytes(options.most, Math.max(2, classes)) + 64 * maxTokens,
  }
}

const gramsPerToken = 6
/** Counts for as much as a pair that is as random as any. */
const sentenceEdge = 5 * perNat

/** The grams of a record: of one that it repeats, the first occurrence counts. */
function gramsOf(work: Work, labelled: boolean, tokens: Int32Array, counts: BatchCounts): void {
  const count = tokens.length
  makeRoom(work, count)
  const { pairs, least, leastWord, mostWord, seen, record, edges, threes, fours } = work
  const { hashes, kinds, left, right } = record
  edges[0] = 0
  edges[count] = 0
  for (let i = 1; i < count; i++)
    edges[i] = pairs.edgeOf(counts.words[i - 1] as number, counts.words[i] as number, counts.pairs[i - 1] as number)
  longerOf(work, tokens, counts)
  seen.clear()
  let n = 0
  const see = (hash: number, kind: number, from: number, to: number, before = edges[from] as number): void => {
    if (!seen.add(hash ^ kind)) return
    hashes[n] = hash
    kinds[n] = kind
    left[n] = before
    right[n++] = edges[to] as number
  }
  for (let i = 0; i < count; i++) {
    const token = tokens[i] as number
    const frequency = counts.words[i] as number
    if (frequency >= leastWord && frequency <= mostWord) see(token, 1, i, i + 1)
    // A phrase is no more frequent than its parts.
    if (i + 1 >= count || (counts.pairs[i] as number) < least) continue
    const pair = combine(token, tokens[i + 1] as number)
    if (labelled) {
      see(pair, 2, i, i + 2)
      if ((threes[i] as number) >= least) see(combine(pair, tokens[i + 2] as number), 3, i, i + 3)
    }
    if ((fours[i] as number) < least) continue
    const four = combine(combine(pair, tokens[i + 2] as number), tokens[i + 3] as number)
    if (opensRepeatedSentence(work, tokens, i)) see(four, 4, i, i + 4, sentenceEdge)
    else see(four, 4, i, i + 4)
  }
  if (labelled) eachShape(tokens, Math.min(count, 512), work.common, see)
  record.count = n
}

/** A sentence of which every four tokens are frequent: no pair at its left end tells whether it was put there, what follows it will. */
function opensRepeatedSentence({ ends, fours, least }: Work, tokens: Int32Array, from: number): boolean {
  if (from > 0 && !ends.has(tokens[from - 1] as number)) return false
  for (let i = from; i + 3 < tokens.length && (fours[i] as number) >= least; i++) if (ends.has(tokens[i + 3] as number)) return true
  return false
}

/** Passages with the three, and the four, tokens from each on, as far as their parts are frequent. */
function longerOf({ pairs, least, threes, fours }: Work, tokens: Int32Array, counts: BatchCounts): void {
  threes.fill(0, 0, tokens.length)
  fours.fill(0, 0, tokens.length)
  for (let i = 0; i + 2 < tokens.length; i++) {
    if ((counts.pairs[i] as number) < least || (counts.pairs[i + 1] as number) < least) continue
    threes[i] = pairs.three(combine(combine(tokens[i] as number, tokens[i + 1] as number), tokens[i + 2] as number))
  }
  for (let i = 0; i + 3 < tokens.length; i++) {
    if ((threes[i] as number) < least || (threes[i + 1] as number) < least) continue
    const first = combine(tokens[i] as number, tokens[i + 1] as number)
    fours[i] = pairs.four(combine(first, combine(tokens[i + 2] as number, tokens[i + 3] as number)))
  }
}

function makeRoom(work: Work, tokens: number): void {
  if (tokens < work.fours.length) return
  const size = 2 * tokens + 16
  work.edges = new Int16Array(size)
  work.threes = new Uint8Array(size)
  work.fours = new Uint8Array(size)
  work.record = recordGrams(gramsPerToken * size)
}
