import type { Hooks } from '../engine/request.ts'
import type { Io } from './io.ts'
import { openLog } from './log.ts'
import type { WatchOptions } from './options.ts'
import { openProgress, type Progress } from './progress.ts'

export interface Watch {
  readonly hooks: Hooks
  readonly progress: Progress
  readonly quiet: boolean
}

/** Progress and log of one command. `first` runs once, when work begins. */
export async function openWatch(options: WatchOptions, io: Io, first?: (progress: Progress) => void): Promise<Watch> {
  const quiet = options.quiet === true
  const progress = await openProgress(quiet ? 'none' : options.progress, io)
  const level = quiet && options.logLevel === 'warn' ? 'error' : options.logLevel
  const log = openLog(level, io.stderr.isTTY === true, progress.note)
  let begun = first === undefined
  const hooks: Hooks = {
    progress(event) {
      if (!begun) {
        begun = true
        first?.(progress)
      }
      progress.update(event)
    },
    log,
    ...(io.signal ? { signal: io.signal } : {}),
  }
  return { hooks, progress, quiet }
}
