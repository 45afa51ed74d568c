import type { ShardSpec } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import type { IssueCount } from '../contracts/outcome.ts'
import type { RecordSchema, SnapshotColumns, SnapshotSegment } from '../contracts/snapshot.ts'
import { type Misfits, openLeafSink } from '../provenance/snapshot/sink.ts'
import type { RoleOptions } from '../sources/assemble.ts'
import { readShard } from '../sources/read.ts'
import { EngineError } from './errors.ts'
import { IssueCounter } from './issues.ts'

/** Everything that a thread needs to know to make the leaves of one shard. */
export interface ShardOrder {
  readonly shard: ShardSpec
  /** The snapshot in the making. */
  readonly folder: string
  /** Begins the names of the shard's segments. */
  readonly stem: string
  readonly columns: SnapshotColumns
  readonly schema: RecordSchema
  readonly key: Uint8Array | null
}

/** What became of one shard. */
export interface ShardLeaves {
  readonly segments: readonly SnapshotSegment[]
  readonly rows: number
  readonly rejected: number
  readonly misfits: readonly Misfits[]
  readonly issues: readonly IssueCount[]
  readonly failure: string | null
}

/** Reads the shard and writes its segments. What could not be read is told, and the leaves before it are kept. */
export async function takeShard(order: ShardOrder, tick: (rows: number) => void, signal?: AbortSignal): Promise<ShardLeaves> {
  const { shard } = order
  const issues = new IssueCounter(shard.id)
  const { classes } = (shard.options.roles ?? { classes: null }) as unknown as RoleOptions
  const sink = openLeafSink(order.folder, order.stem, order.columns, order.schema, order.key, { classes })
  let failure: string | null = null
  let fault: { readonly error: unknown } | null = null
  try {
    const rows = readShard(shard, issues.sink, (chunk) => {
      try {
        if (signal?.aborted) throw new EngineError('interrupted', 'interrupted', 2, { file: shard.id })
        sink.add(chunk)
      } catch (error) {
        fault = { error }
        throw error
      }
      tick(chunk.rows.length)
    })
    for await (const _ of rows);
  } catch (error) {
    // what went wrong with the leaves (a full disk, an interruption) is no fault of the data
    const own = fault as { readonly error: unknown } | null
    if (own || !(error instanceof AssayError)) {
      await sink.abandon()
      throw own ? own.error : error
    }
    failure = error.message
  }
  const segments = await sink.close()
  const rejected = issues.rejected + sink.rejected
  if (failure === null && shard.expectedRows !== null && sink.rows + rejected !== shard.expectedRows)
    failure = `${shard.id}: ${sink.rows + rejected} rows were read, the file itself declares ${shard.expectedRows}`
  return { segments, rows: sink.rows, rejected, misfits: sink.misfits, issues: issues.list(), failure }
}
