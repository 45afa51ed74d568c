import type { Detector } from '../contracts/detector.ts'
import { claims } from './claims.ts'
import { embeddingCluster } from './embedding-cluster.ts'
import { embeddingOutlier } from './embedding-outlier.ts'
import { hiddenInstruction } from './hidden-instruction.ts'
import { instructionPoison } from './instruction-poison.ts'
import { labelFlip } from './label-flip.ts'
import { nearDuplicateImage } from './near-duplicate-image.ts'
import { nearDuplicateText } from './near-duplicate-text.ts'
import { perturbationNoise } from './perturbation-noise.ts'
import { plantedDocument } from './planted-document.ts'
import { spectral } from './spectral.ts'
import { triggerImage } from './trigger-image.ts'
import { triggerTabular } from './trigger-tabular.ts'
import { triggerText } from './trigger-text.ts'

/** Every detector, sorted by id. A new one is one file here, one test and one page a rule. */
export const detectors: readonly Detector[] = [
  claims,
  embeddingCluster,
  embeddingOutlier,
  hiddenInstruction,
  instructionPoison,
  labelFlip,
  nearDuplicateImage,
  nearDuplicateText,
  perturbationNoise,
  plantedDocument,
  spectral,
  triggerImage,
  triggerTabular,
  triggerText,
]

const byId = new Map(detectors.map((d) => [d.id, d]))

export function detectorById(id: string): Detector {
  const detector = byId.get(id)
  if (!detector) throw new Error(`no detector "${id}"`)
  return detector
}
