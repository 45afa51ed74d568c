import { resolve } from 'node:path'
import { finishReport } from '../engine/audit.ts'
import type { Io } from './io.ts'
import { tellVerdict } from './notify.ts'
import type { ResultOptions } from './options.ts'
import { showResult } from './show.ts'
import { openWatch } from './watch.ts'

export interface ReportOptions extends ResultOptions {
  readonly runDir: string
}

export async function runReport(options: ReportOptions, io: Io): Promise<number> {
  const { hooks, progress } = await openWatch(options, io)
  try {
    const result = await finishReport(resolve(options.runDir), hooks)
    progress.stop()
    const exit = await showResult(result, options, io)
    await tellVerdict(result.plan.pipeline.notify, result.report, io)
    return exit
  } finally {
    progress.stop()
  }
}
