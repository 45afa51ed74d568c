import { column, matrixOf, rowsOf } from '../contracts/batch.ts'
import type { Batch, ShardSpec } from '../contracts/data.ts'
import type { RecordRef } from '../contracts/finding.ts'
import { thumbnail } from '../features/thumbnail.ts'
import { readShard } from '../sources/read.ts'
import type { Run } from './run.ts'

const maxRecords = 20
const maxExcerpt = 400

interface Excerpt {
  readonly excerpt?: string
  readonly thumbnail?: string
}

/** The strongest records with a text excerpt or a thumbnail, read again from their shards: only when the pipeline allows excerpts. */
export const attachExcerpts = (run: Run, records: readonly RecordRef[]): Promise<readonly RecordRef[]> =>
  withExcerpts(run.plan.subject.shards, records)

/** The same for the records of any shards. */
export async function withExcerpts(shards: readonly ShardSpec[], records: readonly RecordRef[]): Promise<readonly RecordRef[]> {
  return excerptsFrom(shards, (shard) => readShard(shard, () => {}), records)
}

/** The same where the rows of a shard come from elsewhere than its file. */
export async function excerptsFrom(
  shards: readonly ShardSpec[],
  read: (shard: ShardSpec) => AsyncIterable<Batch>,
  records: readonly RecordRef[],
): Promise<readonly RecordRef[]> {
  const shown = records.slice(0, maxRecords)
  const found = new Map<string, Excerpt>()
  for (const shard of shards) {
    const wanted = new Set(shown.filter((r) => r.shard === shard.id).map((r) => r.row))
    if (wanted.size === 0) continue
    for await (const batch of read(shard)) {
      const rows = rowsOf(batch)
      for (let i = 0; i < rows.length; i++) {
        const row = rows[i] as number
        if (wanted.delete(row)) found.set(`${shard.id}\0${row}`, await excerptOf(batch, i))
      }
      if (wanted.size === 0) break
    }
  }
  return records.map((r) => ({ ...r, ...found.get(`${r.shard}\0${r.row}`) }))
}

async function excerptOf(batch: Batch, i: number): Promise<Excerpt> {
  const text = column(batch, 'text')?.get(i) as string | null | undefined
  const image = await imageOf(batch, i)
  return { ...(text ? { excerpt: text.slice(0, maxExcerpt) } : {}), ...(image ? { thumbnail: image } : {}) }
}

async function imageOf(batch: Batch, i: number): Promise<string | null> {
  const raw = matrixOf(batch, 'image')
  if (!raw) {
    const bytes = column(batch, 'image')?.get(i) as Uint8Array | null | undefined
    return bytes ? thumbnail(bytes) : null
  }
  const meta = batch.schema.fields.find((f) => f.name === 'image')?.metadata
  const size = (name: string) => Number(meta?.get(name))
  const data = (raw.data as Uint8Array).subarray(i * raw.dims, (i + 1) * raw.dims)
  return thumbnail({ data, height: size('height'), width: size('width'), channels: size('channels') })
}
