import { column, keysOf, matrixOf, rowsOf } from '../contracts/batch.ts'
import type { Batch, ShardSpec } from '../contracts/data.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { addKeys } from '../engine/keys.ts'
import type { Run } from '../engine/run.ts'
import { thumbnail } from '../features/thumbnail.ts'
import { oneRow } from '../sources/one-row.ts'
import { readShard } from '../sources/read.ts'
import type { Unchanged } from './unchanged.ts'

export interface Content {
  /** 32 hexadecimal digits: the record's key in this run. */
  readonly key: string
  readonly source: string | null
  readonly text: string | null
  readonly response: string | null
  /** PNG as a data URI, made anew from the pixels. */
  readonly image: string | null
  readonly features: readonly { readonly name: string; readonly value: number }[]
  /** Numbers in the embedding; null where there is none. */
  readonly embedding: number | null
}

/** `changed`: the file that is no longer what was audited. `missing`: the row is not there any more. */
export type Shown = Content | { readonly changed: string } | { readonly missing: true }

export interface Where {
  readonly shard: string
  readonly row: number
}

const maxText = 200_000
const maxFeatures = 60
const maxImagePixels = 448
const maxHeldChars = 64 * 2 ** 20

async function imageOf(batch: Batch): Promise<string | null> {
  const raw = matrixOf(batch, 'image')
  if (!raw) {
    const bytes = column(batch, 'image')?.get(0) as Uint8Array | null | undefined
    return bytes ? thumbnail(bytes, maxImagePixels) : null
  }
  const meta = batch.schema.fields.find((f) => f.name === 'image')?.metadata
  const size = (name: string) => Number(meta?.get(name))
  const data = Uint8Array.from(raw.data as Uint8Array)
  return thumbnail({ data, height: size('height'), width: size('width'), channels: size('channels') }, maxImagePixels)
}

/** What is shown of a batch of one row. */
async function contentOf(row: Batch, seed: Uint8Array): Promise<Content> {
  const cell = (name: string): string | null => (column(row, name)?.get(0) as string | null | undefined) ?? null
  const features = matrixOf(row, 'features')
  const names = JSON.parse(row.schema.fields.find((f) => f.name === 'features')?.metadata.get('names') ?? '[]') as readonly string[]
  return {
    key: Buffer.from(keysOf(addKeys(row, seed), 'key') as Uint8Array).toString('hex'),
    source: cell('source'),
    text: cell('text')?.slice(0, maxText) ?? null,
    response: cell('response')?.slice(0, maxText) ?? null,
    image: await imageOf(row),
    features: Array.from((features?.data ?? []).slice(0, maxFeatures), (value, i) => ({ name: names[i] ?? `[${i}]`, value })),
    embedding: matrixOf(row, 'embedding')?.dims ?? null,
  }
}

const sizeOf = ({ text, response, image }: Content): number => 1_000 + [text, response, image].reduce((n, s) => n + (s?.length ?? 0), 0)
const nameOf = ({ shard, row }: Where): string => `${shard}\0${row}`

export interface Contents {
  /** In the order of `wanted`; one pass over each shard at most. Nothing is shown of a file that has changed. */
  read(wanted: readonly Where[]): Promise<readonly Shown[]>
}

/** Reads records again from where the run read them. The latest are held. */
export function openContents(run: Run, inputs: Unchanged): Contents {
  const shards = new Map(run.plan.subject.shards.map((s) => [s.id, s]))
  const held = new Map<string, Content>()
  let heldChars = 0
  let turn: Promise<unknown> = Promise.resolve()

  const hold = (name: string, content: Content): void => {
    held.set(name, content)
    heldChars += sizeOf(content)
    for (const [oldest, before] of held) {
      if (heldChars <= maxHeldChars || oldest === name) return
      held.delete(oldest)
      heldChars -= sizeOf(before)
    }
  }
  const readRows = async (shard: ShardSpec, rows: ReadonlySet<number>): Promise<void> => {
    const wanted = new Set(rows)
    for await (const batch of readShard(shard, () => {})) {
      for (const [i, row] of rowsOf(batch).entries())
        if (wanted.delete(row)) hold(nameOf({ shard: shard.id, row }), await contentOf(takeRows(batch, Int32Array.of(i)), run.seed))
      if (wanted.size === 0) return
    }
  }
  const fill = async (shard: ShardSpec, rows: readonly number[]): Promise<void> => {
    const single = rows.filter((row) => oneRow(shard, row) !== shard)
    for (const row of single) await readRows(oneRow(shard, row), new Set([row]))
    const rest = rows.filter((row) => !single.includes(row))
    if (rest.length > 0) await readRows(shard, new Set(rest))
  }
  const read = async (wanted: readonly Where[]): Promise<readonly Shown[]> => {
    const changed = new Map<string, string>()
    const missing = new Map<ShardSpec, number[]>()
    for (const where of wanted) {
      const shard = shards.get(where.shard)
      if (!shard) continue
      const file = await inputs.changed(shard, where.row)
      if (file !== null) changed.set(nameOf(where), file)
      else if (!held.has(nameOf(where))) missing.set(shard, [...(missing.get(shard) ?? []), where.row])
    }
    for (const [shard, rows] of missing) await fill(shard, rows)
    return wanted.map((where) => {
      const file = changed.get(nameOf(where))
      return file !== undefined ? { changed: file } : (held.get(nameOf(where)) ?? { missing: true as const })
    })
  }
  return {
    // One at a time: a reader who pages on does not start a pass over the data a key.
    read(wanted) {
      const next = turn.then(() => read(wanted))
      turn = next.catch(() => {})
      return next
    },
  }
}
