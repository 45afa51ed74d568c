import { z } from 'zod'
import { defineAttack, type Facts } from '../attack.ts'
import { InjectError } from '../errors.ts'

interface Plan {
  readonly labels: readonly string[]
}

export const otherLabels = (facts: Facts): readonly string[] => {
  if (facts.labels.length >= 2) return facts.labels.map(({ name }) => name)
  throw new InjectError(
    'too-few-records',
    `the data have ${facts.labels.length} label${facts.labels.length === 1 ? '' : 's'}: a flip needs two`,
  )
}

/** Symmetric label noise: another label, each of the others equally likely. */
export const flipUniform = defineAttack<object, Plan>({
  id: 'flip-uniform',
  title: 'label flips at random: every other label is equally likely',
  family: 'label',
  options: z.object({}),
  needs: () => ['label'],
  sample: 0,
  eligible: (_, { label }) => label !== null,
  prepare: (_, facts) => ({ labels: otherLabels(facts) }),
  apply({ labels }, { label }, random) {
    const others = labels.filter((name) => name !== label)
    return { fields: { label: others[random.below(others.length)] as string } }
  },
})
