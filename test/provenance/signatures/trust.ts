import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { TrustPolicy } from '../../../src/contracts/provenance.ts'
import type { SigningKey } from '../../../src/provenance/sign/signing-key.ts'
import { fingerprintOf, kindOf } from '../../../src/provenance/signatures/keys.ts'
import { defaultTrust } from '../../../src/provenance/trust.ts'

export const trusting = (part: Partial<TrustPolicy> = {}): TrustPolicy => ({ ...defaultTrust(new Date()), ...part })

export const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString()

/** A policy that trusts these public keys, named k0, k1 ... */
export const trustingKeys = (...keys: readonly KeyObject[]): TrustPolicy =>
  trusting({ keys: keys.map((key, i) => ({ name: `k${i}`, text: pem(key) })) })

export const curveNames = { p256: 'prime256v1', p384: 'secp384r1', p521: 'secp521r1' } as const
export type Curve = keyof typeof curveNames | 'ed25519'
export const allCurves: readonly Curve[] = ['p256', 'p384', 'p521', 'ed25519']

export function keyPair(curve: Curve): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return curve === 'ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: curveNames[curve] })
}

export function signingKey(curve: Curve): SigningKey {
  const { publicKey, privateKey } = keyPair(curve)
  return { key: privateKey, kind: kindOf(publicKey) as SigningKey['kind'], publicKey, fingerprint: fingerprintOf(publicKey) }
}

/** The same bytes but for one bit. */
export function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at] = (copy[at] as number) ^ 1
  return copy
}
