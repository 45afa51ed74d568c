import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { digestOf, maxTokens } from '../math/tokens.ts'
import { countsOf } from './text/batch-counts.ts'
import { tokensOf } from './text/batch-tokens.ts'
import { openPairs, type PairReader } from './text/pair-reader.ts'
import {
  emptySample,
  mergeSamples,
  offer,
  type PassageSample,
  passagesOf,
  type Sampling,
  sampleOf,
  startSampling,
} from './text/passages.ts'
import { type SegmentCandidates, segmentCandidates } from './text/segment-candidates.ts'
import { segmentKinds, segmentsOf } from './text/segments.ts'
import { type TextSketch, type TextSketchOptions, textSketchId } from './text-sketch.ts'

/** Phrases that stand where texts turn unlike the corpus. */
export interface TextSegments extends SegmentCandidates {
  readonly records: number
  /** Highest and hundredth highest score of each kind, in nats. */
  readonly highest: Float64Array
}

interface State {
  records: number
  /** Of each kind: the windows around the beginnings of the strongest segments; `order` is -score, `label` the place of the beginning. */
  tops: PassageSample[]
}

export interface TextSegmentsOptions {
  readonly sketch: TextSketchOptions
  /** Strongest records of each kind that are kept. */
  readonly most: number
}

/** Tokens of a window before the beginning of a segment, and after it. */
const before = 40
const after = 20
const leastLength = 15

interface Work {
  readonly pairs: PairReader
  readonly tops: readonly Sampling[]
}
const works = new WeakMap<State, Work>()

export const textSegmentsId = (options: TextSegmentsOptions): string =>
  `text-segments/${shortDigest({ sketch: textSketchId(options.sketch), most: options.most })}`

/** Fitted after `textSketch`: where each text is least like the corpus, and which phrases stand there (Souly et al. 2025 for the attack). */
export function textSegments(options: TextSegmentsOptions): Statistic<State, TextSegments> {
  const sketchId = textSketchId(options.sketch)
  const open = (c: Context, state: State): Work => {
    const work = {
      pairs: openPairs(c.summaries.get<TextSketch>(sketchId)),
      tops: segmentKinds.map(() => startSampling()),
    }
    works.set(state, work)
    return work
  }
  return {
    id: textSegmentsId(options),
    version: 1,
    needs: ['text'],
    after: [sketchId],
    over: options.sketch.over,
    init: () => ({ records: 0, tops: segmentKinds.map(() => emptySample()) }),
    update(c, state, batch: Batch) {
      const all = tokensOf(batch, 'text', c.seed)
      if (!all) return
      const work = works.get(state) ?? open(c, state)
      const { words, pairs } = countsOf(all, work.pairs)
      for (let i = 0; i < batch.numRows; i++) {
        const [from, to] = [all.ends[i] as number, all.ends[i + 1] as number]
        if (from === to) continue
        state.records++
        segmentsOf(work.pairs, words, pairs, from, to).forEach((segment, kind) => {
          if (segment.end - segment.start < leastLength) return
          offer(work.tops[kind] as Sampling, options.most, -Math.fround(segment.score), () => ({
            key: digestOf(all.row(i)),
            order: -Math.fround(segment.score),
            label: Math.min(before, segment.start),
            tokens: all.hashes.slice(Math.max(from, from + segment.start - before), Math.min(to, from + segment.start + after)),
          }))
        })
      }
    },
    seal(_, state) {
      const work = works.get(state)
      if (work) state.tops = work.tops.map((top) => sampleOf(top.list, options.most))
    },
    merge(into, from) {
      into.records += from.records
      into.tops = into.tops.map((top, kind) => mergeSamples(top, from.tops[kind] as PassageSample, options.most))
    },
    finish(c, state) {
      const pairs = openPairs(c.summaries.get<TextSketch>(sketchId))
      const tops = state.tops.map(passagesOf)
      const highest = Float64Array.from(tops.flatMap((top) => [-(top[0]?.order ?? 0), -(top[99]?.order ?? 0)]))
      return { records: state.records, highest, ...segmentCandidates(tops, state.records, pairs) }
    },
    bytes: () => 2 * segmentKinds.length * options.most * ((before + after) * 4 + 60) + 12 * maxTokens,
  }
}
