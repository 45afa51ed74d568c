import { join } from 'node:path'
import { codesOf, column, rowsOf, selectColumns } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Codes, Scored, Threshold } from '../contracts/detector.ts'
import type { RecordRef } from '../contracts/finding.ts'
import type { FlagFormat } from '../contracts/pipeline.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { type FlagColumns, openRowWriter } from '../report/flags.ts'
import { Accumulator, type Monoid, type States } from './accumulate.ts'
import { evidenceMonoids } from './decide.ts'
import { layout } from './files.ts'
import type { Tick } from './fit.ts'
import { rowsOfShard } from './rows.ts'
import type { Run } from './run.ts'
import { type ActiveDetector, namedColumns, readScores } from './score.ts'
import { selectFlagged } from './select.ts'
import { readSpool } from './spool.ts'
import { TopRecords, topRecords } from './top-records.ts'

export interface DetectorFlags {
  readonly scored: number
  readonly flagged: number
  readonly top: readonly RecordRef[]
}

export interface FlagResult {
  readonly byDetector: ReadonlyMap<string, DetectorFlags>
  /** Rows flagged by any detector, each once. */
  readonly flagged: number
  readonly flaggedByLabel: ReadonlyMap<string, number>
  readonly flaggedBySource: ReadonlyMap<string, number>
  readonly evidence: States
}

interface Tracking {
  readonly active: ActiveDetector
  readonly thresholds: readonly Threshold[]
  readonly top: TopRecords
  scored: number
  flagged: number
}

/**
 * Reads the spooled scores once, in shard order: filters them by the thresholds, writes flags (and scores), and gathers evidence. `see` is
 * shown every row, with 1 where some detector flags it.
 */
export async function writeFlags(
  run: Run,
  active: readonly ActiveDetector[],
  decisions: ReadonlyMap<string, readonly Threshold[]>,
  formats: { readonly flags: FlagFormat; readonly scores: FlagFormat | null },
  tick: Tick,
  see: (shard: number, batch: Batch, flagged: Uint8Array) => void = () => {},
): Promise<FlagResult> {
  const tracked: Tracking[] = active.map((a) => ({
    active: a,
    thresholds: decisions.get(a.detector.id) ?? [],
    top: new TopRecords(topRecords),
    scored: 0,
    flagged: 0,
  }))
  const evidence = new Accumulator(evidenceMonoids(active) as unknown as Monoid<readonly [Batch, Scored]>[])
  const labels = new Map<string, number>()
  const sources = new Map<string, number>()
  let flagged = 0
  const flagWriter = await openRowWriter(join(run.dir, `flags.${formats.flags}`), formats.flags, 'flags')
  const scoreWriter = formats.scores ? await openRowWriter(join(run.dir, `scores.${formats.scores}`), formats.scores, 'scores') : null
  try {
    for (const [number, shard] of run.plan.subject.shards.entries()) {
      const scores = tracked.map((t) => readScores(run, t.active.detector.id, number))
      for await (const batch of flagRows(run, number, active)) {
        const any = new Uint8Array(batch.numRows)
        for (const [i, t] of tracked.entries()) {
          const scored = (await (scores[i] as AsyncGenerator<Scored>).next()).value as Scored
          const hits = selectFlagged(scored, t.thresholds)
          t.scored += hits.scored
          t.flagged += hits.rows.length
          if (scoreWriter) await scoreWriter.write(columns(batch, scored, t.active.detector.id, shard.id, null))
          if (hits.rows.length === 0) continue
          for (const row of hits.rows) any[row] = 1
          const taken = takeRows(selectColumns(batch, evidenceColumns(t)), hits.rows, shard.id)
          const takenScores = takeScores(scored, hits.rows)
          await evidence.updateOne(t.active.detector.id, taken, takenScores)
          t.top.add(shard.id, taken, takenScores)
          await flagWriter.write(columns(taken, takenScores, t.active.detector.id, shard.id, hits.rules))
        }
        see(number, batch, any)
        flagged += countFlagged(batch, any, labels, sources)
        tick(batch.numRows)
      }
      for (const s of scores) await s.return(undefined)
    }
  } catch (error) {
    await flagWriter.abandon()
    await scoreWriter?.abandon()
    throw error
  }
  await flagWriter.close()
  await scoreWriter?.close()
  const byDetector = new Map(tracked.map((t) => [t.active.detector.id, { scored: t.scored, flagged: t.flagged, top: t.top.list() }]))
  return { byDetector, flagged, flaggedByLabel: labels, flaggedBySource: sources, evidence: await evidence.sealed() }
}

/** Rows with what names them; with the data too where a detector's evidence reads it. */
const flagRows = (run: Run, shard: number, active: readonly ActiveDetector[]): AsyncGenerator<Batch> =>
  active.some((a) => a.detector.evidenceReads?.length) ? rowsOfShard(run, 'subject', shard) : readSpool(run.path(layout.named(shard)))

/** What a flag row and its evidence are made of. */
const evidenceColumns = (t: Tracking): ReadonlySet<string> => new Set([...namedColumns, ...(t.active.detector.evidenceReads ?? [])])

const takeCodes = (c: Codes, rows: Int32Array): Codes => ({ codes: rows.map((r) => c.codes[r] as number), values: c.values })

export function takeScores(scored: Scored, rows: Int32Array): Scored {
  const floats = (from: Float64Array) => Float64Array.from(rows, (r) => from[r] as number)
  return {
    score: floats(scored.score),
    ...(scored.pValue ? { pValue: floats(scored.pValue) } : {}),
    ...(scored.suggested ? { suggested: takeCodes(scored.suggested, rows) } : {}),
    ...(scored.group ? { group: takeCodes(scored.group, rows) } : {}),
  }
}

const names = (c: Codes | null | undefined, n: number): (string | null)[] =>
  Array.from({ length: n }, (_, i) => c?.values[c.codes[i] as number] ?? null)

function columns(batch: Batch, scored: Scored, detector: string, shard: string, rules: readonly string[] | null): FlagColumns {
  const n = batch.numRows
  const ids = column(batch, 'id')
  return {
    length: n,
    ...(ids ? { id: Array.from({ length: n }, (_, i) => ids.get(i) as string | null) } : {}),
    shard,
    row: rowsOf(batch),
    detector,
    ...(rules ? { rule: rules } : {}),
    score: scored.score,
    ...(scored.pValue ? { pValue: scored.pValue } : {}),
    ...(rules && scored.group ? { group: names(scored.group, n) } : {}),
    givenLabel: names(codesOf(batch, 'label'), n),
    suggestedLabel: names(scored.suggested, n),
  }
}

function countFlagged(batch: Batch, any: Uint8Array, labels: Map<string, number>, sources: Map<string, number>): number {
  const label = codesOf(batch, 'label')
  const source = codesOf(batch, 'source')
  const bump = (map: Map<string, number>, c: Codes | null, i: number) => {
    const name = c?.values[c.codes[i] as number]
    if (name !== undefined) map.set(name, (map.get(name) ?? 0) + 1)
  }
  let count = 0
  for (let i = 0; i < any.length; i++) {
    if (!any[i]) continue
    count++
    bump(labels, label, i)
    bump(sources, source, i)
  }
  return count
}
