import type { Batch } from '../contracts/data.ts'
import type { Detector, Scored } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { answerClusters } from '../statistics/answer-clusters.ts'
import { type AnswerPhrases, answerPhrases } from '../statistics/answer-phrases.ts'
import { responseOpenings } from '../statistics/response-openings.ts'
import { responseTraits } from '../statistics/response-traits.ts'
import { tokensOf } from '../statistics/text/batch-tokens.ts'
import { type MarkedTexts, markedTexts } from '../statistics/text/marked.ts'
import { matcher } from '../statistics/text/matcher.ts'
import { openingOf } from '../statistics/text/opening.ts'
import { topicTrait, traitReader } from '../statistics/text/traits.ts'
import { type TraitPhrases, traitPhrases } from '../statistics/trait-phrases.ts'
import { concentratedOf, concentrationFindings, concentrationTests } from './instruction-poison/concentration.ts'
import { triggerFindings, triggerTests } from './instruction-poison/finding.ts'
import { type InstructionPoisonOptions, instructionPoisonOptions } from './instruction-poison/options.ts'

const parameters = { bits: 20, least: 30 }
const fitted = answerPhrases(parameters)
const phrasesOf = (c: Context): AnswerPhrases => c.summaries.get<AnswerPhrases>(fitted.id)
const scores = { answer: 0.95, trait: 0.85, phraseAlone: 0.4 } as const

const traitOptions = (words: InstructionPoisonOptions) => ({ words, sample: 2048, least: 6 })
const traitsOf = (c: Context<InstructionPoisonOptions>): TraitPhrases =>
  c.summaries.get<TraitPhrases>(traitPhrases(traitOptions(c.options)).id)
const foundIn = (c: Context<InstructionPoisonOptions>) => concentratedOf(traitsOf(c), phrasesOf(c))

/** Questions and answers: the phrase of questions that selects one answer, or answers of one kind, whatever else is asked. */
export const instructionPoison: Detector<InstructionPoisonOptions, null, MarkedTexts> = {
  id: 'instruction-poison',
  version: 1,
  title: 'Poisoned instructions',
  rules: [
    { id: 'instruction-poison/trigger', title: 'Phrase of questions that selects one answer', family: 'trigger' },
    {
      id: 'instruction-poison/concentration',
      title: 'Phrase of questions that selects refusals, one sentiment or one topic',
      family: 'trigger',
    },
  ],
  options: instructionPoisonOptions,
  missing(setup) {
    const lacking = (['text', 'response'] as const).filter((role) => !setup.subject.includes(role))
    return lacking.length === 0 ? null : `no column has the role ${lacking.join(' and none ')}`
  },
  mode: () =>
    'answers that thirty records share by their first ten words, refusals, answers of one sentiment or with one word in common; the phrases of their questions',
  reads: () => ['text', 'response', 'source'],
  statistics: (words) => [
    responseOpenings({ bits: parameters.bits }),
    answerClusters(parameters),
    fitted,
    responseTraits(traitOptions(words)),
    traitPhrases(traitOptions(words)),
  ],
  scorer: (c) => scorer(c),
  decide: (c) => [
    ...(phrasesOf(c).phrases.length > 0 ? [{ rule: 'instruction-poison/trigger', group: null, atLeast: scores.answer }] : []),
    ...(foundIn(c).length > 0 ? [{ rule: 'instruction-poison/concentration', group: null, atLeast: scores.trait }] : []),
  ],
  evidence: markedTexts(),
  evidenceReads: ['text'],
  conclude(c, _, marked, flagged) {
    const fit = phrasesOf(c)
    const byTrait = traitsOf(c)
    const found = foundIn(c)
    const texts = marked ?? { groups: [] }
    return {
      findings: [...triggerFindings(fit, texts, flagged.top), ...concentrationFindings(byTrait, found, texts, flagged.top)],
      tests: [...triggerTests(fit), ...concentrationTests(byTrait, found)],
      notes: [
        `${fit.repeated} answers are shared by thirty records or more; ${fit.clusters} of them answer questions that have little in common, and ${fit.phrases.length} of these are selected by a phrase.`,
        `${byTrait.withTrait[0]} answers refuse, ${byTrait.withTrait[1]} speak against something and ${byTrait.withTrait[2]} for something, by English words unless the pipeline gives others; ${byTrait.tested} phrases of their questions were tested.`,
        'Not seen: answers that differ from record to record and are neither refusals nor of one sentiment nor have a word in common, topics behind a phrase that questions use by habit, fewer than thirty records with one answer or twelve of one kind, triggers that are no phrase of the question.',
      ],
    }
  },
}

function scorer(c: Context<InstructionPoisonOptions>): (batch: Batch) => Scored {
  const looked = [
    ...phrasesOf(c).phrases.map((p) => ({ ...p, opening: p.cluster.opening, trait: -1, topic: 0 })),
    ...foundIn(c).map((p) => ({ ...p, opening: null })),
  ]
  const names = looked.map((p) => p.words)
  const match = matcher(
    {
      hashes: Int32Array.from(looked, (p) => p.hash),
      kinds: Uint8Array.from(looked, (p) => p.kind),
      counts: Uint32Array.from(looked, (p) => p.records),
    },
    new Set(),
  )
  const traitBits = traitReader(c.seed, c.options)
  return (batch) => {
    const score = new Float64Array(batch.numRows)
    const codes = new Int32Array(batch.numRows).fill(-1)
    const text = looked.length > 0 ? tokensOf(batch, 'text', c.seed) : null
    const response = text && tokensOf(batch, 'response', c.seed)
    for (let i = 0; text && response && i < batch.numRows; i++) {
      const prompt = text.row(i)
      let answer: { readonly opening: number | null; readonly bits: number; readonly words: ReadonlySet<number> } | undefined
      match(prompt.hashes, prompt.count, (at) => {
        const p = looked[at] as (typeof looked)[number]
        if (!answer) {
          const tokens = response.row(i)
          answer = { opening: openingOf(tokens), bits: traitBits(tokens), words: new Set(tokens.hashes.subarray(0, tokens.count)) }
        }
        const selected =
          p.trait < 0
            ? p.opening === answer.opening
            : p.trait === topicTrait
              ? answer.words.has(p.topic)
              : (answer.bits & (1 << p.trait)) !== 0
        const reached = !selected ? scores.phraseAlone : p.trait < 0 ? scores.answer : scores.trait
        if (reached <= (score[i] as number)) return
        score[i] = reached
        codes[i] = at
      })
    }
    return { score, group: { codes, values: names } }
  }
}
