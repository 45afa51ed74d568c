import type { Batch } from '../../src/contracts/data.ts'
import type { Codes, Conclusion, Detector, Scored, Setup, Threshold } from '../../src/contracts/detector.ts'
import type { Context } from '../../src/contracts/statistic.ts'
import { takeRows } from '../../src/contracts/take-rows.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { contextFor } from '../../src/engine/statistics.ts'

export const seed = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

export interface Fitted {
  readonly scored: readonly Scored[]
  readonly scores: readonly number[]
  readonly flagged: readonly boolean[]
  readonly thresholds: readonly Threshold[]
  readonly conclusion: Conclusion
}

/**
 * A detector's whole life on batches in memory: statistics, scores, tally, decision, conclusion. Detectors that share `summaries` on
 * the same batches share their statistics.
 */
export async function fitDetector(
  detector: Detector,
  given: unknown,
  setup: Setup,
  subject: readonly Batch[],
  reference: readonly Batch[] = [],
  summaries = new Map<string, unknown>(),
): Promise<Fitted> {
  const options = detector.options.parse(given)
  const keyed = { subject: subject.map((b) => addKeys(b, seed)), reference: reference.map((b) => addKeys(b, seed)), baseline: [] }
  for (const s of detector.statistics(options, setup)) {
    if (summaries.has(s.id)) continue
    const c = contextFor(null, seed, summaries, s.after)
    const state = s.init(c)
    for (const batch of keyed[s.over]) await s.update(c, state, batch)
    await s.seal?.(c, state)
    summaries.set(s.id, await s.finish(c, state))
  }
  const c = contextFor(options, seed, summaries, null)
  const score = await detector.scorer(c, setup)
  const tally = detector.tally?.init(c)
  const scored: Scored[] = []
  for (const batch of keyed.subject) {
    const s = await score(batch)
    await detector.tally?.update(c, tally, batch, s)
    scored.push(s)
  }
  await detector.tally?.seal?.(c, tally)
  const summary = await detector.tally?.finish(c, tally)
  const thresholds = detector.decide(c, summary)
  const scores = scored.flatMap((s) => [...s.score])
  const groups = scored.flatMap((s) => Array.from(s.score, (_, i) => s.group?.values[s.group.codes[i] as number] ?? null))
  const flagged = scores.map((s, i) => thresholds.some((t) => s >= t.atLeast && (t.group === null || t.group === groups[i])))
  const count = flagged.filter(Boolean).length
  const evidence = detector.evidence ? await evidenceOf(detector, c, keyed.subject, scored, flagged) : undefined
  return {
    scored,
    scores,
    flagged,
    thresholds,
    conclusion: await detector.conclude(c, summary, evidence, { count, scored: scores.length, top: [] }),
  }
}

/** What the engine does with flagged rows. */
async function evidenceOf(
  { evidence }: Detector,
  c: Context,
  batches: readonly Batch[],
  scored: readonly Scored[],
  flagged: readonly boolean[],
): Promise<unknown> {
  const state = evidence?.init(c)
  let first = 0
  for (const [b, batch] of batches.entries()) {
    const rows = Int32Array.from({ length: batch.numRows }, (_, i) => i).filter((i) => flagged[first + i])
    first += batch.numRows
    if (rows.length === 0) continue
    const { score, pValue, suggested, group } = scored[b] as Scored
    const codes = (of: Codes) => ({ codes: rows.map((r) => of.codes[r] as number), values: of.values })
    await evidence?.update(c, state, takeRows(batch, rows), {
      score: Float64Array.from(rows, (r) => score[r] as number),
      ...(pValue ? { pValue: Float64Array.from(rows, (r) => pValue[r] as number) } : {}),
      ...(suggested ? { suggested: codes(suggested) } : {}),
      ...(group ? { group: codes(group) } : {}),
    })
  }
  await evidence?.seal?.(c, state)
  return evidence?.finish(c, state)
}
