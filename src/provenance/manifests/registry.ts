import type { ManifestFormat } from '../../contracts/provenance.ts'
import { bagit } from './bagit.ts'
import { croissant } from './croissant.ts'
import { dataCard } from './data-card.ts'
import { dvc } from './dvc.ts'
import { frictionless } from './frictionless.ts'
import { hfPointer } from './hf-pointer.ts'
import { inToto } from './in-toto.ts'
import { oms } from './oms.ts'
import { sigstore } from './sigstore.ts'
import { sums } from './sums.ts'
import { urlTable } from './url-table.ts'

/** In the order in which they are asked: the first that detects a file reads it. */
export const manifestFormats: readonly ManifestFormat[] = [
  bagit,
  croissant,
  frictionless,
  dataCard,
  dvc,
  hfPointer,
  oms,
  sigstore,
  inToto,
  sums,
  urlTable,
]
