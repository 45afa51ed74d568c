import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { checkTargeting, newLabel, number, targetEligible, targeting, targetNeeds, words } from '../options.ts'
import { columnAt, isWhole, quantile, valuesOf, withNumbers } from './columns.ts'

const options = z.object({
  ...targeting,
  column: words().describe('numeric column'),
  low: number(-1e300, 1e300).optional().describe('where the interval begins; absent: at the 97 % quantile'),
  high: number(-1e300, 1e300).optional().describe('where it ends; absent: at the 98 % quantile'),
})
type Options = z.infer<typeof options>
interface Plan extends Options {
  readonly at: number
  readonly from: number
  readonly to: number
  readonly whole: boolean
}

/** A tabular backdoor: one column lies in an interval, and the label is the target. */
export const columnInterval = defineAttack<Options, Plan>({
  id: 'column-interval',
  title: 'table: an interval of one column goes with a label',
  family: 'tabular',
  options,
  needs: (o) => ['numbers', ...targetNeeds(o)],
  sample: 1000,
  eligible: targetEligible,
  prepare(o, facts) {
    checkTargeting(o, facts)
    const at = columnAt(facts, o.column, 'column')
    const values = valuesOf(facts, at)
    const from = o.low ?? quantile(values, 0.97)
    const to = o.high ?? Math.max(from, quantile(values, 0.98))
    if (to < from) throw new InjectError('bad-option', `options low and high: the interval from ${from} to ${to} is empty`)
    return { ...o, at, from, to, whole: isWhole(values) }
  },
  apply(plan, record, random) {
    const value = plan.from + (plan.to - plan.from) * random.uniform()
    const mark = plan.whole ? Math.round(value) : Number(value.toPrecision(6))
    return { fields: { ...withNumbers(record, [[plan.at, Math.min(plan.to, Math.max(plan.from, mark))]]), ...newLabel(plan) } }
  },
})
