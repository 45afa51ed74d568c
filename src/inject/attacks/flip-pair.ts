import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { knownLabel, words } from '../options.ts'

const options = z.object({ from: words().describe('label that is flipped'), to: words().describe('label that it becomes') })
type Options = z.infer<typeof options>

/** Targeted label flips: records of one class get the label of one other. */
export const flipPair = defineAttack<Options, Options>({
  id: 'flip-pair',
  title: 'label flips of one class to one other',
  family: 'label',
  options,
  needs: () => ['label'],
  sample: 0,
  eligible: ({ from }, { label }) => label === from,
  prepare(o, facts) {
    knownLabel(facts, o.from, 'from')
    knownLabel(facts, o.to, 'to')
    if (o.from === o.to) throw new InjectError('bad-option', 'options from and to name the same label')
    return o
  },
  apply: ({ to }) => ({ fields: { label: to } }),
})
