import { resolve } from 'node:path'
import { mergeFits } from '../engine/audit.ts'

export interface MergeOptions {
  readonly runDir: string
  readonly level: number
}

export async function runMerge(options: MergeOptions): Promise<number> {
  await mergeFits(resolve(options.runDir), options.level)
  return 0
}
