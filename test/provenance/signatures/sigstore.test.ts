import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TrustPolicy } from '../../../src/contracts/provenance.ts'
import { type Artifact, artifactOfDigest, checkBundle } from '../../../src/provenance/signatures/check-bundle.ts'
import { statementPayloadType } from '../../../src/provenance/signatures/statement.ts'
import { authority, type Bundle, type BundleOptions, type Content, someone } from './authority.ts'
import { keyPair, pem, trusting } from './trust.ts'

const ours = await authority()
const message = Buffer.from('a data set\n')
const sha256 = createHash('sha256').update(message).digest('hex')
const artifact: Artifact = { digests: { sha256 }, bytes: message }
const rootText = (change: (root: Bundle) => void = () => {}): string => {
  const root = structuredClone(ours.trustedRoot)
  change(root)
  return JSON.stringify(root)
}
const policy = (part: Partial<TrustPolicy> = {}): TrustPolicy => trusting({ trustedRoot: rootText(), identities: [someone], ...part })
const statement = (digest: string, type = 'https://in-toto.io/Statement/v1') => ({
  payloadType: statementPayloadType,
  payload: Buffer.from(
    JSON.stringify({
      _type: type,
      subject: [{ name: 'x', digest: { sha256: digest } }],
      predicateType: 'https://example.org/p',
      predicate: {},
    }),
  ),
})
const forms: readonly [string, Content, BundleOptions][] = [
  ['a message in a log of version 1', { message }, {}],
  ['a message in a log of version 2', { message }, { log: 'v2' }],
  ['a statement in a log of version 1', statement(sha256), {}],
  ['a statement in a log of version 2', statement(sha256), { log: 'v2' }],
]
const verdict = async (bundle: Bundle, trust = policy(), over = artifact) => (await checkBundle(JSON.stringify(bundle), over, trust)).check

describe.each(forms)('%s', (_, content, options) => {
  it('is trusted where the policy names its signer', async () => {
    const check = await verdict(await ours.bundle(content, options))
    expect(check).toMatchObject({ status: 'trusted', method: 'Sigstore', signer: `${someone.identity} (${someone.issuer})` })
    expect(check.signedAt).not.toBeNull()
  })

  it('holds for the digest alone', async () => {
    const digest = artifactOfDigest(`sha256:${sha256}`) as Artifact
    expect(await verdict(await ours.bundle(content, options), policy(), digest)).toMatchObject({ status: 'trusted' })
  })

  it('is never trusted without an identity in the policy', async () => {
    expect(await verdict(await ours.bundle(content, options), policy({ identities: [] }))).toMatchObject({ status: 'untrusted' })
  })

  it.each([
    { ...someone, identity: 'https://example.org/releas' },
    { ...someone, identity: 'https://example.org/release2' },
    { ...someone, identity: '.*' },
    { ...someone, identity: '' },
    { ...someone, issuer: 'https://issuer.example.com' },
    { ...someone, issuer: 'https://issuer.example.org/' },
  ])('is untrusted for $identity by $issuer', async (named) => {
    expect(await verdict(await ours.bundle(content, options), policy({ identities: [named] }))).toMatchObject({ status: 'untrusted' })
  })

  it('is invalid over another artifact', async () => {
    const other = Buffer.from('a date set\n')
    const over = { digests: { sha256: createHash('sha256').update(other).digest('hex') }, bytes: other }
    expect(await verdict(await ours.bundle(content, options), policy(), over)).toMatchObject({ status: 'invalid' })
  })

  it('is invalid against another authority, and against that of the public instance', async () => {
    const theirs = await authority()
    const bundle = await ours.bundle(content, options)
    expect(await verdict(bundle, policy({ trustedRoot: JSON.stringify(theirs.trustedRoot) }))).toMatchObject({ status: 'invalid' })
    expect(await verdict(bundle, policy({ trustedRoot: null }))).toMatchObject({ status: 'invalid' })
  })

  it.each<[string, (bundle: Bundle, other: Bundle) => void]>([
    [
      'another signature',
      (b, o) =>
        Object.assign(
          b.messageSignature ?? b.dsseEnvelope,
          o.messageSignature ? { signature: o.messageSignature.signature } : { signatures: o.dsseEnvelope.signatures },
        ),
    ],
    ["another's certificate", (b, o) => Object.assign(b.verificationMaterial.certificate, o.verificationMaterial.certificate)],
    ["another's log entry", (b, o) => Object.assign(b.verificationMaterial, { tlogEntries: o.verificationMaterial.tlogEntries })],
    ['no log entry', (b) => Object.assign(b.verificationMaterial, { tlogEntries: [] })],
    ['the log entry twice', (b) => b.verificationMaterial.tlogEntries.push(b.verificationMaterial.tlogEntries[0])],
    ['no inclusion proof', (b) => Object.assign(b.verificationMaterial.tlogEntries[0], { inclusionProof: undefined })],
    [
      'another checkpoint',
      (b, o) =>
        Object.assign(b.verificationMaterial.tlogEntries[0].inclusionProof, {
          checkpoint: o.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint,
        }),
    ],
    ['another time', (b) => Object.assign(b.verificationMaterial.tlogEntries[0], { integratedTime: '1700000000' })],
    [
      'no time',
      (b) =>
        Object.assign(b.verificationMaterial, {
          timestampVerificationData: {},
          tlogEntries: b.verificationMaterial.tlogEntries.map((e: Bundle) => ({ ...e, inclusionPromise: undefined })),
        }),
    ],
    ['an unknown kind of entry', (b) => Object.assign(b.verificationMaterial.tlogEntries[0].kindVersion, { kind: 'rpm' })],
    [
      'a second signature',
      (b) => (b.dsseEnvelope ? b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0]) : Object.assign(b, { messageSignature: {} })),
    ],
    ['a body that is no JSON', (b) => Object.assign(b.verificationMaterial.tlogEntries[0], { canonicalizedBody: 'AAAA' })],
    [
      'a pattern as the name of a checkpoint',
      (b) =>
        Object.assign(b.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint, {
          envelope: b.verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope.replace(
            '\u2014 log.example.org',
            '\u2014 (.*)*(.*)*(.*)*$x',
          ),
        }),
    ],
  ])('is invalid with %s', async (__, change) => {
    const [bundle, other] = [
      await ours.bundle(content, options),
      await ours.bundle('message' in content ? { message: Buffer.from('x') } : statement('0'.repeat(64)), options),
    ]
    change(bundle, other)
    expect(await verdict(bundle)).toMatchObject({ status: 'invalid' })
  })
})

describe('what else is refused', () => {
  it.each<[string, (root: Bundle) => void]>([
    ['another log of certificates', (root) => Object.assign(root.ctlogs[0].publicKey, { rawBytes: pemBody(keyPair('p256').publicKey) })],
    [
      'an authority that was not yet valid',
      (root) => Object.assign(root.certificateAuthorities[0], { validFor: { start: '2100-01-01T00:00:00Z' } }),
    ],
    [
      'an authority that was no longer valid',
      (root) => Object.assign(root.certificateAuthorities[0].validFor, { end: '2001-01-01T00:00:00Z' }),
    ],
    ['a log that was no longer valid', (root) => Object.assign(root.tlogs[0].publicKey.validFor, { end: '2001-01-01T00:00:00Z' })],
  ])('a trusted root with %s', async (_, change) => {
    expect(await verdict(await ours.bundle({ message }), policy({ trustedRoot: rootText(change) }))).toMatchObject({ status: 'invalid' })
  })

  it.each<[string, string]>([
    ['that is no JSON', '{'],
    ['that is a list', '[]'],
    ['whose log has no start', rootText((root) => Object.assign(root.tlogs[0].publicKey, { validFor: { end: '2100-01-01T00:00:00Z' } }))],
    ['whose authority has no start', rootText((root) => Object.assign(root.certificateAuthorities[0], { validFor: {} }))],
    ['whose logs are no list', rootText((root) => Object.assign(root, { tlogs: {} }))],
  ])('a trusted root %s, as a mistake of the user', async (_, trustedRoot) => {
    await expect(verdict(await ours.bundle({ message }), policy({ trustedRoot }))).rejects.toMatchObject({ code: 'bad-key', exit: 4 })
  })

  it('a statement without a type, of an unknown version, or that is none', async () => {
    for (const type of ['https://in-toto.io/Statement/v2', ''])
      expect(await verdict(await ours.bundle(statement(sha256, type)))).toMatchObject({ status: 'invalid' })
    const other = { payloadType: 'application/json', payload: Buffer.from('{}') }
    expect(await verdict(await ours.bundle(other))).toMatchObject({ status: 'invalid' })
  })

  it('a bundle that brings a root certificate', async () => {
    const bundle = await ours.bundle({ message }, { mediaType: 'application/vnd.dev.sigstore.bundle+json;version=0.1' })
    const { certificate } = bundle.verificationMaterial
    const [root] = (ours.trustedRoot as Bundle).certificateAuthorities[0].certChain.certificates
    const material = (...certificates: readonly unknown[]) => ({
      ...bundle,
      verificationMaterial: { ...bundle.verificationMaterial, certificate: undefined, x509CertificateChain: { certificates } },
    })
    expect(await verdict(material(certificate))).toMatchObject({ status: 'trusted' })
    expect(await verdict(material(certificate, root))).toMatchObject({ status: 'invalid' })
  })

  it.each([
    'application/vnd.dev.sigstore.bundle+json;version=0.1',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
    'application/vnd.dev.sigstore.bundle.v0.3+json',
  ])('nothing of %s', async (mediaType) => {
    expect(await verdict(await ours.bundle({ message }, { mediaType }))).toMatchObject({ status: 'trusted' })
  })

  it.each([
    '',
    'application/json',
    'application/vnd.dev.sigstore.bundle+json;version=0.4',
    'application/vnd.dev.sigstore.bundle.v1.0+json',
  ])('the media type %j', async (mediaType) => {
    expect(await verdict(await ours.bundle({ message }, { mediaType }))).toMatchObject({ status: 'invalid' })
  })

  it.each(['', '{}', 'null', '[]', '{"mediaType":1}', '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}'])(
    'the text %j',
    async (text) => {
      expect((await checkBundle(text, artifact, policy())).check).toMatchObject({ status: 'invalid' })
    },
  )
})

const pemBody = (key: Parameters<typeof pem>[0]): string => key.export({ type: 'spki', format: 'der' }).toString('base64')

describe('bundles that name a key', () => {
  const key = keyPair('p256')
  const trust = (part: Partial<TrustPolicy> = {}) =>
    policy({ identities: [], keys: [{ name: 'v.pub', text: pem(key.publicKey) }], ...part })

  it.each(forms)('%s', async (_, content, options) => {
    const bundle = await ours.bundle(content, { ...options, key })
    expect(await verdict(bundle, trust())).toMatchObject({ status: 'trusted' })
    expect(await verdict(bundle, trust({ keys: [{ name: 'w.pub', text: pem(keyPair('p256').publicKey) }] }))).toMatchObject({
      status: 'invalid',
    })
    expect(await verdict(bundle, trust({ keys: [] }))).toMatchObject({ status: 'unchecked' })
    expect(await verdict(bundle, trust({ trustedRoot: JSON.stringify((await authority()).trustedRoot) }))).toMatchObject({
      status: 'invalid',
    })
  })

  it('need a log where the policy brings a trusted root that names one, and not otherwise', async () => {
    for (const content of [{ message }, statement(sha256)]) {
      const bundle = await ours.bundle(content, { key, log: 'none' })
      expect(await verdict(bundle, trust())).toMatchObject({ status: 'invalid' })
      expect(await verdict(bundle, trust({ trustedRoot: null }))).toMatchObject({ status: 'trusted' })
      expect(await verdict(bundle, trust({ trustedRoot: rootText((root) => Object.assign(root, { tlogs: [] })) }))).toMatchObject({
        status: 'trusted',
      })
    }
  })
})

describe('a bundle with some characters changed', () => {
  it.each(forms)('%s: never ends the process, and is trusted for the same content alone', async (_, content, options) => {
    const text = JSON.stringify(await ours.bundle(content, options))
    const [original, trust] = [await checkBundle(text, artifact, policy()), policy()]
    const change = fc.record({ at: fc.nat(text.length - 1), length: fc.nat(3), by: fc.string({ maxLength: 3 }) })
    await fc.assert(
      fc.asyncProperty(change, async ({ at, length, by }) => {
        const changed = await checkBundle(text.slice(0, at) + by + text.slice(at + length), artifact, trust)
        if (changed.check.status === 'trusted') expect(changed.content).toEqual(original.content)
      }),
      { numRuns: 150 },
    )
  })
})
