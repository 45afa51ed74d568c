import { resolve } from 'node:path'
import { openRun } from '../engine/plan.ts'
import { checkOneLabel } from '../engine/stores.ts'
import { completeColumns } from './complete.ts'
import { describePlan, guessNote, shortPath } from './describe-plan.ts'
import { UsageError } from './errors.ts'
import { clock, copied, loadInput, requestOf, spool } from './input.ts'
import { type Io, write } from './io.ts'
import type { DataOptions } from './options.ts'
import { openWatch } from './watch.ts'

/** Writes the plan of a run directory and does nothing else: `fit`, `merge`, `score` and `report` work on it. */
export async function runPlan(paths: readonly string[], options: DataOptions, io: Io): Promise<number> {
  if (options.runDir === undefined) throw new UsageError('plan needs a run directory', 'name it: --run-dir FOLDER')
  const now = clock(io.env)
  const loaded = await loadInput(paths, options)
  checkOneLabel(loaded.pipeline)
  const runDir = resolve(options.runDir)
  const { hooks } = await openWatch(options, io)
  const { loaded: ready, note } = await completeColumns(
    await copied(await spool(loaded, resolve(runDir, 'stdin'), io), runDir, { hooks, resume: false }),
  )
  const request = requestOf(ready, options, now, { runDir, resume: false, hooks })
  const plan = await openRun(request)
  if (options.quiet) return 0
  const dir = shortPath(runDir)
  const levels = plan.levels.map(
    (_, i) => `  assay fit --run-dir ${dir} --level ${i}   (with --shard i/n on n machines)\n  assay merge --run-dir ${dir} --level ${i}`,
  )
  const steps = [
    'next, in this order:',
    ...levels,
    `  assay score --run-dir ${dir}   (with --shard i/n on n machines)`,
    `  assay report --run-dir ${dir}`,
  ]
  const guess = note ?? guessNote(plan)
  if (guess !== null) await write(io.stderr, `${guess}\n`)
  await write(io.stdout, `${describePlan(plan, request.workers)}\n${steps.join('\n')}\n`)
  return 0
}
