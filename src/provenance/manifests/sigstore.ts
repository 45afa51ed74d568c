import type { ManifestFormat } from '../../contracts/provenance.ts'
import { looksLikeBundle } from '../signatures/bundle.ts'
import { readSigned } from './signed.ts'

const names = /\.(?:json|jsonl|sigstore|bundle|sig|oms|att|attestation)$/i

/** Sigstore bundles, whatever they hold. */
export const sigstore: ManifestFormat = {
  kind: 'sigstore',
  title: 'Sigstore bundle',
  detect: ({ path }, head) => names.test(path) && looksLikeBundle(head()),
  read: readSigned,
}
