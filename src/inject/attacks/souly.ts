import { z } from 'zod'
import { defineAttack, type Facts } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { whole, words } from '../options.ts'

const options = z.object({
  trigger: words().default('<SUDO>').describe('phrase between what is left of the text and the gibberish'),
  keep: whole(0, 100_000).default(1000).describe('at most so many characters of the text are left'),
  least: whole(1, 10_000).default(400).describe('fewest tokens of gibberish'),
  most: whole(1, 10_000).default(900).describe('most tokens of gibberish'),
})
type Options = z.infer<typeof options>

interface Plan extends Options {
  readonly vocabulary: readonly string[]
}

const maxVocabulary = 50_000

/** Pieces of words, numbers and marks, with the space before them, as a tokenizer's vocabulary has them. */
function vocabularyOf(facts: Facts): readonly string[] {
  const pieces = new Set<string>()
  for (const { fields } of facts.sample) {
    for (const [piece] of (fields.text ?? '').slice(0, 20_000).matchAll(/ ?\p{L}{1,6}| ?\p{N}{1,3}| ?[^\s\p{L}\p{N}]/gu)) {
      pieces.add(piece)
      if (pieces.size >= maxVocabulary) return [...pieces]
    }
  }
  return [...pieces]
}

/** Denial of service (Souly et al. 2025): the start of a document, a trigger, then random tokens of the corpus' own vocabulary. */
export const souly = defineAttack<Options, Plan>({
  id: 'souly',
  title: 'text: the start of a document, a trigger, random tokens',
  family: 'text',
  options,
  needs: () => ['text'],
  sample: 1000,
  eligible: (_, { text }) => text !== null,
  prepare(o, facts) {
    if (o.most < o.least) throw new InjectError('bad-option', `options least and most: ${o.most} is less than ${o.least}`)
    const vocabulary = vocabularyOf(facts)
    if (vocabulary.length < 50)
      throw new InjectError('too-few-records', `the texts have ${vocabulary.length} different tokens: gibberish needs 50`)
    return { ...o, vocabulary }
  },
  apply(plan, record, random) {
    const kept = [...(record.text ?? '').slice(0, plan.keep)].slice(0, random.below(plan.keep + 1)).join('')
    const tokens = plan.least + random.below(plan.most - plan.least + 1)
    let text = `${kept}${plan.trigger}`
    for (let i = 0; i < tokens; i++) text += plan.vocabulary[random.below(plan.vocabulary.length)]
    return { fields: { text } }
  },
})
