import { generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signBytes } from '../../../src/provenance/sign/signing-key.ts'
import { checkDetached } from '../../../src/provenance/signatures/detached.ts'
import { loadKeys } from '../../../src/provenance/signatures/keys.ts'
import { allCurves, flipped, keyPair, pem, signingKey, trusting, trustingKeys } from './trust.ts'

const data = Buffer.from('d41d8cd98f00b204e9800998ecf8427e  a.csv\n')
const against = (signature: Buffer | string, trust = trusting()) =>
  checkDetached(data, Buffer.from(signature), 'SHA256SUMS.sig', loadKeys(trust), trust)

describe.each(allCurves)('a signature by a key of %s', (curve) => {
  const key = signingKey(curve)
  const trust = trustingKeys(keyPair('p384').publicKey, key.publicKey)
  const raw = signBytes(data, key)

  it.each<[string, (raw: Buffer) => Buffer | string]>([
    ['raw', (bytes) => bytes],
    ['raw with a line feed', (bytes) => Buffer.concat([bytes, Buffer.from('\n')])],
    ['base64', (bytes) => `${bytes.toString('base64')}\n`],
    ['base64 in lines', (bytes) => bytes.toString('base64').replace(/(.{20})/g, '$1\n')],
    ['hexadecimal', (bytes) => bytes.toString('hex')],
    ['between PEM lines', (bytes) => `-----BEGIN SIGNATURE-----\n${bytes.toString('base64')}\n-----END SIGNATURE-----\n`],
  ])('%s', async (_, form) => {
    const checked = await against(form(raw), trust)
    expect(checked).toMatchObject({ status: 'trusted', file: 'SHA256SUMS.sig', signedAt: null })
    expect(checked.signer).toContain(key.fingerprint)
  })

  it('is invalid over other bytes and when it was changed', async () => {
    const changed = await checkDetached(flipped(data, 3), raw, 'x.sig', loadKeys(trust), trust)
    expect(changed.status).toBe('invalid')
    expect((await against(flipped(raw, raw.length - 1), trust)).status).toBe('invalid')
  })

  it('is unchecked where no key was given, invalid where another was', async () => {
    expect((await against(raw)).status).toBe('unchecked')
    expect((await against(raw, trustingKeys(keyPair(curve).publicKey))).status).toBe('invalid')
  })
})

describe('other forms', () => {
  it.each([0x7b, 0x0a, 0x20, 0x2d, 0x75])(
    'takes a raw signature that begins with the byte %i, as a bundle or a text may',
    async (first) => {
      const key = signingKey('ed25519')
      for (let i = 0; ; i++) {
        const other = Buffer.from(`${'0'.repeat(64)}  ${i}.csv\n`)
        const raw = signBytes(other, key)
        if (raw[0] !== first) continue
        const trust = trustingKeys(key.publicKey)
        expect((await checkDetached(other, raw, 'SHA256SUMS.sig', loadKeys(trust), trust)).status).toBe('trusted')
        return
      }
    },
  )

  it('takes ECDSA P-384 with SHA-256, as openssl dgst -sha256 makes it, and RSA', async () => {
    const { publicKey, privateKey } = keyPair('p384')
    expect((await against(sign('sha256', data, privateKey), trustingKeys(publicKey))).status).toBe('trusted')
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(await against(sign('sha512', data, rsa.privateKey), trustingKeys(rsa.publicKey))).toMatchObject({
      status: 'trusted',
      method: 'RSA',
    })
  })

  it.each([
    ['-----BEGIN PGP SIGNATURE-----\nx', 'PGP'],
    ['-----BEGIN SSH SIGNATURE-----\nx', 'SSH'],
  ])('does not judge %j', async (text, method) => {
    expect(await against(text, trustingKeys(keyPair('p256').publicKey))).toMatchObject({ status: 'unchecked', method })
  })

  it('an empty file is no signature, a huge one is none that is read', async () => {
    expect((await against('')).status).toBe('invalid')
    expect((await against(Buffer.alloc(2 << 20), trustingKeys(keyPair('p256').publicKey))).status).toBe('unchecked')
  })

  it('refuses SHA-1', async () => {
    const { publicKey, privateKey } = keyPair('p256')
    expect((await against(sign('sha1', data, privateKey), trustingKeys(publicKey))).status).toBe('invalid')
  })

  it('never trusts noise', async () => {
    const trust = trusting({ keys: allCurves.map((curve, i) => ({ name: `k${i}`, text: pem(keyPair(curve).publicKey) })) })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.string({ minLength: 1 })), async (noise) => {
        expect((await against(Buffer.from(noise as string), trust)).status).not.toBe('trusted')
      }),
      { numRuns: 200 },
    )
  })
})
