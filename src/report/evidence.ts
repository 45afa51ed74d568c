import type { Evidence } from '../contracts/finding.ts'
import { boundPassage, boundPictures, limits, name } from './evidence-bounds.ts'
import { plural } from './format.ts'
import type { ReportFinding } from './schema.ts'

type ReportEvidence = ReportFinding['evidence'][number]

const unit = (n: number): number => Math.min(1, Math.max(0, n))
const cell = (value: string | number | null): string | number | null =>
  typeof value === 'string' ? name(value) : typeof value === 'number' && !Number.isFinite(value) ? null : value
const countOf = (n: number | undefined): number => (n !== undefined && Number.isFinite(n) && n > 0 ? n : 0)

type MatrixEvidence = Extract<Evidence, { kind: 'matrix' }>

/** The classes of a large matrix that matter: those of marked cells, then those with the most counts off the diagonal. */
function classesKept(length: number, at: (i: number) => number, marked: readonly number[]): readonly number[] {
  if (length <= limits.matrix) return Array.from({ length }, (_, i) => i)
  const order = Array.from({ length }, (_, i) => i).sort((a, b) => at(b) - at(a) || a - b)
  return [...new Set([...marked, ...order])].slice(0, limits.matrix).sort((a, b) => a - b)
}

function boundMatrix(m: MatrixEvidence): ReportEvidence {
  const off = (i: number, j: number): number => (m.rows[i] === m.columns[j] ? 0 : countOf(m.counts[i]?.[j]))
  const rowSum = (i: number): number => m.columns.reduce((sum, _, j) => sum + off(i, j), 0)
  const columnSum = (j: number): number => m.rows.reduce((sum, _, i) => sum + off(i, j), 0)
  const rows = classesKept(
    m.rows.length,
    rowSum,
    m.marked.map(([i]) => i),
  )
  const columns = classesKept(
    m.columns.length,
    columnSum,
    m.marked.map(([, j]) => j),
  )
  const all = Math.max(m.rows.length, m.columns.length)
  const cut = rows.length < m.rows.length || columns.length < m.columns.length
  return {
    kind: 'matrix',
    title: name(cut ? `${m.title}: ${limits.matrix} of ${all} classes, the marked and the most confused` : m.title),
    rowTitle: name(m.rowTitle),
    columnTitle: name(m.columnTitle),
    rows: rows.map((i) => name(m.rows[i] as string)),
    columns: columns.map((j) => name(m.columns[j] as string)),
    counts: rows.map((i) => columns.map((j) => countOf(m.counts[i]?.[j]))),
    marked: m.marked.flatMap(([i, j]): [number, number][] => {
      const at: [number, number] = [rows.indexOf(i), columns.indexOf(j)]
      return at[0] >= 0 && at[1] >= 0 ? [at] : []
    }),
  }
}

/** Evidence as the report keeps it: bounded, finite, proportions within 0..1. */
export function boundEvidence(evidence: Evidence): ReportEvidence {
  switch (evidence.kind) {
    case 'numbers':
      return {
        kind: 'numbers',
        title: name(evidence.title),
        items: evidence.items.slice(0, limits.items).map((item) => ({ name: name(item.name), value: cell(item.value) })),
      }
    case 'matrix':
      return boundMatrix(evidence)
    case 'intervals': {
      const usable = evidence.items.filter((i) => [i.estimate, i.low, i.high].every(Number.isFinite))
      const kept =
        usable.length <= limits.items ? usable : [...usable].sort((a, b) => Number(b.marked) - Number(a.marked) || b.estimate - a.estimate)
      return {
        kind: 'intervals',
        title: name(kept.length > limits.items ? `${evidence.title}: ${limits.items} of ${kept.length}, the highest` : evidence.title),
        level: unit(evidence.level),
        expected: evidence.expected !== null && Number.isFinite(evidence.expected) ? unit(evidence.expected) : null,
        items: kept.slice(0, limits.items).map((i) => ({
          name: name(i.name),
          count: countOf(i.count),
          total: countOf(i.total),
          estimate: unit(i.estimate),
          low: unit(i.low),
          high: unit(i.high),
          marked: i.marked,
        })),
      }
    }
    case 'histogram':
      return {
        kind: 'histogram',
        title: name(evidence.title),
        xTitle: name(evidence.xTitle),
        edges: evidence.edges.filter(Number.isFinite).slice(0, limits.bins + 1),
        series: evidence.series.slice(0, 8).map((s) => ({ name: name(s.name), counts: s.counts.slice(0, limits.bins).map(countOf) })),
        threshold: evidence.threshold !== null && Number.isFinite(evidence.threshold) ? evidence.threshold : null,
      }
    case 'table':
      return {
        kind: 'table',
        title: name(
          evidence.rows.length > limits.items ? `${evidence.title}: first ${limits.items} of ${evidence.rows.length}` : evidence.title,
        ),
        columns: evidence.columns.map(name),
        rows: evidence.rows.slice(0, limits.items).map((row) => row.map(cell)),
      }
    case 'pictures':
      return boundPictures(evidence)
    case 'scatter':
      return {
        kind: 'scatter',
        title: name(evidence.title),
        xTitle: name(evidence.xTitle),
        yTitle: name(evidence.yTitle),
        series: evidence.series.slice(0, limits.series).map((s) => ({
          name: name(s.name),
          marked: s.marked,
          points: s.points
            .filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y))
            .slice(0, limits.points)
            .map(([x, y]) => [x, y]),
        })),
      }
    case 'passages':
      return {
        kind: 'passages',
        title: name(evidence.title),
        items: evidence.items.slice(0, limits.passages).map(boundPassage),
      }
  }
}

/** What shows records themselves: it leaves the report only when the pipeline allows excerpts. */
export const showsRecords = (e: Evidence): boolean => e.kind === 'passages' || (e.kind === 'pictures' && e.ofRecords)

/** What stands in a report without excerpts where evidence shows records: that there is some, and how much. */
export const withheld = (e: Evidence): ReportEvidence => ({
  kind: 'numbers',
  title: name(e.title),
  items: [{ name: `${e.kind}, left out because the pipeline allows no excerpts`, value: 'items' in e ? e.items.length : 1 }],
})

const shownKinds = [
  ['pictures', 'picture'],
  ['scatter', 'map of points', 'maps of points'],
  ['passages', 'passage'],
] as const

/** How much of what a short format cannot show stands in the report: "14 pictures, 1 map of points". Empty where there is none. */
export const shownWords = (evidence: readonly ReportEvidence[]): string =>
  shownKinds
    .flatMap(([kind, one, many]) => {
      const count = evidence.reduce(
        (sum, e) => sum + (e.kind !== kind ? 0 : e.kind === 'scatter' ? 1 : 'items' in e ? e.items.length : 0),
        0,
      )
      return count > 0 ? [plural(count, one, many)] : []
    })
    .join(', ')
