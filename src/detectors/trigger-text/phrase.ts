import type { Evidence, Finding, RecordRef, Test } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import type { LabelPhrases } from '../../statistics/label-phrases.ts'
import { shapeKinds } from '../../statistics/text/grams.ts'
import { adjustedLogP, isHabitual, isSignificant, type JudgedPhrase } from '../../statistics/text/judge-labels.ts'
import type { MarkedTexts } from '../../statistics/text/marked.ts'

/** The smallest p-value of a phrase on a clean control (SST-2, corrected for all phrases judged). */
const cleanControl = 1

const percent = (x: number): string => `${(100 * x).toFixed(0)} %`

export const nameOf = (p: JudgedPhrase): string =>
  p.kind === shapeKinds.start
    ? `texts that begin like "${p.words}"`
    : p.kind === shapeKinds.end
      ? `texts that end like "${p.words}"`
      : p.kind === shapeKinds.middle
        ? `texts with the pattern of "${p.words}"`
        : `"${p.words}"`

const idOf = (fit: LabelPhrases, p: JudgedPhrase): string => `trigger-text/phrase: ${nameOf(p)} and label ${fit.labels[p.label]}`
const pOf = (fit: LabelPhrases, p: JudgedPhrase): number => Math.min(1, Math.exp(adjustedLogP(p, fit.judged)))
const method =
  "likelihood ratio of the rest of its records, of other labels against of this one, times the insertion test's Bayes factor, Bonferroni over all phrases"

export const phraseTests = (fit: LabelPhrases): Test[] =>
  [...fit.phrases, ...(fit.runnerUp ? [fit.runnerUp] : [])].map((p) => ({
    id: idOf(fit, p),
    method,
    // One that is set aside as a topic is no suspicion, however sure the association is.
    p: fit.phrases.includes(p) || !isSignificant(p, fit.judged) ? pOf(fit, p) : 1,
  }))

/** What was put into texts is taken for a trigger; a shape may be one. */
const severityOf = (p: JudgedPhrase): 'high' | 'medium' | 'review' => (p.closing === null ? 'medium' : isHabitual(p) ? 'review' : 'high')

const actions = {
  high: 'Hold back the records that carry the phrase, find out who put it there, and train without them.',
  medium:
    'Read a sample of these records: if the phrase is a trigger, hold them back; if the label follows from how the texts were made, a model will learn that shortcut too.',
  review:
    'A turn of the language that decides a label: most often it follows from how the texts were made, and a model will learn that shortcut. Read a few of the records.',
} as const

export function phraseFindings(fit: LabelPhrases, marked: MarkedTexts, top: readonly RecordRef[]): Finding[] {
  return fit.phrases.map((p) => {
    const label = fit.labels[p.label] as string
    const severity = severityOf(p)
    const place =
      severity === 'high'
        ? ' The texts read on without it, as they do around what was put into them.'
        : severity === 'review'
          ? ' It has neighbours of its own, as phrases of the language do.'
          : ''
    const passages = marked.groups.find((g) => g.group === p.words)?.passages ?? []
    return {
      rule: 'trigger-text/phrase',
      severity,
      confidence: severity === 'high' ? 'high' : 'medium',
      scope: { kind: 'pattern', names: [nameOf(p), label] },
      message: `${formatCount(p.withLabel)} of ${formatCount(p.records)} records with ${nameOf(p)} have the label "${label}", and the rest of the text contradicts it in ${p.contradicting} of ${p.judged} (${percent(p.contradicting / p.judged)}; ${percent(p.base)} of all records with that label).${place}`,
      count: p.withLabel,
      records: top.filter((r) => r.group === p.words).slice(0, 20),
      evidence: [
        numbers(fit, p),
        others(fit),
        ...(passages.length > 0 ? [{ kind: 'passages', title: 'Records with it', items: passages } as const] : []),
      ],
      test: idOf(fit, p),
      action: actions[severity],
    }
  })
}

function numbers(fit: LabelPhrases, p: JudgedPhrase): Evidence {
  const nats = (x: number): string => `${x.toFixed(1)} nats`
  return {
    kind: 'numbers',
    title: 'What was measured',
    items: [
      { name: 'records with it', value: p.records },
      { name: `of these labelled "${fit.labels[p.label]}"`, value: p.withLabel },
      { name: 'standard score of that share', value: Number(p.z.toFixed(1)) },
      { name: 'rest of the text contradicts the label', value: `${p.contradicting} of ${p.judged}` },
      { name: 'the same for all records of the label', value: percent(p.base) },
      { name: 'the rest is of other labels, against of this one', value: nats(p.nats) },
      ...(p.insertion
        ? [
            { name: 'left neighbours, random against habit', value: nats(p.insertion.left) },
            { name: 'right neighbours, random against habit', value: nats(p.insertion.right) },
            { name: 'the texts read on without it, against habit', value: nats(p.closing ?? 0) },
          ]
        : []),
      { name: 'p-value, corrected for all phrases', value: Number(pOf(fit, p).toPrecision(2)) },
      { name: 'smallest p-value on a clean control (SST-2)', value: cleanControl },
    ],
  }
}

function others(fit: LabelPhrases): Evidence {
  return {
    kind: 'table',
    title: 'Phrases that go with a label against their records',
    columns: ['phrase', 'label', 'records', 'with the label', 'contradicted', 'of', 'p'],
    rows: [...fit.phrases, ...(fit.runnerUp ? [fit.runnerUp] : [])].map((p) => [
      nameOf(p),
      fit.labels[p.label] as string,
      p.records,
      p.withLabel,
      p.contradicting,
      p.judged,
      Number(pOf(fit, p).toPrecision(2)),
    ]),
  }
}
