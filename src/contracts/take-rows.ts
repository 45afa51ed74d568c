import { type Data, DataType, makeData, type Utf8, type Vector } from 'apache-arrow'
import { assemble, binary, chunk, dictionary, matrix, texts, utf8 } from './batch.ts'
import type { Batch } from './data.ts'

/** The named rows of a batch, in the order of `rows`; fields keep their metadata. */
export function takeRows(batch: Batch, rows: Int32Array): Batch {
  const fields = batch.schema.fields
  const children = fields.map((f) => takeData(chunk(batch, f.name) as Data, rows))
  return assemble(fields, children, rows.length)
}

function takeData(data: Data, rows: Int32Array): Data {
  const { type } = data
  if (DataType.isFixedSizeList(type) && DataType.isUtf8(data.children[0]?.type)) {
    const { values, valueOffsets } = data.children[0] as Data<Utf8>
    const size = type.listSize
    const cells = Array.from({ length: rows.length * size }, (_, at) => {
      const from = (rows[Math.floor(at / size)] as number) * size + (at % size)
      return Buffer.from(values.subarray(valueOffsets[from], valueOffsets[from + 1])).toString('utf8')
    })
    return texts(cells, size)
  }
  if (DataType.isFixedSizeList(type)) {
    const all = (data.children[0] as Data).values as Float64Array
    const size = type.listSize
    const taken = new (all.constructor as Float64ArrayConstructor)(rows.length * size)
    for (let i = 0; i < rows.length; i++) {
      const from = (data.offset + (rows[i] as number)) * size
      taken.set(all.subarray(from, from + size), i * size)
    }
    return matrix({ data: taken, rows: rows.length, dims: size })
  }
  if (DataType.isFixedSizeBinary(type)) {
    const taken = new Uint8Array(rows.length * type.byteWidth)
    for (let i = 0; i < rows.length; i++) {
      const from = (data.offset + (rows[i] as number)) * type.byteWidth
      taken.set((data.values as Uint8Array).subarray(from, from + type.byteWidth), i * type.byteWidth)
    }
    return makeData({ type, length: rows.length, nullCount: 0, data: taken })
  }
  const valid = (row: number): boolean => data.nullCount === 0 || data.getValid(row)
  if (DataType.isDictionary(type)) {
    const values = [...(data.dictionary as Vector<Utf8>)].map((v) => v ?? '')
    const codes = rows.map((r) => (valid(r) ? ((data.values as Int32Array)[r] as number) : -1))
    return dictionary({ codes, values }, type.id)
  }
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    const { values, valueOffsets } = data as Data & { values: Uint8Array; valueOffsets: Int32Array }
    const cells = Array.from(rows, (r) => (valid(r) ? values.subarray(valueOffsets[r], valueOffsets[r + 1]) : null))
    return DataType.isBinary(type)
      ? binary(cells)
      : utf8(cells.map((c) => c && Buffer.from(c.buffer, c.byteOffset, c.byteLength).toString('utf8')))
  }
  const all = data.values as Uint32Array
  return makeData({
    type,
    length: rows.length,
    nullCount: 0,
    data: (all.constructor as Uint32ArrayConstructor).from(rows, (r) => all[r] as number),
  } as never)
}
