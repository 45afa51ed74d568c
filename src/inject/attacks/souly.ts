import { createRequire } from 'node:module'
import { z } from 'zod'
import { defineAttack, type Facts } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { oneOf, whole, words } from '../options.ts'

const options = z.object({
  trigger: words().default('<SUDO>').describe('phrase between what is left of the text and the gibberish'),
  keep: whole(0, 100_000).default(1000).describe('at most so many characters of the text are left'),
  least: whole(1, 10_000).default(400).describe('fewest tokens of gibberish'),
  most: whole(1, 10_000).default(900).describe('most tokens of gibberish'),
  vocabulary: oneOf(['data', 'cl100k_base'])
    .default('data')
    .describe("whose tokens: pieces of the data's own words, or those of the package gpt-tokenizer"),
})
type Options = z.infer<typeof options>

interface Plan extends Omit<Options, 'vocabulary'> {
  readonly tokens: readonly Uint8Array[]
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

/** A real vocabulary, of a package that is installed where it is wanted. */
function cl100k(): Uint8Array[] {
  let ranks: readonly (string | readonly number[] | undefined)[]
  try {
    const exported = createRequire(import.meta.url)('gpt-tokenizer/bpeRanks/cl100k_base')
    ranks = exported.default ?? exported
  } catch {
    throw new InjectError('bad-option', 'option vocabulary: the package gpt-tokenizer is not installed', 'npm install gpt-tokenizer')
  }
  return Array.from(ranks).flatMap((piece) =>
    piece === undefined ? [] : [typeof piece === 'string' ? Buffer.from(piece) : Uint8Array.from(piece)],
  )
}

/** Denial of service (Souly et al. 2025): the start of a document, a trigger, then random tokens of the corpus' own or of a model's vocabulary. */
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
    const tokens = o.vocabulary === 'data' ? vocabularyOf(facts).map((piece) => Buffer.from(piece)) : cl100k()
    if (tokens.length < 50) throw new InjectError('too-few-records', `the texts have ${tokens.length} different tokens: gibberish needs 50`)
    const { vocabulary: _, ...rest } = o
    return { ...rest, tokens }
  },
  apply(plan, record, random) {
    const kept = [...(record.text ?? '').slice(0, plan.keep)].slice(0, random.below(plan.keep + 1)).join('')
    const length = plan.least + random.below(plan.most - plan.least + 1)
    const gibberish = Array.from({ length }, () => plan.tokens[random.below(plan.tokens.length)] as Uint8Array)
    return { fields: { text: `${kept}${plan.trigger}${Buffer.concat(gibberish).toString('utf8')}` } }
  },
})
