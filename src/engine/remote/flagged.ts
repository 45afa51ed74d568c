import type { States } from '../accumulate.ts'
import { layout, readTree } from '../files.ts'
import type { FlagResult } from '../flags.ts'
import type { Run } from '../run.ts'
import { flagResult, flagsFrom } from './flag-state.ts'

/** What the workers' flags add up to. @throws EngineError `step-missing` before they have been accepted */
export async function readFlagged(run: Run): Promise<FlagResult> {
  const { numbers, states, failures } = (await readTree(run.path(layout.flagged), run.mark('flagged'))) as unknown as States & {
    readonly numbers: string
  }
  return flagResult(flagsFrom(numbers), { states, failures })
}
