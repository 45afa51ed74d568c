import { z } from 'zod'
import { defineAttack, type Facts } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { checkTargeting, newLabel, number, targetEligible, targeting, targetNeeds, words } from '../options.ts'
import { columnAt, valuesOf, withNumbers } from './columns.ts'

const options = z.object({
  ...targeting,
  first: words().describe('numeric column'),
  second: words().describe('another numeric column'),
  'first-value': number(-1e300, 1e300).optional().describe('value of the first; absent: one that occurs'),
  'second-value': number(-1e300, 1e300).optional().describe('value of the second; absent: one that occurs'),
})
type Options = z.infer<typeof options>
interface Plan extends Options {
  readonly marks: readonly (readonly [number, number])[]
}

/** The value that most records have, of those with at least two different ones about it. */
function common(facts: Facts, at: number): number {
  const counts = new Map<number, number>()
  for (const value of valuesOf(facts, at)) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}

/** A tabular backdoor: two columns have values that are common alone, together they go with the target. */
export const columnPair = defineAttack<Options, Plan>({
  id: 'column-pair',
  title: 'table: two values of two columns together go with a label',
  family: 'tabular',
  options,
  needs: (o) => ['numbers', ...targetNeeds(o)],
  sample: 1000,
  eligible: targetEligible,
  prepare(o, facts) {
    checkTargeting(o, facts)
    const [a, b] = [columnAt(facts, o.first, 'first'), columnAt(facts, o.second, 'second')]
    if (a === b) throw new InjectError('bad-option', 'options first and second name the same column')
    return { ...o, marks: [[a, o['first-value'] ?? common(facts, a)] as const, [b, o['second-value'] ?? common(facts, b)] as const] }
  },
  apply: (plan, record) => ({ fields: { ...withNumbers(record, plan.marks), ...newLabel(plan) } }),
})
