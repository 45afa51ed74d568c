import type { Data, FixedSizeList, Utf8 } from 'apache-arrow'
import { chunk } from './batch.ts'
import type { Batch } from './data.ts'

/** Texts of several columns, row-major: cell j of row i is `bytes[offsets[i * dims + j]..offsets[i * dims + j + 1]]`, empty where missing. */
export interface CategoryCells {
  readonly bytes: Uint8Array
  readonly offsets: Int32Array
  readonly rows: number
  readonly dims: number
}

/** The column `categories` without a copy; null when it is absent. */
export function categoriesOf(batch: Batch): CategoryCells | null {
  const data = chunk(batch, 'categories')
  if (!data) return null
  const child = data.children[0] as Data<Utf8>
  return { bytes: child.values, offsets: child.valueOffsets, rows: data.length, dims: (data.type as FixedSizeList).listSize }
}

/** Names of the columns that `features` or `categories` were made of; none where the column is absent. */
export function namesOfColumns(batch: Batch, name: 'features' | 'categories'): readonly string[] {
  const field = batch.schema.fields.find((f) => f.name === name)
  return JSON.parse(field?.metadata.get('names') ?? '[]') as string[]
}
