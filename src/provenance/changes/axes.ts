import { type ChangeKind, type ConcentrationAxis, changeKinds } from '../../contracts/snapshot.ts'
import type { Cells, Census, Division, Layout } from './census.ts'
import type { AxisCell, AxisCounts } from './concentration.ts'
import type { PairKind, Tally } from './tally.ts'

const total = (counts: ArrayLike<number>): number => {
  let sum = 0
  for (let i = 0; i < counts.length; i++) sum += counts[i] as number
  return sum
}

const cellsOf = (names: readonly string[], changed: Float64Array, records: Float64Array): AxisCell[] =>
  names
    .map((name, i) => ({ name, changed: changed[i] as number, records: records[i] as number }))
    .filter((cell) => cell.changed > 0 || cell.records > 0)

/** New records are new in time and place by nature: for them only what they are and who sent them is compared. */
const axesOf = (kind: ChangeKind): readonly Exclude<ConcentrationAxis, 'class-pair'>[] =>
  kind === 'added' ? ['class', 'source'] : ['class', 'source', 'time', 'position']

function countsAlong(axis: Exclude<ConcentrationAxis, 'class-pair'>, layout: Layout, split: number, changed: Cells, records: Cells) {
  switch (axis) {
    case 'class':
      return cellsOf(layout.labels, changed.classes, records.classes)
    case 'source':
      return cellsOf(layout.sources, changed.sources, records.sources)
    case 'time':
      return cellsOf(layout.time.names, changed.times, records.times)
    case 'position':
      return cellsOf(layout.positions[split]?.names ?? [], changed.positions, records.positions)
  }
}

/**
 * Relabelled records by label before and after. A random correction falls on a record of label a as often as there are such
 * records; which label it gets instead is not known, so a label counts as likely as the likelier of two habits makes it: all
 * others alike, or as common as they are. The probability of a pair is then no less than under either.
 * With two labels the pair says no more than the class.
 */
function pairCounts(kind: PairKind, layout: Layout, split: number, tally: Tally, records: Cells): AxisCounts | null {
  const { labels, splits } = layout
  const pairs = tally.pairs[kind][split] as ReadonlyMap<number, number>
  const size = labels.length
  const used = new Set<number>()
  for (let i = 0; i < size; i++) if ((records.classes[i] as number) > 0) used.add(i)
  for (const pair of pairs.keys()) used.add(pair % size)
  if (pairs.size === 0 || used.size < 3) return null
  const of = (label: number) => records.classes[label] as number
  const into = (from: number, to: number) => Math.max(1 / (used.size - 1), of(to) / Math.max(1, records.records - of(from)))
  const share = (label: number) => of(label) / records.records
  const cells: AxisCell[] = []
  const targets = new Map<number, number>()
  for (const [pair, changed] of pairs) {
    const [from, to] = [Math.floor(pair / size), pair % size]
    targets.set(to, (targets.get(to) ?? 0) + changed)
    const name = `${labels[from]} to ${labels[to]}`
    cells.push({ name, changed, records: of(from), probability: share(from) * into(from, to) })
  }
  for (const [to, changed] of targets) {
    let probability = 0
    for (const from of used) if (from !== to) probability += share(from) * into(from, to)
    cells.push({ name: `any to ${labels[to]}`, changed, records: records.records - of(to), probability })
  }
  return {
    kind,
    axis: 'class-pair',
    within: splits[split] ?? null,
    allChanged: total([...pairs.values()]),
    allRecords: records.records,
    cells,
    possible: used.size * used.size,
  }
}

/** Everything that is compared with random corrections: a table for each kind, axis and split in which something changed. */
export function axisCounts({ layout }: Division, tally: Tally, before: Census, after: Census): AxisCounts[] {
  const out: AxisCounts[] = []
  for (const [split, within] of layout.splits.entries()) {
    for (const kind of changeKinds) {
      const changed = tally.census[kind][split] as Cells
      const records = (kind === 'added' ? after : before)[split] as Cells
      if (changed.records === 0) continue
      for (const axis of axesOf(kind)) {
        const cells = countsAlong(axis, layout, split, changed, records)
        const allChanged = cells.reduce((sum, c) => sum + c.changed, 0)
        const allRecords = cells.reduce((sum, c) => sum + c.records, 0)
        out.push({ kind, axis, within, allChanged, allRecords, cells })
        const pairs =
          (kind === 'relabelled' || kind === 'replaced') && axis === 'class' ? pairCounts(kind, layout, split, tally, records) : null
        if (pairs) out.push(pairs)
      }
    }
  }
  return out
}
