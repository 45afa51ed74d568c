import type { Threshold } from '../../contracts/detector.ts'
import type { Tree } from '../../contracts/statistic.ts'
import { layout, readTree, writeTree } from '../files.ts'
import type { Run } from '../run.ts'

type Decisions = ReadonlyMap<string, readonly Threshold[]>

/** Thresholds by detector, for the workers that flag; a detector that is not there has failed. */
export const writeDecisions = (run: Run, decisions: Decisions): Promise<void> =>
  writeTree(run.path(layout.decisions), [...decisions] as unknown as Tree, run.mark('decisions'))

/** @throws EngineError `step-missing` before the scores have been accepted */
export const readDecisions = async (run: Run): Promise<Decisions> =>
  new Map((await readTree(run.path(layout.decisions), run.mark('decisions'))) as unknown as [string, readonly Threshold[]][])
