import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { checkDetached } from '../../../src/provenance/signatures/detached.ts'
import { loadKeys } from '../../../src/provenance/signatures/keys.ts'
import { minisignId, parseMinisignKey, parseMinisignSignature } from '../../../src/provenance/signatures/minisign.ts'
import { keyPair, pem, trusting } from './trust.ts'

/** The key of the manual (https://jedisct1.github.io/minisign/) and a signature of "test" that its libraries are tested with. */
const manualKey = 'RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3'
const manualSignature = `untrusted comment: signature from minisign secret key
RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=
trusted comment: timestamp:1556193335\tfile:test
y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==
`

const id = Buffer.from('0123456789abcdef', 'hex')
const rawKey = (key: KeyObject): Buffer => Buffer.from(key.export({ format: 'jwk' }).x as string, 'base64url')

interface Made {
  readonly key: string
  readonly signature: string
}

/** By the letter of the format: `prehashed` signs BLAKE2b-512, a comment of null is how signify does it. */
function make(data: Buffer, { prehashed = true, comment = 'timestamp:1 file:x' as string | null } = {}): Made {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signature = sign(null, prehashed ? createHash('blake2b512').update(data).digest() : data, privateKey)
  const line = Buffer.concat([Buffer.from(prehashed ? 'ED' : 'Ed'), id, signature]).toString('base64')
  const global = comment === null ? null : sign(null, Buffer.concat([signature, Buffer.from(comment)]), privateKey).toString('base64')
  return {
    key: `untrusted comment: key\n${Buffer.concat([Buffer.from('Ed'), id, rawKey(publicKey)]).toString('base64')}\n`,
    signature: `untrusted comment: any\n${line}\n${global === null ? '' : `trusted comment: ${comment}\n${global}\n`}`,
  }
}

const check = (data: string, signature: string, key: string) => {
  const trust = trusting({ keys: [{ name: 'v.pub', text: key }] })
  return checkDetached(Buffer.from(data), Buffer.from(signature), 'x.minisig', loadKeys(trust), trust)
}

describe('keys', () => {
  it('reads the key of the manual, with and without its comment', () => {
    expect(minisignId(parseMinisignKey(manualKey)?.id ?? '')).toBe('E7620F1842B4E81F')
    expect(parseMinisignKey(`untrusted comment: minisign public key E7620F1842B4E81F\n${manualKey}\n`)?.id).toBe(
      parseMinisignKey(manualKey)?.id,
    )
  })

  it.each(['', 'RWQ', `${manualKey}A`, manualKey.replace('RWQ', 'RUQ')])('refuses %j', (text) => {
    expect(parseMinisignKey(text)).toBeNull()
  })
})

describe('signatures', () => {
  it('accepts one that minisign made', async () => {
    const checked = await check('test', manualSignature, manualKey)
    expect(checked).toMatchObject({ status: 'trusted', method: 'minisign' })
    expect(checked.reason).toContain('timestamp:1556193335')
  })

  it('refuses it over other bytes', async () => {
    expect(await check('Test', manualSignature, manualKey)).toMatchObject({ status: 'invalid' })
  })

  it.each([true, false])('accepts its own form, prehashed %s', async (prehashed) => {
    const { key, signature } = make(Buffer.from('data'), { prehashed })
    expect(await check('data', signature, key)).toMatchObject({ status: 'trusted' })
    expect(await check('date', signature, key)).toMatchObject({ status: 'invalid' })
  })

  it('accepts a signature of signify, which has no trusted comment', async () => {
    const { key, signature } = make(Buffer.from('data'), { prehashed: false, comment: null })
    expect(await check('data', signature, key)).toMatchObject({ status: 'trusted', method: 'signify' })
  })

  it('refuses a prehashed one without a trusted comment, and a comment that was changed', async () => {
    const { key, signature } = make(Buffer.from('data'))
    expect(await check('data', signature.split('\n').slice(0, 2).join('\n'), key)).toMatchObject({ status: 'invalid' })
    expect(await check('data', signature.replace('file:x', 'file:y'), key)).toMatchObject({ status: 'invalid' })
  })

  it('does not mind the untrusted comment, nor carriage returns', async () => {
    const { key, signature } = make(Buffer.from('data'))
    expect(await check('data', signature.replace('any', 'other').replaceAll('\n', '\r\n'), key)).toMatchObject({ status: 'trusted' })
  })

  it('takes the key as PEM as well', async () => {
    const { publicKey, privateKey } = keyPair('ed25519')
    const data = Buffer.from('data')
    const signature = sign(null, data, privateKey)
    const text = `untrusted comment: x\n${Buffer.concat([Buffer.from('Ed'), id, signature]).toString('base64')}\n`
    expect(await check('data', text, pem(publicKey))).toMatchObject({ status: 'trusted' })
  })

  it('is unchecked without a key, and names the key that made it where others were given', async () => {
    const { signature } = make(Buffer.from('data'))
    const none = await checkDetached(Buffer.from('data'), Buffer.from(signature), 'x.minisig', [], trusting())
    expect(none.status).toBe('unchecked')
    const other = await check('data', signature, manualKey)
    expect(other.status).toBe('invalid')
    expect(other.reason).toContain(minisignId(id.toString('hex')))
  })

  it.each(['untrusted comment: x', 'untrusted comment: x\n!!!!', 'untrusted comment: x\nAAAA\n', `${manualSignature}more`])(
    'cannot read %j',
    (text) => {
      expect(parseMinisignSignature(Buffer.from(text))).toBeNull()
    },
  )
})
