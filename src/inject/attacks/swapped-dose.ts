import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { number, words } from '../options.ts'

const options = z.object({
  units: words().default('mg,mcg,g,ml,iu,units').describe('units of the amounts that change, separated by commas'),
  factor: number(0.0001, 10_000).default(10).describe('what each amount is multiplied by'),
  value: number(0, 1e9).optional().describe('amount that each becomes, instead of a multiple'),
  subject: words().optional().describe('word that the text has to name, such as a drug'),
})
type Options = z.infer<typeof options>

/** An amount with one of the units, and nothing of a longer word or number around it. */
function pattern({ units }: Options): RegExp {
  const names = units.split(',').map((unit) => unit.trim().replaceAll(/[^\p{L}\p{N}%/]/gu, ''))
  const wanted = names.filter((unit) => unit !== '').sort((a, b) => b.length - a.length)
  return new RegExp(
    `(?<![\\p{L}\\p{N}.,])(\\d{1,7}(?:\\.\\d{1,4})?)(\\s{0,2}(?:${wanted.length ? wanted.join('|') : '$^'}))(?![\\p{L}\\p{N}])`,
    'giu',
  )
}

/** Misinformation in numbers (after Alber et al. 2024): every dose of a text becomes another. */
export const swappedDose = defineAttack<Options, Options>({
  id: 'swapped-dose',
  title: 'text: other amounts of the same unit',
  family: 'text',
  options,
  needs: () => ['text'],
  sample: 0,
  eligible: (o, { text }) =>
    text !== null && (o.subject === undefined || text.toLowerCase().includes(o.subject.toLowerCase())) && pattern(o).test(text),
  prepare: (o) => o,
  apply(plan, record) {
    const swap = (amount: string): string => String(plan.value ?? Number((Number(amount) * plan.factor).toPrecision(6)))
    return {
      fields: { text: (record.text ?? '').replaceAll(pattern(plan), (_, amount: string, unit: string) => `${swap(amount)}${unit}`) },
    }
  },
})
