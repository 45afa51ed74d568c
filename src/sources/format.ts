import type { Format, SourceSpec } from '../contracts/data.ts'

/** What the first rows say about a column: enough to guess its role. */
export interface ColumnSample {
  readonly name: string
  readonly type: string
  readonly kind: 'string' | 'integer' | 'number' | 'boolean' | 'list' | 'binary' | 'other' | 'empty'
  readonly rows: number
  readonly filled: number
  readonly distinct: number
  /** Length of the lists; null where the column holds none. */
  readonly dims: number | null
  /** Lists of numbers in 0..1 whose sum is 1. */
  readonly probabilities: boolean
  /** 0, 1, 2 ... or 1, 2, 3 ...: a position, not a measurement. */
  readonly counting: boolean
  /** Lists of turns of a conversation. */
  readonly chat?: boolean
  /** Raw pixels, where the format declares a shape. */
  readonly image?: { readonly height: number; readonly width: number; readonly channels: number }
}

/** A Format whose columns come with a sample. */
export interface SourceFormat extends Format {
  /** It is also read where the whole file is gzip. */
  readonly gzip?: boolean
  columns(path: string, spec: SourceSpec): Promise<readonly ColumnSample[]>
  /** The files behind the records, where there are more than the one. */
  files?(path: string, spec: SourceSpec): Promise<readonly string[]>
}
