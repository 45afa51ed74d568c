import type { FileHandle } from 'node:fs/promises'
import { readExactly, readInto } from './bytes.ts'
import { SourceError } from './errors.ts'
import { limits } from './limits.ts'

/** One message of an IPC stream: where it stands in the file, with its prefix and its body. */
export interface Block {
  readonly offset: number
  readonly bytes: number
  /** Rows of a record batch, 0 for a schema or a dictionary. */
  readonly rows: number
}

export interface Messages {
  /** The random access format, with a footer. */
  readonly file: boolean
  /** Schema and dictionaries, in order. A file keeps its schema in the footer. */
  readonly head: readonly Block[]
  readonly batches: readonly Block[]
}

/** `Union` among the types of Schema.fbs: the only one with a vector inside. */
const unionType = 14

const kinds = { schema: 1, dictionary: 2, batch: 3 } as const

/** What may be wrong inside a message; the reader turns it into a SourceError with the place. */
const broken = (what: string): never => {
  throw new Error(what)
}

/**
 * A bounds-checked look into a FlatBuffers table (the encoding of Arrow's metadata). The library that decodes the metadata
 * trusts lengths and counts: here every one is held against the bytes that are there, and the tables visited are counted.
 */
class Table {
  constructor(
    private readonly view: DataView,
    private readonly at: number,
    private readonly budget: { left: number },
  ) {
    if (--budget.left < 0) broken('too many tables')
    if (at < 0 || at + 4 > view.byteLength) broken('table out of range')
    const vtable = at - view.getInt32(at, true)
    if (vtable < 0 || vtable + 4 > view.byteLength) broken('table out of range')
    const size = view.getUint16(vtable, true)
    if (size < 4 || vtable + size > view.byteLength) broken('table out of range')
  }

  static root(view: DataView): Table {
    if (view.byteLength < 8) broken('too short')
    return new Table(view, view.getUint32(0, true), { left: 200_000 })
  }

  private field(index: number, width: number): number | null {
    const vtable = this.at - this.view.getInt32(this.at, true)
    const slot = 4 + 2 * index
    if (slot + 2 > this.view.getUint16(vtable, true)) return null
    const offset = this.view.getUint16(vtable + slot, true)
    if (offset === 0) return null
    if (this.at + offset + width > this.view.byteLength) return broken('field out of range')
    return this.at + offset
  }

  byte(index: number): number {
    const at = this.field(index, 1)
    return at === null ? 0 : this.view.getUint8(at)
  }

  short(index: number): number {
    const at = this.field(index, 2)
    return at === null ? 0 : this.view.getInt16(at, true)
  }

  /** A non-negative 64-bit count. */
  long(index: number): number {
    const at = this.field(index, 8)
    const n = at === null ? 0 : Number(this.view.getBigInt64(at, true))
    if (!Number.isSafeInteger(n) || n < 0) return broken('a negative or impossible count')
    return n
  }

  table(index: number): Table | null {
    const at = this.field(index, 4)
    return at === null ? null : new Table(this.view, at + this.view.getUint32(at, true), this.budget)
  }

  vector(index: number, width: number): { at: number; length: number } | null {
    const field = this.field(index, 4)
    if (field === null) return null
    const at = field + this.view.getUint32(field, true)
    if (at + 4 > this.view.byteLength) return broken('vector out of range')
    const length = this.view.getUint32(at, true)
    if (at + 4 + length * width > this.view.byteLength) return broken('vector out of range')
    this.budget.left -= Math.ceil((length * width) / 1024)
    return { at: at + 4, length }
  }

  tables(index: number): Table[] {
    const v = this.vector(index, 4)
    if (!v) return []
    return Array.from({ length: v.length }, (_, i) => {
      const at = v.at + 4 * i
      return new Table(this.view, at + this.view.getUint32(at, true), this.budget)
    })
  }

  /** Pairs of 64-bit numbers: field nodes and buffers, 16 bytes each; blocks of a footer take 24. */
  structs(index: number, width: number): [number, number][] {
    const v = this.vector(index, width)
    if (!v) return []
    return Array.from({ length: v.length }, (_, i) => {
      const at = v.at + width * i
      const [a, b] = [Number(this.view.getBigInt64(at, true)), Number(this.view.getBigInt64(at + 8, true))]
      if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b) || a < 0 || (width === 16 && b < 0))
        broken('a negative or impossible offset')
      return [a, b]
    })
  }

  longs(index: number): number[] {
    const v = this.vector(index, 8)
    return v ? Array.from({ length: v.length }, (_, i) => Number(this.view.getBigInt64(v.at + 8 * i, true))) : []
  }
}

function checkFields(fields: readonly Table[], depth: number): void {
  if (depth > 32) broken('types nested too deep')
  for (const field of fields) {
    field.vector(0, 1)
    const type = field.table(3)
    if (!type) broken('a field without a type')
    if (field.byte(2) === unionType) type?.vector(1, 4)
    field.table(4)?.table(1)
    for (const pair of field.tables(6)) {
      pair.vector(0, 1)
      pair.vector(1, 1)
    }
    checkFields(field.tables(5), depth + 1)
  }
}

function checkSchema(schema: Table): void {
  if (schema.short(0) === 1) broken('big-endian data, which is not read')
  checkFields(schema.tables(1), 0)
  for (const pair of schema.tables(2)) {
    pair.vector(0, 1)
    pair.vector(1, 1)
  }
}

function checkBatch(batch: Table, body: number): number {
  const rows = batch.long(0)
  const nodes = batch.structs(1, 16)
  const buffers = batch.structs(2, 16)
  const compressed = batch.table(3) !== null
  const possible = (compressed ? 256 : 1) * 8 * body
  if (rows > 2 ** 32 - 1 || (rows > possible && rows > 0 && buffers.length > 0)) broken(`${rows} rows in ${body} bytes`)
  if (nodes.some(([length, nulls]) => nulls > length || length > 2 ** 32)) broken('a column longer than it can be')
  if (nodes[0] && nodes[0][0] !== rows) broken('a column of another length than its batch')
  if (buffers.some(([offset, length]) => offset + length > body)) broken('a buffer outside of its message')
  if (batch.longs(4).some((n) => n < 0 || n > buffers.length)) broken('more buffers than there are')
  return rows
}

/** Kind, rows and body length of the metadata of one message, everything in it held against its bounds. */
export function checkMessage(metadata: Uint8Array, maxBody: number): { kind: number; rows: number; body: number } {
  const message = Table.root(new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength))
  const kind = message.byte(1)
  const body = message.long(3)
  const header = message.table(2)
  if (!header || body > maxBody) return broken('cut off')
  for (const pair of message.tables(4)) {
    pair.vector(0, 1)
    pair.vector(1, 1)
  }
  if (kind === kinds.schema) {
    checkSchema(header)
    return { kind, rows: 0, body }
  }
  if (kind === kinds.dictionary) {
    const data = header.table(1)
    if (!data) return broken('an empty dictionary')
    checkBatch(data, body)
    return { kind, rows: 0, body }
  }
  if (kind === kinds.batch) return { kind, rows: checkBatch(header, body), body }
  return broken('a message of another kind than schema, dictionary and batch')
}

const magic = Buffer.from('ARROW1')

export const isArrowFile = (head: Uint8Array): boolean => magic.equals(head.subarray(0, 6))

/** A stream begins with a continuation mark and a schema of plausible length. */
export const isArrowStream = (head: Uint8Array): boolean =>
  head.length >= 8 &&
  head[0] === 0xff &&
  head[1] === 0xff &&
  head[2] === 0xff &&
  head[3] === 0xff &&
  head[7] === 0 &&
  (head[4] ?? 0) % 8 === 0

type Fail = (code: 'truncated' | 'corrupt', what: string) => never

const failAt =
  (path: string, offset: number): Fail =>
  (code, what) => {
    throw new SourceError(
      code,
      `${path}: Arrow message at byte ${offset}: ${what}`,
      { file: path, offset },
      'fetch or write the file again',
    )
  }

/** The message at `offset`, nothing of which may lie beyond `end`; null at the mark that ends a stream. */
async function messageAt(handle: FileHandle, path: string, offset: number, end: number): Promise<(Block & { kind: number }) | null> {
  const fail: Fail = failAt(path, offset)
  const prefix = Buffer.alloc(8)
  if ((await readInto(handle, prefix, offset)) < 4) return fail('truncated', 'cut off')
  const marked = prefix.readUInt32LE(0) === 0xffffffff
  const length = marked ? prefix.readInt32LE(4) : prefix.readInt32LE(0)
  const skip = marked ? 8 : 4
  if (length === 0) return null
  if (length < 0 || length > limits.messageBytes) return fail('corrupt', `metadata of ${length} bytes`)
  if (offset + skip + length > end) return fail('truncated', `${length} bytes of metadata, ${end - offset - skip} are left`)
  const metadata = await readExactly(handle, path, offset + skip, length)
  try {
    const found = checkMessage(metadata, end - offset - skip - length)
    const bytes = skip + length + found.body
    if (bytes > limits.messageBytes) return fail('corrupt', `${bytes} bytes in one message`)
    return { offset, bytes, rows: found.rows, kind: found.kind }
  } catch (e) {
    if (e instanceof SourceError) throw e
    const reason = (e as Error).message
    return fail(reason === 'cut off' ? 'truncated' : 'corrupt', reason)
  }
}

async function fileMessages(handle: FileHandle, path: string, size: number): Promise<Messages> {
  const tail = await readExactly(handle, path, Math.max(0, size - 10), Math.min(10, size))
  const length = tail.length === 10 ? tail.readInt32LE(0) : 0
  if (!magic.equals(tail.subarray(4)) || length <= 0 || length > size - 18) {
    throw new SourceError(
      'truncated',
      `${path}: an Arrow file without its footer`,
      { file: path, offset: size },
      'fetch or write the file again',
    )
  }
  const end = size - 10 - length
  const footer = await readExactly(handle, path, end, length)
  let blocks: { offset: number; kind: number }[] = []
  try {
    const root = Table.root(new DataView(footer.buffer, footer.byteOffset, footer.byteLength))
    const schema = root.table(1)
    if (!schema) return broken('no schema')
    checkSchema(schema)
    blocks = [
      ...root.structs(2, 24).map(([offset]) => ({ offset, kind: kinds.dictionary })),
      ...root.structs(3, 24).map(([offset]) => ({ offset, kind: kinds.batch })),
    ]
  } catch (e) {
    failAt(path, end)('corrupt', `footer: ${(e as Error).message}`)
  }
  const head: Block[] = []
  const batches: Block[] = []
  for (const { offset, kind } of blocks) {
    const message = await messageAt(handle, path, offset, end)
    if (message?.kind !== kind) return failAt(path, offset)('corrupt', 'not the message that the footer lists')
    ;(kind === kinds.batch ? batches : head).push(message)
  }
  return { file: true, head, batches }
}

/**
 * The messages of an Arrow IPC file or stream (format version 4 and 5), their metadata checked, their bodies unread.
 * Throws SourceError `truncated` or `corrupt` with the offset of the message.
 */
export async function messagesOf(handle: FileHandle, path: string): Promise<Messages> {
  const { size } = await handle.stat()
  const start = Buffer.alloc(8)
  await readInto(handle, start, 0)
  if (isArrowFile(start)) return fileMessages(handle, path, size)
  const head: Block[] = []
  const batches: Block[] = []
  let offset = 0
  while (offset < size) {
    const message = await messageAt(handle, path, offset, size)
    if (!message) break
    if ((message.kind === kinds.schema) !== (head.length === 0)) failAt(path, offset)('corrupt', 'the schema is not the first message')
    ;(message.kind === kinds.batch ? batches : head).push(message)
    offset += message.bytes
  }
  if (head.length === 0) failAt(path, 0)('corrupt', 'no schema')
  return { file: false, head, batches }
}
