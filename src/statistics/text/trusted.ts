import type { RepeatedGrams } from '../repeated-grams.ts'
import { findGram } from './gram-table.ts'
import { isShape } from './grams.ts'

const leastRecords = 300
const leastOfLabel = 30
/** Of the frequency, and of the share of the label, that the phrase has in the audited records. */
const leastLikeness = 0.5
const leastHabit = 0.8

/** Trusted records that are enough to judge by, else null: every label occurs in them. */
export function enoughTrusted(grams: RepeatedGrams | null): RepeatedGrams | null {
  if (grams === null || grams.records < leastRecords) return null
  return grams.recordsByLabel.every((n) => n >= leastOfLabel) ? grams : null
}

interface Habit {
  readonly hash: number
  readonly kind: number
  readonly records: number
  /** Its label and the records with it; -1 for a phrase without one. */
  readonly label: number
  readonly withLabel: number
}

/** Trusted records have the phrase about as often, and with the same label: no trigger. Shapes are not compared. */
export function isTrusted(trusted: RepeatedGrams | null, subject: RepeatedGrams, p: Habit): boolean {
  if (!trusted || isShape(p.kind)) return false
  const place = findGram(trusted, p.hash, p.kind)
  if (place < 0) return false
  const n = trusted.counts[place] as number
  if (n / trusted.records < leastLikeness * (p.records / subject.records)) return false
  return p.label < 0 || (trusted.byLabel[place * trusted.classes + p.label] as number) / n >= leastHabit * (p.withLabel / p.records)
}
