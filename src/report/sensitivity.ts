import * as z from 'zod'
import type { AttackSensitivity, SensitivityOutcome, SensitivityRate } from '../contracts/sensitivity.ts'
import { formatCount, formatPercent, plural } from './format.ts'

const text = z.string()
const count = z.int().min(0)
const fraction = z.number().min(0).max(1)

const rate = z.strictObject({
  rate: fraction,
  carriers: count,
  trials: count,
  recall: fraction.describe('Mean share of the carriers that were flagged.'),
  low: fraction.nullable().describe('95 % interval over trials; null with one.'),
  high: fraction.nullable(),
  alarmed: count.describe('Trials with a finding of medium severity or above that the data themselves do not give.'),
})

export const sensitivitySchema = z.strictObject({
  rows: count.describe('Records that the attacks were tried on.'),
  of: count.describe('Records of the subject.'),
  seeds: count,
  rate: fraction.describe('The rate at which an attack has to be found.'),
  skipped: count.describe('Trials that the time did not suffice for.'),
  attacks: z.array(
    z.strictObject({
      attack: text,
      title: text,
      family: z.enum(['label', 'image', 'tabular', 'text']),
      detectors: z.array(text).describe('Those that flagged carriers, most first.'),
      rates: z.array(rate),
      smallestRate: fraction.nullable().describe('Smallest rate with a recall of .9 there and above.'),
      reason: text.nullable().describe('Why nothing was measured.'),
    }),
  ),
})

export type ReportSensitivity = z.infer<typeof sensitivitySchema>

export const toReportSensitivity = ({ spec, rows, of, skipped, attacks }: SensitivityOutcome): ReportSensitivity => ({
  rows,
  of,
  seeds: spec.seeds,
  rate: spec.rate,
  skipped,
  attacks: attacks.map((a) => ({ ...a, detectors: [...a.detectors], rates: a.rates.map((r) => ({ ...r })) })),
})

/** "on 4,708 records, at least three times each" */
export const triedWords = ({ rows, of, seeds }: ReportSensitivity): string =>
  `on ${rows < of ? `${formatCount(rows)} of the ${plural(of, 'record')}` : `all ${plural(of, 'record')}`}, each at least ${seeds === 1 ? 'once' : `${formatCount(seeds)} times`} with another trigger, target and choice of records`

export const recallWords = ({ recall, low, high }: SensitivityRate): string =>
  `${formatPercent(recall)}${low === null || high === null ? '' : ` (${formatPercent(low)} to ${formatPercent(high)})`}`

export const smallestWords = ({ smallestRate, rates, reason }: Pick<AttackSensitivity, 'smallestRate' | 'rates' | 'reason'>): string =>
  reason !== null
    ? `not measured: ${reason}`
    : smallestRate !== null
      ? formatPercent(smallestRate)
      : `none up to ${formatPercent(Math.max(...rates.map((r) => r.rate)))}`
