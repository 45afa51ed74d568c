import type { Detector } from '../contracts/detector.ts'
import { claims } from './claims.ts'
import { hiddenInstruction } from './hidden-instruction.ts'
import { labelFlip } from './label-flip.ts'
import { nearDuplicateText } from './near-duplicate-text.ts'

/** Every detector, sorted by id. A new one is one file here, one test and one page a rule. */
export const detectors: readonly Detector[] = [claims, hiddenInstruction, labelFlip, nearDuplicateText]

const byId = new Map(detectors.map((d) => [d.id, d]))

export function detectorById(id: string): Detector {
  const detector = byId.get(id)
  if (!detector) throw new Error(`no detector "${id}"`)
  return detector
}
