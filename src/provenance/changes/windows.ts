import { fileOf } from './split.ts'

const maxPositionWindows = 64
const maxTimeWindows = 32
/** A window of fewer records than this could hardly stand out. */
const leastRecords = 20

const windowsFor = (records: number, most: number): number => Math.max(1, Math.min(most, Math.floor(records / leastRecords)))

/** Rows 0 to `rows` - 1 divided into `cells` windows, the first of which has number `first`. */
export interface Span {
  readonly first: number
  readonly cells: number
  readonly rows: number
}

export interface PositionWindows {
  readonly names: readonly string[]
  /** By shard; what is not in it was not among the shards. */
  readonly spans: ReadonlyMap<string, Span>
}

export const cellIn = (span: Span, row: number): number =>
  span.first + (span.cells === 1 ? 0 : Math.min(span.cells - 1, Math.floor((row * span.cells) / span.rows)))

/**
 * At most 64 windows (and one a gap between them) of about equally many rows: a part of a file, or several small files together.
 * `shards` are those of one split, in order; rows count within the file behind a shard.
 */
export function positionWindows(shards: readonly { readonly id: string; readonly rows: number }[]): PositionWindows {
  const files = new Map<string, number>()
  for (const { id, rows } of shards) files.set(fileOf(id), (files.get(fileOf(id)) ?? 0) + rows)
  const total = [...files.values()].reduce((sum, n) => sum + n, 0)
  const size = Math.ceil(total / windowsFor(total, maxPositionWindows))
  const names: string[] = []
  const spans = new Map<string, Span>()
  let group: string[] = []
  let grouped = 0
  const closeGroup = () => {
    if (group.length === 0) return
    for (const file of group) spans.set(file, { first: names.length, cells: 1, rows: 1 })
    names.push(group.length === 1 ? (group[0] as string) : `${group[0]} to ${group.at(-1)}`)
    group = []
    grouped = 0
  }
  for (const [file, rows] of files) {
    if (rows < size) {
      group.push(file)
      grouped += rows
      if (grouped >= size) closeGroup()
      continue
    }
    closeGroup()
    const cells = Math.max(1, Math.round(rows / size))
    const from = (i: number) => Math.ceil((i * rows) / cells)
    spans.set(file, { first: names.length, cells, rows })
    for (let i = 0; i < cells; i++) names.push(cells === 1 ? file : `rows ${from(i)} to ${from(i + 1) - 1} of ${file}`)
  }
  closeGroup()
  return { names, spans: new Map(shards.map(({ id }) => [id, spans.get(fileOf(id)) as Span])) }
}

export interface TimeWindows {
  readonly names: readonly string[]
  /** Index into `names` of a time in milliseconds since 1970; -1 for NaN. */
  cellOf(time: number): number
}

/** At most 32 windows of about equally many records, from a sample of their times (milliseconds since 1970). */
export function timeWindows(sample: ArrayLike<number>): TimeWindows {
  const times = Float64Array.from(sample).sort()
  const count = windowsFor(times.length, maxTimeWindows)
  const edges: number[] = []
  for (let i = 1; i < count; i++) {
    const edge = times[Math.floor((i * times.length) / count)] as number
    if (edge > (edges.at(-1) ?? (times[0] as number))) edges.push(edge)
  }
  const names = times.length === 0 ? [] : [...edges, null].map((to, i) => named(i === 0 ? null : (edges[i - 1] as number), to))
  return {
    names,
    cellOf(time) {
      if (Number.isNaN(time) || names.length === 0) return -1
      let low = 0
      let high = edges.length
      while (low < high) {
        const middle = (low + high) >> 1
        if (time < (edges[middle] as number)) high = middle
        else low = middle + 1
      }
      return low
    },
  }
}

const latest = 8.64e15
const moment = (ms: number): string => (Math.abs(ms) <= latest ? new Date(ms).toISOString().replace(/\.000Z$/, 'Z') : String(ms))

function named(from: number | null, before: number | null): string {
  if (from === null) return before === null ? 'all times' : `before ${moment(before)}`
  return before === null ? `from ${moment(from)}` : `from ${moment(from)} to before ${moment(before)}`
}
