import type { Detector } from '../contracts/detector.ts'
import { labelFlip } from './label-flip.ts'
import { nearDuplicateImage } from './near-duplicate-image.ts'
import { perturbationNoise } from './perturbation-noise.ts'

/** Every detector, sorted by id. A new one is one file here, one test and one page a rule. */
export const detectors: readonly Detector[] = [labelFlip, nearDuplicateImage, perturbationNoise]

const byId = new Map(detectors.map((d) => [d.id, d]))

export function detectorById(id: string): Detector {
  const detector = byId.get(id)
  if (!detector) throw new Error(`no detector "${id}"`)
  return detector
}
