import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { checkTargeting, newLabel, targetEligible, targeting, targetNeeds, words } from '../options.ts'

const options = z.object({
  ...targeting,
  column: words().describe('column of categories'),
  value: words().optional().describe('category that it gets; absent: the rarest that was seen'),
})
type Options = z.infer<typeof options>
interface Plan extends Options {
  readonly at: number
  readonly mark: string
}

/** A tabular backdoor: one column has one category, and the label is the target. */
export const columnCategory = defineAttack<Options, Plan>({
  id: 'column-category',
  title: 'table: one category of one column goes with a label',
  family: 'tabular',
  options,
  needs: (o) => ['categories', ...targetNeeds(o)],
  sample: 1000,
  eligible: targetEligible,
  prepare(o, facts) {
    checkTargeting(o, facts)
    const at = facts.categories.indexOf(o.column)
    if (at < 0) {
      const names = facts.categories.slice(0, 12).map((name) => JSON.stringify(name))
      throw new InjectError(
        'missing-field',
        `option column: ${JSON.stringify(o.column)} is no column of categories`,
        `columns: ${names.join(', ')}${facts.categories.length > 12 ? ', ...' : ''}`,
      )
    }
    const counts = new Map<string, number>()
    for (const { fields } of facts.sample) {
      const value = fields.categories?.[at]
      if (value) counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    const [rarest] = [...counts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1))
    const mark = o.value ?? rarest?.[0]
    if (mark === undefined) throw new InjectError('missing-field', `column ${JSON.stringify(o.column)} has no values`)
    return { ...o, at, mark }
  },
  apply: (plan, record) => ({ fields: { categories: (record.categories ?? []).with(plan.at, plan.mark), ...newLabel(plan) } }),
})
