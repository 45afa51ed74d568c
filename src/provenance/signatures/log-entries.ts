import { createHash, createPublicKey, X509Certificate } from 'node:crypto'
import type { Bundle } from '@sigstore/bundle'
import type { SignedEntity } from '@sigstore/verify'
import type { OpenBundle } from './bundle.ts'
import { verifiesDigest } from './digest-signature.ts'
import { hashOf, kindOf, verifies } from './keys.ts'
import { preAuthEncoding } from './pae.ts'

type Content = SignedEntity['signature']
type LogEntries = Bundle['verificationMaterial']['tlogEntries']

/** "hashedrekord/0.0.1", "dsse/0.0.2" ... */
const kinds = (bundle: Bundle): readonly string[] =>
  bundle.verificationMaterial.tlogEntries.map(({ kindVersion }) => `${kindVersion?.kind}/${kindVersion?.version}`)
const digest = (name: string, data: Uint8Array): Buffer => createHash(name).update(data).digest()

/**
 * What the library compares log entries and the signature with. Unlike its own it hashes by the curve, takes an artifact by its
 * digest, and knows that a `hashedrekord` of an envelope holds the digest of the pre-authentication encoding.
 */
export function contentOf(open: OpenBundle, bundle: Bundle, artifact: Buffer | null): Content {
  const same = (a: Buffer) => (b: Buffer) => a.equals(b)
  const logged = kinds(bundle)
  if (open.content.kind === 'message') {
    const { digest: expected, hashName, signature } = open.content
    return {
      signature,
      compareSignature: same(signature),
      compareDigest: (given) => logged.every((kind) => kind.startsWith('hashedrekord/')) && given.equals(expected),
      verifySignature: (key) => {
        const kind = kindOf(key)
        if (kind === null) return false
        if (kind === 'ed25519') return artifact !== null && verifies(key, kind, artifact, signature)
        return verifiesDigest(key, kind, expected, hashName, signature)
      },
    }
  }
  const { payloadType, payload, signatures } = open.content.envelope
  const signature = signatures[0]?.sig ?? Buffer.alloc(0)
  const message = preAuthEncoding(payloadType, payload)
  const digests = [
    ...(logged.some((kind) => kind.startsWith('hashedrekord/')) ? ['sha256', 'sha384', 'sha512'].map((name) => digest(name, message)) : []),
    ...(logged.some((kind) => /^(?:dsse|intoto)\//.test(kind)) ? [digest('sha256', payload)] : []),
  ]
  return {
    signature,
    compareSignature: same(signature),
    compareDigest: (given) => digests.some((expected) => expected.equals(given)),
    verifySignature: (key) => {
      const kind = kindOf(key)
      return kind !== null && verifies(key, kind, message, signature, hashOf(kind))
    },
  }
}

const at = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Record<string | number, unknown>)[key] : undefined),
    value,
  )

/** Where the kinds of log entries keep the key or certificate that they were made with: base64 of PEM, or of DER in version 2. */
const verifierPaths: readonly (readonly (string | number)[])[] = [
  ['spec', 'signature', 'publicKey', 'content'],
  ['spec', 'signatures', 0, 'verifier'],
  ['spec', 'content', 'envelope', 'signatures', 0, 'publicKey'],
]
const verifierPaths2: readonly (readonly (string | number)[])[] = [
  ['spec', 'hashedRekordV002', 'signature', 'verifier'],
  ['spec', 'dsseV002', 'signatures', 0, 'verifier'],
]

function spkiOf(verifier: Buffer): { readonly spki: Buffer; readonly certificate: Buffer | null } {
  const pem = verifier.toString('latin1')
  if (pem.includes('BEGIN CERTIFICATE')) return ofCertificate(pem)
  return { spki: createPublicKey(pem).export({ type: 'spki', format: 'der' }), certificate: null }
}

function ofCertificate(content: string | Buffer): { readonly spki: Buffer; readonly certificate: Buffer } {
  const certificate = new X509Certificate(content)
  return { spki: certificate.publicKey.export({ type: 'spki', format: 'der' }), certificate: certificate.raw }
}

function verifierOf(body: unknown): { readonly spki: Buffer; readonly certificate: Buffer | null } | null {
  for (const path of verifierPaths2) {
    const verifier = at(body, ...path)
    const certificate = at(verifier, 'x509Certificate', 'rawBytes')
    if (typeof certificate === 'string') return ofCertificate(Buffer.from(certificate, 'base64'))
    const key = at(verifier, 'publicKey', 'rawBytes')
    if (typeof key === 'string') return { spki: Buffer.from(key, 'base64'), certificate: null }
  }
  for (const path of verifierPaths) {
    const verifier = at(body, ...path)
    if (typeof verifier === 'string') return spkiOf(Buffer.from(verifier, 'base64'))
  }
  return null
}

/**
 * Whether every log entry was made with the signer's key or certificate. The library compares signature and digest only, so
 * that an entry of another signer could be swapped in (CVE-2022-36056).
 */
export function entriesNameSigner(bundle: Bundle, spki: Buffer, certificate: Buffer | null): boolean {
  return bundle.verificationMaterial.tlogEntries.every((entry) => {
    try {
      const verifier = verifierOf(JSON.parse(entry.canonicalizedBody.toString('utf8')))
      if (verifier === null || !verifier.spki.equals(spki)) return false
      return verifier.certificate === null || certificate === null || verifier.certificate.equals(certificate)
    } catch {
      return false
    }
  })
}

/** Entries of logs that the trusted root knows, each once; others prove nothing and harm nothing. */
export function knownEntries(bundle: Bundle, logIds: readonly Buffer[]): LogEntries {
  const seen = new Set<string>()
  const known = bundle.verificationMaterial.tlogEntries.filter(({ logId, logIndex }) => {
    const id = logId?.keyId
    if (id === undefined || !logIds.some((known) => known.equals(id))) return false
    const entry = `${id.toString('hex')}:${logIndex}`
    if (seen.has(entry)) throw new Error('an entry of the log stands there twice')
    seen.add(entry)
    return true
  })
  return known as LogEntries
}

/** Names under which logs of version 1 sign their checkpoints: often that of a machine, and the key tells them apart anyway. */
export const noteNames = (bundle: Bundle): readonly string[] =>
  bundle.verificationMaterial.tlogEntries
    .filter(({ inclusionPromise }) => inclusionPromise !== undefined)
    .flatMap(({ inclusionProof }) =>
      [...(inclusionProof?.checkpoint?.envelope ?? '').matchAll(/^\u2014 (\S+) /gm)].map(([, name = '']) => name),
    )

const noteLine = /^\u2014 [A-Za-z0-9.:/_ +-]{1,200} [A-Za-z0-9+/=]{1,1000}$/
const maxNoteBytes = 16 << 10

/** The library makes a pattern of the names that sign a checkpoint: only plain ones reach it. */
export const checkpointsArePlain = (bundle: Bundle): boolean =>
  bundle.verificationMaterial.tlogEntries.every((entry) => {
    const note = entry.inclusionProof?.checkpoint?.envelope
    if (note === undefined) return true
    return (
      note.length <= maxNoteBytes &&
      note
        .slice(note.indexOf('\n\n') + 2)
        .split('\n')
        .every((line) => line === '' || noteLine.test(line))
    )
  })
