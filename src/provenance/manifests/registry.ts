import type { ManifestFormat } from '../../contracts/provenance.ts'
import { bagit } from './bagit.ts'
import { croissant } from './croissant.ts'
import { dataCard } from './data-card.ts'
import { frictionless } from './frictionless.ts'

/** In the order in which they are asked: the first that detects a file reads it. */
export const manifestFormats: readonly ManifestFormat[] = [bagit, croissant, frictionless, dataCard]
