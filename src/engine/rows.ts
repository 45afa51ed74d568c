import { selectColumns } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import { readShard } from '../sources/read.ts'
import { EngineError } from './errors.ts'
import { withAnswers } from './exchange.ts'
import { layout, type Over, readJson } from './files.ts'
import type { ShardFacts } from './fit.ts'
import type { Run } from './run.ts'
import { readSpool } from './spool.ts'

/**
 * The rows of a shard for every read after the first: from the spool, or again from the source where the plan keeps no spool.
 * @throws EngineError `input-changed` when the source no longer gives the rows of the first read
 */
export async function* rowsOfShard(run: Run, over: Over, shard: number): AsyncGenerator<Batch> {
  if (run.plan.spool) {
    const spooled = readSpool(run.path(layout.spool(over, shard)))
    yield* over === 'subject' ? withAnswers(run, shard, spooled) : spooled
    return
  }
  const part = run.part(over)
  const spec = part.shards[shard]
  if (!spec) throw new Error('no such shard in the plan')
  const kept = new Set(['row', ...run.plan.spooled])
  let rows = 0
  try {
    for await (const batch of readShard(spec, () => {})) {
      rows += batch.numRows
      yield selectColumns(batch, kept)
    }
  } catch (error) {
    // A shard that cannot be read to its end made the audit incomplete in the first read.
    if (!(error instanceof AssayError)) throw error
  }
  const facts = await readJson<ShardFacts[]>(
    run.path(
      layout.facts(
        over,
        part.groups.findIndex((g) => g.includes(shard)),
      ),
    ),
  )
  const before = facts.find((f) => f.shard === shard)?.rows
  if (rows !== before) {
    throw new EngineError(
      'input-changed',
      `${spec.id}: ${rows} rows were read, ${before} in the first read`,
      2,
      { file: spec.id },
      'audit data that nobody is writing to',
    )
  }
}
