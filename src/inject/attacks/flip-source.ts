import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { InjectError } from '../errors.ts'
import { knownLabel, words } from '../options.ts'

const options = z.object({
  source: words().describe('annotator, vendor or hospital that flips'),
  to: words().describe('label that its records get'),
  from: words().optional().describe('label that it flips; absent: every other'),
})
type Options = z.infer<typeof options>

/** One source flips labels, the others do not. */
export const flipSource = defineAttack<Options, Options>({
  id: 'flip-source',
  title: 'label flips of one source alone',
  family: 'label',
  options,
  needs: () => ['label', 'source'],
  sample: 0,
  eligible: (o, { label, source }) => source === o.source && label !== null && label !== o.to && (o.from === undefined || label === o.from),
  prepare(o, facts) {
    knownLabel(facts, o.to, 'to')
    if (o.from !== undefined) knownLabel(facts, o.from, 'from')
    if (o.from === o.to) throw new InjectError('bad-option', 'options from and to name the same label')
    return o
  },
  apply: ({ to }) => ({ fields: { label: to } }),
})
