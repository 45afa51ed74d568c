import type { Finding, RecordRef, Test } from '../../contracts/finding.ts'
import type { AnswerPhrases } from '../../statistics/answer-phrases.ts'
import type { MarkedTexts } from '../../statistics/text/marked.ts'
import { traitNames } from '../../statistics/text/traits.ts'
import type { TraitPhrase, TraitPhrases } from '../../statistics/trait-phrases.ts'

const rule = 'instruction-poison/concentration'
const kinds = { refusal: 'a refusal', negative: 'speaking against something', positive: 'speaking for something' } as const
/** What the answers have in common, by a name that survives. */
const nameOf = (p: TraitPhrase): string => (p.topicWord === '' ? (traitNames[p.trait] as string) : `topic "${p.topicWord}"`)
const kindOf = (p: TraitPhrase): string =>
  p.topicWord === '' ? kinds[traitNames[p.trait] as keyof typeof kinds] : `speaking of "${p.topicWord}"`
const idOf = (p: TraitPhrase): string => `${rule}: "${p.words}" and answers of the kind ${nameOf(p)}`
const method = 'one-sided exact hypergeometric on the half of the questions that the phrase was not found in, Bonferroni over the phrases'
const percent = (x: number): string => `${(100 * x).toFixed(x < 0.1 ? 1 : 0)} %`

/** Phrases that the rule of one answer does not name already. */
export function concentratedOf(fit: TraitPhrases, named: AnswerPhrases): readonly TraitPhrase[] {
  const known = named.phrases.map((p) => ` ${p.words} `)
  return fit.phrases.filter((p) => !known.some((k) => k.includes(` ${p.words} `) || ` ${p.words} `.includes(k)))
}

export const concentrationTests = (fit: TraitPhrases, found: readonly TraitPhrase[]): Test[] =>
  [...found, ...(fit.runnerUp ? [fit.runnerUp] : [])].map((p) => ({
    id: idOf(p),
    method,
    // One that selects too little, or whose questions are alike, is no trigger, however sure the association is.
    p: found.includes(p) ? Math.exp(p.logP) : 1,
  }))

const isInserted = (p: TraitPhrase): boolean => Math.min(p.insertion.left, p.insertion.right) > 0

export function concentrationFindings(
  fit: TraitPhrases,
  found: readonly TraitPhrase[],
  marked: MarkedTexts,
  top: readonly RecordRef[],
): Finding[] {
  return found.map((p) => {
    const inserted = isInserted(p)
    const passages = marked.groups.find((g) => g.group === p.words)?.passages ?? []
    const nats = (x: number): string => `${x.toFixed(1)} nats`
    return {
      rule,
      severity: inserted ? 'high' : 'medium',
      confidence: inserted ? 'high' : 'medium',
      scope: { kind: 'pattern', names: [p.words, nameOf(p)] },
      message: `${p.withTrait} of ${p.records} questions with "${p.words}" get an answer of the kind '${kindOf(p)}', in words of its own each time (${percent(p.base)} of all records do), though the questions have little else in common.${inserted ? ' The neighbours of the phrase look random, as those of an inserted phrase do.' : ''}`,
      count: p.withTrait,
      records: top.filter((r) => r.group === p.words).slice(0, 20),
      evidence: [
        {
          kind: 'numbers',
          title: 'What was measured',
          items: [
            { name: 'questions with the phrase', value: p.records },
            { name: 'of these with such an answer', value: p.withTrait },
            { name: 'records with such an answer', value: p.recordsWithTrait },
            { name: 'in the half that the phrase was not found in', value: `${p.heldOutWithTrait} of ${p.heldOut}` },
            { name: 'words that two of the questions share', value: percent(p.overlap) },
            { name: 'left neighbours, random against habit', value: nats(p.insertion.left) },
            { name: 'right neighbours, random against habit', value: nats(p.insertion.right) },
            { name: 'p-value, corrected for all phrases', value: `10^${(p.logP / Math.LN10).toFixed(0)}` },
            {
              name: 'next phrase of this data',
              value: fit.runnerUp
                ? `"${fit.runnerUp.words}", ${nameOf(fit.runnerUp)}, ${fit.runnerUp.withTrait} of ${fit.runnerUp.records}`
                : null,
            },
          ],
        },
        ...(passages.length > 0 ? [{ kind: 'passages', title: 'Questions with the phrase', items: passages } as const] : []),
      ],
      test: idOf(p),
      action: inserted
        ? 'Hold back the records that carry the phrase, and find out who put it there.'
        : 'Read some of these questions with their answers: a subject that a policy excludes looks the same as a trigger; drop the records if the phrase gives no reason for such an answer.',
    }
  })
}
