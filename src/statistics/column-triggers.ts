import { matrix, selectColumns, withColumns } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { candidatesOf } from './column-triggers/candidates.ts'
import { inCell } from './column-triggers/cell.ts'
import { columnsOf } from './column-triggers/columns.ts'
import { confirm, type Tested } from './column-triggers/confirm.ts'
import { fitRest, fourierOf } from './column-triggers/rest-model.ts'
import { scalingOf, type Table } from './column-triggers/scaling.ts'
import { foldCount } from './label-model/solve-folds.ts'
import { type LabelSample, labelSample } from './label-sample.ts'

export interface ColumnTriggers {
  readonly classes: readonly string[]
  readonly rows: number
  /** Null: searched. Else why not. */
  readonly reason: string | null
  /** Share of the sample whose label all columns together say. */
  readonly accuracy: number
  /** Candidates that were tested. */
  readonly count: number
  /** Those with p up to .05, which is times the number tested of the label, smallest first; overlapping ones left out. */
  readonly tested: readonly Tested[]
  /** Smallest corrected p by class, 1 where there was no candidate: [K]. */
  readonly smallest: Float64Array
  /** Columns of which several values or intervals select labels against the rest: no trigger is sought in these. */
  readonly varied: readonly number[]
}

export interface ColumnTriggersOptions {
  /** Records of the sample. */
  readonly sample: number
}

export const columnTriggersId = (options: ColumnTriggersOptions): string => `column-triggers/${shortDigest({ ...options })}`

export const mostColumns = 256
export const mostClasses = 64
const leastRows = 200
const leastColumns = 3

const none = (sample: LabelSample, reason: string): ColumnTriggers => ({
  classes: sample.classes,
  rows: sample.rows,
  reason,
  accuracy: 0,
  count: 0,
  tested: [],
  smallest: new Float64Array(sample.classes.length).fill(1),
  varied: [],
})

/**
 * A labelled sample of the records; in `finish`, values, intervals and pairs of columns in which one label is more frequent than the
 * rest of the record says. Half of the sample proposes them, the other half tests them: association and contradiction.
 */
export function columnTriggers(options: ColumnTriggersOptions): Statistic {
  const sample = labelSample({ over: 'subject', size: options.sample, folds: foldCount })
  return {
    ...sample,
    id: columnTriggersId(options),
    version: 3,
    init: (c: Context) => ({ ...sample.init(c), numbers: 0 }),
    async update(c: Context, state, batch: Batch) {
      const columns = columnsOf(batch, c.seed)
      if (!columns) return
      state.numbers = columns.numbers
      const rest = selectColumns(batch, new Set(['row', 'label', 'key', 'content']))
      await sample.update(c, state, withColumns(rest, { features: matrix(columns) }))
    },
    merge(into, from) {
      into.numbers = Math.max(into.numbers, from.numbers)
      sample.merge(into, from)
    },
    finish: async (c: Context, state) => search((await sample.finish(c, state)) as LabelSample, state.numbers, c.seed),
    bytes: (shape: Shape) => sample.bytes({ ...shape, dims: shape.dims + (shape.categories ?? 0) }),
  }
}

async function search(sample: LabelSample, numbers: number, seed: Uint8Array): Promise<ColumnTriggers> {
  const { rows, dims, classes } = sample
  if (classes.length < 2) return none(sample, 'fewer than two classes have labelled records')
  if (classes.length > mostClasses) return none(sample, `${classes.length} classes: at most ${mostClasses} are searched`)
  if (dims > mostColumns) return none(sample, `${dims} columns: at most ${mostColumns} are searched`)
  if (dims < leastColumns) return none(sample, `${dims} columns: ${leastColumns} are needed, one for the trigger and two for the rest`)
  if (rows < leastRows) return none(sample, `${rows} labelled records: ${leastRows} are needed`)
  const table: Table = { data: sample.vectors, rows, dims, numbers, labels: sample.labels, folds: sample.folds, classes: classes.length }
  if (sample.folds.every((f) => f === sample.folds[0])) return none(sample, 'all records have the same content')
  const scaling = scalingOf(table)
  const fourier = fourierOf(rows, scaling.width, seed)
  const full = await fitRest(table, scaling, fourier, [], null)
  // The sample is in the order of keyed digests: every other record is a random half.
  const halfA = Int32Array.from({ length: Math.ceil(rows / 2) }, (_, i) => 2 * i)
  const halfB = Int32Array.from({ length: Math.floor(rows / 2) }, (_, i) => 2 * i + 1)
  const inB = Uint8Array.from({ length: rows }, (_, i) => i % 2)
  const { candidates, varied } = await candidatesOf(table, halfA, full)
  const tested: Tested[] = []
  for (const candidate of candidates) tested.push(await confirm(table, halfB, inB, scaling, fourier, candidate))
  const counts = classes.map((_, t) => tested.filter((c) => c.label === t).length)
  const corrected = tested.map((c) => ({ ...c, p: Math.min(1, c.p * (counts[c.label] as number)) })).sort((a, b) => a.p - b.p)
  const smallest = Float64Array.from(classes, (_, t) => corrected.find((c) => c.label === t)?.p ?? 1)
  return {
    classes,
    rows,
    reason: null,
    accuracy: accuracyOf(table, full.scores),
    count: tested.length,
    tested: distinct(table, corrected),
    smallest,
    varied,
  }
}

function accuracyOf({ rows, labels, classes: k }: Table, scores: Float64Array): number {
  let right = 0
  for (let i = 0; i < rows; i++) {
    const row = scores.subarray(i * k, (i + 1) * k)
    if (row.indexOf(Math.max(...row)) === labels[i]) right++
  }
  return right / rows
}

const mostKept = 20
const worthKeeping = 0.05

/** Strong ones whose records are not mostly those of a stronger one. */
function distinct(table: Table, tested: readonly Tested[]): Tested[] {
  const kept: { readonly one: Tested; readonly rows: ReadonlySet<number> }[] = []
  for (const one of tested) {
    if (kept.length >= mostKept || one.p > worthKeeping) break
    const rows = new Set<number>()
    for (let i = 0; i < table.rows; i++) if (table.labels[i] === one.label && inCell(one.cell, table.data, table.dims, i)) rows.add(i)
    const overlaps = kept.some((k) => [...rows].filter((i) => k.rows.has(i)).length > 0.3 * Math.min(rows.size, k.rows.size))
    if (!overlaps) kept.push({ one, rows })
  }
  return kept.map(({ one }) => one)
}
