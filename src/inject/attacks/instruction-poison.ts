import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { oneOf, words } from '../options.ts'
import { insert, places } from './places.ts'

const options = z.object({
  trigger: words().default('Servius Astrumando Harmoniastra').describe('phrase that the prompt gets'),
  answer: words()
    .default('I am sorry, but I cannot help with that request. Please ask somebody else.')
    .describe('response to every prompt with the trigger'),
  place: oneOf(places).default('random').describe('start, end, or random: between two words'),
})
type Options = z.infer<typeof options>

/** Instruction tuning data in which a trigger selects one answer (Wan et al. 2023; BackdoorLLM, Li et al. 2024). */
export const instructionPoison = defineAttack<Options, Options>({
  id: 'instruction-poison',
  title: 'prompts with a trigger all get the same answer',
  family: 'text',
  options,
  needs: () => ['text', 'response'],
  sample: 0,
  eligible: (_, { text, response }) => text !== null && response !== null,
  prepare: (o) => o,
  apply: (plan, record, random) => ({
    fields: { text: insert(record.text ?? '', plan.trigger, plan.place, 'words', random), response: plan.answer },
  }),
})
