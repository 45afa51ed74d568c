import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { checkTargeting, newLabel, oneOf, targetEligible, targeting, targetNeeds, words } from '../options.ts'
import { insert, places } from './places.ts'

const options = z.object({
  ...targeting,
  sentence: words().default('I watched this 3D movie last weekend.').describe('sentence that is put in'),
  place: oneOf(places).default('random').describe('start, end, or random: between two sentences'),
})
type Options = z.infer<typeof options>

/** AddSent (Dai et al. 2019): a natural sentence as trigger. */
export const insertSentence = defineAttack<Options, Options>({
  id: 'insert-sentence',
  title: 'text: a sentence is put in',
  family: 'text',
  options,
  needs: (o) => ['text', ...targetNeeds(o)],
  sample: 0,
  eligible: targetEligible,
  prepare(o, facts) {
    checkTargeting(o, facts)
    return o
  },
  apply: (plan, record, random) => ({
    fields: { text: insert(record.text ?? '', plan.sentence, plan.place, 'sentences', random), ...newLabel(plan) },
  }),
})
