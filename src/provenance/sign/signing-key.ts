import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ProvenanceError } from '../errors.ts'
import type { DsseEnvelope } from '../signatures/dsse.ts'
import { fingerprintOf, hashOf, type KeyKind, kindOf } from '../signatures/keys.ts'
import { preAuthEncoding } from '../signatures/pae.ts'

export interface SigningKey {
  readonly key: KeyObject
  readonly kind: Exclude<KeyKind, 'minisign' | 'rsa'>
  readonly publicKey: KeyObject
  /** SHA-256 of the public key in DER, hexadecimal. */
  readonly fingerprint: string
}

const hint = 'a private key is a PEM file of ed25519, ECDSA P-256, P-384 or P-521; "assay keygen" makes one'

const refuse = (path: string, problem: string, what = hint): ProvenanceError =>
  new ProvenanceError('bad-key', `${path}: ${problem}`, { file: path }, what)

/**
 * A private key from a PEM file (PKCS#8, SEC 1), decrypted with `password` where it is encrypted.
 * @throws {ProvenanceError} `bad-key`
 */
export function loadSigningKey(path: string, password?: string): SigningKey {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    throw refuse(path, 'there is no such key file, or it cannot be read')
  }
  let key: KeyObject
  try {
    key = createPrivateKey({ key: text, ...(password === undefined ? {} : { passphrase: password }) })
  } catch {
    if (!/ENCRYPTED/.test(text)) throw refuse(path, 'is no private key that can be read')
    if (password === undefined)
      throw refuse(path, 'is encrypted, and no passphrase was given', '--password-env NAME takes it from the environment variable NAME')
    throw refuse(path, 'the passphrase does not open it', 'it comes from the variable that --password-env names')
  }
  const kind = kindOf(createPublicKey(key))
  if (kind === null || kind === 'rsa') throw refuse(path, `keys of this kind (${key.asymmetricKeyType ?? 'unknown'}) sign nothing here`)
  const publicKey = createPublicKey(key)
  return { key, kind, publicKey, fingerprint: fingerprintOf(publicKey) }
}

/** A signature over bytes: ed25519, or ECDSA in DER with the hash of the curve. */
export const signBytes = (message: Uint8Array, { key, kind }: SigningKey): Buffer => sign(hashOf(kind), message, key)

/** A DSSE envelope with one signature. `keyid` is the fingerprint of the key: a hint. */
export function signDsse(payloadType: string, payload: Uint8Array, key: SigningKey): DsseEnvelope {
  const sig = signBytes(preAuthEncoding(payloadType, payload), key).toString('base64')
  return { payload: Buffer.from(payload).toString('base64'), payloadType, signatures: [{ keyid: key.fingerprint, sig }] }
}
