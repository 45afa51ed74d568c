import { matrixOf } from '../../contracts/batch.ts'
import { categoriesOf, namesOfColumns } from '../../contracts/categories.ts'
import type { Batch } from '../../contracts/data.ts'
import { digest16 } from '../../math/hash.ts'

/** Columns of numbers, then columns of categories as keyed codes; NaN where a value is missing. */
export interface Columns {
  /** [rows, dims] */
  readonly data: Float64Array
  readonly rows: number
  readonly dims: number
  /** The first so many are numbers. */
  readonly numbers: number
  readonly names: readonly string[]
  /** The category behind a code of row i. */
  text(i: number, column: number): string
}

const utf8 = new TextDecoder()

/** The columns of a batch; null where it has neither numbers nor categories. */
export function columnsOf(batch: Batch, seed: Uint8Array): Columns | null {
  const features = matrixOf(batch, 'features')
  const categories = categoriesOf(batch)
  if (!features && !categories) return null
  const rows = batch.numRows
  const numbers = features?.dims ?? 0
  const dims = numbers + (categories?.dims ?? 0)
  const bytes = (i: number, column: number): Uint8Array => {
    if (!categories) return new Uint8Array(0)
    const at = i * categories.dims + column - numbers
    return categories.bytes.subarray(categories.offsets[at], categories.offsets[at + 1])
  }
  const data = new Float64Array(rows * dims)
  const codes = new Map<string, number>()
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < numbers; j++) data[i * dims + j] = features?.data[i * numbers + j] as number
    for (let j = numbers; j < dims; j++) {
      const cell = bytes(i, j)
      const key = Buffer.from(cell.buffer, cell.byteOffset, cell.length).toString('latin1')
      let code = codes.get(key)
      if (code === undefined) {
        code = key === '' ? Number.NaN : Buffer.from(digest16(seed, 'category', cell)).readUIntBE(0, 6)
        codes.set(key, code)
      }
      data[i * dims + j] = code
    }
  }
  return {
    data,
    rows,
    dims,
    numbers,
    names: [...namesOfColumns(batch, 'features'), ...namesOfColumns(batch, 'categories')],
    text: (i, column) => utf8.decode(bytes(i, column)),
  }
}
