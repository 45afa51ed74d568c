import { type BatchColumns, type Matrix, makeBatch } from '../contracts/batch.ts'
import { type Cells, type Chunk, type ChunkTap, invalidUtf8, type Lists } from '../contracts/chunk.ts'
import type { Batch, ColumnMap, IssueSink, Json, Role, RowIssueCode } from '../contracts/data.ts'
import type { Codes } from '../contracts/detector.ts'
import { cellAt } from './cells.ts'
import { chatCells, joinedCells } from './chat.ts'
import { SourceError } from './errors.ts'
import { imageKind } from './image-kind.ts'
import { codesFrom, textsFrom } from './labels.ts'
import { limits } from './limits.ts'
import { gather, sideBySide, vectorsFrom } from './matrix.ts'

/** What `list.ts` decided about the roles of a shard, beside the options of its format. */
export interface RoleOptions {
  readonly columns: ColumnMap
  readonly dims: { readonly embedding?: number; readonly predictions?: number }
  readonly classes: readonly string[] | null
  readonly image: { readonly height: number; readonly width: number; readonly channels: number } | null
  /** Chunks go to the tap and to nobody else. */
  readonly tapOnly?: boolean
}

export const rolesOf = (options: { readonly [key: string]: Json }): RoleOptions => options.roles as unknown as RoleOptions

const textRoles = ['id', 'text', 'response', 'time', 'url', 'digest'] as const

export const namesOf = (columns: ColumnMap, role: Role): readonly string[] => {
  const names = columns[role]
  return names === undefined ? [] : typeof names === 'string' ? [names] : names
}

/** Every column that some role reads, each once, in the order of roles. */
export const usedColumns = (columns: ColumnMap): readonly string[] => [
  ...new Set(Object.values(columns).flatMap((names) => (names === undefined ? [] : typeof names === 'string' ? [names] : names))),
]

/** Shows the chunk to the tap, and makes a batch of it where somebody wants one. */
export function handOver(chunk: Chunk, roles: RoleOptions, file: string, issue: IssueSink, tap: ChunkTap | undefined): Batch | null {
  if (chunk.rows.length > 0) tap?.(chunk)
  return roles.tapOnly ? null : assemble(chunk, roles, file, issue)
}

/**
 * Rows of a chunk as one batch; null when every row is rejected. A row is rejected at most once, and a rejected row reports
 * nothing else. Batches are cut to size by the caller.
 */
export function assemble(chunk: Chunk, roles: RoleOptions, file: string, issue: IssueSink): Batch | null {
  const rows = chunk.rows.length
  if (rows === 0) return null
  let rejected: Uint8Array | null = null
  const place = (i: number) => ({ row: chunk.rows[i] as number, ...(chunk.lines ? { line: chunk.lines(i) } : {}) })
  const reject = (i: number, code: RowIssueCode, column: string, detail?: string): void => {
    rejected ??= new Uint8Array(rows)
    if (rejected[i]) return
    rejected[i] = 1
    issue({ code, ...place(i), column, ...(detail ? { detail } : {}), rejected: true })
  }
  const missing: { code: RowIssueCode; column: string; rows: number[]; detail?: string }[] = []
  const columnsOf = (role: Role): { names: readonly string[]; cells: Cells[] } | null => {
    const names = namesOf(roles.columns, role)
    if (names.length === 0) return null
    return { names, cells: names.map((n) => chunk.columns.get(n) ?? absent(n, file)) }
  }

  const out: { -readonly [K in keyof BatchColumns]: BatchColumns[K] } = { row: chunk.rows }
  for (const role of ['embedding', 'predictions'] as const) {
    const found = columnsOf(role)
    const dims = roles.dims[role] ?? 0
    if (found) out[role] = vectorsFrom(found.cells, rows, dims, (i, code, c, detail) => reject(i, code, found.names[c] as string, detail))
  }
  const features = columnsOf('features')
  if (features) out.features = featuresFrom(features, rows, reject, missing)
  const categories = columnsOf('categories')
  if (categories) out.categories = categoriesFrom(categories, rows, reject, missing)
  const image = columnsOf('image')
  if (image) out.image = imagesFrom(image.cells[0] as Cells, image.names[0] as string, rows, roles, reject)
  for (const role of ['label', 'source'] as const) {
    const found = columnsOf(role)
    if (!found) continue
    const name = found.names[0] as string
    const empty: number[] = []
    out[role] = codesFrom(found.cells[0] as Cells, rows, role === 'label' ? roles.classes : null, empty, (i, code, detail) =>
      reject(i, code, name, detail),
    )
    if (empty.length) missing.push({ code: role === 'label' ? 'missing-label' : 'missing-value', column: name, rows: empty })
  }
  for (const role of textRoles) {
    const found = columnsOf(role)
    if (!found) continue
    const name = found.names[0] as string
    const empty: number[] = []
    const long = role === 'text' || role === 'response'
    const limit = long ? limits.textLength : limits.nameLength
    const sides = long ? found.cells.map((c) => chatCells(c, role)) : found.cells
    const cells = sides.length > 1 ? joinedCells(sides, rows, cellAt) : (sides[0] as Cells)
    out[role] = textsFrom(cells, rows, limit, empty, (i, code, detail) => reject(i, code, name, detail))
    if (empty.length) missing.push({ code: role === 'id' ? 'missing-id' : 'missing-value', column: name, rows: empty })
  }

  const drop = rejected as Uint8Array | null
  for (const m of missing) {
    for (const i of m.rows) {
      if (!drop?.[i]) issue({ code: m.code, ...place(i), column: m.column, ...(m.detail ? { detail: m.detail } : {}), rejected: false })
    }
  }
  return drop ? compact(out, drop) : makeBatch(out)
}

const absent = (name: string, file: string): never => {
  throw new SourceError('mixed-schema', `${file}: no column ${JSON.stringify(name)}`, { file, column: name })
}

function featuresFrom(
  found: { names: readonly string[]; cells: Cells[] },
  rows: number,
  reject: (i: number, code: RowIssueCode, column: string, detail?: string) => void,
  missing: { code: RowIssueCode; column: string; rows: number[] }[],
): Matrix<Float64Array> & { names: readonly string[] } {
  const list = found.cells.length === 1 && found.cells[0]?.kind === 'lists' ? (found.cells[0] as Lists) : null
  const m = list?.dims
    ? { data: Float64Array.from(list.data as ArrayLike<number | bigint>, Number), rows, dims: list.dims }
    : sideBySide(found.cells, rows, (i, code, c, detail) => reject(i, code, found.names[c] as string, detail))
  const names = list?.dims ? Array.from({ length: list.dims }, (_, j) => `${found.names[0]}[${j}]`) : found.names
  const empty = new Map<number, number[]>()
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < m.dims; j++) {
      const v = m.data[i * m.dims + j] as number
      if (v - v === 0) continue
      if (!Number.isNaN(v)) reject(i, 'non-finite', names[j] as string, 'infinite')
      else (empty.get(j) ?? empty.set(j, []).get(j))?.push(i)
    }
  }
  for (const [j, at] of empty) missing.push({ code: 'missing-value', column: names[j] as string, rows: at })
  return { ...m, names }
}

function categoriesFrom(
  { names, cells }: { names: readonly string[]; cells: Cells[] },
  rows: number,
  reject: (i: number, code: RowIssueCode, column: string, detail?: string) => void,
  missing: { code: RowIssueCode; column: string; rows: number[] }[],
): NonNullable<BatchColumns['categories']> {
  const values = new Array<string>(rows * names.length).fill('')
  names.forEach((name, j) => {
    const empty: number[] = []
    const column = textsFrom(cells[j] as Cells, rows, limits.nameLength, empty, (i, code, detail) => reject(i, code, name, detail))
    column.forEach((value, i) => {
      values[i * names.length + j] = value ?? ''
    })
    if (empty.length) missing.push({ code: 'missing-value', column: name, rows: empty })
  })
  return { values, names }
}

function imagesFrom(
  cells: Cells,
  name: string,
  rows: number,
  roles: RoleOptions,
  reject: (i: number, code: RowIssueCode, column: string, detail?: string) => void,
): NonNullable<BatchColumns['image']> {
  if (cells.kind === 'lists' && cells.dims && cells.data instanceof Uint8Array && roles.image) {
    return { data: cells.data, rows, dims: cells.dims, ...roles.image }
  }
  const images: (Uint8Array | null)[] = []
  for (let i = 0; i < rows; i++) {
    const value = cells.kind === 'values' ? cells.values[i] : undefined
    const bytes = value instanceof Uint8Array ? value : null
    images.push(bytes)
    if (value === null || value === undefined) reject(i, 'undecodable-image', name, 'no image')
    else if (value === invalidUtf8 || !bytes) reject(i, 'wrong-type', name, 'not the bytes of an image')
    else if (bytes.length === 0) reject(i, 'undecodable-image', name, 'empty')
    else if (bytes.length > limits.imageBytes) reject(i, 'too-long', name, `${bytes.length} bytes`)
    else if (!imageKind(bytes)) reject(i, 'undecodable-image', name, 'not PNG, JPEG, WebP, TIFF or DICOM')
  }
  return images
}

function compact(columns: BatchColumns, drop: Uint8Array): Batch | null {
  const keep = new Uint32Array(drop.length)
  let n = 0
  for (let i = 0; i < drop.length; i++) if (!drop[i]) keep[n++] = i
  if (n === 0) return null
  const kept = keep.subarray(0, n)
  const codes = (c: Codes): Codes => ({ codes: Int32Array.from(kept, (i) => c.codes[i] as number), values: c.values })
  const out: { -readonly [K in keyof BatchColumns]: BatchColumns[K] } = { row: Uint32Array.from(kept, (i) => columns.row[i] as number) }
  for (const role of textRoles) {
    const values = columns[role]
    if (values) out[role] = Array.from(kept, (i) => values[i] ?? null)
  }
  for (const role of ['label', 'source'] as const) if (columns[role]) out[role] = codes(columns[role])
  if (columns.embedding) out.embedding = gather(columns.embedding, kept)
  if (columns.predictions) out.predictions = gather(columns.predictions, kept)
  if (columns.features) out.features = { ...gather(columns.features, kept), names: columns.features.names }
  if (columns.categories) {
    const { values, names } = columns.categories
    out.categories = { values: Array.from(kept).flatMap((i) => values.slice(i * names.length, (i + 1) * names.length)), names }
  }
  if (columns.image) {
    const image = columns.image
    out.image = 'dims' in image ? { ...image, ...gather(image, kept) } : Array.from(kept, (i) => image[i] ?? null)
  }
  return makeBatch(out)
}
