import { selectColumns } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Conclusion, Detector, Scored, Setup, Threshold } from '../../contracts/detector.ts'
import type { Exchange } from '../../contracts/exchange.ts'
import type { Finding } from '../../contracts/finding.ts'
import type { Context, Statistic } from '../../contracts/statistic.ts'
import { takeRows } from '../../contracts/take-rows.ts'
import { detectorById } from '../../detectors/registry.ts'
import { exchangeInMemory } from '../exchange-memory.ts'
import { takeScores } from '../flags.ts'
import type { PlannedDetector } from '../plan.ts'
import { selectFlagged } from '../select.ts'
import { buildExchange, buildStatistics, contextFor, restsOn } from '../statistics.ts'

/** What an audit in memory is made of. */
export interface MemoryAudit {
  readonly detectors: readonly PlannedDetector[]
  readonly setup: Setup
  /** Columns that the plan keeps, `row` included. */
  readonly columns: ReadonlySet<string>
  readonly seed: Uint8Array
  readonly subject: readonly Batch[]
  readonly reference: readonly Batch[]
  /** Summaries that are known already. */
  readonly known: ReadonlyMap<string, unknown>
}

export interface DetectorResult {
  readonly detector: string
  /** By batch of the subject: 1 where the row is flagged. */
  readonly flagged: readonly Uint8Array[]
  readonly findings: readonly Finding[]
}

type Read = Readonly<Record<Statistic['over'], readonly Batch[]>>

/**
 * The statistics, in their order, over batches in memory; adds their summaries to those that are known. Returns the subject, with what
 * the exchange gave its rows once the statistics before it were there.
 */
export async function fitStatistics(
  statistics: readonly Statistic[],
  read: Read,
  seed: Uint8Array,
  summaries: Map<string, unknown>,
  exchange: Exchange | null = null,
): Promise<readonly Batch[]> {
  let { subject } = read
  let open = exchange
  for (const s of statistics) {
    if (open?.after.every((id) => summaries.has(id))) {
      subject = await exchangeInMemory(open, contextFor(null, seed, summaries, open.after), subject)
      open = null
    }
    const batches = s.over === 'subject' ? subject : read[s.over]
    if (!summaries.has(s.id)) summaries.set(s.id, await fitOne(s, batches, contextFor(null, seed, summaries, s.after)))
  }
  return subject
}

async function fitOne(s: Statistic, batches: readonly Batch[], context: Context): Promise<unknown> {
  const state = s.init(context)
  for (const batch of batches) await s.update(context, state, batch)
  await s.seal?.(context, state)
  return s.finish(context, state)
}

/** The statistics, scores, decisions and findings of planned detectors over records in memory, with the detectors' own functions. */
export async function auditInMemory(audit: MemoryAudit): Promise<readonly DetectorResult[]> {
  const kept = (batches: readonly Batch[]): readonly Batch[] => batches.map((b) => selectColumns(b, audit.columns))
  const summaries = new Map(audit.known)
  const levels = buildStatistics(audit.detectors, audit.setup)
  const read: Read = { subject: kept(audit.subject), reference: kept(audit.reference), baseline: [] }
  const exchange = buildExchange(audit.detectors, audit.setup, levels)?.exchange
  const subject = await fitStatistics(levels.flat(), read, audit.seed, summaries, exchange)
  const results: DetectorResult[] = []
  for (const planned of audit.detectors) {
    const detector = detectorById(planned.id)
    const context = contextFor(planned.options, audit.seed, summaries, [...restsOn(planned, audit.setup)])
    const { flagged, conclusion } = await detect(detector, context, audit.setup, subject)
    results.push({ detector: planned.id, flagged, findings: conclusion.findings })
  }
  return results
}

/** What one detector makes of batches. */
export interface Detection {
  readonly scored: readonly Scored[]
  readonly thresholds: readonly Threshold[]
  /** By batch: 1 where the row is flagged. */
  readonly flagged: readonly Uint8Array[]
  readonly conclusion: Conclusion
}

/** Scores, tally, decision and conclusion of one detector, whose summaries are in `c`. */
export async function detect(detector: Detector, c: Context, setup: Setup, subject: readonly Batch[]): Promise<Detection> {
  const score = await detector.scorer(c, setup)
  const state = detector.tally?.init(c)
  const scored: Scored[] = []
  for (const batch of subject) {
    const result = await score(batch)
    await detector.tally?.update(c, state, batch, result)
    scored.push(result)
  }
  await detector.tally?.seal?.(c, state)
  const tally = (await detector.tally?.finish(c, state)) ?? null
  const thresholds = detector.decide(c, tally)
  const { flagged, count, rows, evidence } = await flag(detector, c, subject, scored, thresholds)
  return { scored, thresholds, flagged, conclusion: await detector.conclude(c, tally, evidence, { count, scored: rows, top: [] }) }
}

interface Flagging {
  readonly flagged: readonly Uint8Array[]
  readonly count: number
  /** Rows that have a score. */
  readonly rows: number
  readonly evidence: unknown
}

async function flag(
  { evidence }: Detector,
  c: Context,
  subject: readonly Batch[],
  scored: readonly Scored[],
  thresholds: readonly Threshold[],
): Promise<Flagging> {
  const state = evidence?.init(c)
  const flagged: Uint8Array[] = []
  let [count, rows] = [0, 0]
  for (const [b, batch] of subject.entries()) {
    const hits = selectFlagged(scored[b] as Scored, thresholds)
    const marks = new Uint8Array(batch.numRows)
    for (const row of hits.rows) marks[row] = 1
    flagged.push(marks)
    count += hits.rows.length
    rows += hits.scored
    if (hits.rows.length > 0) await evidence?.update(c, state, takeRows(batch, hits.rows), takeScores(scored[b] as Scored, hits.rows))
  }
  await evidence?.seal?.(c, state)
  return { flagged, count, rows, evidence: await evidence?.finish(c, state) }
}

/** Summaries that rest on the reference alone: no attack on the subject changes them. */
export async function fitReference(audit: Omit<MemoryAudit, 'subject' | 'known'>): Promise<ReadonlyMap<string, unknown>> {
  const batches = audit.reference.map((b) => selectColumns(b, audit.columns))
  const summaries = new Map<string, unknown>()
  for (const s of buildStatistics(audit.detectors, audit.setup).flat()) {
    if (s.over !== 'reference' || !s.after.every((id) => summaries.has(id))) continue
    summaries.set(s.id, await fitOne(s, batches, contextFor(null, audit.seed, summaries, s.after)))
  }
  return summaries
}
