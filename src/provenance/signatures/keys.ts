import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import type { TrustPolicy } from '../../contracts/provenance.ts'
import { ProvenanceError } from '../errors.ts'
import { isMinisignKey, parseMinisignKey } from './minisign.ts'

export type KeyKind = 'ed25519' | 'ecdsa-p256' | 'ecdsa-p384' | 'ecdsa-p521' | 'rsa' | 'minisign'

export interface PublicKey {
  /** SHA-256 of the key in DER (SubjectPublicKeyInfo), hexadecimal. */
  readonly fingerprint: string
  /** The file that it came from. */
  readonly name: string
  readonly kind: KeyKind
  readonly key: KeyObject
  /** Of minisign and signify: 8 bytes, hexadecimal as they stand in the file. */
  readonly id: string | null
}

/** As reports name the algorithm of a signature by such a key. */
export const methods: Readonly<Record<KeyKind, string>> = {
  ed25519: 'ed25519',
  'ecdsa-p256': 'ECDSA P-256',
  'ecdsa-p384': 'ECDSA P-384',
  'ecdsa-p521': 'ECDSA P-521',
  rsa: 'RSA',
  minisign: 'minisign',
}

/** The hash goes with the curve (sigstore's algorithm registry); RSA with SHA-256. Ed25519 hashes for itself. */
const hashes: Readonly<Record<KeyKind, HashName | null>> = {
  ed25519: null,
  'ecdsa-p256': 'sha256',
  'ecdsa-p384': 'sha384',
  'ecdsa-p521': 'sha512',
  rsa: 'sha256',
  minisign: null,
}
export type HashName = 'sha256' | 'sha384' | 'sha512'

/** Bytes of one coordinate: a raw signature (IEEE P1363) is two of them. */
const coordinates: Readonly<Partial<Record<KeyKind, number>>> = { 'ecdsa-p256': 32, 'ecdsa-p384': 48, 'ecdsa-p521': 66 }

const curves: Readonly<Record<string, KeyKind>> = { prime256v1: 'ecdsa-p256', secp384r1: 'ecdsa-p384', secp521r1: 'ecdsa-p521' }
const minRsaBits = 2048
const maxKeyBytes = 64 << 10

/** What kind of signatures a key makes; null where this program does not accept it (other curves, short RSA, other algorithms). */
export function kindOf(key: KeyObject): Exclude<KeyKind, 'minisign'> | null {
  const { namedCurve = '', modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519'
  if (key.asymmetricKeyType === 'ec') return (curves[namedCurve] as Exclude<KeyKind, 'minisign'> | undefined) ?? null
  return key.asymmetricKeyType === 'rsa' && modulusLength >= minRsaBits ? 'rsa' : null
}

export const hashOf = (kind: KeyKind): HashName | null => hashes[kind]

export const fingerprintOf = (key: KeyObject): string => hash('sha256', key.export({ type: 'spki', format: 'der' }), 'hex')

const refuse = (name: string, problem: string): ProvenanceError =>
  new ProvenanceError(
    'bad-key',
    `${name}: ${problem}`,
    { file: name },
    'a public key is a PEM file (ed25519, ECDSA P-256, P-384, P-521, RSA from 2,048 bits) or a minisign key',
  )

function keyOf(name: string, text: string): PublicKey {
  if (text.length > maxKeyBytes) throw refuse(name, 'is too large for a public key')
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) throw refuse(name, 'holds a private key; give the public one')
  if (isMinisignKey(text)) {
    const parsed = parseMinisignKey(text)
    if (parsed === null) throw refuse(name, 'is no valid minisign key')
    return { fingerprint: fingerprintOf(parsed.key), name, kind: 'minisign', key: parsed.key, id: parsed.id }
  }
  let key: KeyObject
  try {
    key = createPublicKey(text)
  } catch {
    throw refuse(name, 'is no public key that can be read')
  }
  const kind = kindOf(key)
  if (kind === null) throw refuse(name, `is a key of a kind that is not accepted (${key.asymmetricKeyType ?? 'unknown'})`)
  return { fingerprint: fingerprintOf(key), name, kind, key, id: null }
}

const loaded = new WeakMap<TrustPolicy, readonly PublicKey[]>()

/** The keys of the policy, each once. Throws `bad-key`, naming the file. */
export function loadKeys(trust: TrustPolicy): readonly PublicKey[] {
  const known = loaded.get(trust)
  if (known) return known
  const keys = new Map(trust.keys.map(({ name, text }) => keyOf(name, text)).map((key) => [`${key.kind}:${key.fingerprint}`, key]))
  const all = [...keys.values()]
  loaded.set(trust, all)
  return all
}

function attempt(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false
  }
}

/**
 * Whether `signature` over `message` was made by `key`: ed25519 of 64 bytes; ECDSA as DER or as two coordinates;
 * RSA PKCS#1 v1.5. The hash is that of the curve unless `hashName` says otherwise. A minisign key signs no plain messages.
 */
export function verifies(
  key: KeyObject,
  kind: KeyKind,
  message: Uint8Array,
  signature: Uint8Array,
  hashName: HashName | null = hashes[kind],
): boolean {
  if (kind === 'minisign') return false
  if (kind === 'ed25519') return signature.length === 64 && attempt(() => verify(null, message, key, signature))
  if (kind === 'rsa') return attempt(() => verify(hashName, message, key, signature))
  return (
    attempt(() => verify(hashName, message, { key, dsaEncoding: 'der' }, signature)) ||
    (signature.length === 2 * (coordinates[kind] as number) &&
      attempt(() => verify(hashName, message, { key, dsaEncoding: 'ieee-p1363' }, signature)))
  )
}
