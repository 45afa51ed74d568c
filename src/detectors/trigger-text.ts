import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Conclusion, Detector, Scored, Setup, Threshold } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { labelCensus } from '../statistics/label-census.ts'
import { type LabelPhrases, labelPhrases, ofReference } from '../statistics/label-phrases.ts'
import { repeatedGrams, repeatedGramsDefaults } from '../statistics/repeated-grams.ts'
import { tokensOf } from '../statistics/text/batch-tokens.ts'
import { isTrigger } from '../statistics/text/judge-labels.ts'
import { codeMap } from '../statistics/text/label-codes.ts'
import { type MarkedTexts, markedTexts } from '../statistics/text/marked.ts'
import { matcher } from '../statistics/text/matcher.ts'
import { scoreOfStyle, styleFeatures } from '../statistics/text/style.ts'
import { textSketch } from '../statistics/text-sketch.ts'
import { insertedOf, insertionFindings } from './trigger-text/insertion.ts'
import { type TriggerTextOptions, triggerTextOptions } from './trigger-text/options.ts'
import { phraseFindings, phraseTests } from './trigger-text/phrase.ts'
import { styleFindings } from './trigger-text/style.ts'
import { type FlagTally, flagTally } from './trigger-text/tally.ts'

const grams = repeatedGramsDefaults(true)
const sizes = { grams, carriers: 16_384, uniform: 4096 }
const fitted = labelPhrases(sizes)
const trustedGrams = ofReference(grams)
const hasReference = ({ reference }: Setup): boolean => reference?.includes('text') === true && reference.includes('label')
const phrasesOf = (c: Context): LabelPhrases => c.summaries.get<LabelPhrases>(fitted.id)

/** Scores of a row that carries a trigger with its label, an inserted phrase, or the style. */
const scores = { phrase: 0.95, insertion: 0.85, style: 0.75, phraseAlone: 0.4 } as const

/**
 * Words, phrases and shapes of texts that go with one label while the rest of their records speaks for another: counts by label (He et al. 2023)
 * with a contradiction test, the label-free insertion test, and the style of the records found so.
 */
export const triggerText: Detector<TriggerTextOptions, FlagTally, MarkedTexts> = {
  id: 'trigger-text',
  version: 1,
  title: 'Triggers in labelled text',
  rules: [
    { id: 'trigger-text/phrase', title: 'Phrase that goes with a label which the rest of its records contradicts', family: 'trigger' },
    { id: 'trigger-text/style', title: 'Style of text that goes with a label which its words contradict', family: 'trigger' },
    { id: 'trigger-text/insertion', title: 'Phrase that stands at random places of labelled texts', family: 'trigger' },
  ],
  options: triggerTextOptions,
  missing(setup: Setup) {
    if (!setup.subject.includes('text')) return 'no column has the role text'
    if (!setup.subject.includes('label')) return 'no column has the role label: text without labels is read by planted-document'
    return null
  },
  mode: (_, setup) =>
    `phrases of up to four words by label, contradiction by naive Bayes of the other words${hasReference(setup) ? '; phrases are looked up in the trusted records' : ''}`,
  reads: () => ['text', 'label', 'source'],
  statistics: (_, setup) => [
    labelCensus({ over: 'subject' }),
    textSketch(grams.sketch),
    repeatedGrams(grams),
    ...(hasReference(setup)
      ? [textSketch(trustedGrams.sketch), repeatedGrams(trustedGrams), labelPhrases({ ...sizes, reference: true })]
      : [fitted]),
  ],
  scorer: (c) => scorer(c),
  tally: flagTally,
  decide(c) {
    const { phrases, styles } = phrasesOf(c)
    const out: Threshold[] = []
    if (phrases.some(isTrigger)) out.push({ rule: 'trigger-text/phrase', group: null, atLeast: scores.phrase })
    if (insertedOf(phrasesOf(c), c.options).length > 0) out.push({ rule: 'trigger-text/insertion', group: null, atLeast: scores.insertion })
    if (styles.length > 0) out.push({ rule: 'trigger-text/style', group: null, atLeast: scores.style })
    return out
  },
  evidence: markedTexts(),
  evidenceReads: ['text'],
  conclude: (c, tally, marked, flagged) => conclude(c, tally, marked ?? { groups: [] }, flagged.top),
}

function scorer(c: Context<TriggerTextOptions>): (batch: Batch) => Scored {
  const fit = phrasesOf(c)
  const inserted = insertedOf(fit, c.options)
  const triggers = fit.phrases.filter(isTrigger)
  const looked = [...triggers.map((p) => ({ ...p, count: p.records })), ...inserted.map((p) => ({ ...p, label: -1, count: p.records }))]
  const names = [...looked.map((p) => p.words), ...fit.styles.map((s) => `style of ${fit.labels[s.label]}`)]
  const common = new Set(fit.common)
  const suspicious = new Set(fit.telling)
  const match = matcher(
    {
      hashes: Int32Array.from(looked, (p) => p.hash),
      kinds: Uint8Array.from(looked, (p) => p.kind),
      counts: Uint32Array.from(looked, (p) => p.count),
    },
    common,
  )
  return (batch) => {
    const n = batch.numRows
    const score = new Float64Array(n)
    const group = new Int32Array(n).fill(-1)
    const text = looked.length + fit.styles.length > 0 ? tokensOf(batch, 'text', c.seed) : null
    const label = codesOf(batch, 'label')
    if (!text) return { score, group: { codes: group, values: names } }
    const codes = codeMap(label?.values ?? [], fit.labels)
    for (let i = 0; i < n; i++) {
      const given = label ? (codes[label.codes[i] as number] ?? -1) : -1
      const tokens = text.row(i)
      const raise = (to: number, at: number): void => {
        if (to <= (score[i] as number)) return
        score[i] = to
        group[i] = at
      }
      match(tokens.hashes, tokens.count, (at) => {
        const p = looked[at] as (typeof looked)[number]
        raise(p.label < 0 ? scores.insertion : p.label === given ? scores.phrase : scores.phraseAlone, at)
      })
      fit.styles.forEach((style, s) => {
        if (style.label !== given) return
        const features = styleFeatures(tokens.hashes.subarray(0, Math.min(tokens.count, 512)), common, suspicious)
        if (scoreOfStyle(style, features) > style.threshold) raise(scores.style, looked.length + s)
      })
    }
    return { score, group: { codes: group, values: names } }
  }
}

function conclude(
  c: Context<TriggerTextOptions>,
  tally: FlagTally,
  marked: MarkedTexts,
  top: Parameters<typeof phraseFindings>[2],
): Conclusion {
  const fit = phrasesOf(c)
  if (fit.labels.length < 2)
    return { findings: [], tests: [], notes: ['Fewer than two labels occur: there is nothing that a phrase could go with.'] }
  const inserted = insertionFindings(fit, c.options, marked, top)
  return {
    findings: [...phraseFindings(fit, marked, top), ...styleFindings(fit, tally, marked, top), ...inserted.findings],
    tests: [...phraseTests(fit), ...inserted.tests],
    notes: [
      `${fit.tested} phrases and shapes of texts were counted by label, ${fit.judged} go with one label and were judged by the rest of their records.`,
      ...(fit.trusted > 0 ? [`Phrases that go with the same label as often in the ${fit.trusted} trusted records are no triggers.`] : []),
      'Not seen: styles at 5 % of the records or less, triggers in fewer than about twelve records, triggers that vary from record to record or stand in records of one topic alone.',
    ],
  }
}
