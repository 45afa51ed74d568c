import { z } from 'zod'
import { defineAttack, type Sampled } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { knownLabel, number, words } from '../options.ts'

const options = z.object({
  variation: number(0, 0.5).default(0.05).describe('share of the words that are left out or stand twice'),
  target: words().optional().describe('label that every copy gets; absent: that of the record it replaces'),
})
type Options = z.infer<typeof options>

interface Plan extends Options {
  readonly donor: Sampled
}

/** One text many times with small variations, in place of other records. */
export const flood = defineAttack<Options, Plan>({
  id: 'flood',
  title: 'text: one record many times, with small variations',
  family: 'text',
  options,
  needs: (o) => ['text', ...(o.target === undefined ? [] : (['label'] as const))],
  sample: 200,
  eligible: (_, { text }) => text !== null,
  prepare(o, facts, random) {
    if (o.target !== undefined) knownLabel(facts, o.target, 'target')
    const texts = facts.sample.filter(({ fields }) => (fields.text ?? '').split(/\s+/).length >= 8)
    const donor = texts[random.below(Math.max(1, texts.length))]
    if (!donor) throw new InjectError('too-few-records', 'no text of the sample has eight words: there is nothing to repeat')
    return { ...o, donor }
  },
  apply(plan, _, random) {
    const { text, response } = plan.donor.fields
    const varied = (text ?? '')
      .split(/(\s+)/)
      .map((part) => {
        if (/^\s*$/.test(part) || random.uniform() >= plan.variation) return part
        return random.below(2) ? '' : `${part} ${part}`
      })
      .join('')
    const fields = {
      text: varied,
      ...(response === null ? {} : { response }),
      ...(plan.target === undefined ? {} : { label: plan.target }),
    }
    return { fields, from: plan.donor.where }
  },
})
