import type { Evidence } from '../../contracts/finding.ts'
import type { ChangeKind, ChangeSummary, Concentration } from '../../contracts/snapshot.ts'
import { clopperPearson } from '../../math/tests.ts'

const level = 0.95
const maxRows = 25
const titles: Readonly<Record<ChangeKind, string>> = {
  added: 'Share of new records',
  removed: 'Share of records that are missing',
  edited: 'Share of records with other content',
  relabelled: 'Share of records with another label',
  replaced: 'Share of records with other content and another label',
}

type Class = ChangeSummary['classes'][number]

const nameOf = ({ name, split }: Class): string => (split === null ? name : `${name}, ${split}`)
const most = <T>(rows: readonly T[], of: (row: T) => number): readonly T[] =>
  rows.length <= maxRows ? rows : [...rows].sort((a, b) => of(b) - of(a)).slice(0, maxRows)

/** The share of each class that a kind of change touched, with Clopper and Pearson's interval. */
export function shares({ classes }: ChangeSummary, kind: ChangeKind, marked: (row: Class) => boolean): Evidence {
  const all = classes.filter((c) => (kind === 'added' ? c.after : c.before) > 0)
  const touched = new Set(all.filter((c) => c.counts[kind] > 0).map((c) => c.split))
  const rows = most(
    all.filter((c) => touched.has(c.split)),
    (c) => c.counts[kind] + (marked(c) ? 1e12 : 0),
  )
  const [changed, total] = all
    .filter((c) => touched.has(c.split))
    .reduce(([n, m], c) => [n + c.counts[kind], m + (kind === 'added' ? c.after : c.before)], [0, 0])
  return {
    kind: 'intervals',
    title: `${titles[kind]}, by class`,
    level,
    expected: total === 0 ? null : changed / total,
    items: rows.map((c) => {
      const whole = kind === 'added' ? c.after : c.before
      const count = Math.min(whole, c.counts[kind])
      const { low, high } = clopperPearson(count, whole, level)
      return { name: nameOf(c), count, total: whole, estimate: count / whole, low, high, marked: marked(c) }
    }),
  }
}

export function transitionMatrix({ transitions, concentrations }: ChangeSummary): Evidence[] {
  const { labels, counts } = transitions
  if (labels.length === 0) return []
  const pairs = new Set(concentrations.filter((c) => c.concentrated && c.axis === 'class-pair').map((c) => c.cell))
  const marked = labels.flatMap((from, i) =>
    labels.flatMap((to, j): [number, number][] =>
      pairs.has(`${from} to ${to}`) || (i !== j && pairs.has(`any to ${to}`)) ? [[i, j]] : [],
    ),
  )
  return [
    {
      kind: 'matrix',
      title: 'Changed labels',
      rowTitle: 'label before',
      columnTitle: 'label after',
      rows: labels,
      columns: labels,
      counts,
      marked,
    },
  ]
}

export function bySource({ sources }: ChangeSummary, kind: ChangeKind): Evidence[] {
  if (sources.length < 2) return []
  const rows = most(sources, (s) => s.counts[kind])
  return [
    {
      kind: 'table',
      title: rows.length < sources.length ? `By source: the ${rows.length} with most changes` : 'By source',
      columns: ['source', 'before', 'after', kind],
      rows: rows.map((s) => [s.name, s.before, s.after, s.counts[kind]]),
    },
  ]
}

/** How likely random corrections are to pile up like this, axis by axis. */
export function testTable(tests: readonly Concentration[]): Evidence[] {
  if (tests.length === 0) return []
  return [
    {
      kind: 'table',
      title: 'Are the changes concentrated? The strongest cell along each axis, against corrections that fall on records at random',
      columns: ['axis', 'split', 'strongest cell', 'changed', 'of records', 'all changed', 'all records', 'log10 p', 'corrected p'],
      rows: tests.map((t) => [
        t.axis,
        t.within,
        t.cell,
        t.changed,
        t.cellRecords,
        t.allChanged,
        t.allRecords,
        Number(t.log10P.toFixed(2)),
        t.adjusted,
      ]),
    },
  ]
}
