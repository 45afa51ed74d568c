import { createHash } from 'node:crypto'
import type { Digest, DigestAlgorithm, Manifest, ManifestEntry, SignatureCheck } from '../../src/contracts/provenance.ts'

const names: Partial<Record<DigestAlgorithm, string>> = { blake2b: 'blake2b512' }

export const digestOf = (algorithm: DigestAlgorithm, bytes: string | Uint8Array): Digest => ({
  algorithm,
  hex: createHash(names[algorithm] ?? algorithm)
    .update(bytes)
    .digest('hex'),
})

export const entryOf = (path: string, digests: readonly Digest[] = [], more: Partial<ManifestEntry> = {}): ManifestEntry => ({
  path,
  digests,
  bytes: null,
  range: null,
  placeholder: null,
  url: null,
  label: null,
  place: { file: 'SUMS', line: 1 },
  ...more,
})

export const signatureOf = (status: SignatureCheck['status']): SignatureCheck => ({
  method: 'ed25519',
  file: 'SUMS.sig',
  status,
  signer: 'somebody',
  reason: 'because.',
  signedAt: null,
})

export const manifestOf = (entries: readonly ManifestEntry[], more: Partial<Manifest> = {}): Manifest => ({
  kind: 'sums',
  title: 'Checksums',
  file: 'SUMS',
  version: null,
  entries,
  closed: null,
  ignored: [],
  own: [more.file ?? 'SUMS'],
  signatures: [],
  problems: [],
  facts: [],
  ...more,
})
