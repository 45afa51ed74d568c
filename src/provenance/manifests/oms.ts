import type { ManifestFormat } from '../../contracts/provenance.ts'
import { looksLikeBundle } from '../signatures/bundle.ts'
import { readSigned } from './signed.ts'

/** Bundles of OpenSSF's model signing under their usual names; under others they are read by what they hold. */
export const oms: ManifestFormat = {
  kind: 'oms',
  title: 'OpenSSF Model Signing',
  detect: ({ path }, head) => /\.(?:sig|oms)$/i.test(path) && looksLikeBundle(head()),
  read: readSigned,
}
