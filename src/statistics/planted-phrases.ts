import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { maxTokens } from '../math/tokens.ts'
import { type RepeatedGrams, type RepeatedGramsOptions, repeatedGramsId } from './repeated-grams.ts'
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
import { shapeTokens } from './text/grams.ts'
import { neighbourClasses } from './text/insertion.ts'
import { type InsertedPhrase, judgeInsertions } from './text/judge-insertions.ts'
import { judgeSegments, type SegmentPhrase } from './text/judge-segments.ts'
import { insertedPlaces } from './text/label-candidates.ts'
import { type Candidates, type Matcher, matcher } from './text/matcher.ts'
import { sentenceEnds } from './text/sentences.ts'
import { type TextSegments, type TextSegmentsOptions, textSegmentsId } from './text-segments.ts'
import { type TextSketch, textSketchId } from './text-sketch.ts'

/** Phrases after which texts turn unlike the corpus, and phrases that stand at random places. */
export interface PlantedPhrases {
  readonly records: number
  readonly segmentPhrases: readonly SegmentPhrase[]
  readonly runnerUp: SegmentPhrase | null
  readonly segmentsTested: number
  readonly inserted: readonly InsertedPhrase[]
  readonly insertionsJudged: number
}

export interface PlantedPhrasesOptions {
  readonly segments: TextSegmentsOptions
  /** Null: no insertion test. */
  readonly grams: RepeatedGramsOptions | null
  readonly carriers: number
}

/** From which it is learnt what follows what. */
const uniformTexts = 2048

interface Work {
  readonly candidates: Candidates
  readonly match: Matcher
  readonly gathering: Gathering
}
const works = new WeakMap<object, Work>()
const chosen = new WeakMap<TextSegments, Candidates>()
const none: ReadonlySet<number> = new Set()

/** The same with and without an insertion test: a run has one of them. */
export const plantedPhrasesId = ({ segments, carriers }: Omit<PlantedPhrasesOptions, 'grams'>): string =>
  `planted-phrases/${shortDigest({ segments: textSegmentsId(segments), carriers })}`

/** Fitted after `textSegments` and, with an insertion test, `repeatedGrams`: counts their candidates exactly. */
export function plantedPhrases(options: PlantedPhrasesOptions): Statistic<Carriers, PlantedPhrases> {
  const segmentsId = textSegmentsId(options.segments)
  const sketchId = textSketchId(options.segments.sketch)
  const gramsId = options.grams && repeatedGramsId(options.grams)
  const sizes = { carriers: options.carriers, uniform: uniformTexts }
  const candidatesOf = (c: Context): Candidates => {
    const segments = c.summaries.get<TextSegments>(segmentsId)
    const known = chosen.get(segments)
    if (known) return known
    const grams = gramsId === null ? null : c.summaries.get<RepeatedGrams>(gramsId)
    const made = together(segments, grams)
    chosen.set(segments, made)
    return made
  }
  const open = (c: Context, state: Carriers): Work => {
    const candidates = candidatesOf(c)
    const work = {
      candidates,
      match: matcher(candidates, none),
      gathering: startGathering(candidates.hashes.length),
    }
    works.set(state, work)
    return work
  }
  return {
    id: plantedPhrasesId(options),
    version: 1,
    needs: ['text'],
    after: gramsId === null ? [segmentsId, sketchId] : [segmentsId, gramsId, sketchId],
    over: options.segments.sketch.over,
    init: (c) => emptyCarriers(candidatesOf(c).hashes.length),
    update(c, state, batch: Batch) {
      const work = works.get(state) ?? open(c, state)
      const all = work.candidates.hashes.length > 0 ? tokensOf(batch, 'text', c.seed) : null
      if (!all) return
      for (let i = 0; i < batch.numRows; i++) {
        const tokens = all.row(i)
        if (tokens.count > 0) gather(work.gathering, work.candidates, work.match, sizes, tokens, -1)
      }
    },
    seal(_, state) {
      const work = works.get(state)
      if (work) Object.assign(state, gathered(work.gathering, sizes))
    },
    merge(into, from) {
      Object.assign(into, addCarriers(into, from, sizes))
    },
    finish(c, state) {
      const segments = c.summaries.get<TextSegments>(segmentsId)
      const candidates = candidatesOf(c)
      const found = occurrencesIn(state.carriers, candidates.hashes.length, matcher(candidates, none))
      const { mostCommon, endings } = c.summaries.get<TextSketch>(sketchId)
      const classOf = neighbourClasses(mostCommon)
      const judged = judgeSegments(segments, state, found, classOf, endings)
      const common = mostCommon.subarray(0, shapeTokens)
      const grams = gramsId === null ? null : c.summaries.get<RepeatedGrams>(gramsId)
      const insertions = grams
        ? judgeInsertions({ candidates, carriers: state, found, grams, common, classOf, ends: sentenceEnds(c.seed) })
        : { strongest: [], judged: 0 }
      return {
        records: segments.records,
        segmentPhrases: judged.phrases,
        runnerUp: judged.runnerUp,
        segmentsTested: segments.tested,
        inserted: insertions.strongest,
        insertionsJudged: insertions.judged,
      }
    },
    bytes: () => carrierBytes(sizes, 3000) + 16 * maxTokens,
  }
}

/** The segments' candidates come first: their places are theirs. */
function together(segments: TextSegments, grams: RepeatedGrams | null): Candidates {
  const known = new Set(Array.from(segments.hashes, (hash, i) => hash * 16 + (segments.kinds[i] as number)))
  const places =
    grams === null ? [] : insertedPlaces(grams).filter((p) => !known.has((grams.hashes[p] as number) * 16 + (grams.kinds[p] as number)))
  const joined = (own: ArrayLike<number>, of: ArrayLike<number> | undefined): number[] => [
    ...Array.from(own),
    ...places.map((p) => of?.[p] as number),
  ]
  return {
    hashes: Int32Array.from(joined(segments.hashes, grams?.hashes)),
    kinds: Uint8Array.from(joined(segments.kinds, grams?.kinds)),
    counts: Uint32Array.from(joined(segments.counts, grams?.counts)),
  }
}
