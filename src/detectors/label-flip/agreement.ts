import { type CellTest, cellTests } from '../../statistics/label-model/cells.ts'
import type { LabelTally } from './tally.ts'

function agreementOf({ cells, classes }: LabelTally) {
  const k = classes.length
  const given = classes.map((_, i) => cells.subarray(i * k, (i + 1) * k).reduce((sum, n) => sum + n, 0))
  const agreed = classes.reduce((sum, _, i) => sum + (cells[i * k + i] as number), 0)
  return { given, agreed, all: given.reduce((sum, n) => sum + n, 0) }
}

/** Agreement of predictions and labels beyond that of always saying the largest class, as a share of what is left, up to 1. */
export function toldBeyondGuess(tally: LabelTally): number {
  const { given, all, agreed } = agreementOf(tally)
  const guess = Math.max(...given)
  return all === guess ? 1 : (agreed - guess) / (all - guess)
}

const leastTold = 0.4

/**
 * Does the model know enough of the classes for depth to mean anything? Where it barely beats a guess, its disagreements are its own
 * errors, at every depth. Labels that were flipped lower the agreement too: 40 % of ten classes at random leave .55.
 */
export const tellsClassesApart = (tally: LabelTally): boolean => tally.mode !== 'no model' || toldBeyondGuess(tally) >= leastTold

/** Share of records whose label is the prediction below which a source may just have harder records than the others. */
const leastAgreed = 0.85

export function isWeak(tally: LabelTally): boolean {
  const { agreed, all } = agreementOf(tally)
  return agreed < leastAgreed * all
}

/** Tests of the class pairs; p is 1 where the disagreements are a kind of record of their own. */
export function pairsTested(tally: LabelTally, kinds: readonly number[]): CellTest[] {
  if (!tellsClassesApart(tally)) return []
  const k = tally.classes.length
  const isKind = (t: CellTest): boolean => kinds.includes(t.given * k + t.predicted)
  return cellTests(tally.disagreements, toldBeyondGuess(tally)).map((t) => (isKind(t) ? { ...t, p: 1 } : t))
}
