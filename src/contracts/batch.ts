import {
  Binary,
  type Data,
  DataType,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  Uint8,
  Uint32,
  Utf8,
  type Vector,
} from 'apache-arrow'
import type { Batch } from './data.ts'
import type { Codes } from './detector.ts'
import type { PixelRows } from './pixel-rows.ts'

/** Row-major, `rows` x `dims`. */
export interface Matrix<T = Float32Array | Float64Array> {
  readonly data: T
  readonly rows: number
  readonly dims: number
}

const hasColumn = (batch: Batch, name: string): boolean => batch.schema.fields.some((f) => f.name === name)

export const column = (batch: Batch, name: string): Vector | null => (hasColumn(batch, name) ? batch.getChild(name as never) : null)

// Arrow moves the value buffers of a slice to its first row already: `offset` counts for the null bitmap alone.
/** The single chunk behind a column of a record batch. */
export const chunk = (batch: Batch, name: string): Data | null => column(batch, name)?.data[0] ?? null

const decoded = new WeakMap<Vector<Utf8>, readonly string[]>()

/** A dictionary's strings, decoded once. */
function words(dictionary: Vector<Utf8>): readonly string[] {
  let values = decoded.get(dictionary)
  if (!values) {
    values = [...dictionary].map((v) => v ?? '')
    decoded.set(dictionary, values)
  }
  return values
}

/** Labels or sources as codes into `values`, -1 where null; null when the column is absent. Do not write to the result. */
export function codesOf(batch: Batch, name: 'label' | 'source'): Codes | null {
  const data = chunk(batch, name)
  if (!data) return null
  const values = data.dictionary ? words(data.dictionary as Vector<Utf8>) : []
  let codes = (data.values as Int32Array).subarray(0, data.length)
  if (data.nullCount > 0) {
    codes = codes.slice()
    for (let i = 0; i < codes.length; i++) if (!data.getValid(i)) codes[i] = -1
  }
  return { codes, values }
}

/** A fixed-size list column as one matrix without a copy; null when the column is absent. */
export function matrixOf(
  batch: Batch,
  name: 'embedding' | 'features' | 'predictions' | 'image' | 'pixels' | 'noise' | 'neighbours',
): Matrix<Float32Array | Float64Array | Uint8Array> | null {
  const data = chunk(batch, name)
  if (!data || !DataType.isFixedSizeList(data.type)) return null
  const dims = data.type.listSize
  const child = data.children[0] as Data
  const values = child.values as Float32Array | Float64Array | Uint8Array
  return { data: values.subarray(0, data.length * dims), rows: data.length, dims }
}

/** Texts as UTF-8 without a copy: row i is `bytes[offsets[i]..offsets[i + 1]]`, empty where missing; null when the column is absent. */
export function textBytes(batch: Batch, name: 'text' | 'response'): { readonly bytes: Uint8Array; readonly offsets: Int32Array } | null {
  const data = chunk(batch, name)
  if (!data) return null
  return { bytes: data.values as Uint8Array, offsets: data.valueOffsets as Int32Array }
}

/** `embedding` where there is one, else `features`: what the detectors that need a vector read. */
export const vectorsOf = (batch: Batch): Matrix | null => (matrixOf(batch, 'embedding') ?? matrixOf(batch, 'features')) as Matrix | null

/** 0-based rows within the shard's file. */
export const rowsOf = (batch: Batch): Uint32Array => {
  const data = chunk(batch, 'row') as Data
  return (data.values as Uint32Array).subarray(0, data.length)
}

/** `rows` x 16 bytes, a view. */
export const keysOf = (batch: Batch, name: 'key' | 'content'): Uint8Array | null => {
  const data = chunk(batch, name)
  return data ? (data.values as Uint8Array).subarray(0, data.length * 16) : null
}

const listField = (child: DataType): Field => new Field('item', child, false)

/** Variable-length cells in one buffer, each put there by `write`; apache-arrow's own builders are an order of magnitude slower. */
function packed<T>(
  cells: readonly (T | null)[],
  lengthOf: (cell: T) => number,
  write: (into: Buffer, cell: T, at: number) => void,
): {
  valueOffsets: Int32Array
  data: Uint8Array
  nullBitmap?: Uint8Array
  nullCount: number
} {
  const valueOffsets = new Int32Array(cells.length + 1)
  let nullBitmap: Uint8Array | undefined
  let nullCount = 0
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as T | null
    valueOffsets[i + 1] = (valueOffsets[i] as number) + (cell === null ? 0 : lengthOf(cell))
    if (cell !== null) continue
    nullBitmap ??= new Uint8Array(Math.ceil(cells.length / 64) * 8).fill(255)
    nullBitmap[i >> 3] = (nullBitmap[i >> 3] as number) & ~(1 << (i & 7))
    nullCount++
  }
  const data = new Uint8Array(valueOffsets[cells.length] as number)
  const into = Buffer.from(data.buffer)
  for (let i = 0; i < cells.length; i++) {
    const cell = cells[i] as T | null
    if (cell !== null) write(into, cell, valueOffsets[i] as number)
  }
  return { valueOffsets, data, ...(nullBitmap ? { nullBitmap } : {}), nullCount }
}

export const utf8 = (values: readonly (string | null)[]): Data<Utf8> =>
  makeData({
    type: new Utf8(),
    length: values.length,
    ...packed(
      values,
      (text) => Buffer.byteLength(text),
      (into, text, at) => into.write(text, at),
    ),
  })

export const matrix = (m: Matrix<Float32Array | Float64Array | Uint8Array>): Data<FixedSizeList> => {
  const child =
    m.data instanceof Float64Array
      ? makeData({ type: new Float64(), data: m.data })
      : m.data instanceof Float32Array
        ? makeData({ type: new Float32(), data: m.data })
        : makeData({ type: new Uint8(), data: m.data })
  return makeData({
    type: new FixedSizeList(m.dims, listField(child.type)),
    length: m.rows,
    nullCount: 0,
    child,
  }) as unknown as Data<FixedSizeList>
}

/** Row-major cells, `dims` side by side, empty where missing. */
export const texts = (values: readonly string[], dims: number): Data<FixedSizeList> => {
  const child = utf8(values)
  return makeData({
    type: new FixedSizeList(dims, listField(child.type)),
    length: values.length / dims,
    nullCount: 0,
    child,
  }) as unknown as Data<FixedSizeList>
}

export const uint32 = (values: Uint32Array): Data<Uint32> => makeData({ type: new Uint32(), data: values })

export const fixedBinary16 = (bytes: Uint8Array): Data<FixedSizeBinary> =>
  makeData({ type: new FixedSizeBinary(16), length: bytes.length / 16, nullCount: 0, data: bytes })

export const binary = (values: readonly (Uint8Array | null)[]): Data<Binary> =>
  makeData({
    type: new Binary(),
    length: values.length,
    ...packed(
      values,
      (bytes) => bytes.length,
      (into, bytes, at) => into.set(bytes, at),
    ),
  })

/** Codes of -1 become null. */
export const dictionary = (c: Codes, dictionaryId: number): Data<Dictionary<Utf8, Int32>> => {
  const length = c.codes.length
  let nullBitmap: Uint8Array | undefined
  let nullCount = 0
  for (let i = 0; i < length; i++) {
    if ((c.codes[i] as number) >= 0) continue
    nullBitmap ??= new Uint8Array(Math.ceil(length / 64) * 8).fill(255)
    nullBitmap[i >> 3] = (nullBitmap[i >> 3] as number) & ~(1 << (i & 7))
    nullCount++
  }
  const values = nullCount ? c.codes.map((v) => Math.max(v, 0)) : c.codes
  const type = new Dictionary(new Utf8(), new Int32(), dictionaryId)
  const words = makeVector(utf8(c.values))
  return makeData({ type, length, nullCount, ...(nullBitmap ? { nullBitmap } : {}), data: values, dictionary: words }) as Data<
    Dictionary<Utf8, Int32>
  >
}

/** Label and source dictionaries keep these ids in every file that Assay writes. */
export const dictionaryIds = { label: 1, source: 2 } as const

export interface BatchColumns {
  readonly row: Uint32Array
  readonly id?: readonly (string | null)[]
  readonly text?: readonly (string | null)[]
  readonly response?: readonly (string | null)[]
  readonly time?: readonly (string | null)[]
  readonly url?: readonly (string | null)[]
  readonly digest?: readonly (string | null)[]
  readonly label?: Codes
  readonly source?: Codes
  readonly embedding?: Matrix
  readonly predictions?: Matrix
  readonly features?: Matrix<Float64Array> & { readonly names: readonly string[] }
  /** `rows` x `names.length`, row-major, empty where missing. */
  readonly categories?: { readonly values: readonly string[]; readonly names: readonly string[] }
  readonly image?:
    | readonly (Uint8Array | null)[]
    | (Matrix<Uint8Array> & { readonly height: number; readonly width: number; readonly channels: number })
  readonly pixels?: PixelRows
  readonly noise?: Matrix<Float32Array>
}

const metadata = (entries: Record<string, Json1>): Map<string, string> =>
  new Map(Object.entries(entries).map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)]))
type Json1 = string | number | readonly string[]

/** The only way to make a batch: every source, feature and test goes through here. */
export function makeBatch(columns: BatchColumns): Batch {
  const fields: Field[] = []
  const children: Data[] = []
  const add = (name: string, data: Data, meta?: Map<string, string>): void => {
    fields.push(new Field(name, data.type, data.nullCount > 0, meta))
    children.push(data)
  }
  add('row', uint32(columns.row))
  for (const name of ['id', 'text', 'response', 'time', 'url', 'digest'] as const) {
    const values = columns[name]
    if (values) add(name, utf8(values))
  }
  for (const name of ['label', 'source'] as const) {
    const codes = columns[name]
    if (codes) add(name, dictionary(codes, dictionaryIds[name]))
  }
  if (columns.embedding) add('embedding', matrix(columns.embedding))
  if (columns.predictions) add('predictions', matrix(columns.predictions))
  if (columns.features) add('features', matrix(columns.features), metadata({ names: columns.features.names }))
  if (columns.categories) {
    const { values, names } = columns.categories
    add('categories', texts(values, names.length), metadata({ names }))
  }
  if (columns.image) {
    if ('dims' in columns.image) {
      const { height, width, channels } = columns.image
      add('image', matrix(columns.image), metadata({ height, width, channels }))
    } else add('image', binary(columns.image))
  }
  if (columns.noise) add('noise', matrix(columns.noise))
  if (columns.pixels) {
    const { data, rows, height, width, channels } = columns.pixels
    add('pixels', matrix({ data, rows, dims: height * width * channels }), metadata({ height, width, channels }))
  }
  return assemble(fields, children, columns.row.length)
}

export const assemble = (fields: Field[], children: Data[], length: number, facts?: Map<string, string>): Batch =>
  new RecordBatch(new Schema(fields, facts), makeData({ type: new Struct(fields), length, nullCount: 0, children }) as never)

/** The same batch with columns added or replaced; `entries` are the metadata of added ones. */
export function withColumns(
  batch: Batch,
  added: Readonly<Record<string, Data>>,
  entries: Readonly<Record<string, Record<string, Json1>>> = {},
): Batch {
  const fields = batch.schema.fields.filter((f) => !(f.name in added))
  const children = fields.map((f) => chunk(batch, f.name) as Data)
  for (const [name, data] of Object.entries(added)) {
    fields.push(new Field(name, data.type, data.nullCount > 0, entries[name] && metadata(entries[name])))
    children.push(data)
  }
  return assemble(fields, children, batch.numRows)
}

/** The same batch with only the named columns, in the order of the batch. */
export function selectColumns(batch: Batch, names: ReadonlySet<string>): Batch {
  const fields = batch.schema.fields.filter((f) => names.has(f.name))
  return assemble(
    fields,
    fields.map((f) => chunk(batch, f.name) as Data),
    batch.numRows,
  )
}
