import type { Threshold } from '../contracts/detector.ts'
import type { Incomplete } from '../contracts/outcome.ts'
import { failureOf, type Monoid, type States } from './accumulate.ts'
import type { Run } from './run.ts'
import { type ActiveDetector, mergeTallies } from './score.ts'

/** What the score read adds up to. A detector that failed has no thresholds. */
export interface Decided {
  readonly tallies: States
  /** Detectors whose flags are asked for. */
  readonly deciding: readonly ActiveDetector[]
  readonly decisions: ReadonlyMap<string, readonly Threshold[]>
  readonly failures: Map<string, Incomplete>
}

/** Thresholds from the finished tallies. @throws EngineError when a group was not scored */
export async function decideAll(run: Run): Promise<Decided> {
  const tallies = await mergeTallies(run)
  const failures = new Map<string, Incomplete>(Object.entries(tallies.failures) as unknown as [string, Incomplete][])
  const decisions = new Map<string, readonly Threshold[]>()
  const live = run.active().filter((a) => !failures.has(a.detector.id))
  for (const { detector, context } of live) {
    try {
      decisions.set(detector.id, detector.decide(context, tallies.states[detector.id]))
    } catch (error) {
      failures.set(detector.id, failureOf(error, detector.id))
    }
  }
  return { tallies, deciding: live.filter((a) => decisions.has(a.detector.id)), decisions, failures }
}

/** The evidence of these detectors as monoids under their ids. */
export const evidenceMonoids = (active: readonly ActiveDetector[]): Monoid<never>[] =>
  active
    .filter((a) => a.detector.evidence)
    .map((a) => ({ id: a.detector.id, context: a.context, ...a.detector.evidence }) as unknown as Monoid<never>)
