import { type Data, Field, Float64, makeData, RecordBatch, Schema, Struct } from 'apache-arrow'
import { dictionary, selectColumns } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Codes, Scored, Tally } from '../contracts/detector.ts'
import { Accumulator, finishAll, type Monoid, mergeTree, type States } from './accumulate.ts'
import { layout, readTree, writeTree } from './files.ts'
import type { Tick } from './fit.ts'
import { rowsOfShard } from './rows.ts'
import type { Run } from './run.ts'
import { readSpool, withSpools } from './spool.ts'

const step = (group: number): string => `tally ${group}`

const noTally: Tally = { init: () => null, update: () => {}, merge: () => {}, finish: () => null }

export type ActiveDetector = ReturnType<Run['active']>[number]

/** Tallies as monoids under their detectors' ids. */
export const tallyMonoids = (active: readonly ActiveDetector[]): Monoid<readonly [Batch, Scored]>[] =>
  active.map(
    ({ detector, context }) =>
      ({ id: detector.id, context, ...(detector.tally ?? noTally) }) as unknown as Monoid<readonly [Batch, Scored]>,
  )

/** Scores the spooled rows of one group with every detector; scores go beside the spool, tallies into one state file. */
export async function scoreGroup(run: Run, group: number, tick: Tick): Promise<void> {
  const target = layout.tally(group)
  if (run.done(target)) return
  await run.load(run.levels.length)
  const active = run.active()
  const tally = new Accumulator(tallyMonoids(active))
  const scorers = new Map<string, (batch: Batch) => Scored | Promise<Scored>>()
  for (const { detector, context } of active) {
    try {
      scorers.set(detector.id, await detector.scorer(context, run.plan.setup))
    } catch (error) {
      tally.fail(detector.id, error)
    }
  }
  for (const shard of run.plan.subject.groups[group] as readonly number[]) await scoreShard(run, shard, scorers, tally, tick)
  await writeTree(run.path(target), await tally.sealed(), run.mark(step(group)))
}

async function scoreShard(
  run: Run,
  shard: number,
  scorers: ReadonlyMap<string, (batch: Batch) => Scored | Promise<Scored>>,
  tally: Accumulator<readonly [Batch, Scored]>,
  tick: Tick,
): Promise<void> {
  const ids = [...scorers.keys()]
  await withSpools(
    [layout.named(shard), ...ids.map((id) => layout.scores(id, shard))].map((f) => run.path(f)),
    async ([rows, ...writers]) => {
      for await (const batch of rowsOfShard(run, 'subject', shard)) {
        await rows?.write(selectColumns(batch, namedColumns))
        for (const [i, detector] of ids.entries()) {
          if (tally.failed(detector)) continue
          try {
            const scored = await (scorers.get(detector) as (b: Batch) => Scored | Promise<Scored>)(batch)
            await writers[i]?.write(scoresBatch(scored))
            await tally.updateOne(detector, batch, scored)
          } catch (error) {
            tally.fail(detector, error)
          }
        }
        tick(batch.numRows)
      }
    },
  )
}

/** What names a row in flags and reports. */
export const namedColumns: ReadonlySet<string> = new Set(['row', 'id', 'label', 'source'])

const float64 = (data: Float64Array): Data => makeData({ type: new Float64(), data })

function scoresBatch(scored: Scored): Batch {
  const columns: [string, Data][] = [['score', float64(scored.score)]]
  if (scored.pValue) columns.push(['p_value', float64(scored.pValue)])
  if (scored.suggested) columns.push(['suggested', dictionary(scored.suggested, 1)])
  if (scored.group) columns.push(['group', dictionary(scored.group, 2)])
  const fields = columns.map(([name, data]) => new Field(name, data.type, true))
  const children = columns.map(([, data]) => data)
  return new RecordBatch(
    new Schema(fields),
    makeData({ type: new Struct(fields), length: scored.score.length, nullCount: 0, children }) as never,
  )
}

const codes = (batch: Batch, name: string): Codes | undefined => {
  const data = batch.getChild(name as never)?.data[0] as Data | undefined
  if (!data) return undefined
  const values = [...(data.dictionary as unknown as Iterable<string | null>)].map((v) => v ?? '')
  const raw = (data.values as Int32Array).subarray(0, data.length)
  return { codes: data.nullCount === 0 ? raw : raw.map((v, i) => (data.getValid(i) ? v : -1)), values }
}

const values = (batch: Batch, name: string): Float64Array | undefined =>
  batch.getChild(name as never)?.data[0]?.values as Float64Array | undefined

export async function* readScores(run: Run, detector: string, shard: number): AsyncGenerator<Scored> {
  for await (const batch of readSpool(run.path(layout.scores(detector, shard)))) {
    const pValue = values(batch, 'p_value')
    const suggested = codes(batch, 'suggested')
    const group = codes(batch, 'group')
    yield {
      score: values(batch, 'score') as Float64Array,
      ...(pValue ? { pValue } : {}),
      ...(suggested ? { suggested } : {}),
      ...(group ? { group } : {}),
    }
  }
}

/** Finished tallies by detector, and the detectors that failed. @throws EngineError when a group was not scored */
export async function mergeTallies(run: Run): Promise<States> {
  await run.load(run.levels.length)
  const monoids = tallyMonoids(run.active()) as unknown as Monoid<never>[]
  const load = async (group: number) => (await readTree(run.path(layout.tally(group)), run.mark(step(group)))) as States
  return finishAll(monoids, await mergeTree(monoids, run.plan.subject.groups.length, load))
}
