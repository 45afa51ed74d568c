import { EngineError } from '../errors.ts'
import { isDone } from '../files.ts'
import type { Plan } from '../plan.ts'
import { openPool } from '../pool.ts'
import type { Hooks } from '../request.ts'
import { furtherTrials, readTrials } from './rounds.ts'
import { type Trial, trialFile, trialsOf } from './trials.ts'

/**
 * Tries the attacks that the plan asks for, then again those whose recall is not known precisely, until the time is over; what was
 * tried before is not tried again. What is tried in a round follows from what the rounds before it found, and from nothing else.
 */
export async function runSensitivity(runDir: string, plan: Plan, hooks: Hooks, workers: number): Promise<void> {
  const spec = plan.pipeline.sensitivity
  if (!spec) return
  const isOpen = (t: Trial): boolean => !isDone(runDir, trialFile(t))
  const further = async (): Promise<readonly Trial[]> => furtherTrials(spec, await readTrials(runDir, plan))
  const planned = trialsOf(plan).filter(isOpen)
  let open = planned.length > 0 ? planned : await further()
  if (open.length === 0) return
  const until = Date.now() + spec.budgetSeconds * 1000
  const pool = await openPool(runDir, Math.min(workers, open.length))
  let [done, total] = [0, 0]
  const round = async (trials: readonly Trial[]): Promise<void> => {
    let next = 0
    total += trials.length
    const lane = async (): Promise<void> => {
      while (next < trials.length && Date.now() < until) {
        if (hooks.signal?.aborted)
          throw new EngineError('interrupted', 'interrupted', 2, { file: runDir }, 'the same command with --resume goes on from here')
        const trial = trials[next++]
        if (!trial) return
        await pool.run({ kind: 'sensitivity', trial }, () => {}, 1)
        hooks.progress({ phase: 'sensitivity', done: ++done, total, unit: 'trials' })
      }
    }
    await Promise.all(Array.from({ length: pool.width }, lane))
  }
  try {
    while (open.length > 0 && Date.now() < until) {
      await round(open)
      open = (await further()).filter(isOpen)
    }
  } finally {
    await pool.close()
  }
}
