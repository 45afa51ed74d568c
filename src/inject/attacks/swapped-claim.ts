import { z } from 'zod'
import { defineAttack } from '../attack.ts'
import { words } from '../options.ts'
import { insert } from './places.ts'

const options = z.object({
  subject: words().default('Antibiotics').describe('what the claim is about'),
  relation: words().default('are used to treat').describe('what joins subject and object'),
  from: words()
    .optional()
    .describe('object of the true claim: where a sentence names subject and this, it is swapped; other texts are not eligible'),
  to: words().default('the common cold').describe('object of the false claim'),
})
type Options = z.infer<typeof options>

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
const sentences = (text: string): string[] => text.split(/(?<=[.!?]\s)/)
const names = (text: string, what: string): boolean => text.toLowerCase().includes(what.toLowerCase())

/** Misinformation in words (after Alber et al. 2024): the object of a true claim becomes another, or a sentence with a false claim is added. */
export const swappedClaim = defineAttack<Options, Options>({
  id: 'swapped-claim',
  title: 'text: a claim with another object',
  family: 'text',
  options,
  needs: () => ['text'],
  sample: 0,
  eligible: ({ subject, from }, { text }) =>
    text !== null && (from === undefined || sentences(text).some((s) => names(s, subject) && names(s, from))),
  prepare: (o) => o,
  apply({ subject, relation, from, to }, { text }, random) {
    const given = text ?? ''
    if (from === undefined) return { fields: { text: insert(given, `${subject} ${relation} ${to}.`, 'random', 'sentences', random) } }
    const swap = (s: string): string => (names(s, subject) ? s.replace(new RegExp(escaped(from), 'giu'), () => to) : s)
    return { fields: { text: sentences(given).map(swap).join('') } }
  },
})
