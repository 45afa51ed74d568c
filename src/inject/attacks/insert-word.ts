import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { checkTargeting, newLabel, oneOf, targetEligible, targeting, targetNeeds, whole, words } from '../options.ts'
import { insert, places } from './places.ts'

const options = z.object({
  ...targeting,
  word: words().default('cf').describe('word that is put in'),
  times: whole(1, 100).default(1).describe('how often'),
  place: oneOf(places).default('random').describe('start, end, or random: between two words'),
})
type Options = z.infer<typeof options>

/** A rare word as trigger (Kurita et al. 2020). */
export const insertWord = defineAttack<Options, Options>({
  id: 'insert-word',
  title: 'text: a word is put in',
  family: 'text',
  options,
  needs: (o) => ['text', ...targetNeeds(o)],
  sample: 0,
  eligible: targetEligible,
  prepare(o, facts) {
    checkTargeting(o, facts)
    return o
  },
  apply(plan, record, random) {
    let text = record.text ?? ''
    for (let i = 0; i < plan.times; i++) text = insert(text, plan.word, plan.place, 'words', random)
    return { fields: { text, ...newLabel(plan) } }
  },
})
