import { createPublicKey, type KeyObject, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { signDsse } from '../../../src/provenance/sign/signing-key.ts'
import { checkDsse, type DsseCheck, decodeBase64 } from '../../../src/provenance/signatures/dsse.ts'
import { loadKeys } from '../../../src/provenance/signatures/keys.ts'
import { brokenPreAuthEncoding, preAuthEncoding } from '../../../src/provenance/signatures/pae.ts'
import { allCurves, keyPair, signingKey, trustingKeys } from './trust.ts'

const statusOf = (checked: DsseCheck): string => ('malformed' in checked ? 'malformed' : checked.check.status)
const keysOf = (...keys: readonly KeyObject[]) => loadKeys(trustingKeys(...keys))

describe('the example of the protocol (https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md)', () => {
  const coordinate = (decimal: string): string => Buffer.from(BigInt(decimal).toString(16).padStart(64, '0'), 'hex').toString('base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: coordinate('46950820868899156662930047687818585632848591499744589407958293238635476079160'),
    y: coordinate('5640078356564379163099075877009565129882514886557779369047442380624545832820'),
  }
  const envelope = {
    payload: 'aGVsbG8gd29ybGQ=',
    payloadType: 'http://example.com/HelloWorld',
    signatures: [{ sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==' }],
  }
  const keys = keysOf(createPublicKey({ key: jwk, format: 'jwk' }))

  it('encodes type and payload', () => {
    const encoded = preAuthEncoding('http://example.com/HelloWorld', Buffer.from('hello world'))
    expect(encoded.toString()).toBe('DSSEv1 29 http://example.com/HelloWorld 11 hello world')
  })

  it('accepts the signature, and the payload comes back', () => {
    const checked = checkDsse(envelope, 'x.json', keys)
    expect(statusOf(checked)).toBe('trusted')
    expect('payload' in checked && checked.payload.toString()).toBe('hello world')
  })

  it('accepts URL-safe base64 and a wrong keyid, which is a hint', () => {
    const sig = (envelope.signatures[0]?.sig ?? '').replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
    expect(statusOf(checkDsse({ ...envelope, signatures: [{ sig, keyid: 'somebody else' }] }, 'x.json', keys))).toBe('trusted')
  })

  it('refuses another type, another payload, another key', () => {
    expect(statusOf(checkDsse({ ...envelope, payloadType: 'http://example.com/HelloWorlds' }, 'x', keys))).toBe('invalid')
    expect(statusOf(checkDsse({ ...envelope, payload: 'aGVsbG8gd29ybGU=' }, 'x', keys))).toBe('invalid')
    expect(statusOf(checkDsse(envelope, 'x', keysOf(keyPair('p256').publicKey)))).toBe('invalid')
    expect(statusOf(checkDsse(envelope, 'x', []))).toBe('unchecked')
  })
})

describe('checkDsse', () => {
  it.each(allCurves)('one good signature of several is enough: %s', (curve) => {
    const [ours, theirs] = [signingKey(curve), signingKey('p256')]
    const payload = Buffer.from('payload')
    const both = {
      ...signDsse('text/x', payload, theirs),
      signatures: [theirs, ours].flatMap((key) => signDsse('text/x', payload, key).signatures),
    }
    const checked = checkDsse(both, 'x', keysOf(ours.publicKey))
    expect(checked).toMatchObject({ check: { status: 'trusted' } })
    expect('check' in checked && checked.check.signer).toContain(ours.fingerprint)
  })

  it('counts lengths in bytes', () => {
    const key = signingKey('ed25519')
    const type = 'text/größe'
    expect(statusOf(checkDsse(signDsse(type, Buffer.from('é'), key), 'x', keysOf(key.publicKey)))).toBe('trusted')
    expect(preAuthEncoding(type, Buffer.from('é')).toString()).toBe('DSSEv1 12 text/größe 2 é')
  })

  it('does not accept the broken encoding of OMS 0.2', () => {
    const { publicKey, privateKey } = keyPair('p256')
    const payload = Buffer.from('{}')
    const sig = sign('sha256', brokenPreAuthEncoding('text/x', payload), privateKey).toString('base64')
    const envelope = { payload: payload.toString('base64'), payloadType: 'text/x', signatures: [{ sig }] }
    expect(statusOf(checkDsse(envelope, 'x', keysOf(publicKey)))).toBe('invalid')
  })

  const good = { payload: 'aGk=', payloadType: 't', signatures: [{ sig: 'aGk=' }] }
  it.each<[string, unknown]>([
    ['no object', []],
    ['null', null],
    ['no payload', { ...good, payload: undefined }],
    ['a payload that is not base64', { ...good, payload: 'aGk=!' }],
    ['no type', { ...good, payloadType: '' }],
    ['no signatures', { ...good, signatures: [] }],
    ['signatures that are no list', { ...good, signatures: {} }],
    ['a signature that is not base64', { ...good, signatures: [{ sig: '%' }] }],
    ['an empty signature', { ...good, signatures: [{ sig: '' }] }],
    ['a thousand signatures', { ...good, signatures: Array.from({ length: 1000 }, () => ({ sig: 'aGk=' })) }],
  ])('calls %s malformed', (_, envelope) => {
    expect(statusOf(checkDsse(envelope, 'x', []))).toBe('malformed')
  })

  it('survives anything', () => {
    fc.assert(fc.property(fc.anything(), (value) => ['malformed', 'unchecked'].includes(statusOf(checkDsse(value, 'x', [])))))
  })

  it('two different pairs of type and payload never have the same encoding', () => {
    const pair = fc.tuple(fc.string(), fc.uint8Array())
    fc.assert(
      fc.property(pair, pair, ([a, x], [b, y]) => {
        const same = a === b && Buffer.compare(x, y) === 0
        return preAuthEncoding(a, x).equals(preAuthEncoding(b, y)) === same || Buffer.from(a).equals(Buffer.from(b))
      }),
    )
  })
})

describe('the encoding of OMS 0.2', () => {
  it.each([
    ['{"a": 1}', `DSSEV1 1 t 8 b'{"a": 1}'`],
    ["it's", `DSSEV1 1 t 4 b"it's"`],
    [`it's "x"`, `DSSEV1 1 t 8 b'it\\'s "x"'`],
    ['a\n\t\r\\', `DSSEV1 1 t 5 b'a\\n\\t\\r\\\\'`],
    ['é\u0000\u007f', `DSSEV1 1 t 4 b'\\xc3\\xa9\\x00\\x7f'`],
  ])('prints %j as Python does', (text, expected) => {
    expect(brokenPreAuthEncoding('t', Buffer.from(text)).toString()).toBe(expected)
  })
})

describe('decodeBase64', () => {
  it('reads what either alphabet writes, padded or not', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const buffer = Buffer.from(bytes)
        const forms = [buffer.toString('base64'), buffer.toString('base64url'), buffer.toString('base64').replace(/=+$/, '')]
        return forms.every((form) => decodeBase64(form)?.equals(buffer))
      }),
    )
  })

  it.each(['a', 'a b=', 'aGk=\n', '=', 'a===', 'aGl=', 7, null, undefined])('refuses %j', (text) => {
    expect(decodeBase64(text)).toBeNull()
  })
})
