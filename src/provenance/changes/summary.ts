import { type ChangeKind, type ChangeSummary, changeKinds, type Flood, type RecordLocation } from '../../contracts/snapshot.ts'
import { logBinomialUpper } from '../../math/tests.ts'
import { axisCounts } from './axes.ts'
import type { Cells, Census, Division } from './census.ts'
import { correctAll, type RawConcentration, testAxis } from './concentration.ts'
import { pairKinds, type Tally } from './tally.ts'

/** Classes and sources listed in a summary; those with most changes are kept. */
const maxRows = 1000
const maxTransitionLabels = 50

export interface Copies {
  readonly added: number
  readonly copies: number
  /** Of the baseline: records, and those beyond the first of their content. */
  readonly records: number
  readonly surplus: number
  readonly largest: Flood['largest']
}

export interface Compared {
  readonly before: ChangeSummary['before']
  readonly after: ChangeSummary['after']
  readonly division: Division
  readonly tally: Tally
  /** Records of each side along the axes; time and place of the baseline alone. */
  readonly records: { readonly before: Census; readonly after: Census }
  readonly duplicates: ChangeSummary['duplicates']
  readonly copies: Copies | null
  readonly notes: readonly string[]
}

type Row = ChangeSummary['sources'][number]
const changed = (row: Row): number => changeKinds.reduce((sum, kind) => sum + row.counts[kind], 0)

/** At most `maxRows`, in their order. */
function shorten<T extends Row>(rows: readonly T[], what: string, notes: string[]): readonly T[] {
  if (rows.length <= maxRows) return rows
  notes.push(`Of ${rows.length} ${what} the ${maxRows} with most changes are listed; all were tested.`)
  const kept = new Set([...rows].sort((a, b) => changed(b) - changed(a)).slice(0, maxRows))
  return rows.filter((row) => kept.has(row))
}

const countsAt = (tally: Tally, of: (cells: Cells) => number, split: number | null): Record<ChangeKind, number> =>
  Object.fromEntries(
    changeKinds.map((kind) => {
      const census = tally.census[kind]
      return [kind, split === null ? census.reduce((sum, cells) => sum + of(cells), 0) : of(census[split] as Cells)]
    }),
  ) as Record<ChangeKind, number>

const isThere = (row: { readonly before: number; readonly after: number }): boolean => row.before > 0 || row.after > 0

function classRows({ division: { layout }, tally, records }: Compared): ChangeSummary['classes'] {
  return layout.splits.flatMap((split, s) =>
    layout.labels
      .map((name, i) => {
        const at = (cells: Cells) => cells.classes[i] as number
        return { name, split, at, before: at(records.before[s] as Cells), after: at(records.after[s] as Cells) }
      })
      .filter(isThere)
      .map(({ at, ...row }) => ({ ...row, counts: countsAt(tally, at, s) })),
  )
}

function sourceRows({ division: { layout }, tally, records }: Compared): ChangeSummary['sources'] {
  return layout.sources
    .map((name, i) => {
      const at = (cells: Cells) => cells.sources[i] as number
      const sum = (census: Census) => census.reduce((n, cells) => n + at(cells), 0)
      return { name, at, before: sum(records.before), after: sum(records.after) }
    })
    .filter(isThere)
    .map(({ at, ...row }) => ({ ...row, counts: countsAt(tally, at, null) }))
}

function transitionTable({ division: { layout }, tally }: Compared, notes: string[]): ChangeSummary['transitions'] {
  const size = layout.labels.length
  const moved = new Map<number, number>()
  for (const pairs of pairKinds.flatMap((kind) => tally.pairs[kind]))
    for (const [pair, n] of pairs) moved.set(pair, (moved.get(pair) ?? 0) + n)
  const weight = new Map<number, number>()
  for (const [pair, n] of moved) for (const label of [Math.floor(pair / size), pair % size]) weight.set(label, (weight.get(label) ?? 0) + n)
  if (weight.size > maxTransitionLabels)
    notes.push(`The table of transitions shows the ${maxTransitionLabels} labels with most changes of ${weight.size}.`)
  const kept = [...weight]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, maxTransitionLabels)
    .map(([label]) => label)
    .sort((a, b) => a - b)
  return {
    labels: kept.map((label) => layout.labels[label] as string),
    counts: kept.map((from) => kept.map((to) => moved.get(from * size + to) ?? 0)),
  }
}

/** Are new records copies of old ones more often than old ones are of each other? One-sided exact binomial test. */
function floodTest({ added, copies, records, surplus, largest }: Copies): Omit<Flood, 'adjusted' | 'concentrated'> {
  const rate = records === 0 ? 0 : surplus / records
  // Laplace's rule: a baseline without copies does not prove that there can be none.
  const log = logBinomialUpper(copies, added, (surplus + 1) / (records + 2))
  const log10P = log / Math.LN10
  const test = {
    id: 'provenance/added: copies',
    method: "one-sided exact binomial test against the baseline's own rate of copies",
    p: 10 ** log10P,
  }
  return { added, copies, rate, largest, test, log10P }
}

/** Counts, transitions and corrected tests of a comparison. */
export function summarise(compared: Compared): ChangeSummary {
  const { before, after, division, tally, records, duplicates } = compared
  const notes = [...compared.notes]
  const tests = axisCounts(division, tally, records.before, records.after)
    .map(testAxis)
    .filter((test): test is RawConcentration => test !== null)
  const flood = compared.copies && compared.copies.added > 0 ? floodTest(compared.copies) : null
  const corrected = correctAll([...tests, ...(flood ? [{ axis: 'copies' as const, log10P: flood.log10P, changed: flood.copies }] : [])])
  const judged = (i: number) => corrected[i] as (typeof corrected)[number]
  return {
    before,
    after,
    counts: { ...tally.counts },
    classes: shorten(classRows(compared), 'classes', notes),
    sources: shorten(sourceRows(compared), 'sources', notes),
    transitions: transitionTable(compared, notes),
    duplicates,
    concentrations: tests.map((test, i) => ({ ...test, ...judged(i) })),
    flood: flood && { ...flood, ...judged(tests.length) },
    notes,
  }
}

export const locationOf = (
  header: {
    readonly shards: readonly { readonly id: string }[]
    readonly labels: readonly { readonly name: string }[]
    readonly sources: readonly { readonly name: string }[]
  },
  record: { readonly shard: number; readonly row: number; readonly label: number; readonly source: number; readonly time: number },
  id: string | null,
): RecordLocation => ({
  id,
  shard: header.shards[record.shard]?.id ?? '',
  row: record.row,
  label: header.labels[record.label]?.name ?? null,
  source: header.sources[record.source]?.name ?? null,
  time: Number.isNaN(record.time) ? null : record.time,
})
