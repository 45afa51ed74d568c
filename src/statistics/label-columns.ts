import { codesOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { StatisticError } from './label-census.ts'

/** The prediction column of each record's label, -1 where it has none. */
export type LabelColumns = (batch: Batch, columns: number) => Int32Array

/**
 * With `classes`, a label's column is its place among them; without, labels must be column numbers 0..K-1.
 * @throws StatisticError `unknown-label`, `class-count`
 */
export function labelColumns(classes: readonly string[] | null): LabelColumns {
  const place = classes && new Map(classes.map((c, i) => [c, i]))
  return (batch, columns) => {
    if (place && place.size !== columns) {
      throw new StatisticError(
        'class-count',
        `\`classes\` names ${place.size} classes, the predictions have ${columns} columns`,
        4,
        {},
        'name every column once, in order',
      )
    }
    const label = codesOf(batch, 'label')
    if (!label) return new Int32Array(batch.numRows).fill(-1)
    const used = new Uint8Array(label.values.length)
    for (const c of label.codes) if (c >= 0) used[c] = 1
    const map = label.values.map((value, i) => (used[i] ? columnOf(value, columns, place) : -1))
    const columnsOf = new Int32Array(label.codes.length)
    for (let i = 0; i < columnsOf.length; i++) {
      const c = label.codes[i] as number
      columnsOf[i] = c < 0 ? -1 : (map[c] as number)
    }
    return columnsOf
  }
}

function columnOf(value: string, columns: number, place: ReadonlyMap<string, number> | null): number {
  const at = place ? place.get(value) : /^\d{1,9}$/.test(value) ? Number(value) : undefined
  if (at !== undefined && at < columns) return at
  const shown = JSON.stringify(value.slice(0, 80))
  throw place
    ? new StatisticError(
        'unknown-label',
        `the label ${shown} is none of the declared classes`,
        2,
        { column: 'label' },
        'add it to `classes`, or correct the label',
      )
    : new StatisticError(
        'unknown-label',
        `the label ${shown} is not the number of one of the ${columns} prediction columns`,
        2,
        { column: 'label' },
        'say which column is which: detectors: { label-flip: { classes: [first, second, ...] } }',
      )
}

/** Every batch and shard must have the same number of prediction columns. @throws StatisticError `class-count` */
export function requireColumns(before: number, now: number): void {
  if (before === 0 || before === now) return
  throw new StatisticError('class-count', `predictions of ${before} and of ${now} columns in one data set`, 2, {}, 'audit them separately')
}

export const classNames = (classes: readonly string[] | null, columns: number): string[] =>
  classes ? [...classes] : Array.from({ length: columns }, (_, i) => String(i))
