import { hash } from 'node:crypto'
import type { SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import type { OpenBundle } from './bundle.ts'
import { certificateOf, checkChain, loadCertificates, maySign } from './certificates.ts'
import { byKey, byNoKey } from './dsse.ts'
import { fingerprintOf, type HashName, kindOf, methods, type PublicKey, verifies } from './keys.ts'
import { brokenPreAuthEncoding, preAuthEncoding } from './pae.ts'

/** `legacy`: the signature holds only in the broken encoding of release 0.2; the payload must then be of that release. */
export interface OfflineCheck {
  readonly check: SignatureCheck
  readonly legacy: boolean
}

type Dsse = Extract<OpenBundle['content'], { kind: 'dsse' }>

/** Who signed the envelope, and in which encoding. Release 0.2 hashed with SHA-256 whatever the curve. */
function encodingOf(key: PublicKey['key'], { envelope }: Dsse): 'plain' | 'legacy' | null {
  const kind = kindOf(key)
  const { payloadType, payload, signatures } = envelope
  if (kind === null) return null
  const holds = (message: Buffer, hashName?: HashName) => signatures.some(({ sig }) => verifies(key, kind, message, sig, hashName))
  if (holds(preAuthEncoding(payloadType, payload))) return 'plain'
  if (!kind.startsWith('ecdsa')) return null
  const broken = brokenPreAuthEncoding(payloadType, payload)
  return holds(broken) || holds(broken, 'sha256') ? 'legacy' : null
}

function checkKeys(content: Dsse, hint: string | null, file: string, keys: readonly PublicKey[]): OfflineCheck {
  for (const key of keys) {
    const encoding = encodingOf(key.key, content)
    if (encoding !== null) return { check: byKey(`OMS, ${methods[key.kind]} key`, file, key), legacy: encoding === 'legacy' }
  }
  const check = byNoKey('OMS, key', file, keys)
  const named = hint !== null && /^[0-9a-f]{64}$/.test(hint) && !keys.some((key) => hintOf(key) === hint)
  const reason = named && keys.length > 0 ? `${check.reason} The bundle names another key (SHA-256 ${hint} of its PEM).` : check.reason
  return { check: { ...check, reason }, legacy: false }
}

/** The reference implementation names a key by the SHA-256 of its PEM text. */
export const hintOf = ({ key }: Pick<PublicKey, 'key'>): string =>
  hash('sha256', key.export({ type: 'spki', format: 'pem' }).toString(), 'hex')

function checkCertificates(
  content: Dsse,
  ders: readonly Buffer[],
  file: string,
  keys: readonly PublicKey[],
  trust: TrustPolicy,
): OfflineCheck {
  const certificates = ders.map(certificateOf)
  const [leaf, ...others] = certificates
  const answer = (status: SignatureCheck['status'], reason: string, signer: string | null = null): SignatureCheck => ({
    method: 'OMS, certificate',
    file,
    status,
    signer,
    reason,
    signedAt: null,
  })
  if (!leaf || !others.every((certificate) => certificate !== null))
    return { check: answer('invalid', 'A certificate of the bundle cannot be read.'), legacy: false }
  const encoding = encodingOf(leaf.publicKey, content)
  if (encoding === null) return { check: answer('invalid', 'The signature does not hold with the key of the certificate.'), legacy: false }
  const legacy = encoding === 'legacy'
  const fingerprint = fingerprintOf(leaf.publicKey)
  const signer = `${leaf.subject.replaceAll('\n', ', ')} (SHA-256 ${fingerprint})`
  const own = keys.find((key) => key.fingerprint === fingerprint)
  if (own) return { check: byKey(`OMS, ${methods[own.kind]} key`, file, own), legacy }
  if (!maySign(leaf)) return { check: answer('invalid', 'The certificate may not be used for signatures.', signer), legacy }
  const roots = loadCertificates(trust)
  if (roots.length === 0)
    return {
      check: answer('untrusted', 'The signature holds, and the policy names no authority that could vouch for its certificate.', signer),
      legacy,
    }
  const chain = checkChain(leaf, others, roots, trust.now)
  if (chain.status !== 'trusted') return { check: answer(chain.status, chain.reason, signer), legacy }
  return { check: answer('trusted', 'Signed with a certificate of an authority that the policy names.', signer), legacy }
}

/**
 * An envelope in a bundle without log entries, signed with a key or a certificate, as OpenSSF's model signing writes it. Nobody
 * vouches for the time: certificates must be valid now. A certificate of a key that the policy names needs no authority.
 */
export function checkOffline(
  { material }: OpenBundle,
  content: Dsse,
  file: string,
  keys: readonly PublicKey[],
  trust: TrustPolicy,
): OfflineCheck {
  return material.kind === 'key'
    ? checkKeys(content, material.hint, file, keys)
    : checkCertificates(content, material.certificates, file, keys, trust)
}
