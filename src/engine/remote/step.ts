import type { Monoid } from '../accumulate.ts'
import { evidenceMonoids } from '../decide.ts'
import type { Over } from '../files.ts'
import type { Run } from '../run.ts'
import { tallyMonoids } from '../score.ts'
import { readDecisions } from './decisions.ts'

/** One read of a distributed run: what `audit` does on one machine in the same order. */
export type Step =
  | { readonly kind: 'fit'; readonly level: number; readonly over: Over }
  | { readonly kind: 'route' }
  | { readonly kind: 'score' }
  | { readonly kind: 'flag' }

/** What the step accumulates, by name of its states, with the summaries that it reads loaded. */
export async function monoidsOf(run: Run, step: Step): Promise<readonly Monoid<never>[]> {
  await run.load(step.kind === 'fit' ? step.level : run.levels.length)
  if (step.kind === 'fit') return run.monoids(step.level, step.over)
  if (step.kind === 'route') return []
  if (step.kind === 'score') return tallyMonoids(run.active()) as unknown as Monoid<never>[]
  const decisions = await readDecisions(run)
  return evidenceMonoids(run.active().filter((a) => decisions.has(a.detector.id)))
}
