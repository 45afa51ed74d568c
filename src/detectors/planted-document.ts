import type { Batch } from '../contracts/data.ts'
import type { Detector, Scored, Setup, Threshold } from '../contracts/detector.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { type PlantedPhrases, type PlantedPhrasesOptions, plantedPhrases, plantedPhrasesId } from '../statistics/planted-phrases.ts'
import { repeatedGrams, repeatedGramsDefaults } from '../statistics/repeated-grams.ts'
import { tokensOf } from '../statistics/text/batch-tokens.ts'
import { insertionFinding, insertionTest } from '../statistics/text/insertion-finding.ts'
import { type InsertedPhrase, isInserted } from '../statistics/text/judge-insertions.ts'
import { type MarkedTexts, markedTexts } from '../statistics/text/marked.ts'
import { matcher } from '../statistics/text/matcher.ts'
import { textSegments } from '../statistics/text-segments.ts'
import { textSketch, textSketchDefaults } from '../statistics/text-sketch.ts'
import { type PlantedDocumentOptions, plantedDocumentOptions } from './planted-document/options.ts'
import { segmentFindings, segmentTests } from './planted-document/segment.ts'

const segments = { sketch: textSketchDefaults, most: 8192 }
const carriers = 16_384
const insertionRule = 'planted-document/insertion'
const scores = { phrase: 0.95, insertion: 0.85 } as const

/** With labels the insertion test is that of trigger-text, so that nothing is reported twice. */
const parameters = (setup: Setup): PlantedPhrasesOptions => ({
  segments,
  grams: setup.subject.includes('label') ? null : repeatedGramsDefaults(false),
  carriers,
})

const fittedOf = (c: Context): PlantedPhrases => c.summaries.get<PlantedPhrases>(plantedPhrasesId({ segments, carriers }))

/**
 * Documents planted in a corpus without labels (Souly et al. 2025): a phrase after which texts turn unlike the corpus, by maximum-scoring
 * segments of log-likelihood ratios, and phrases that stand at random places of fluent text.
 */
export const plantedDocument: Detector<PlantedDocumentOptions, PlantedPhrases, MarkedTexts> = {
  id: 'planted-document',
  version: 1,
  title: 'Planted documents',
  rules: [
    { id: 'planted-document/phrase', title: 'Phrase after which texts turn unlike the corpus', family: 'trigger' },
    { id: insertionRule, title: 'Phrase that stands at random places of fluent text', family: 'trigger' },
  ],
  options: plantedDocumentOptions,
  missing: (setup) => (setup.subject.includes('text') ? null : 'no column has the role text'),
  mode: (_, setup) =>
    setup.subject.includes('label')
      ? 'unnatural segments and the phrase before them; the insertion test is that of trigger-text'
      : 'unnatural segments and the phrase before them; insertion test of repeated phrases',
  reads: () => ['text', 'source'],
  statistics(_, setup): readonly Statistic[] {
    const p = parameters(setup)
    return [textSketch(segments.sketch), textSegments(segments), ...(p.grams ? [repeatedGrams(p.grams)] : []), plantedPhrases(p)]
  },
  scorer: (c) => scorer(c, fittedOf(c)),
  decide(c) {
    const fit = fittedOf(c)
    const out: Threshold[] = []
    if (fit.segmentPhrases.length > 0) out.push({ rule: 'planted-document/phrase', group: null, atLeast: scores.phrase })
    if (insertedOf(fit, c.options).length > 0) out.push({ rule: insertionRule, group: null, atLeast: scores.insertion })
    return out
  },
  evidence: markedTexts(),
  evidenceReads: ['text'],
  conclude(c, _, evidence, flagged) {
    const fit = fittedOf(c)
    const marked = evidence ?? { groups: [] }
    const found = insertedOf(fit, c.options)
    const next = fit.inserted.find((p) => !found.includes(p) && !isNamed(fit, p)) ?? null
    return {
      findings: [
        ...segmentFindings(fit, marked, flagged.top),
        ...found.map((p) => insertionFinding(insertionRule, p, next, marked, flagged.top)),
      ],
      tests: [...segmentTests(fit), ...(next ? [...found, next] : found).map((p) => insertionTest(insertionRule, p, fit.insertionsJudged))],
      notes: [
        `${fit.segmentsTested} phrases beside the least natural parts of ${fit.records} texts were counted${fit.insertionsJudged > 0 ? `, and the neighbours of ${fit.insertionsJudged} repeated phrases compared` : ''}.`,
        'Not seen: fewer than about 30 carriers, triggers that vary from record to record, phrases of two or three common words, a switch to another natural text after a trigger of such words.',
      ],
    }
  },
}

const isNamed = (fit: PlantedPhrases, p: InsertedPhrase): boolean =>
  fit.segmentPhrases.some((s) => ` ${s.words} `.includes(` ${p.words} `) || ` ${p.words} `.includes(` ${s.words} `))

const insertedOf = (fit: PlantedPhrases, options: PlantedDocumentOptions): InsertedPhrase[] =>
  fit.inserted.filter((p) => isInserted(p, options) && !isNamed(fit, p))

function scorer(c: Context<PlantedDocumentOptions>, fit: PlantedPhrases): (batch: Batch) => Scored {
  const inserted = insertedOf(fit, c.options)
  const looked = [...fit.segmentPhrases, ...inserted]
  const names = looked.map((p) => p.words)
  const match = matcher(
    {
      hashes: Int32Array.from(looked, (p) => p.hash),
      kinds: Uint8Array.from(looked, (p) => p.kind),
      counts: Uint32Array.from(looked, (p) => p.records),
    },
    new Set(),
  )
  return (batch) => {
    const score = new Float64Array(batch.numRows)
    const codes = new Int32Array(batch.numRows).fill(-1)
    const text = looked.length > 0 ? tokensOf(batch, 'text', c.seed) : null
    for (let i = 0; text && i < batch.numRows; i++) {
      const tokens = text.row(i)
      match(tokens.hashes, tokens.count, (at) => {
        const reached = at < fit.segmentPhrases.length ? scores.phrase : scores.insertion
        if (reached <= (score[i] as number)) return
        score[i] = reached
        codes[i] = at
      })
    }
    return { score, group: { codes, values: names } }
  }
}
