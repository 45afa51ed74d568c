import { resolve } from 'node:path'
import { fitShards } from '../engine/audit.ts'
import type { Io } from './io.ts'
import type { Share, WatchOptions } from './options.ts'
import { openWatch } from './watch.ts'

export interface FitOptions extends WatchOptions {
  readonly runDir: string
  readonly level: number
  readonly shard: Share
  readonly workers?: number
}

export async function runFit(options: FitOptions, io: Io): Promise<number> {
  const { hooks, progress } = await openWatch(options, io)
  try {
    await fitShards(resolve(options.runDir), options.level, options.shard, hooks, options.workers)
  } finally {
    progress.stop()
  }
  return 0
}
