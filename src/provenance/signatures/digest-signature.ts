import { constants, type KeyObject, publicDecrypt } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import type { HashName, KeyKind } from './keys.ts'

/** DER of DigestInfo before the digest (RFC 8017, section 9.2, note 1). */
const digestInfo: Readonly<Record<HashName, string>> = {
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
}

const curves: Readonly<Partial<Record<KeyKind, typeof p256>>> = { 'ecdsa-p256': p256, 'ecdsa-p384': p384, 'ecdsa-p521': p521 }

function point(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

/**
 * Whether `key` signed the message that has this digest, without the message: so a file is hashed once and never held.
 * node:crypto verifies digests for no key. ECDSA in DER; RSA PKCS#1 v1.5.
 */
export function verifiesDigest(key: KeyObject, kind: KeyKind, digest: Uint8Array, hashName: HashName, signature: Uint8Array): boolean {
  try {
    if (kind === 'rsa') {
      const padded = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature)
      return padded.equals(Buffer.concat([Buffer.from(digestInfo[hashName], 'hex'), digest]))
    }
    return curves[kind]?.verify(signature, digest, point(key), { prehash: false, lowS: false, format: 'der' }) ?? false
  } catch {
    return false
  }
}
