import { stat } from 'node:fs/promises'
import { sep } from 'node:path'
import type { Copied, Json, ShardSpec, SourceSpec } from '../contracts/data.ts'
import { relativeTo, renamed, SourceError, toFailure } from './errors.ts'
import { limits } from './limits.ts'

export const rootOf = (base: string): string => (base.endsWith(sep) ? base : base + sep)
export const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    (s) => s.size,
    () => 0,
  )

/** One shard that stands for a file which cannot be read: `readShard` throws the error again, so that the audit is incomplete. */
export async function failed(path: string, id: string, error: SourceError, base: string): Promise<ShardSpec> {
  const bytes = await sizeOf(path)
  return {
    id,
    format: 'unreadable',
    path,
    bytes,
    expectedRows: null,
    options: { failure: toFailure(relativeTo(error, rootOf(base))) as unknown as Json },
  }
}

/** The shards of the whole, by those of a part of it: they are there to be counted. */
export function inFull(listed: readonly ShardSpec[], id: string, whole: NonNullable<Copied['whole']>): ShardSpec[] {
  const [part] = listed
  if (!part) return []
  const { rows, bytes } = whole
  const count = Math.max(1, Math.ceil(rows / limits.tableShardRows))
  return Array.from({ length: count }, (_, i) => {
    const first = i * limits.tableShardRows
    const own = Math.min(limits.tableShardRows, rows - first)
    return { ...part, id: count > 1 ? `${id}#${first}+${own}` : id, bytes: Math.round(bytes / count), expectedRows: own }
  })
}

/** Errors of a copy name what it is a copy of. */
export const byItsName = (e: unknown, { copied }: SourceSpec): unknown =>
  Object.entries(copied?.names ?? {}).reduce(
    (error, [path, name]) => (error instanceof SourceError ? renamed(error, path, name) : error),
    e,
  )
