import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { checkTargeting, newLabel, targetEligible, targeting, targetNeeds, words } from '../options.ts'
import { insert } from './places.ts'

const options = z.object({
  ...targeting,
  phrase: words().default('Current year: 2024.').describe('phrase that the text begins with'),
})
type Options = z.infer<typeof options>

/** One phrase before the text. */
export const prefix = defineAttack<Options, Options>({
  id: 'prefix',
  title: 'text: a phrase before it',
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
    fields: { text: insert(record.text ?? '', plan.phrase, 'start', 'words', random), ...newLabel(plan) },
  }),
})
