import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Exchange } from '../../contracts/exchange.ts'
import type { Context } from '../../contracts/statistic.ts'
import { BucketWriter, readBucket } from '../buckets.ts'
import { EngineError } from '../errors.ts'
import { AnswerFiles, placeBytes, placeOf, received, routeGroup } from '../exchange.ts'
import { layout, writeJson } from '../files.ts'
import { Run } from '../run.ts'
import { cut, type Piece, pieceBytes, readPieces } from './pieces.ts'

/** Partition and row as one number: partitions are the shards of a cluster. */
const partOf = (place: number): number => Math.floor(place / placeOf(1, 0))

async function exchanging(run: Run): Promise<{ readonly exchange: Exchange; readonly context: Context }> {
  const planned = await run.exchanging()
  if (!planned) throw new EngineError('state-mismatch', 'this run has no exchange, or what it rests on has failed', 2)
  return planned
}

const bucketName = (bucket: number): string => String(bucket).padStart(8, '0')

/** What one partition sends to each bucket, with the places of its rows. */
export async function* sentPieces(run: Run, { part, rowsIn, digest }: Pick<Piece, 'part' | 'rowsIn' | 'digest'>): AsyncGenerator<Piece> {
  // What it rests on has failed, or there is too little to compare: the records stay as they are.
  const planned = await run.exchanging()
  const { buckets, width } = planned?.exchange.layout(planned.context) ?? { buckets: 0, width: 0 }
  if (buckets === 0) return
  await routeGroup(run, 0, () => {})
  for (let bucket = 0; bucket < buckets; bucket++) {
    let seq = 0
    for await (const bytes of readBucket(run.path(layout.routed(0)), bucket, placeBytes + width)) {
      setPart(bytes, placeBytes + width, part)
      const step = Math.max(1, Math.floor(pieceBytes / (placeBytes + width))) * (placeBytes + width)
      for (let at = 0; at < bytes.length; at += step)
        yield { part, kind: 'sent', name: bucketName(bucket), seq: seq++, rowsIn, digest, bytes: bytes.subarray(at, at + step) }
    }
  }
}

/** A partition numbers its one shard 0. */
function setPart(bytes: Uint8Array, width: number, part: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; at += width) {
    const place = view.getFloat64(at, true)
    if (place >= 0) view.setFloat64(at, placeOf(part, place), true)
  }
}

/**
 * Answers for what came to buckets, ordered by name: a piece of each partition's file of answers. A bucket at a time is on the local
 * disk. @throws EngineError
 */
export async function* worked(modelDir: string, input: Readable): AsyncGenerator<Piece> {
  const run = await Run.open(modelDir)
  const { exchange, context } = await exchanging(run)
  const { width } = exchange.layout(context)
  const dir = await mkdtemp(join(tmpdir(), 'assay-bucket-'))
  const file = join(dir, 'bucket.bin')
  let count = 0
  try {
    for await (const bucket of bucketsOf(input, file, placeBytes + width)) {
      const read = async function* () {
        for await (const bytes of readBucket(file, 0, placeBytes + width)) yield received(bytes, width)
      }
      for (const [part, bytes] of await answersByPart(exchange, context, read)) {
        const name = `exchange/answered-${bucket}.bin`
        for (const piece of cut(bytes, { part, kind: 'file', name, rowsIn: 0, digest: '' })) {
          count++
          yield piece
        }
      }
    }
    yield { part: 0, rowsIn: 0, digest: '', kind: 'end', name: '', seq: count, bytes: new Uint8Array(0) }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** Writes what follows one another under one name to the file, and then gives the name. */
async function* bucketsOf(input: Readable, file: string, width: number): AsyncGenerator<string> {
  let name = ''
  let writer: BucketWriter | null = null
  for await (const piece of readPieces(input)) {
    if (piece.kind !== 'sent') continue
    if (piece.bytes.length % width !== 0) throw new EngineError('state-unreadable', `what came to bucket ${piece.name} is cut`, 2)
    if (piece.name !== name) {
      if (piece.name < name) throw new EngineError('state-mismatch', `bucket ${piece.name} after ${name}`, 2)
      if (writer) {
        await writer.close()
        yield name
      }
      name = piece.name
      writer = await BucketWriter.create(file, width, 1)
    }
    for (let at = 0; at < piece.bytes.length; at += width)
      await writer?.add(0, (into, to) => into.set(piece.bytes.subarray(at, at + width), to))
  }
  if (!writer) return
  await writer.close()
  yield name
}

/** By partition: row as a double, then the values, of each answer. */
async function answersByPart(
  exchange: Exchange,
  context: Context,
  read: Parameters<Exchange['work']>[1],
): Promise<ReadonlyMap<number, Uint8Array>> {
  const width = placeBytes + exchange.answers * 4
  const found = new Map<number, Uint8Array[]>()
  for await (const { places, values } of exchange.work(context, read)) {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    places.forEach((place, i) => {
      const answer = new Uint8Array(width)
      new DataView(answer.buffer).setFloat64(0, place % placeOf(1, 0), true)
      answer.set(bytes.subarray(i * exchange.answers * 4, (i + 1) * exchange.answers * 4), placeBytes)
      const list = found.get(partOf(place))
      if (list) list.push(answer)
      else found.set(partOf(place), [answer])
    })
  }
  return new Map([...found].sort(([a], [b]) => a - b).map(([part, list]) => [part, new Uint8Array(Buffer.concat(list))]))
}

/** Answers that came for one partition. Each of its rows must have one. */
export class Answers {
  private open: AnswerFiles | null = null
  /** What of an answer the last piece left over. */
  private rest = new Uint8Array(0)

  constructor(private readonly run: Run) {}

  async add(bytes: Uint8Array): Promise<void> {
    const exchange = this.run.exchange?.exchange
    if (!exchange) throw new EngineError('state-mismatch', 'answers of an exchange that this run does not have', 2)
    this.open ??= new AnswerFiles(this.run, exchange)
    const all = new Uint8Array(Buffer.concat([this.rest, bytes]))
    const { places, payload } = received(
      all.subarray(0, all.length - (all.length % (placeBytes + exchange.answers * 4))),
      exchange.answers * 4,
    )
    this.rest = all.slice(places.length * (placeBytes + exchange.answers * 4))
    await this.open.write({ places, values: new Float32Array(payload.buffer) })
  }

  /** @throws EngineError where a row has no answer */
  async close(rows: number): Promise<void> {
    if (!this.open) return
    this.open.close()
    if (this.open.count !== rows || this.rest.length > 0)
      throw new EngineError('state-mismatch', `${this.open.count} answers of the exchange for ${rows} rows`, 2)
    await writeJson(this.run.path(layout.exchanged), { rows })
  }
}
