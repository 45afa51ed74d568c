import * as z from 'zod'
import type { SensitivitySpec } from '../contracts/sensitivity.ts'
import { map, text, whole } from './shapes.ts'

const rate = z.number({ error: 'a number above 0 and up to 0.5' }).gt(0, { error: 'a number above 0' }).max(0.5, { error: 'at most 0.5' })

/** `sensitivity:` as it is written; `true` is all defaults. */
export const sensitivity = z.union(
  [
    z.boolean(),
    map({
      rates: z
        .array(rate, { error: 'a list of rates' })
        .min(1, { error: 'a list with at least one rate' })
        .max(8, { error: 'at most 8 rates' })
        .describe('Shares of the records that carry an attack. Default 0.003, 0.01 and 0.05.')
        .optional(),
      rate: rate.describe('The rate at which an attack has to be found. Default: 0.01, or the middle one of rates.').optional(),
      seeds: whole(1, 100).describe('Least repetitions, with other triggers, targets and records. Default 3.').optional(),
      precision: z
        .number({ error: 'a number above 0 and up to 1' })
        .gt(0, { error: 'a number above 0' })
        .max(1, { error: 'at most 1' })
        .describe('Repeated, at most 40 times, until the 95 % interval reaches no further than this to either side. Default 0.1; 1: never.')
        .optional(),
      sample: whole(100, 1_000_000).describe('Most records that attacks are tried on, in memory. Default 10000.').optional(),
      'budget-seconds': whole(1, 86_400).describe('No trial is begun after it. Default 600.').optional(),
      attacks: z
        .array(text('the name of an attack'), { error: 'a list of attacks' })
        .min(1, { error: 'a list with at least one attack' })
        .describe('Attacks that are tried. Default: every one that the columns allow.')
        .optional(),
    }),
  ],
  { error: 'true, or a map with rates, rate, seeds, precision, sample, budget-seconds and attacks' },
)

export type SensitivityFile = z.infer<typeof sensitivity>

const defaultRates = [0.003, 0.01, 0.05] as const

/** Every setting, with its default; null where no attack is to be tried. */
export function toSensitivity(file: SensitivityFile | undefined): SensitivitySpec | null {
  if (file === undefined || file === false) return null
  const given = file === true ? {} : file
  const listed = [...new Set(given.rates ?? defaultRates)].sort((a, b) => a - b)
  const preferred = given.rate ?? (listed.includes(0.01) ? 0.01 : (listed[listed.length >> 1] as number))
  return {
    rates: [...new Set([...listed, preferred])].sort((a, b) => a - b),
    rate: preferred,
    seeds: given.seeds ?? 3,
    precision: given.precision ?? 0.1,
    sample: given.sample ?? 10_000,
    budgetSeconds: given['budget-seconds'] ?? 600,
    attacks: given.attacks ?? null,
  }
}
