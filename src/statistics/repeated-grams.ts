import { codesOf, textBytes } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { combine, maxTokens, type Seen, seen, type Tokeniser, tokeniser } from '../math/tokens.ts'
import { type LabelCensus, labelCensus } from './label-census.ts'
import { addGrams, emptyGrams, type GramTable, type Growing, sealedGrams, startGrams, tallyGram } from './text/gram-table.ts'
import { eachShape, shapeTokens } from './text/grams.ts'
import { classesOf, codeMap } from './text/label-codes.ts'
import { openPairs, type PairReader } from './text/pair-reader.ts'
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
  readonly tokeniser: Tokeniser
  readonly pairs: PairReader
  readonly common: ReadonlySet<number>
  readonly least: number
  readonly leastWord: number
  readonly mostWord: number
  readonly classes: readonly string[]
  readonly growing: Growing
  readonly seen: Seen
  edges: Int16Array
}
const works = new WeakMap<State, Work>()

/** In so many passages a phrase has to occur: at a million of them, in 50. */
const leastShare = 5e-5
export const leastOf = (passages: number): number => Math.min(250, Math.max(8, Math.ceil(passages * leastShare)))

/** A phrase in more records is no candidate for having been inserted. */
export const mostInserted = (records: number): number => Math.min(3000, Math.max(12, records * 0.05))

export const repeatedGramsId = (options: RepeatedGramsOptions): string =>
  `repeated-grams/${shortDigest({ ...options, sketch: textSketchId(options.sketch) })}`

export function repeatedGrams(options: RepeatedGramsOptions): Statistic<State, RepeatedGrams> {
  const sketchId = textSketchId(options.sketch)
  const open = (c: Context, state: State): Work => {
    const sketch = c.summaries.get<TextSketch>(sketchId)
    const least = leastOf(sketch.passages)
    const classes = options.labelled ? classesOf(c.summaries.get<LabelCensus>(census.id)) : []
    const work: Work = {
      tokeniser: tokeniser(c.seed),
      pairs: openPairs(sketch),
      common: new Set(sketch.mostCommon.subarray(0, shapeTokens)),
      least,
      leastWord: options.labelled ? Math.max(3, Math.floor(least / 3)) : least,
      // Without labels only words that may have been inserted are looked for.
      mostWord: options.labelled ? Number.POSITIVE_INFINITY : mostInserted(sketch.records),
      classes,
      growing: startGrams(classes.length, options.most),
      seen: seen(),
      edges: new Int16Array(1024),
    }
    works.set(state, work)
    return work
  }
  return {
    id: repeatedGramsId(options),
    version: 1,
    needs: options.labelled ? ['text', 'label'] : ['text'],
    after: options.labelled ? [sketchId, census.id] : [sketchId],
    over: options.sketch.over,
    init: (c) => {
      const classes = options.labelled ? classesOf(c.summaries.get<LabelCensus>(census.id)) : []
      return { table: emptyGrams(classes.length), records: 0, recordsByLabel: new Float64Array(classes.length) }
    },
    update(c: Context, state: State, batch: Batch) {
      const text = textBytes(batch, 'text')
      if (!text) return
      const work = works.get(state) ?? open(c, state)
      const label = options.labelled ? codesOf(batch, 'label') : null
      const codes = label && codeMap(label.values, work.classes)
      for (let i = 0; i < batch.numRows; i++) {
        const tokens = work.tokeniser.read(text.bytes, text.offsets[i] as number, text.offsets[i + 1] as number)
        if (tokens.count === 0) continue
        const given = label && codes ? (codes[label.codes[i] as number] ?? -1) : -1
        state.records++
        if (given >= 0) state.recordsByLabel[given] = (state.recordsByLabel[given] as number) + 1
        countRecord(work, options.labelled, tokens.hashes, tokens.count, given)
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
    bytes: ({ classes }) => 2 * options.most * (20 + 4 * Math.max(2, classes)) + 16 * maxTokens * 8,
  }
}

/** Of a phrase that a record repeats, the first occurrence counts. */
function countRecord(work: Work, labelled: boolean, tokens: Int32Array, count: number, label: number): void {
  if (count >= work.edges.length) work.edges = new Int16Array(2 * count + 2)
  const { pairs, least, growing, edges } = work
  work.seen.clear()
  edges[0] = 0
  edges[count] = 0
  for (let i = 1; i < count; i++) edges[i] = pairs.edge(tokens[i - 1] as number, tokens[i] as number)
  const see = (hash: number, kind: number, from: number, to: number): void => {
    if (work.seen.add(hash ^ kind)) tallyGram(growing, hash, kind, label, edges[from] as number, edges[to] as number)
  }
  for (let i = 0; i < count; i++) {
    const token = tokens[i] as number
    const frequency = pairs.word(token)
    if (frequency >= work.leastWord && frequency <= work.mostWord) see(token, 1, i, i + 1)
    if (i + 1 >= count) break
    const second = tokens[i + 1] as number
    const pair = combine(token, second)
    // A phrase is no more frequent than its parts.
    if (pairs.pair(pair) < least) continue
    if (labelled) {
      see(pair, 2, i, i + 2)
      const third = i + 2 < count ? (tokens[i + 2] as number) : 0
      if (i + 2 < count && pairs.pair(combine(second, third)) >= least) see(combine(pair, third), 3, i, i + 3)
    }
    if (i + 3 < count) {
      const other = combine(tokens[i + 2] as number, tokens[i + 3] as number)
      if (pairs.four(combine(pair, other)) >= least)
        see(combine(combine(pair, tokens[i + 2] as number), tokens[i + 3] as number), 4, i, i + 4)
    }
  }
  if (labelled) eachShape(tokens, Math.min(count, 512), work.common, see)
}
