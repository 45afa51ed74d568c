import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Manifest, TrustPolicy } from '../../../src/contracts/provenance.ts'
import { inToto } from '../../../src/provenance/manifests/in-toto.ts'
import { artifactBeside } from '../../../src/provenance/manifests/in-toto-content.ts'
import { sigstore } from '../../../src/provenance/manifests/sigstore.ts'
import { signDsse } from '../../../src/provenance/sign/signing-key.ts'
import { authority, someone } from '../signatures/authority.ts'
import { flipped, signingKey, trusting, trustingKeys } from '../signatures/trust.ts'
import { deliver, problems, said } from './deliver.ts'

const sha = (content: string): string => hash('sha256', content)
const key = signingKey('p256')
const trust = trustingKeys(key.publicKey)

const statement = (subject: unknown, rest: object = {}) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject,
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {},
  ...rest,
})
const named = (name: string, digest: object) => ({ name, digest })
const signed = (content: object, by = key): string =>
  JSON.stringify(signDsse('application/vnd.in-toto+json', Buffer.from(JSON.stringify(content)), by))
const two = statement([named('a.csv', { sha256: sha('A') }), named('sub/b.csv', { sha256: sha('B'), sha512: 'ab'.repeat(64) })])

const read = async (
  content: string,
  files: Readonly<Record<string, string>> = {},
  policy: TrustPolicy = trust,
  at = 's.intoto.json',
): Promise<Manifest> => (await deliver(inToto, { 'a.csv': 'A', 'sub/b.csv': 'B', ...files, [at]: content })).read(at, policy)

describe('detection', () => {
  it.each<[string, string, boolean]>([
    ['x.intoto.json', '{}', true],
    ['x.intoto.jsonl', '{}\n{}', true],
    ['x.dsse', '{}', true],
    ['attestation.json', JSON.stringify(two), true],
    ['envelope.json', signed(two), true],
    ['hello.json', '{"payload":"aGVsbG8=","payloadType":"text/plain","signatures":[]}', true],
    ['long.json', `{"payload":"${'QUJD'.repeat(3000)}","payloadType":"text/plain","signatures":[]}`, true],
    ['long-data.json', `{"payload":"${'QUJD'.repeat(3000)}","label":"cat"}`, false],
    ['data.json', '{"payload": 1}', false],
    ['data.csv', JSON.stringify(two), false],
  ])('%s', async (path, content, expected) => {
    expect(await (await deliver(inToto, { [path]: content })).detects(path)).toBe(expected)
  })
})

describe('a statement', () => {
  it('in an envelope: subjects by name, with all digests', async () => {
    const manifest = await read(signed(two))
    expect(manifest).toMatchObject({ kind: 'in-toto', version: '1', closed: null, signatures: [{ status: 'trusted' }] })
    expect(said(manifest)).toEqual({
      'a.csv': `sha256:${sha('A')}`,
      'sub/b.csv': `sha256:${sha('B')} sha512:${'ab'.repeat(64)}`,
    })
  })

  it('of another kind is no statement, but its signature counts', async () => {
    const other = JSON.stringify(signDsse('http://example.com/HelloWorld', Buffer.from('hello world'), key))
    const manifest = await read(other)
    expect(manifest).toMatchObject({ title: 'DSSE envelope', entries: [], signatures: [{ status: 'trusted' }] })
    expect(manifest.problems).toMatchObject([{ code: 'unsupported', invalid: false }])
    expect((await read(other.replace('HelloWorld', 'HelloMoon'))).signatures).toMatchObject([{ status: 'invalid' }])
  })

  it('without one is signed by nobody', async () => {
    const manifest = await read(JSON.stringify(two))
    expect(manifest).toMatchObject({ signatures: [], entries: [{ path: 'a.csv' }, { path: 'sub/b.csv' }] })
  })

  it('of version 0.1 is read, of others not', async () => {
    expect(await read(signed({ ...two, _type: 'https://in-toto.io/Statement/v0.1' }))).toMatchObject({ version: '0.1', problems: [] })
    for (const _type of ['https://in-toto.io/Statement/v2', undefined])
      expect(await read(signed({ ...two, _type }))).toMatchObject({ entries: [], problems: [{ code: 'malformed', invalid: true }] })
  })

  it('that was changed under its signature is invalid', async () => {
    const envelope = JSON.parse(signed(two))
    const payload = flipped(Buffer.from(envelope.payload, 'base64'), 40).toString('base64')
    expect((await read(JSON.stringify({ ...envelope, payload }))).signatures).toMatchObject([{ status: 'invalid' }])
  })

  it('beside a file speaks of it, whatever it calls it', async () => {
    const one = statement([named('pkg:generic/thing', { sha256: sha('A') })])
    expect(said(await read(signed(one), {}, trust, 'a.csv.intoto.json'))).toEqual({ 'a.csv': `sha256:${sha('A')}` })
    expect(problems(await read(signed(one)))).toEqual([expect.stringContaining('unsupported')])
  })

  it('keeps what is no digest as a placeholder, and passes over algorithms that nobody can compute', async () => {
    const odd = statement([named('a.csv', { sha256: 'foo', gitCommit: 'abc' })])
    expect(said(await read(signed(odd)))).toEqual({ 'a.csv': 'placeholder foo' })
  })

  it('refuses hostile names', async () => {
    const hostile = statement([named('../x', { sha256: sha('A') }), named('C:\\x', { sha256: sha('A') })])
    const manifest = await read(signed(hostile))
    expect(manifest.entries).toEqual([])
    expect(manifest.problems.map(({ code }) => code)).toContain('hostile-path')
  })

  it.each<[string, object]>([
    ['no subjects', statement([])],
    ['a subject without digests', statement([{ name: 'a.csv' }])],
    ['no predicate type', { ...two, predicateType: '' }],
  ])('with %s is malformed', async (_, content) => {
    expect(await read(signed(content))).toMatchObject({ entries: [], problems: [{ code: 'malformed' }] })
  })
})

describe('several on lines', () => {
  const other = statement([named('b.csv', { sha256: sha('Z') })])

  it('are one manifest', async () => {
    const manifest = await read(`${signed(two)}\n\n${signed(other)}\n`, {}, trust, 's.intoto.jsonl')
    expect(manifest.entries.map(({ path, place }) => [path, place.line])).toEqual([
      ['a.csv', 1],
      ['sub/b.csv', 1],
      ['b.csv', 3],
    ])
    expect(manifest.signatures).toHaveLength(2)
  })

  it.each([JSON.stringify(other), signed(other, signingKey('p256'))])(
    'nothing stands under the signature of another line',
    async (line) => {
      const manifest = await read(`${line}\n${signed(two)}\n`, {}, trust, 's.intoto.jsonl')
      expect(manifest.entries.map(({ path }) => path)).toEqual(['a.csv', 'sub/b.csv'])
      expect(manifest.problems).toMatchObject([{ code: 'inconsistent', invalid: true }])
    },
  )

  it('names the line that is none', async () => {
    const manifest = await read(`${signed(two)}\n{"x":1}\nnot json\n`, {}, trust, 's.intoto.jsonl')
    expect(manifest.problems.map(({ place }) => place.line)).toEqual([2, 3])
    expect(manifest.entries).toHaveLength(2)
  })
})

describe('bundles', async () => {
  const ours = await authority()
  const policy = trusting({ trustedRoot: JSON.stringify(ours.trustedRoot), identities: [someone] })
  const deliverBundle = async (bundle: unknown, at = 'a.csv.sigstore.json', files = {}) =>
    (await deliver(sigstore, { 'a.csv': 'A', ...files, [at]: JSON.stringify(bundle) })).read(at, policy)

  it('of a message speak of the file that they are named after, by the digest that was signed', async () => {
    const bundle = await ours.bundle({ message: Buffer.from('A') })
    const manifest = await deliverBundle(bundle)
    expect(manifest).toMatchObject({ kind: 'sigstore', version: '0.3', signatures: [{ status: 'trusted' }], closed: null })
    expect(said(manifest)).toEqual({ 'a.csv': `sha256:${sha('A')}` })
    expect(await deliverBundle(bundle, 'bundle.json')).toMatchObject({ entries: [{ path: 'bundle' }] })
  })

  it('of a statement are statements, those of model signing are its signatures', async () => {
    const payload = (content: object) => ({ payloadType: 'application/vnd.in-toto+json', payload: Buffer.from(JSON.stringify(content)) })
    const plain = await deliverBundle(await ours.bundle(payload(statement([named('other', { sha256: sha('A') })]))))
    expect(plain).toMatchObject({ kind: 'in-toto', signatures: [{ status: 'trusted' }], entries: [{ path: 'a.csv' }] })
    const root = hash('sha256', Buffer.from(sha('A'), 'hex'))
    const model = statement([named('m', { sha256: root })], {
      predicateType: 'https://model_signing/signature/v1.0',
      predicate: { serialization: { method: 'files' }, resources: [{ name: 'a.csv', algorithm: 'sha256', digest: sha('A') }] },
    })
    expect(await deliverBundle(await ours.bundle(payload(model)), 'model.json')).toMatchObject({
      kind: 'oms',
      closed: '',
      signatures: [{ status: 'trusted', method: 'Sigstore' }],
      entries: [{ path: 'a.csv' }],
    })
  })

  it('of several subjects speak of the one that has the digest of the file', async () => {
    const several = statement([named('x', { sha256: sha('X') }), named('y', { sha256: sha('A') })])
    const bundle = await ours.bundle({ payloadType: 'application/vnd.in-toto+json', payload: Buffer.from(JSON.stringify(several)) })
    expect(said(await deliverBundle(bundle))).toEqual({ 'a.csv': `sha256:${sha('A')}` })
    expect(said(await deliverBundle(bundle, 'a.csv.sigstore.json', { 'a.csv': 'changed' }))).toEqual({ 'a.csv': `sha256:${sha('X')}` })
  })
})

describe('artifactBeside', () => {
  it.each([
    ['d/x.csv.sigstore.json', 'd/x.csv'],
    ['x.csv.sigstore', 'x.csv'],
    ['x.intoto.jsonl', 'x'],
    ['x.csv.bundle', 'x.csv'],
    ['.sigstore.json', null],
    ['x.csv', null],
  ])('%s', (path, expected) => {
    expect(artifactBeside(path)).toBe(expected)
  })
})
