import type { Data } from 'apache-arrow'
import type { Batch } from './data.ts'

/** A text column as it lies in memory: cell i is `values[offsets[i] .. offsets[i + 1]]`, UTF-8, of length 0 where it is missing. */
export interface TextCells {
  readonly values: Uint8Array
  readonly offsets: Int32Array
}

/** The cells of a text column without decoding them; null when the column is absent. Do not write to the result. */
export function textCellsOf(batch: Batch, name: 'text' | 'response'): TextCells | null {
  if (!batch.schema.fields.some((f) => f.name === name)) return null
  const data = batch.getChild(name as never)?.data[0] as (Data & { values: Uint8Array; valueOffsets: Int32Array }) | undefined
  return data ? { values: data.values, offsets: data.valueOffsets } : null
}
