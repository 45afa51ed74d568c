import type { SnapshotHeader, SnapshotShard } from '../../contracts/snapshot.ts'
import { splitsOf } from './split.ts'
import { cellIn, type PositionWindows, positionWindows, type Span, type TimeWindows, timeWindows } from './windows.ts'

/** Stands for a missing label or source among the names. */
export const missing = '(none)'

/** What a census needs to know of a snapshot; `countsOf` answers for one shard of the header. */
export interface Counted {
  readonly header: Pick<SnapshotHeader, 'labels' | 'sources'> & {
    readonly shards: readonly Pick<SnapshotShard, 'id' | 'rows' | 'rejected'>[]
  }
  countsOf(shard: number): { readonly labels: Names; readonly sources: Names }
}
type Names = SnapshotHeader['labels']

/** How two snapshots are divided: every record and every change is counted by it. */
export interface Layout {
  /** Null alone where the data are not divided. */
  readonly splits: readonly (string | null)[]
  /** Of both snapshots, by code unit; the last one stands for none. */
  readonly labels: readonly string[]
  readonly sources: readonly string[]
  readonly time: TimeWindows
  /** Of the baseline, by split. */
  readonly positions: readonly PositionWindows[]
}

/** The codes of one snapshot as indices of the layout; a code of -1 is read at the end of an array. */
export interface Side {
  readonly split: Int32Array
  readonly labels: Int32Array
  readonly sources: Int32Array
  /** By shard: null where it has no windows. */
  readonly spans: readonly (Span | null)[]
}

/** Records of one split by class, source, time window and position. */
export interface Cells {
  records: number
  readonly classes: Float64Array
  readonly sources: Float64Array
  readonly times: Float64Array
  readonly positions: Float64Array
}
export type Census = readonly Cells[]

/** A record as codes of its snapshot; -1 for no label or source, NaN for no time. */
export interface Coded {
  readonly shard: number
  readonly row: number
  readonly label: number
  readonly source: number
  /** Milliseconds since 1970. */
  readonly time: number
}

const union = (a: Names, b: Names): string[] => [...new Set([...a, ...b].map((n) => n.name))].sort((x, y) => (x < y ? -1 : x > y ? 1 : 0))

export interface Division {
  readonly layout: Layout
  readonly before: Side
  readonly after: Side
}

/** `times` is a sample of the baseline's times, in milliseconds since 1970. */
export function divide(before: Counted['header'], after: Counted['header'], times: ArrayLike<number>): Division {
  const splitOf = splitsOf([...before.shards, ...after.shards].map((s) => s.id))
  const splits = [...new Set([...before.shards, ...after.shards].map((s) => splitOf(s.id)))]
  const positions = splits.map((split) =>
    positionWindows(before.shards.filter((s) => splitOf(s.id) === split).map((s) => ({ id: s.id, rows: s.rows + s.rejected }))),
  )
  const labels = union(before.labels, after.labels)
  const sources = union(before.sources, after.sources)
  const codes = (own: Names, all: readonly string[]): Int32Array => {
    const index = new Map(all.map((name, i) => [name, i]))
    return Int32Array.from([...own.map(({ name }) => index.get(name) as number), all.length])
  }
  const sideOf = (header: Counted['header'], placed: boolean): Side => {
    const split = Int32Array.from(header.shards, (s) => splits.indexOf(splitOf(s.id)))
    return {
      split,
      labels: codes(header.labels, labels),
      sources: codes(header.sources, sources),
      spans: header.shards.map((s, i) => (placed ? (positions[split[i] as number]?.spans.get(s.id) ?? null) : null)),
    }
  }
  const layout = { splits, labels: [...labels, missing], sources: [...sources, missing], time: timeWindows(times), positions }
  return { layout, before: sideOf(before, true), after: sideOf(after, false) }
}

export const openCensus = (layout: Layout): Census =>
  layout.splits.map((_, at) => ({
    records: 0,
    classes: new Float64Array(layout.labels.length),
    sources: new Float64Array(layout.sources.length),
    times: new Float64Array(layout.time.names.length),
    positions: new Float64Array(layout.positions[at]?.names.length ?? 0),
  }))

const add = (counts: Float64Array, at: number, n = 1): void => {
  counts[at] = (counts[at] as number) + n
}
const codeIn = (codes: Int32Array, code: number): number => codes[code < 0 ? codes.length - 1 : code] as number
export const labelIn = (side: Side, record: Coded): number => codeIn(side.labels, record.label)

/** Records, classes and sources, from the dictionaries of the shards alone. */
export function countShards(census: Census, side: Side, { header, countsOf }: Counted): void {
  const index = (all: Names) => new Map(all.map(({ name }, code) => [name, code]))
  const [labels, sources] = [index(header.labels), index(header.sources)]
  for (const [i, { rows }] of header.shards.entries()) {
    const cells = census[side.split[i] as number] as Cells
    cells.records += rows
    const counts = countsOf(i)
    for (const [own, all, codes, into] of [
      [counts.labels, labels, side.labels, cells.classes],
      [counts.sources, sources, side.sources, cells.sources],
    ] as const) {
      let known = 0
      for (const { name, count } of own) {
        add(into, codeIn(codes, all.get(name) ?? -1), count)
        known += count
      }
      add(into, codeIn(codes, -1), rows - known)
    }
  }
}

/** Where a record of the baseline lies, in time and place. */
export function countPlace(layout: Layout, census: Census, side: Side, shard: number, row: number, time: number): void {
  const cells = census[side.split[shard] as number] as Cells
  const window = layout.time.cellOf(time)
  if (window >= 0) add(cells.times, window)
  const span = side.spans[shard]
  if (span) add(cells.positions, cellIn(span, row))
}

export function countChange(layout: Layout, census: Census, side: Side, record: Coded): void {
  const cells = census[side.split[record.shard] as number] as Cells
  cells.records++
  add(cells.classes, labelIn(side, record))
  add(cells.sources, codeIn(side.sources, record.source))
  countPlace(layout, census, side, record.shard, record.row, record.time)
}
