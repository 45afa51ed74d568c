import type { ChunkTap } from '../contracts/chunk.ts'
import type { Batch, IssueSink, ShardSpec } from '../contracts/data.ts'
import { developDicom } from './develop.ts'
import { asSourceError, type Failure, fromFailure, relativeTo, renamed, SourceError } from './errors.ts'
import { formatNamed } from './registry.ts'

/** What the id of a shard is relative to. */
const rootOf = ({ id, path }: ShardSpec): string => {
  const file = id.replace(/#[^/]*$/, '')
  return path.endsWith(`/${file}`) ? path.slice(0, -file.length) : ''
}

/** Reports name no machine, and of a copy what it is a copy of. */
const asNamed = (e: SourceError, shard: ShardSpec): SourceError =>
  shard.options.copied ? renamed(e, shard.path, shard.id.replace(/#[^/]*$/, '')) : relativeTo(e, rootOf(shard))

/**
 * The rows of a shard in batches of up to 4,096, in the order of the file; rejected rows go to `issue` and are in no batch.
 * `tap` sees every chunk before its columns become roles: list the shards with `everyColumn` for that.
 * Throws SourceError where the shard cannot be read, or not to its end: batches that came before are valid, the audit is incomplete.
 */
export async function* readShard(shard: ShardSpec, issue: IssueSink, tap?: ChunkTap): AsyncGenerator<Batch> {
  if (shard.options.failure) throw fromFailure(shard.options.failure as unknown as Failure)
  const format = formatNamed(shard.format)
  if (!format) throw new SourceError('unknown-format', `${shard.id}: no format named ${JSON.stringify(shard.format)}`, { file: shard.path })
  try {
    for await (const batch of format.read(shard, issue, tap)) {
      const developed = await developDicom(batch, issue)
      if (developed) yield developed
    }
  } catch (e) {
    throw asNamed(asSourceError(e, shard.path, `cannot be read as ${shard.format}`), shard)
  }
}
