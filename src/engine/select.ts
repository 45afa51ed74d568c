import type { Scored, Threshold } from '../contracts/detector.ts'

const lowest = (of: readonly Threshold[]) => of.reduce((least, x) => Math.min(least, x.atLeast), Number.POSITIVE_INFINITY)

export interface Hits {
  readonly rows: Int32Array
  /** By row: the rule that flags it. */
  readonly rules: readonly string[]
  /** Rows that have a score. */
  readonly scored: number
}

/** Rows at or above their threshold; where several apply, the first in the detector's order names the rule. */
export function selectFlagged({ score, group }: Scored, thresholds: readonly Threshold[]): Hits {
  const everywhere = thresholds.filter((x) => x.group === null)
  const everywhereFrom = lowest(everywhere)
  const perGroup = (group?.values ?? []).map((g) => thresholds.filter((x) => x.group === g))
  const groupFrom = Float64Array.from(perGroup, lowest)
  const rows: number[] = []
  const rules: string[] = []
  let scored = 0
  for (let i = 0; i < score.length; i++) {
    const s = score[i] as number
    if (Number.isNaN(s)) continue
    scored++
    const g = group ? (group.codes[i] as number) : -1
    if (s < everywhereFrom && !(g >= 0 && s >= (groupFrom[g] as number))) continue
    const hit = everywhere.find((x) => s >= x.atLeast) ?? perGroup[g]?.find((x) => s >= x.atLeast)
    rows.push(i)
    rules.push((hit as Threshold).rule)
  }
  return { rows: Int32Array.from(rows), rules, scored }
}
