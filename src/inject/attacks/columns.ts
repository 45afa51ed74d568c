import type { Facts, Fields } from '../attack.ts'
import { InjectError } from '../errors.ts'

/** Position of a numeric column by its name. */
export function columnAt(facts: Facts, name: string, option: string): number {
  const at = facts.columns.indexOf(name)
  if (at >= 0) return at
  const names = facts.columns.slice(0, 12).map((column) => JSON.stringify(column))
  throw new InjectError(
    'missing-field',
    `option ${option}: no numeric column ${JSON.stringify(name)} among the features`,
    facts.columns.length ? `columns: ${names.join(', ')}${facts.columns.length > 12 ? ', ...' : ''}` : 'the data have no numeric features',
  )
}

/** Sorted values of one column in the sample, without missing ones; throws where there are none. */
export function valuesOf(facts: Facts, at: number): Float64Array {
  const values = facts.sample.map(({ fields }) => fields.numbers?.[at] ?? Number.NaN).filter((v) => !Number.isNaN(v))
  if (values.length === 0) throw new InjectError('missing-field', `column ${JSON.stringify(facts.columns[at])} has no values`)
  return Float64Array.from(values).sort()
}

export const quantile = (sorted: Float64Array, q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] as number

/** The record's numbers with some of them replaced. */
export function withNumbers(record: Fields, changes: readonly (readonly [number, number])[]): Pick<Fields, 'numbers'> {
  const numbers = Float64Array.from(record.numbers as Float64Array)
  for (const [at, value] of changes) numbers[at] = value
  return { numbers }
}

export const isWhole = (values: Float64Array): boolean => values.every((v) => Number.isInteger(v))
