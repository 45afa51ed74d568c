import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { fingerprintOf } from '../signatures/keys.ts'

export const keyTypes = ['p256', 'p384', 'ed25519'] as const
export type KeyType = (typeof keyTypes)[number]

export interface KeyPairText {
  /** PKCS#8 in PEM, encrypted (AES-256-CBC, PBKDF2) where a passphrase was given. */
  readonly privatePem: string
  /** SubjectPublicKeyInfo in PEM. */
  readonly publicPem: string
  /** SHA-256 of the public key in DER, hexadecimal. */
  readonly fingerprint: string
}

const pair = (type: KeyType): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } =>
  type === 'ed25519'
    ? generateKeyPairSync('ed25519')
    : generateKeyPairSync('ec', { namedCurve: type === 'p256' ? 'prime256v1' : 'secp384r1' })

export function makeKeyPair(type: KeyType, password: string | null): KeyPairText {
  const { publicKey, privateKey } = pair(type)
  const pem = { type: 'pkcs8', format: 'pem' } as const
  return {
    privatePem: privateKey.export(password === null ? pem : { ...pem, cipher: 'aes-256-cbc', passphrase: password }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    fingerprint: fingerprintOf(publicKey),
  }
}
