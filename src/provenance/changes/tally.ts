import { type ChangeKind, changeKinds } from '../../contracts/snapshot.ts'
import { type Census, type Coded, countChange, type Division, labelIn, openCensus } from './census.ts'

/** Kinds of change with a label before and another after. */
export const pairKinds = ['relabelled', 'replaced'] as const
export type PairKind = (typeof pairKinds)[number]

/** Changes counted as they are found: by kind along every axis, and by label before and after. */
export interface Tally {
  readonly counts: Record<ChangeKind, number>
  /** Where the record was in the baseline; for added ones, where it is now. */
  readonly census: Readonly<Record<ChangeKind, Census>>
  /** By split: number of records by label before x labels + label after. */
  readonly pairs: Readonly<Record<PairKind, readonly Map<number, number>[]>>
}

const each = <T>(make: () => T): Record<ChangeKind, T> =>
  Object.fromEntries(changeKinds.map((kind) => [kind, make()])) as Record<ChangeKind, T>

export const openTally = ({ layout }: Division): Tally => ({
  counts: each(() => 0),
  census: each(() => openCensus(layout)),
  pairs: { relabelled: layout.splits.map(() => new Map()), replaced: layout.splits.map(() => new Map()) },
})

const bump = (map: Map<number, number>, key: number): void => {
  map.set(key, (map.get(key) ?? 0) + 1)
}

export function countInto(tally: Tally, division: Division, kind: ChangeKind, before: Coded | null, after: Coded | null): void {
  const { layout } = division
  tally.counts[kind]++
  const census = tally.census[kind]
  if (before) countChange(layout, census, division.before, before)
  else if (after) countChange(layout, census, division.after, after)
  if (!before || !after || (kind !== 'relabelled' && kind !== 'replaced')) return
  const pair = labelIn(division.before, before) * layout.labels.length + labelIn(division.after, after)
  bump(tally.pairs[kind][division.before.split[before.shard] as number] as Map<number, number>, pair)
}
