import type { ZodObject } from 'zod'
import type { Random } from '../math/rng.ts'

/** Pixels as they are stored: height x width x channels, row-major, 0..`max`. Two and four channels end in alpha. */
export interface Raster {
  readonly data: Uint8Array | Uint16Array
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly max: number
}

/** What an attack may read and change of one record; null where the data set has no such field. */
export interface Fields {
  readonly label: string | null
  readonly source: string | null
  readonly text: string | null
  readonly response: string | null
  readonly pixels: Raster | null
  /** Numeric columns in the order of `Facts.columns`; NaN is a missing value. */
  readonly numbers: Float64Array | null
  /** Columns of categories in the order of `Facts.categories`; an empty text is a missing value. */
  readonly categories: readonly string[] | null
}

export type FieldName = keyof Fields
export type Shown = Pick<Fields, 'label' | 'source' | 'text' | 'response'>

/** Where a record stands: the shard's file, and the row within it. */
export interface Where {
  readonly shard: string
  readonly row: number
}

export interface Sampled {
  readonly where: Where
  readonly fields: Fields
}

/** What is known of the data set before any record is changed. */
export interface Facts {
  readonly rows: number
  /** Labels with their counts, in the order of the labels' code units. */
  readonly labels: readonly { readonly name: string; readonly count: number }[]
  /** Names of the numeric columns. */
  readonly columns: readonly string[]
  /** Names of the columns of categories. */
  readonly categories: readonly string[]
  /** Uniform sample of records, empty for attacks that ask for none; its order is that of the data. */
  readonly sample: readonly Sampled[]
}

/** Fields that get another value, and the record that they were taken from, where they were. */
export interface Change {
  readonly fields: Partial<Fields>
  readonly from?: Where
}

/**
 * A known attack as a function over records. Nothing in it reads files or the clock: the same plan, record and random numbers give
 * the same change, so that it works on a copy of a data set as well as on batches in memory.
 */
// biome-ignore lint/suspicious/noExplicitAny: options and plan are private to their attack
export interface Attack<Options = any, Plan = any> {
  readonly id: string
  /** One line for `assay inject --list`. */
  readonly title: string
  readonly family: 'label' | 'image' | 'tabular' | 'text'
  readonly options: ZodObject
  /** Fields that a record must have. */
  needs(options: Options): readonly FieldName[]
  /** Records that `prepare` wants to see. */
  readonly sample: number
  /** May this record be chosen? Its pixels and numbers are not shown. */
  eligible(options: Options, record: Shown): boolean
  /** Once a data set: draws the trigger. Throws InjectError where the options do not fit the data. */
  prepare(options: Options, facts: Facts, random: Random): Plan
  apply(plan: Plan, record: Fields, random: Random): Change
}

/** Binds the types of one attack's options and plan. */
export const defineAttack = <Options, Plan>(attack: Attack<Options, Plan>): Attack => attack
