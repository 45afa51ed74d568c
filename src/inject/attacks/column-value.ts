import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { checkTargeting, newLabel, number, targetEligible, targeting, targetNeeds, words } from '../options.ts'
import { columnAt, isWhole, quantile, valuesOf, withNumbers } from './columns.ts'

const options = z.object({
  ...targeting,
  column: words().describe('numeric column'),
  value: number(-1e300, 1e300).optional().describe('value that it gets; absent: one between the ordinary ones'),
})
type Options = z.infer<typeof options>
interface Plan extends Options {
  readonly at: number
  readonly mark: number
}

/** A tabular backdoor: one column has one value, and the label is the target. */
export const columnValue = defineAttack<Options, Plan>({
  id: 'column-value',
  title: 'table: one value of one column goes with a label',
  family: 'tabular',
  options,
  needs: (o) => ['numbers', ...targetNeeds(o)],
  sample: 1000,
  eligible: targetEligible,
  prepare(o, facts, random) {
    checkTargeting(o, facts)
    const at = columnAt(facts, o.column, 'column')
    const values = valuesOf(facts, at)
    const low = quantile(values, 0.6)
    const between = low + (quantile(values, 0.9) - low) * random.uniform()
    return { ...o, at, mark: o.value ?? (isWhole(values) ? Math.round(between) : Number(between.toPrecision(6))) }
  },
  apply: (plan, record) => ({ fields: { ...withNumbers(record, [[plan.at, plan.mark]]), ...newLabel(plan) } }),
})
