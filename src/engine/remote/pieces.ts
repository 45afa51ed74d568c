import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  Binary,
  Field,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  RecordBatchReader,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import { EngineError } from '../errors.ts'

/**
 * What a row between workers is: part of a mergeable state, of a file of the partition's run directory, of a snapshot, of what goes to
 * a bucket of the exchange, or the last one.
 */
export const pieceKinds = ['state', 'file', 'segment', 'sent', 'end'] as const
export type PieceKind = (typeof pieceKinds)[number]

/**
 * One row of what a worker answers. `part`: partition, or group of partitions once merged. `seq`: 0-based position among the
 * pieces of the same `name`. `rowsIn` and `digest`: rows and SHA-256 of the stream that the worker read.
 */
export interface Piece {
  readonly part: number
  readonly kind: PieceKind
  readonly name: string
  readonly seq: number
  readonly rowsIn: number
  readonly digest: string
  readonly bytes: Uint8Array
}

/** Bytes of one piece: engines hold a hundred rows and more at a time on their way to a driver. */
export const pieceBytes = 128 << 10

/** Cuts what is named `name` into pieces; what is empty is one empty piece. */
export function* cut(bytes: Uint8Array, of: Omit<Piece, 'seq' | 'bytes'>): Generator<Piece> {
  for (let at = 0, seq = 0; at === 0 || at < bytes.length; at += pieceBytes, seq++)
    yield { ...of, seq, bytes: bytes.subarray(at, at + pieceBytes) }
}

const fields = [
  new Field('part', new Int32(), false),
  new Field('kind', new Utf8(), false),
  new Field('name', new Utf8(), false),
  new Field('seq', new Int32(), false),
  new Field('rows_in', new Int64(), false),
  new Field('digest', new Utf8(), false),
  new Field('bytes', new Binary(), false),
]
const schema = new Schema(fields)

function toBatch(p: Piece): RecordBatch {
  const columns = [
    vectorFromArray([p.part], new Int32()),
    vectorFromArray([p.kind], new Utf8()),
    vectorFromArray([p.name], new Utf8()),
    vectorFromArray([p.seq], new Int32()),
    vectorFromArray([BigInt(p.rowsIn)], new Int64()),
    vectorFromArray([p.digest], new Utf8()),
  ].map((v) => v.data[0])
  const bytes = makeData({
    type: new Binary(),
    length: 1,
    nullCount: 0,
    valueOffsets: Int32Array.of(0, p.bytes.length),
    data: p.bytes,
  })
  const children = [...columns, bytes] as never
  return new RecordBatch(schema, makeData({ type: new Struct(fields), length: 1, nullCount: 0, children }) as never)
}

const encode = (batches: readonly RecordBatch[]): Uint8Array => {
  const writer = new RecordBatchStreamWriter()
  writer.reset(undefined, schema)
  for (const batch of batches) writer.write(batch)
  writer.finish()
  return writer.toUint8Array(true)
}

/** Four bytes of continuation and four of length zero: the end of a stream (Arrow columnar format, "IPC Streaming Format"). */
const endBytes = 8

/** Writes the pieces as one Arrow IPC stream, as fast as they are taken. */
export async function writePieces(pieces: AsyncIterable<Piece>, output: Writable): Promise<void> {
  const empty = encode([])
  const head = empty.length - endBytes
  async function* messages() {
    yield empty.subarray(0, head)
    for await (const piece of pieces) yield encode([toBatch(piece)]).subarray(head, -endBytes)
    yield empty.subarray(head)
  }
  await pipeline(Readable.from(messages(), { highWaterMark: 2 }), output)
}

const damaged = (why: string): never => {
  throw new EngineError('state-unreadable', `what came in on standard input is damaged: ${why}`, 2, {}, 'run the step again')
}

/** The pieces of an Arrow IPC stream with the columns of `writePieces`, one record batch in memory at a time. @throws EngineError */
export async function* readPieces(input: Readable): AsyncGenerator<Piece> {
  try {
    const reader = (await RecordBatchReader.from(input)) as unknown as RecordBatchReader & AsyncIterable<RecordBatch>
    await reader.open()
    if (!reader.schema) damaged('it is no Arrow IPC stream')
    for await (const batch of reader) yield* piecesOf(batch)
  } catch (error) {
    if (error instanceof EngineError) throw error
    damaged(error instanceof Error ? error.message : String(error))
  }
}

function* piecesOf(batch: RecordBatch): Generator<Piece> {
  const column = (name: string) => batch.getChild(name) ?? damaged(`no column ${name}`)
  const [part, kind, name, seq] = ['part', 'kind', 'name', 'seq'].map(column) as [never, never, never, never]
  const [rowsIn, digest, bytes] = ['rows_in', 'digest', 'bytes'].map(column) as [never, never, never]
  const at = <T>(vector: { get(i: number): unknown }, i: number) => vector.get(i) as T
  for (let i = 0; i < batch.numRows; i++) {
    const k = at<string>(kind, i)
    if (!pieceKinds.some((known) => known === k)) damaged(`a row of kind ${JSON.stringify(k)}`)
    yield {
      part: Number(at(part, i)),
      kind: k as PieceKind,
      name: at(name, i),
      seq: Number(at(seq, i)),
      rowsIn: Number(at(rowsIn, i)),
      digest: at(digest, i),
      bytes: at(bytes, i),
    }
  }
}

/** Pieces that follow one another, put together again. Consecutive pieces of one `part`, `kind` and `name` must count from 0. */
export async function* joined(pieces: AsyncIterable<Piece>): AsyncGenerator<Piece> {
  let first: Piece | null = null
  let parts: Uint8Array[] = []
  const whole = (of: Piece): Piece => ({ ...of, bytes: parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts) })
  for await (const piece of pieces) {
    const goesOn = first && piece.part === first.part && piece.kind === first.kind && piece.name === first.name && piece.seq > 0
    if (goesOn && piece.seq !== parts.length) damaged(`piece ${piece.seq} of ${piece.name} after ${parts.length - 1}`)
    if (!goesOn) {
      if (piece.seq !== 0) damaged(`${piece.name} begins with piece ${piece.seq}`)
      if (first) yield whole(first)
      first = piece
      parts = []
    }
    parts.push(piece.bytes.slice())
  }
  if (first) yield whole(first)
}
