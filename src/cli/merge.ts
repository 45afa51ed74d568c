import { resolve } from 'node:path'
import { mergeFits } from '../engine/audit.ts'
import type { Io } from './io.ts'
import type { WatchOptions } from './options.ts'
import { openWatch } from './watch.ts'

export interface MergeOptions extends WatchOptions {
  readonly runDir: string
  readonly level: number
  readonly workers?: number
}

export async function runMerge(options: MergeOptions, io: Io): Promise<number> {
  const { hooks, progress } = await openWatch(options, io)
  try {
    await mergeFits(resolve(options.runDir), options.level, hooks, options.workers)
  } finally {
    progress.stop()
  }
  return 0
}
