import { generateKeyPairSync, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ProvenanceError } from '../../../src/provenance/errors.ts'
import { fingerprintOf, hashOf, kindOf, loadKeys, verifies } from '../../../src/provenance/signatures/keys.ts'
import { allCurves, flipped, keyPair, pem, trusting, trustingKeys } from './trust.ts'

const kinds = { p256: 'ecdsa-p256', p384: 'ecdsa-p384', p521: 'ecdsa-p521', ed25519: 'ed25519' } as const
const message = Buffer.from('records')

const refusal = (text: string): ProvenanceError => {
  try {
    loadKeys(trusting({ keys: [{ name: 'vendor.pub', text }] }))
  } catch (e) {
    return e as ProvenanceError
  }
  throw new Error('was accepted')
}

describe('loadKeys', () => {
  it.each(allCurves)('reads a key of %s from PEM', (curve) => {
    const { publicKey } = keyPair(curve)
    const [key] = loadKeys(trustingKeys(publicKey))
    expect(key).toMatchObject({ name: 'k0', kind: kinds[curve], fingerprint: fingerprintOf(publicKey), id: null })
  })

  it('takes a key given twice once', () => {
    const { publicKey } = keyPair('p256')
    expect(loadKeys(trustingKeys(publicKey, publicKey))).toHaveLength(1)
  })

  it.each([
    ['text that is no key', 'hello'],
    ['nothing', ''],
    ['a private key', keyPair('p256').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['a curve that nobody asked for', pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['a short RSA key', pem(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey)],
    ['a minisign key that is cut', 'untrusted comment: minisign public key\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn\n'],
    ['a file that is far too large', 'A'.repeat(1 << 20)],
  ])('refuses %s, and names the file', (_, text) => {
    const error = refusal(text)
    expect(error).toBeInstanceOf(ProvenanceError)
    expect(error).toMatchObject({ code: 'bad-key', exit: 4 })
    expect(error.message).toContain('vendor.pub')
  })
})

describe('verifies', () => {
  it.each(['p256', 'p384', 'p521'] as const)('takes ECDSA over %s in DER and raw, with the hash of the curve only', (curve) => {
    const { publicKey, privateKey } = keyPair(curve)
    const kind = kinds[curve]
    const name = hashOf(kind) as string
    for (const dsaEncoding of ['der', 'ieee-p1363'] as const) {
      const signature = sign(name, message, { key: privateKey, dsaEncoding })
      expect(verifies(publicKey, kind, message, signature)).toBe(true)
      expect(verifies(publicKey, kind, flipped(message, 0), signature)).toBe(false)
      expect(verifies(publicKey, kind, message, flipped(signature, 20))).toBe(false)
      const other = sign(name === 'sha256' ? 'sha512' : 'sha256', message, { key: privateKey, dsaEncoding })
      expect(verifies(publicKey, kind, message, other)).toBe(false)
    }
  })

  it('the hash goes with the curve', () => {
    expect(['p256', 'p384', 'p521'].map((curve) => hashOf(kinds[curve as keyof typeof kinds]))).toEqual(['sha256', 'sha384', 'sha512'])
  })

  it('takes ed25519 and RSA', () => {
    const { publicKey, privateKey } = keyPair('ed25519')
    const signature = sign(null, message, privateKey)
    expect(verifies(publicKey, 'ed25519', message, signature)).toBe(true)
    expect(verifies(publicKey, 'ed25519', message, signature.subarray(1))).toBe(false)
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(kindOf(rsa.publicKey)).toBe('rsa')
    expect(verifies(rsa.publicKey, 'rsa', message, sign('sha256', message, rsa.privateKey))).toBe(true)
    expect(verifies(rsa.publicKey, 'rsa', flipped(message, 3), sign('sha256', message, rsa.privateKey))).toBe(false)
  })

  it('never throws at garbage', () => {
    const { publicKey } = keyPair('p384')
    for (const garbage of [Buffer.alloc(0), Buffer.alloc(96), Buffer.alloc(5000, 0x30)])
      expect(verifies(publicKey, 'ecdsa-p384', message, garbage)).toBe(false)
  })
})
