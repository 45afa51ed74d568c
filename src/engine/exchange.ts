import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import { mkdir, open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { matrix, withColumns } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Answered, Exchange, Routed, Sent } from '../contracts/exchange.ts'
import { BucketWriter, readBucket, removeBuckets } from './buckets.ts'
import { EngineError } from './errors.ts'
import { layout, readAll, readJson, writeJson } from './files.ts'
import type { ShardFacts, Tick } from './fit.ts'
import type { Run } from './run.ts'
import { readSpool } from './spool.ts'

/** Bytes of a place before what is sent. */
export const placeBytes = 8
const rowsOfShards = 2 ** 32
/** Shard and 0-based row in the spool as one number. */
export const placeOf = (shard: number, row: number): number => shard * rowsOfShards + row

async function exchanging(run: Run) {
  const planned = await run.exchanging()
  if (!planned) throw new Error('there is no exchange')
  return planned
}

/** Sends copies of the rows of one group to their buckets. Does nothing when it was done. */
export async function routeGroup(run: Run, group: number, tick: Tick): Promise<void> {
  const target = layout.routed(group)
  if (run.done(target)) return
  const { exchange, context } = await exchanging(run)
  const { buckets, width } = exchange.layout(context)
  const writer = await BucketWriter.create(run.path(target), placeBytes + width, buckets)
  try {
    for (const shard of run.plan.subject.groups[group] as readonly number[]) {
      let first = 0
      for await (const batch of readSpool(run.path(layout.spool('subject', shard)))) {
        const routed = await exchange.route(context, batch)
        await send(writer, routed, width, (row) => placeOf(shard, first + row))
        first += batch.numRows
        tick(batch.numRows)
      }
    }
    await writer.close()
  } catch (error) {
    await writer.abandon().catch(() => {})
    throw error
  }
}

export async function send(writer: BucketWriter, routed: Routed, width: number, place: (row: number) => number): Promise<void> {
  const { rows, buckets, wants, payload } = routed
  for (let i = 0; i < rows.length; i++) {
    await writer.add(buckets[i] as number, (into, at) => {
      new DataView(into.buffer).setFloat64(at, wants[i] ? place(rows[i] as number) : -1, true)
      into.set(payload.subarray(i * width, (i + 1) * width), at + placeBytes)
    })
  }
}

/** Places and payload of records that were written with their places. */
export function received(bytes: Uint8Array, width: number): Sent {
  const count = bytes.length / (placeBytes + width)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const places = new Float64Array(count)
  const payload = new Uint8Array(count * width)
  for (let i = 0; i < count; i++) {
    const at = i * (placeBytes + width)
    places[i] = view.getFloat64(at, true)
    payload.set(bytes.subarray(at + placeBytes, at + placeBytes + width), i * width)
  }
  return { places, payload }
}

/** Works every `of`-th bucket from `share` and writes the answers where the rows will find them. */
export async function workBuckets(run: Run, share: number, of: number): Promise<void> {
  const target = layout.worked(share)
  if (run.done(target)) return
  const { exchange, context } = await exchanging(run)
  const { buckets, width } = exchange.layout(context)
  const answers = new AnswerFiles(run, exchange)
  try {
    for (let bucket = share; bucket < buckets; bucket += of) {
      const read = async function* () {
        for (const group of run.plan.subject.groups.keys())
          for await (const bytes of readBucket(run.path(layout.routed(group)), bucket, placeBytes + width)) yield received(bytes, width)
      }
      for await (const answered of exchange.work(context, read)) await answers.write(answered)
    }
  } finally {
    answers.close()
  }
  await writeJson(run.path(target), { answered: answers.count })
}

/** Answers at the places of their rows, a file a shard. */
export class AnswerFiles {
  private readonly files = new Map<number, number>()
  count = 0

  constructor(
    private readonly run: Run,
    private readonly exchange: Exchange,
  ) {}

  async write({ places, values }: Answered): Promise<void> {
    const width = this.exchange.answers
    const order = [...places.keys()].sort((a, b) => (places[a] as number) - (places[b] as number))
    for (const i of order) {
      const shard = Math.floor((places[i] as number) / rowsOfShards)
      const row = (places[i] as number) % rowsOfShards
      writeSync(await this.file(shard), values, i * width * 4, width * 4, row * width * 4)
    }
    this.count += places.length
  }

  private async file(shard: number): Promise<number> {
    const known = this.files.get(shard)
    if (known !== undefined) return known
    const path = this.run.path(layout.answers(shard))
    await mkdir(dirname(path), { recursive: true })
    await (await open(path, 'a')).close()
    const opened = openSync(path, 'r+')
    this.files.set(shard, opened)
    return opened
  }

  close(): void {
    for (const file of this.files.values()) closeSync(file)
    this.files.clear()
  }
}

/** Every row has its answer: marks the exchange as done. @throws EngineError `row-count` */
export async function finishExchange(run: Run, shares: number): Promise<void> {
  if (run.done(layout.exchanged)) return
  let answered = 0
  for (let share = 0; share < shares; share++)
    answered += (await readJson<{ readonly answered: number }>(run.path(layout.worked(share)))).answered
  let rows = 0
  for (const group of run.plan.subject.groups.keys())
    for (const facts of await readJson<ShardFacts[]>(run.path(layout.facts('subject', group)))) rows += facts.rows
  if (answered !== rows) throw new EngineError('row-count', `${answered} answers for ${rows} rows of the exchange`, 2)
  await writeJson(run.path(layout.exchanged), { rows })
  for (const group of run.plan.subject.groups.keys()) await removeBuckets(run.path(layout.routed(group)))
}

/** The batches of a shard of the subject with the column `neighbours`, where the exchange has been done. */
export async function* withAnswers(run: Run, shard: number, batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
  const exchange = run.exchange?.exchange
  if (!exchange || !run.done(layout.exchanged) || !existsSync(run.path(layout.answers(shard)))) {
    yield* batches
    return
  }
  const file = await open(run.path(layout.answers(shard)), 'r')
  try {
    let first = 0
    for await (const batch of batches) {
      const width = exchange.answers * 4
      const values = new Float32Array((await readAll(file, first * width, batch.numRows * width)).buffer)
      first += batch.numRows
      yield answeredBatch(batch, values, exchange)
    }
  } finally {
    await file.close()
  }
}

const answeredBatch = (batch: Batch, data: Float32Array, { answers }: Exchange): Batch =>
  withColumns(batch, { neighbours: matrix({ data, rows: batch.numRows, dims: answers }) })
