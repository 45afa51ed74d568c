import type { Batch } from '../../src/contracts/data.ts'
import type { Conclusion, Detector, Scored, Setup, Threshold } from '../../src/contracts/detector.ts'
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
  return {
    scored,
    scores,
    flagged,
    thresholds,
    conclusion: await detector.conclude(c, summary, { pairs: [] }, { count, scored: scores.length, top: [] }),
  }
}
