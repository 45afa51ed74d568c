import type { Evidence, Finding, RecordRef, Test } from '../../contracts/finding.ts'
import { formatCount } from '../../math/count.ts'
import { rateModel } from '../../math/overdispersion.ts'
import { clopperPearson, hypergeometricUpper } from '../../math/tests.ts'
import { isWeak, tellsClassesApart } from './agreement.ts'
import type { LabelTally, SourceCounts } from './tally.ts'

const level = 0.95
/** A cell is shown as in excess when its own p-value, times the cells of its source, is below this. */
const cellLevel = 0.05
const topSources = 25

interface Cell {
  readonly given: number
  readonly predicted: number
  /** Deep disagreements of the source in the cell, and its records predicted as that class. */
  readonly count: number
  readonly total: number
  /** The same over all sources. */
  readonly allCount: number
  readonly allTotal: number
  readonly p: number
}

export interface SourceResult {
  readonly findings: readonly Finding[]
  readonly tests: readonly Test[]
  readonly notes: readonly string[]
}

/**
 * Does one source give label b to records that look like class a more often than all the others do?
 * One-sided exact hypergeometric tests of each cell against the other sources (`cellsOf`), their largest p-value; a source's p-value is that
 * of its strongest cell times the number of its cells (Bonferroni), so that one test a source enters the report's correction.
 */
export function testSources(tally: LabelTally, top: readonly RecordRef[]): SourceResult {
  if (tally.tooManySources) return nothing('The source test did not run: there are too many sources and classes to keep their counts.')
  if (!tally.sources) return nothing('The source test did not run: no column has the role source.')
  if (tally.sources.names.length < 2) return nothing('The source test did not run: there is only one source.')
  const { names } = tally.sources
  const weak = isWeak(tally)
  const tests: Test[] = []
  const findings: Finding[] = []
  names.forEach((name, s) => {
    const cells = cellsOf(tally.sources as SourceCounts, s, tally.classes.length, weak)
    if (cells.length === 0) return
    const strongest = cells.reduce((a, b) => (b.p < a.p ? b : a))
    const test = {
      id: `label-flip/source: ${name}`,
      method:
        'one-sided exact hypergeometric tests against all other sources, the largest p-value of a class pair, Bonferroni over the pairs of the source',
      p: Math.min(1, strongest.p * cells.length),
    }
    tests.push(test)
    if (test.p <= cellLevel) findings.push(finding(tally, name, s, strongest, cells, test.id, top))
  })
  return { findings, tests, notes: [] }
}

/** Cells in which a source stands out after Bonferroni over sources and cells, with their disagreements over all sources. */
export function suspiciousCells(tally: LabelTally): { readonly cell: number; readonly count: number }[] {
  const { sources, classes } = tally
  if (!sources || sources.names.length < 2 || !tellsClassesApart(tally)) return []
  const counts = new Map<number, number>()
  sources.names.forEach((_, s) => {
    const cells = cellsOf(sources, s, classes.length, isWeak(tally))
    for (const c of cells)
      if (c.p * cells.length * sources.names.length <= cellLevel) counts.set(c.given * classes.length + c.predicted, c.allCount)
  })
  return [...counts].sort(([a], [b]) => a - b).map(([cell, count]) => ({ cell, count }))
}

const nothing = (note: string): SourceResult => ({ findings: [], tests: [], notes: [note] })

const sum = (tables: readonly Float64Array[], at: number): number => tables.reduce((total, t) => total + (t[at] as number), 0)

/**
 * A cell stands out among the records that look like its class and among those with its label: a source with more records of one class
 * than the others has more of everything that looks like it, or more with its label, and never both without a change of labels.
 * @param weak it must stand out among the source's own disagreements too, as a model that errs more on harder records does so in all cells;
 *   and against sources that differ among themselves
 */
function cellsOf(sources: SourceCounts, s: number, k: number, weak: boolean): Cell[] {
  const cells: Cell[] = []
  const of = (tables: readonly Float64Array[]): Float64Array => tables[s] as Float64Array
  const [looks, labelled, deep] = [of(sources.predicted), of(sources.given), of(sources.deep)]
  const total = (table: Float64Array): number => table.reduce((all, n) => all + n, 0)
  const everywhere = sources.deep.reduce((all, table) => all + total(table), 0)
  for (let predicted = 0; predicted < k; predicted++) {
    if (looks[predicted] === 0) continue
    const allTotal = sum(sources.predicted, predicted)
    for (let given = 0; given < k; given++) {
      const cell = given * k + predicted
      const allCount = given === predicted ? 0 : sum(sources.deep, cell)
      if (allCount === 0) continue
      const count = deep[cell] as number
      const against = (all: number, own: number): number => hypergeometricUpper(count, all, allCount, own)
      let p = 1
      if (count > 0)
        p = Math.max(against(allTotal, looks[predicted] as number), against(sum(sources.given, given), labelled[given] as number))
      if (weak && count > 0) p = Math.max(p, against(everywhere, total(deep)))
      if (weak && p * k * (k - 1) <= cellLevel) p = Math.max(p, amongSources(sources, s, given, predicted))
      cells.push({ given, predicted, count, total: looks[predicted] as number, allCount, allTotal, p })
    }
  }
  return cells
}

/** Share of wrong alarms, over all cells of a source, for the rates of the others that their counts do rule out. */
const ruledOut = 0.005

/** p of the source's count where other sources have rates of their own (beta-binomial): two or three say too little of how they differ. */
function amongSources(
  { names, given: labelled, predicted: looks, deep }: SourceCounts,
  s: number,
  given: number,
  predicted: number,
): number {
  const k = (looks[s] as Float64Array).length
  const p = (trials: (source: number) => number): number => {
    const groups = names.map((_, i) => ({ trials: trials(i), successes: (deep[i] as Float64Array)[given * k + predicted] as number }))
    return Math.exp(rateModel(groups).logExcess(groups[s] as (typeof groups)[number], ruledOut / (k * (k - 1))))
  }
  return Math.max(
    p((i) => (looks[i] as Float64Array)[predicted] as number),
    p((i) => (labelled[i] as Float64Array)[given] as number),
  )
}

const percent = (x: number): string => `${(100 * x).toFixed(x < 0.01 ? 2 : 1)} %`

function finding(
  tally: LabelTally,
  name: string,
  s: number,
  cell: Cell,
  cells: readonly Cell[],
  test: string,
  top: readonly RecordRef[],
): Finding {
  const label = (c: number) => tally.classes[c] as string
  const sources = tally.sources as SourceCounts
  const k = tally.classes.length
  const others = cell.allTotal - cell.total
  const rate = others > 0 ? (cell.allCount - cell.count) / others : 0
  const excess = Math.max(1, Math.round(cell.count - rate * cell.total))
  const intervals = sources.names.map((n, i) => {
    const total = (sources.predicted[i] as Float64Array)[cell.predicted] as number
    const count = (sources.deep[i] as Float64Array)[cell.given * k + cell.predicted] as number
    const { low, high } = clopperPearson(count, total, level)
    return { name: n, count, total, estimate: total > 0 ? count / total : 0, low, high, marked: i === s }
  })
  const shown = [...intervals].sort((a, b) => Number(b.marked) - Number(a.marked) || b.low - a.low).slice(0, topSources)
  const excessCells = cells.filter((c) => c.p * cells.length <= cellLevel).sort((a, b) => a.p - b.p)
  const evidence: Evidence[] = [
    {
      kind: 'intervals',
      title: `Share labelled "${label(cell.given)}" among records that look like "${label(cell.predicted)}", by source`,
      level,
      expected: rate,
      items: shown,
    },
    {
      kind: 'table',
      title: `Class pairs that source "${name}" labels differently from the others`,
      columns: ['given label', 'looks like', 'records', 'of', 'all other sources', 'p before correction'],
      rows: excessCells
        .slice(0, 10)
        .map((c) => [
          label(c.given),
          label(c.predicted),
          c.count,
          c.total,
          percent((c.allCount - c.count) / Math.max(c.allTotal - c.total, 1)),
          c.p,
        ]),
    },
  ]
  const sure = tellsClassesApart(tally)
  return {
    rule: 'label-flip/source',
    severity: sure ? 'high' : 'review',
    confidence: sure ? 'high' : 'low',
    scope: { kind: 'source', names: [name, label(cell.given), label(cell.predicted)] },
    message: `Source "${name}" labels ${formatCount(cell.count)} of ${formatCount(cell.total)} records that look like "${label(cell.predicted)}" as "${label(cell.given)}" (${percent(cell.count / cell.total)}); all other sources do so in ${percent(rate)}: about ${excess} labels too many${sure ? '' : ', or its records are others: the model barely tells these classes apart'}.`,
    count: cell.count,
    records: top
      .filter((r) => r.source === name && r.givenLabel === label(cell.given) && r.suggestedLabel === label(cell.predicted))
      .slice(0, 20),
    evidence,
    test,
    action: `Hold back the records of source "${name}" with label "${label(cell.given)}", have a second reader label a sample of them, and ask the source how they were labelled.`,
  }
}
