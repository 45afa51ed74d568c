import { type ZodObject, z } from 'zod'
import type { Attack, Facts, FieldName, Fields } from './attack.ts'
import { InjectError } from './errors.ts'

/** Options come as text from a command line: `true`, `0.2`, `12`. */
export const flag = (value: boolean) =>
  z
    .union([z.boolean(), z.enum(['true', 'false'])])
    .transform((v) => v === true || v === 'true')
    .default(value)

const numeric = (check: z.ZodType<number>) => z.preprocess((v) => (typeof v === 'string' && v.trim() !== '' ? Number(v) : v), check)

export const number = (low: number, high: number) =>
  numeric(
    z
      .number({ error: 'a number' })
      .min(low, { error: `at least ${low}` })
      .max(high, { error: `at most ${high}` }),
  )

export const whole = (low: number, high: number) =>
  numeric(
    z
      .int({ error: 'a whole number' })
      .min(low, { error: `at least ${low}` })
      .max(high, { error: `at most ${high}` }),
  )

export const maxTextOption = 4096
export const words = () =>
  z
    .string({ error: 'a text' })
    .min(1, { error: 'not empty' })
    .max(maxTextOption, { error: `at most ${maxTextOption} characters` })

export const oneOf = <const T extends readonly [string, ...string[]]>(names: T) => z.enum(names, { error: `one of ${names.join(', ')}` })

/** Options of every attack that ties a mark to a label. */
export const targeting = {
  target: words().optional().describe('label that the marked records get; with clean-label: whose records are marked'),
  'clean-label': flag(false).describe('mark records of the target alone, and keep their label'),
}

export interface Targeting {
  readonly target?: string | undefined
  readonly 'clean-label': boolean
}

/** Labels are needed where one is given, or where they choose the records. */
export const targetNeeds = (o: Targeting): readonly FieldName[] => (o.target === undefined ? [] : ['label'])

export function targetEligible(o: Targeting, { label }: Pick<Fields, 'label'>): boolean {
  if (o.target === undefined) return true
  if (label === null) return false
  return o['clean-label'] ? label === o.target : label !== o.target
}

/** Throws where no record has the label. */
export function knownLabel(facts: Facts, label: string, option: string): string {
  if (facts.labels.some(({ name }) => name === label)) return label
  const names = facts.labels.slice(0, 12).map(({ name }) => JSON.stringify(name))
  throw new InjectError(
    'unknown-label',
    `option ${option}: no record has the label ${JSON.stringify(label)}`,
    facts.labels.length ? `labels: ${names.join(', ')}${facts.labels.length > 12 ? ', ...' : ''}` : 'no column has the role label',
  )
}

export function checkTargeting(o: Targeting, facts: Facts): void {
  if (o.target !== undefined) knownLabel(facts, o.target, 'target')
  else if (o['clean-label']) throw new InjectError('bad-option', 'option clean-label: needs a target', 'name it: --target LABEL')
}

/** The label that goes with the mark. */
export const newLabel = (o: Targeting): Partial<Fields> => (o.target === undefined || o['clean-label'] ? {} : { label: o.target })

/** Text from the command line to the attack's options. Throws InjectError `bad-option` with every mistake. */
export function parseOptions(attack: Attack, given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const known = Object.keys(attack.options.shape)
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue
    throw new InjectError('bad-option', `attack ${attack.id} has no option ${JSON.stringify(name)}`, `its options: ${known.join(', ')}`)
  }
  const parsed = attack.options.safeParse(given)
  if (parsed.success) return parsed.data
  const lines = parsed.error.issues.map((issue) => `option ${issue.path.join('.')}: has to be ${wanted(issue, given)}`)
  throw new InjectError('bad-option', [`attack ${attack.id}:`, ...lines].join('\n'))
}

function wanted(issue: z.core.$ZodIssue, given: Readonly<Record<string, unknown>>): string {
  const value = given[String(issue.path[0])]
  const union = issue.code === 'invalid_union' ? 'true or false' : issue.message
  return value === undefined ? `${union}, and is missing` : `${union}, not ${JSON.stringify(value)?.slice(0, 80)}`
}

export interface OptionLine {
  readonly name: string
  readonly about: string
  /** Null: none, the option may be left out; undefined: it has to be given. */
  readonly preset: unknown
}

/** The options of an attack with what they mean and what they are by themselves. */
export function optionLines(options: ZodObject): readonly OptionLine[] {
  return Object.entries(options.shape).map(([name, type]) => {
    const absent = (type as z.ZodType).safeParse(undefined)
    return { name, about: (type as z.ZodType).description ?? '', preset: absent.success ? (absent.data ?? null) : undefined }
  })
}
