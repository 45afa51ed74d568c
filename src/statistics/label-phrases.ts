import { codesOf } from '../contracts/batch.ts'
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
  type Occurrence,
  occurrencesIn,
  overlap,
  startGathering,
} from './text/carriers.ts'
import { isShape, shapeTokens } from './text/grams.ts'
import { neighbourClasses } from './text/insertion.ts'
import { type InsertedPhrase, judgeInsertions } from './text/judge-insertions.ts'
import { isSuspicious, isTelling, isTrigger, type JudgedPhrase, judgeLabels } from './text/judge-labels.ts'
import { type LabelCandidates, labelCandidates } from './text/label-candidates.ts'
import { codeMap } from './text/label-codes.ts'
import { type Matcher, matcher } from './text/matcher.ts'
import { passagesOf } from './text/passages.ts'
import { sentenceEnds } from './text/sentences.ts'
import { type StyleModel, scoreOfStyle, styleFeatures, styleModel } from './text/style.ts'
import { enoughTrusted, isTrusted } from './text/trusted.ts'
import { type TextSketch, textSketchId } from './text-sketch.ts'

/** Phrases and styles that are bound to a label against what the rest of their records says. */
export interface LabelPhrases {
  readonly labels: readonly string[]
  readonly records: number
  /** Phrases and shapes that were tested for their labels; of these the ones that were judged. */
  readonly tested: number
  readonly judged: number
  /** Suspicious ones, the strongest first, one of those that stand in the same records. */
  readonly phrases: readonly JudgedPhrase[]
  /** The strongest that is not. */
  readonly runnerUp: JudgedPhrase | null
  /** Labels against which phrases are suspicious, with the style of their records. */
  readonly styles: readonly StyleModel[]
  /** Phrases and shapes that the styles are learnt from. */
  readonly telling: Int32Array
  readonly inserted: readonly InsertedPhrase[]
  readonly insertionsJudged: number
  /** [labels]: share of records whose words contradict their label. */
  readonly base: Float64Array
  /** Tokens that shapes keep. */
  readonly common: Int32Array
  /** Trusted records in which phrases were looked up; 0 where there are too few. */
  readonly trusted: number
}

export interface LabelPhrasesOptions {
  readonly grams: RepeatedGramsOptions
  readonly carriers: number
  readonly uniform: number
  /** The reference has texts with labels. */
  readonly reference?: boolean
}

interface Work {
  readonly candidates: LabelCandidates
  readonly match: Matcher
  readonly labels: readonly string[]
  readonly gathering: Gathering
}
const works = new WeakMap<object, Work>()
const chosen = new WeakMap<RepeatedGrams, LabelCandidates>()

const candidatesOf = (grams: RepeatedGrams): LabelCandidates => {
  const known = chosen.get(grams) ?? labelCandidates(grams)
  chosen.set(grams, known)
  return known
}

const mostPhrases = 12
const sameRecords = 0.6
const styledBy = 60
/** Nats by which a style's records look like those of other labels; the model knows the style, so that they may seem to be the label's own. */
const leastStyleNats = -30

/** The same counts over the reference. */
export const ofReference = (grams: RepeatedGramsOptions): RepeatedGramsOptions => ({
  ...grams,
  sketch: { ...grams.sketch, over: 'reference' },
})

/** Fitted after `repeatedGrams`: reads the texts again for the candidates alone. */
export function labelPhrases(options: LabelPhrasesOptions): Statistic<Carriers, LabelPhrases> {
  const gramsId = repeatedGramsId(options.grams)
  const sketchId = textSketchId(options.grams.sketch)
  const trustedId = options.reference ? repeatedGramsId(ofReference(options.grams)) : null
  const commonOf = (c: Context): ReadonlySet<number> => new Set(c.summaries.get<TextSketch>(sketchId).mostCommon.subarray(0, shapeTokens))
  const open = (c: Context, state: Carriers): Work => {
    const grams = c.summaries.get<RepeatedGrams>(gramsId)
    const candidates = candidatesOf(grams)
    const work = {
      candidates,
      match: matcher(candidates, commonOf(c)),
      labels: grams.labels,
      gathering: startGathering(candidates.hashes.length),
    }
    works.set(state, work)
    return work
  }
  return {
    // One audit has a reference or has none: who asks for the summary need not know.
    id: `label-phrases/${shortDigest({ carriers: options.carriers, uniform: options.uniform, grams: gramsId })}`,
    version: 1,
    needs: ['text', 'label'],
    after: trustedId === null ? [gramsId, sketchId] : [gramsId, sketchId, trustedId],
    over: options.grams.sketch.over,
    init: (c) => emptyCarriers(candidatesOf(c.summaries.get<RepeatedGrams>(gramsId)).hashes.length),
    update(c, state, batch: Batch) {
      const work = works.get(state) ?? open(c, state)
      const all = work.candidates.hashes.length > 0 ? tokensOf(batch, 'text', c.seed) : null
      const label = codesOf(batch, 'label')
      if (!all || !label) return
      const codes = codeMap(label.values, work.labels)
      for (let i = 0; i < batch.numRows; i++) {
        const tokens = all.row(i)
        if (tokens.count > 0) gather(work.gathering, work.candidates, work.match, options, tokens, codes[label.codes[i] as number] ?? -1)
      }
    },
    seal(_, state) {
      const work = works.get(state)
      if (work) Object.assign(state, gathered(work.gathering, options))
    },
    merge(into, from) {
      Object.assign(into, addCarriers(into, from, options))
    },
    finish(c, state) {
      const grams = c.summaries.get<RepeatedGrams>(gramsId)
      const sketch = c.summaries.get<TextSketch>(sketchId)
      const trusted = enoughTrusted(trustedId === null ? null : c.summaries.get<RepeatedGrams>(trustedId))
      return conclude(grams, sketch, candidatesOf(grams), state, trusted, sentenceEnds(c.seed))
    },
    bytes: () => carrierBytes(options, 5000) + 16 * maxTokens,
  }
}

function conclude(
  grams: RepeatedGrams,
  sketch: TextSketch,
  candidates: LabelCandidates,
  carriers: Carriers,
  trusted: RepeatedGrams | null,
  ends: ReadonlySet<number>,
): LabelPhrases {
  const common = sketch.mostCommon.slice(0, shapeTokens)
  const commonSet = new Set(common)
  const uniform = passagesOf(carriers.uniform)
  const classOf = neighbourClasses(sketch.mostCommon)
  const found = occurrencesIn(carriers.carriers, candidates.hashes.length, matcher(candidates, commonSet))
  const { judged, votes } = judgeLabels({ grams, candidates, carriers, found, common, uniform, classOf, trusted, ends })
  const suspicious = judged.filter((p) => isSuspicious(p, judged.length))
  const sample = passagesOf(carriers.carriers)
  const standIn = (p: JudgedPhrase): readonly Occurrence[] => found[p.candidate] ?? []
  const telling = Int32Array.from(judged.filter(isTelling), (p) => p.hash ^ p.kind)
  const tellingSet = new Set(telling)
  /** The records in the style look like those of other labels, as the ones do from which it was learnt. */
  const isContradicted = (style: StyleModel): boolean => {
    const own = uniform.filter(
      (p) => p.label === style.label && scoreOfStyle(style, styleFeatures(p.tokens, commonSet, tellingSet)) > style.threshold,
    )
    return votes.judge(own, style.label, new Set()).nats > leastStyleNats
  }
  const styles: StyleModel[] = []
  for (let label = 0; label < grams.classes; label++) {
    const named = new Set(
      judged
        .filter((p) => p.label === label && !isShape(p.kind) && isTrigger(p) && isSuspicious(p, judged.length))
        .flatMap((p) => standIn(p).map((o) => o.passage)),
    )
    /** What stands in the records of a phrase that is named already is part of it, and no style. */
    const isOfItsOwn = (p: JudgedPhrase): boolean => standIn(p).filter((o) => named.has(o.passage)).length < sameRecords * standIn(p).length
    if (!suspicious.some((p) => p.label === label && isShape(p.kind) && isOfItsOwn(p))) continue
    const own = judged.filter((p) => p.label === label && isTelling(p) && isOfItsOwn(p)).slice(0, styledBy)
    const seeds = new Set<number>()
    for (const p of own)
      for (const { passage: i } of standIn(p)) if (sample[i]?.label === label && votes.contradicts(sample[i])) seeds.add(i)
    const also = new Map(own.map((p) => [p.hash ^ p.kind, p] as const))
    const model = styleModel(
      grams,
      label,
      [...seeds].map((i) => sample[i] as (typeof sample)[number]),
      uniform,
      commonSet,
      also,
    )
    if (model && isContradicted(model)) styles.push(model)
  }
  const phrases: JudgedPhrase[] = []
  for (const phrase of suspicious) {
    const at = phrases.findIndex(
      (p) => p.label === phrase.label && (p.words === phrase.words || overlap(standIn(p), standIn(phrase)) > sameRecords),
    )
    const known = phrases[at]
    if (!known && phrases.length < mostPhrases) phrases.push(phrase)
    // A part of it that stands in more records, and with the label alone, names it better.
    if (known && isTrigger(phrase) && phrase.kind >= known.kind && phrase.withLabel > known.withLabel && known.words.includes(phrase.words))
      phrases[at] = phrase
  }
  const insertions = judgeInsertions({ candidates, carriers, found, grams, common, classOf, ends })
  return {
    labels: grams.labels,
    records: grams.records,
    tested: candidates.tested,
    judged: judged.length,
    phrases,
    runnerUp: judged.find((p) => !isSuspicious(p, judged.length) && !phrases.some((q) => q.words === p.words)) ?? null,
    styles,
    telling,
    inserted: insertions.strongest.filter((p) => !isTrusted(trusted, grams, { ...p, label: -1, withLabel: 0 })),
    insertionsJudged: insertions.judged,
    base: votes.base,
    common,
    trusted: trusted?.records ?? 0,
  }
}
