import { column, selectColumns } from '../contracts/batch.ts'
import type { Batch, ShardSpec } from '../contracts/data.ts'
import type { Incomplete, IssueCount } from '../contracts/outcome.ts'
import type { Tree } from '../contracts/statistic.ts'
import { openFeatures } from '../features/open.ts'
import { readShard } from '../sources/read.ts'
import { Accumulator, failureOf, finishAll, type Monoid, mergeTree, type States } from './accumulate.ts'
import { IdRun } from './duplicates.ts'
import { layout, type Over, readTree, writeJson, writeTree } from './files.ts'
import { IssueCounter } from './issues.ts'
import { addKeys, idKeys } from './keys.ts'
import { openLeaves, type ShardLeaves } from './leaves.ts'
import type { Part } from './plan.ts'
import { rowsOfShard } from './rows.ts'
import type { Run } from './run.ts'
import { isReadAgain, keepOf } from './since.ts'
import { withSpools } from './spool.ts'

export type Tick = (rows: number) => void

/** What reading one shard brought to light. */
export interface ShardFacts {
  readonly shard: number
  /** Rows in the spool. */
  readonly rows: number
  readonly rejected: number
  readonly issues: readonly IssueCount[]
  readonly incomplete: readonly Incomplete[]
  /** Of the subject, where a snapshot is made. */
  readonly leaves?: ShardLeaves
}

const step = (level: number, over: Over, group: number): string => `fit ${level} ${over} ${group}`

/** Level 0 reads the sources and fills the spool; the others read the spool. Does nothing when the state is there. */
export async function fitGroup(run: Run, level: number, over: Over, group: number, tick: Tick): Promise<void> {
  const target = layout.state(level, over, group)
  if (run.done(target)) return
  await run.load(level)
  const fit = new Accumulator<readonly [Batch]>(run.monoids(level, over) as unknown as Monoid<readonly [Batch]>[])
  const part = run.part(over)
  const shards = part.groups[group] as readonly number[]
  if (level === 0) await writeJson(run.path(layout.facts(over, group)), await readGroup(run, part, over, shards, fit, tick))
  else {
    for (const shard of shards) {
      for await (const batch of rowsOfShard(run, over, shard)) {
        await fit.update(batch)
        tick(batch.numRows)
      }
    }
  }
  await writeTree(run.path(target), await fit.sealed(), run.mark(step(level, over, group)))
}

async function readGroup(
  run: Run,
  part: Part,
  over: Over,
  shards: readonly number[],
  fit: Accumulator<readonly [Batch]>,
  tick: Tick,
): Promise<ShardFacts[]> {
  const facts: ShardFacts[] = []
  let issues = new IssueCounter('')
  let features: Features | null = null
  try {
    for (const number of shards) {
      issues = new IssueCounter((part.shards[number] as ShardSpec).id)
      const open = async (): Promise<Features | null> => {
        if (part.features || part.pixels)
          features ??= await openFeatures(part.features, run.seed, (issue) => issues.sink(issue), undefined, part.pixels)
        return features
      }
      facts.push(await readOne(run, part, over, number, { fit, issues, open, tick }))
    }
  } finally {
    await (features as Features | null)?.close()
  }
  return facts
}

type Features = Awaited<ReturnType<typeof openFeatures>>
interface Reading {
  readonly fit: Accumulator<readonly [Batch]>
  readonly issues: IssueCounter
  readonly open: () => Promise<Features | null>
  readonly tick: Tick
}

async function readOne(run: Run, part: Part, over: Over, number: number, { fit, issues, open, tick }: Reading): Promise<ShardFacts> {
  const shard = part.shards[number] as ShardSpec
  const kept = new Set(['row', ...run.plan.spooled])
  const ids = over === 'subject' && part.roles.includes('id') ? new IdRun() : null
  const incomplete: Incomplete[] = []
  const isOld = isReadAgain(run, over, shard)
  const keep = await keepOf(run, over, shard)
  const sink = over === 'subject' && run.plan.comparison && !run.plan.since ? openLeaves(run, shard, run.plan.comparison.snapshot) : null
  let rows = 0
  /** Rows of the other side of the run. */
  let others = 0
  await withSpools(run.plan.spool ? [run.path(layout.spool(over, number))] : [], async ([spool]) => {
    try {
      const features = await open()
      for await (const every of readShard(shard, issues.sink, sink ? (chunk) => sink.add(chunk) : undefined)) {
        const mine = keep ? keep(every) : every
        others += every.numRows - mine.numRows
        let batch = features && mine.numRows > 0 ? await features.apply(mine) : mine
        if (batch.numRows === 0) continue
        if (run.plan.keyed) batch = addKeys(batch, run.seed)
        if (ids) addIds(ids, batch, run.seed)
        await fit.update(batch)
        await spool?.write(selectColumns(batch, kept))
        rows += batch.numRows
        tick(batch.numRows)
      }
    } catch (error) {
      incomplete.push(failureOf(error, `reading ${shard.id}`))
    }
  })
  await ids?.save(run.path(layout.ids(number)))
  const leaves = sink && { segments: await sink.close(), rows: sink.rows, rejected: sink.rejected, misfits: sink.misfits }
  if (incomplete.length === 0 && shard.expectedRows !== null && rows + others + issues.rejected !== shard.expectedRows) {
    incomplete.push({
      code: 'row-count',
      message: `${shard.id}: ${rows + others + issues.rejected} rows were read, the file itself declares ${shard.expectedRows}`,
      place: { file: shard.id },
      hint: 'the file is damaged or still being written: fetch it again',
    })
  }
  // What cannot be read is told once, with the subject.
  const told = isOld ? { rejected: 0, issues: [] } : { rejected: issues.rejected, issues: issues.list() }
  return { shard: number, rows, ...told, incomplete, ...(leaves ? { leaves } : {}) }
}

function addIds(ids: IdRun, batch: Batch, seed: Uint8Array): void {
  const keys = idKeys(batch, seed)
  const vector = column(batch, 'id')
  if (keys) ids.add(keys, (i) => vector?.isValid(i) === false)
}

/** Merges the level's states, finishes them, and stores the summaries. Does nothing when they are there. */
export async function mergeLevel(run: Run, level: number): Promise<void> {
  const target = layout.summary(level)
  if (run.done(target)) return
  await run.load(level)
  const states: Record<string, Tree> = {}
  const failures: Record<string, Tree> = {}
  for (const over of run.plan.reference ? (['subject', 'reference'] as const) : (['subject'] as const)) {
    const monoids = run.monoids(level, over)
    if (monoids.length === 0) continue
    const load = async (group: number) =>
      (await readTree(run.path(layout.state(level, over, group)), run.mark(step(level, over, group)))) as States
    const finished = await finishAll(monoids, await mergeTree(monoids, run.part(over).groups.length, load))
    Object.assign(states, finished.states)
    Object.assign(failures, finished.failures)
  }
  for (const s of run.levels[level] ?? []) {
    const cause = s.after.find((a) => a in run.failures)
    if (cause) failures[s.id] = run.failures[cause] as unknown as Tree
  }
  await writeTree(run.path(target), { states, failures }, run.mark(`summary ${level}`))
}
