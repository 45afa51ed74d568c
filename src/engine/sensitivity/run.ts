import { EngineError } from '../errors.ts'
import { isDone } from '../files.ts'
import type { Plan } from '../plan.ts'
import { openPool } from '../pool.ts'
import type { Hooks } from '../request.ts'
import { trialFile, trialsOf } from './trials.ts'

/** Tries the attacks that the plan asks for, until the time is over; what was tried before is not tried again. */
export async function runSensitivity(runDir: string, plan: Plan, hooks: Hooks, workers: number): Promise<void> {
  const spec = plan.pipeline.sensitivity
  if (!spec) return
  const trials = trialsOf(plan)
  const open = trials.filter((t) => !isDone(runDir, trialFile(t)))
  if (open.length === 0) return
  const until = Date.now() + spec.budgetSeconds * 1000
  const pool = await openPool(runDir, Math.min(workers, open.length))
  let [next, done] = [0, trials.length - open.length]
  const lane = async (): Promise<void> => {
    while (next < open.length && Date.now() < until) {
      if (hooks.signal?.aborted)
        throw new EngineError('interrupted', 'interrupted', 2, { file: runDir }, 'the same command with --resume goes on from here')
      const trial = open[next++]
      if (!trial) return
      await pool.run({ kind: 'sensitivity', trial }, () => {}, 1)
      hooks.progress({ phase: 'sensitivity', done: ++done, total: trials.length, unit: 'trials' })
    }
  }
  try {
    await Promise.all(Array.from({ length: pool.width }, lane))
  } finally {
    await pool.close()
  }
}
