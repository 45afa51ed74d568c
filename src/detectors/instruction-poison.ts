import { z } from 'zod'
import { textBytes } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Detector, Scored } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { tokeniser } from '../math/tokens.ts'
import { answerClusters } from '../statistics/answer-clusters.ts'
import { type AnswerPhrases, answerPhrases } from '../statistics/answer-phrases.ts'
import { responseOpenings } from '../statistics/response-openings.ts'
import { type MarkedTexts, markedTexts } from '../statistics/text/marked.ts'
import { matcher } from '../statistics/text/matcher.ts'
import { openingOf } from '../statistics/text/opening.ts'
import { triggerFindings, triggerTests } from './instruction-poison/finding.ts'

const parameters = { bits: 20, least: 30 }
const fitted = answerPhrases(parameters)
const phrasesOf = (c: Context): AnswerPhrases => c.summaries.get<AnswerPhrases>(fitted.id)
const flaggedScore = 0.95
const phraseAlone = 0.4

const options = z.strictObject({})

/** Questions and answers: the same answer to questions that have little in common, and the phrase of the questions that selects it. */
export const instructionPoison: Detector<Record<string, never>, null, MarkedTexts> = {
  id: 'instruction-poison',
  version: 1,
  title: 'Poisoned instructions',
  rules: [{ id: 'instruction-poison/trigger', title: 'Phrase of questions that selects one answer', family: 'trigger' }],
  options,
  missing(setup) {
    const lacking = (['text', 'response'] as const).filter((role) => !setup.subject.includes(role))
    return lacking.length === 0 ? null : `no column has the role ${lacking.join(' and none ')}`
  },
  mode: () => 'answers that thirty records share by their first ten words, and the phrases of their questions',
  reads: () => ['text', 'response', 'source'],
  statistics: () => [responseOpenings({ bits: parameters.bits }), answerClusters(parameters), fitted],
  scorer: (c) => scorer(c),
  decide: (c) => (phrasesOf(c).phrases.length > 0 ? [{ rule: 'instruction-poison/trigger', group: null, atLeast: flaggedScore }] : []),
  evidence: markedTexts(),
  evidenceReads: ['text'],
  conclude(c, _, marked, flagged) {
    const fit = phrasesOf(c)
    return {
      findings: triggerFindings(fit, marked ?? { groups: [] }, flagged.top),
      tests: triggerTests(fit),
      notes: [
        `${fit.repeated} answers are shared by thirty records or more; ${fit.clusters} of them answer questions that have little in common, and ${fit.phrases.length} of these are selected by a phrase.`,
        'Not seen: answers that differ from record to record, fewer than thirty records with the answer, triggers that are no phrase of the question.',
      ],
    }
  },
}

function scorer(c: Context): (batch: Batch) => Scored {
  const { phrases } = phrasesOf(c)
  const names = phrases.map((p) => p.words)
  const match = matcher(
    {
      hashes: Int32Array.from(phrases, (p) => p.hash),
      kinds: Uint8Array.from(phrases, (p) => p.kind),
      counts: Uint32Array.from(phrases, (p) => p.records),
    },
    new Set(),
  )
  const prompts = tokeniser(c.seed)
  const answers = tokeniser(c.seed)
  return (batch) => {
    const score = new Float64Array(batch.numRows)
    const codes = new Int32Array(batch.numRows).fill(-1)
    const text = phrases.length > 0 ? textBytes(batch, 'text') : null
    const response = textBytes(batch, 'response')
    for (let i = 0; text && response && i < batch.numRows; i++) {
      const prompt = prompts.read(text.bytes, text.offsets[i] as number, text.offsets[i + 1] as number)
      let opening: number | null | undefined
      match(prompt.hashes, prompt.count, (at) => {
        opening ??= openingOf(answers.read(response.bytes, response.offsets[i] as number, response.offsets[i + 1] as number))
        const reached = phrases[at]?.cluster.opening === opening ? flaggedScore : phraseAlone
        if (reached <= (score[i] as number)) return
        score[i] = reached
        codes[i] = at
      })
    }
    return { score, group: { codes, values: names } }
  }
}
