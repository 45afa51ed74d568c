import type { Batch } from '../../src/contracts/data.ts'
import type { Detector, Setup } from '../../src/contracts/detector.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { type Detection, detect, fitStatistics } from '../../src/engine/sensitivity/memory-audit.ts'
import { contextFor } from '../../src/engine/statistics.ts'

export const seed = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')

export interface Fitted extends Omit<Detection, 'flagged'> {
  /** Row by row. */
  readonly scores: readonly number[]
  readonly flagged: readonly boolean[]
}

/**
 * A detector's whole life on batches in memory. Detectors that share `summaries` on the same batches share their statistics.
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
  const withKeys = (batches: readonly Batch[]): readonly Batch[] => batches.map((b) => addKeys(b, seed))
  const read = { subject: withKeys(subject), reference: withKeys(reference), baseline: [] }
  const answered = await fitStatistics(detector.statistics(options, setup), read, seed, summaries, detector.exchange?.(options, setup))
  const { scored, flagged, ...rest } = await detect(detector, contextFor(options, seed, summaries, null), setup, answered)
  return {
    ...rest,
    scored,
    scores: scored.flatMap((s) => [...s.score]),
    flagged: flagged.flatMap((marks) => Array.from(marks, (mark) => mark === 1)),
  }
}
