import type { Data } from 'apache-arrow'
import { column, fixedBinary16, matrixOf, withColumns } from '../contracts/batch.ts'
import { categoriesOf } from '../contracts/categories.ts'
import type { Batch } from '../contracts/data.ts'
import { digest16 } from '../math/hash.ts'

/** Columns that say what a record is, its labels apart. */
const contentColumns = ['text', 'response', 'image', 'embedding', 'features', 'categories', 'predictions'] as const

const bytesOf = (values: ArrayBufferView, from: number, to: number): Uint8Array => {
  const size = (values as unknown as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT
  return new Uint8Array(values.buffer, values.byteOffset + from * size, (to - from) * size)
}

/** One reader a column: the bytes of row i. */
function readers(batch: Batch): ((i: number) => Uint8Array)[] {
  const out: ((i: number) => Uint8Array)[] = []
  for (const name of contentColumns) {
    const vector = column(batch, name)
    if (!vector) continue
    const categories = name === 'categories' ? categoriesOf(batch) : null
    if (categories) {
      const { bytes, offsets, dims } = categories
      for (let j = 0; j < dims; j++) out.push((i) => bytes.subarray(offsets[i * dims + j], offsets[i * dims + j + 1]))
      continue
    }
    const list = name === 'text' || name === 'response' || name === 'categories' ? null : matrixOf(batch, name)
    if (list) out.push((i) => bytesOf(list.data, i * list.dims, (i + 1) * list.dims))
    else {
      const { values, valueOffsets } = vector.data[0] as Data & { values: Uint8Array; valueOffsets: Int32Array }
      out.push((i) => values.subarray(valueOffsets[i], valueOffsets[i + 1]))
    }
  }
  return out
}

const join = (parts: readonly Uint8Array[]): Uint8Array => {
  const lengths = new Uint8Array(new Uint32Array(parts.map((p) => p.length)).buffer)
  return Buffer.concat([lengths, ...parts])
}

/**
 * Adds `content`, the keyed digest of the record without its label, and `key`, that of its id where it has one, else `content`.
 * Keyed, so that whoever chooses ids or contents does not choose the sample or the fold.
 */
export function addKeys(batch: Batch, seed: Uint8Array): Batch {
  const n = batch.numRows
  const content = new Uint8Array(n * 16)
  const read = readers(batch)
  const only = read.length === 1 ? read[0] : null
  for (let i = 0; i < n; i++) content.set(digest16(seed, 'content', only ? only(i) : join(read.map((r) => r(i)))), i * 16)
  // Not the same bytes twice: apache-arrow joins buffers that overlap when it writes a batch.
  return withColumns(batch, { content: fixedBinary16(content), key: fixedBinary16(idKeys(batch, seed) ?? content.slice()) })
}

/** `rows` x 16 bytes: keyed digests of the ids, that of the empty string where an id is missing; null without an id column. */
export function idKeys(batch: Batch, seed: Uint8Array): Uint8Array | null {
  const vector = column(batch, 'id')
  if (!vector) return null
  const { values, valueOffsets } = vector.data[0] as Data & { values: Uint8Array; valueOffsets: Int32Array }
  const keys = new Uint8Array(batch.numRows * 16)
  for (let i = 0; i < batch.numRows; i++) keys.set(digest16(seed, 'id', values.subarray(valueOffsets[i], valueOffsets[i + 1])), i * 16)
  return keys
}
