import { resolve } from 'node:path'
import { scoreShards } from '../engine/audit.ts'
import type { Io } from './io.ts'
import type { Share, WatchOptions } from './options.ts'
import { openWatch } from './watch.ts'

export interface ScoreOptions extends WatchOptions {
  readonly runDir: string
  readonly shard: Share
  readonly workers?: number
}

export async function runScore(options: ScoreOptions, io: Io): Promise<number> {
  const { hooks, progress } = await openWatch(options, io)
  try {
    await scoreShards(resolve(options.runDir), options.shard, hooks, options.workers)
  } finally {
    progress.stop()
  }
  return 0
}
