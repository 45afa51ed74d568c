import { codesOf, column, matrixOf } from '../contracts/batch.ts'
import { categoriesOf, namesOfColumns } from '../contracts/categories.ts'
import type { Batch } from '../contracts/data.ts'
import type { Codes } from '../contracts/detector.ts'
import { rawImages } from '../features/image-column.ts'
import type { Fields, Shown } from './attack.ts'
import { decodeRaster } from './pictures.ts'

export interface FieldReader {
  readonly rows: number
  readonly columns: readonly string[]
  readonly categories: readonly string[]
  shown(i: number, texts: boolean): Shown
  id(i: number): string | null
  /** The encoded picture; null where pictures are raw pixels. */
  encoded(i: number): Uint8Array | null
  fields(i: number, pixels: boolean): Promise<Fields>
}

const textOf = (codes: Codes | null, i: number): string | null => {
  const code = codes?.codes[i] ?? -1
  return code < 0 ? null : (codes?.values[code] ?? null)
}

/** The records of a batch as attacks see them. */
export function fieldReader(batch: Batch): FieldReader {
  const [label, source] = [codesOf(batch, 'label'), codesOf(batch, 'source')]
  const [ids, texts, responses] = (['id', 'text', 'response'] as const).map((name) => column(batch, name))
  const numbers = matrixOf(batch, 'features')
  const cells = categoriesOf(batch)
  const cellText = (at: number): string =>
    Buffer.from(cells?.bytes.subarray(cells.offsets[at], cells.offsets[at + 1]) ?? []).toString('utf8')
  const raw = rawImages(batch)
  const images = raw ? null : column(batch, 'image')
  const cell = (vector: typeof ids, i: number): string | null => (vector?.get(i) as string | null | undefined) ?? null
  const shown = (i: number, withTexts: boolean): Shown => ({
    label: textOf(label, i),
    source: textOf(source, i),
    text: withTexts ? cell(texts, i) : null,
    response: withTexts ? cell(responses, i) : null,
  })
  const encoded = (i: number): Uint8Array | null => (images?.get(i) as Uint8Array | null | undefined) ?? null
  return {
    rows: batch.numRows,
    columns: namesOfColumns(batch, 'features'),
    categories: namesOfColumns(batch, 'categories'),
    shown,
    id: (i) => cell(ids, i),
    encoded,
    async fields(i, pixels) {
      const file = pixels ? encoded(i) : null
      const plain = pixels && raw ? raw(i) : null
      return {
        ...shown(i, true),
        numbers: numbers ? Float64Array.from(numbers.data.subarray(i * numbers.dims, (i + 1) * numbers.dims) as Float64Array) : null,
        categories: cells ? Array.from({ length: cells.dims }, (_, j) => cellText(i * cells.dims + j)) : null,
        pixels: plain
          ? { ...plain, data: Uint8Array.from(plain.data), max: 255 }
          : file
            ? await decodeRaster(Uint8Array.from(file), cell(ids, i) ?? 'a record')
            : null,
      }
    },
  }
}
