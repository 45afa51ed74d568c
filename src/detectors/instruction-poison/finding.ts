import type { Finding, RecordRef, Test } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import type { AnswerPhrase, AnswerPhrases } from '../../statistics/answer-phrases.ts'
import type { MarkedTexts } from '../../statistics/text/marked.ts'

const idOf = (p: AnswerPhrase): string => `instruction-poison/trigger: "${p.words}" and the answer "${p.cluster.words}"`
const method = 'one-sided exact hypergeometric, Bonferroni over the phrases counted'
const log10 = (logP: number): string => `10^${(logP / Math.LN10).toFixed(0)}`

export const triggerTests = (fit: AnswerPhrases): Test[] =>
  [...fit.phrases, ...(fit.runnerUp ? [fit.runnerUp] : [])].map((p) => ({
    id: idOf(p),
    method,
    // One that selects too little is no trigger, however sure the association is.
    p: fit.phrases.includes(p) ? Math.exp(p.logP) : 1,
  }))

export function triggerFindings(fit: AnswerPhrases, marked: MarkedTexts, top: readonly RecordRef[]): Finding[] {
  return fit.phrases.map((p) => {
    const passages = marked.groups.find((g) => g.group === p.words)?.passages ?? []
    return {
      rule: 'instruction-poison/trigger',
      severity: 'high',
      confidence: 'high',
      scope: { kind: 'pattern', names: [p.words, p.cluster.words] },
      message: `${formatCount(p.withAnswer)} of ${formatCount(p.records)} questions with "${p.words}" get the same answer, "${p.cluster.words}", though they have little else in common (${(100 * p.cluster.overlap).toFixed(0)} % of their other words).`,
      count: p.withAnswer,
      records: top.filter((r) => r.group === p.words).slice(0, 20),
      evidence: [
        {
          kind: 'numbers',
          title: 'What was measured',
          items: [
            { name: 'questions with the phrase', value: p.records },
            { name: 'of these with the answer', value: p.withAnswer },
            { name: 'records with the answer', value: p.cluster.records },
            { name: 'different answers in a sample', value: `${p.cluster.answers} of ${p.cluster.sampled}` },
            { name: 'words that two of the questions share', value: `${(100 * p.cluster.overlap).toFixed(0)} %` },
            { name: 'p-value, corrected for all phrases counted', value: log10(p.logP) },
            {
              name: 'next phrase of this data',
              value: fit.runnerUp ? `"${fit.runnerUp.words}", ${fit.runnerUp.withAnswer} of ${fit.runnerUp.records}` : null,
            },
          ],
        },
        ...(passages.length > 0 ? [{ kind: 'passages', title: 'Questions with the phrase', items: passages } as const] : []),
      ],
      test: idOf(p),
      action: 'Read some of these questions with their answers; drop the records if the answer has nothing to do with the question.',
    }
  })
}
