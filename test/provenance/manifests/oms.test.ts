import { createHash, hash, sign } from 'node:crypto'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Manifest, TrustPolicy } from '../../../src/contracts/provenance.ts'
import { openDelivery } from '../../../src/provenance/delivery.ts'
import { oms } from '../../../src/provenance/manifests/oms.ts'
import { omsPredicate, omsPredicate2 } from '../../../src/provenance/manifests/oms-content.ts'
import { brokenPreAuthEncoding, preAuthEncoding } from '../../../src/provenance/signatures/pae.ts'
import { statementPayloadType } from '../../../src/provenance/signatures/statement.ts'
import { certificate } from '../signatures/certificate-maker.ts'
import { keyPair, pem, trusting, trustingKeys } from '../signatures/trust.ts'
import { deliver, folder, problems, said } from './deliver.ts'

const sha = (content: string): string => hash('sha256', content)
const root = (hexes: readonly string[]): string =>
  hexes.reduce((state, hex) => state.update(Buffer.from(hex, 'hex')), createHash('sha256')).digest('hex')

interface Resource {
  readonly name: string
  readonly algorithm?: string
  readonly digest: string
}
interface Made {
  readonly resources: readonly Resource[]
  readonly serialization?: object
  readonly name?: string
  readonly subject?: string
}

const filesOf = (files: Readonly<Record<string, string>>): Resource[] =>
  Object.keys(files)
    .sort()
    .map((name) => ({ name, digest: sha(files[name] as string) }))

/** A statement as releases 0.3 and later write it. */
const statement = ({ resources, serialization, name = 'model', subject }: Made) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name, digest: { sha256: subject ?? root(resources.map((r) => r.digest)) } }],
  predicateType: omsPredicate,
  predicate: {
    serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ...serialization },
    resources: resources.map((r) => ({ algorithm: 'sha256', ...r })),
  },
})

const old = (files: Readonly<Record<string, string>>) => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: filesOf(files).map(({ name, digest }) => ({
    name,
    digest: { sha256: digest },
    annotations: { actual_hash_algorithm: 'file-sha256' },
  })),
  predicateType: omsPredicate2,
  predicate: { unused: 'Unused, just passed due to API requirements' },
})

const ours = keyPair('p384')
const keyed = trustingKeys(ours.publicKey)

function bundle(content: object, { material = { publicKey: {} } as object, encode = preAuthEncoding, hashName = 'sha384' } = {}): string {
  const payload = Buffer.from(JSON.stringify(content, null, 2))
  const sig = sign(hashName, encode(statementPayloadType, payload), ours.privateKey).toString('base64')
  return JSON.stringify({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: material,
    dsseEnvelope: { payload: payload.toString('base64'), payloadType: statementPayloadType, signatures: [{ sig, keyid: null }] },
  })
}

const read = async (files: Readonly<Record<string, string>>, trust: TrustPolicy = keyed, at = 'model.sig'): Promise<Manifest> =>
  (await deliver(oms, files)).read(at, trust)
const data = { 'a.bin': 'A', 'sub/b.bin': 'B' }
const plain = { ...data, 'model.sig': bundle(statement({ resources: filesOf(data) })) }

describe('a signed folder', () => {
  it('is detected by its name and head, whatever the order of its members', async () => {
    const { detects } = await deliver(oms, { ...plain, 'other.sig': 'x', 'x.json': plain['model.sig'] })
    expect([await detects('model.sig'), await detects('other.sig'), await detects('x.json')]).toEqual([true, false, false])
  })

  it('names every file, with the ways to ignore some', async () => {
    const manifest = await read(plain)
    expect(manifest).toMatchObject({ kind: 'oms', version: '1.0', closed: '', own: ['model.sig'] })
    expect(said(manifest)).toEqual({ 'a.bin': `sha256:${sha('A')}`, 'sub/b.bin': `sha256:${sha('B')}` })
    expect(manifest.signatures).toMatchObject([{ status: 'trusted', method: 'OMS, ECDSA P-384 key' }])
    expect(manifest.ignored).toEqual(expect.arrayContaining(['model.sig', '.git/', '.github/', '.gitignore', '.gitattributes']))
    expect(problems(manifest)).toEqual([])
  })

  it('is unchecked without a key, invalid with another one', async () => {
    expect((await read(plain, trusting())).signatures).toMatchObject([{ status: 'unchecked' }])
    expect((await read(plain, trustingKeys(keyPair('p384').publicKey))).signatures).toMatchObject([{ status: 'invalid' }])
  })

  it('says which key a bundle names where it is not among the given', async () => {
    const hint = 'ab'.repeat(32)
    const manifest = await read(
      { ...plain, 'model.sig': bundle(statement({ resources: [] }), { material: { publicKey: { hint } } }) },
      trustingKeys(keyPair('p256').publicKey),
    )
    expect(manifest.signatures[0]?.reason).toContain(hint)
  })

  it('may lie beside its folder or in the root', async () => {
    const made = bundle(statement({ resources: filesOf(data), name: 'model' }))
    const beside = await read({ 'x/model/a.bin': 'A', 'x/model/sub/b.bin': 'B', 'x/model.sig': made }, keyed, 'x/model.sig')
    expect(beside).toMatchObject({ closed: 'x/model', entries: [{ path: 'x/model/a.bin' }, { path: 'x/model/sub/b.bin' }] })
    const above = await read({ ...data, 'signatures/model.sig': made }, keyed, 'signatures/model.sig')
    expect(above).toMatchObject({ closed: '' })
    expect(above.ignored).toContain('signatures/model.sig')
  })

  it('ignores the paths that the signer left out, below the folder alone', async () => {
    const serialization = { ignore_paths: ['cache', 'notes.txt/', '../secret', '/etc'] }
    const manifest = await read({ ...data, 'model.sig': bundle(statement({ resources: filesOf(data), serialization })) })
    expect(manifest.ignored).toEqual(expect.arrayContaining(['cache', 'cache/', 'notes.txt']))
    expect(manifest.ignored.filter((path) => /secret|etc/.test(path))).toEqual([])
    expect(problems(manifest)).toHaveLength(2)
  })

  it('refuses hostile names and keeps the others', async () => {
    const resources = [...filesOf(data), { name: '../../etc/passwd', digest: sha('x') }, { name: '/abs', digest: sha('y') }]
    const manifest = await read({ ...data, 'model.sig': bundle(statement({ resources })) })
    expect(manifest.entries).toHaveLength(2)
    expect(manifest.problems).toMatchObject([
      { code: 'hostile-path', invalid: true },
      { code: 'hostile-path', invalid: true },
    ])
  })

  it('does not follow links that the signer did not allow', async () => {
    const at = folder({ ...plain, 'real/c.bin': 'A' })
    symlinkSync('real/c.bin', join(at, 'c.bin'))
    symlinkSync('real', join(at, 'linked'))
    const resources = [...filesOf(data), { name: 'c.bin', digest: sha('A') }, { name: 'linked/c.bin', digest: sha('A') }]
    const delivery = await openDelivery(at)
    const { writeFileSync } = await import('node:fs')
    for (const [allow_symlinks, entries] of [
      [false, 2],
      ['false', 2],
      [true, 4],
    ] as const) {
      writeFileSync(join(at, 'model.sig'), bundle(statement({ resources, serialization: { allow_symlinks } })))
      expect((await oms.read({ path: 'model.sig', bytes: 1 }, delivery, keyed)).entries).toHaveLength(entries)
    }
  })
})

describe('what the whole must agree with', () => {
  it.each<[string, Partial<Made>]>([
    ['another digest of the whole', { subject: 'ab'.repeat(32) }],
    [
      'resources in another order than was hashed',
      { resources: filesOf(data).reverse(), subject: root(filesOf(data).map((r) => r.digest)) },
    ],
    [
      'a resource more',
      { resources: [...filesOf(data), { name: 'c', digest: sha('C') }], subject: root(filesOf(data).map((r) => r.digest)) },
    ],
  ])('%s leaves nothing to verify', async (_, made) => {
    const manifest = await read({ ...data, 'model.sig': bundle(statement({ resources: filesOf(data), ...made })) })
    expect(manifest).toMatchObject({ entries: [], closed: '', problems: [{ code: 'inconsistent', invalid: true }] })
  })

  it.each<[string, Partial<Made>]>([
    ['an unknown algorithm', { resources: [{ name: 'a.bin', algorithm: 'rot13', digest: sha('A') }] }],
    ['a digest of another length', { resources: [{ name: 'a.bin', algorithm: 'blake2b', digest: sha('A') }] }],
    ['an unknown method', { serialization: { method: 'tensors' } }],
    ['a shard without its bounds', { serialization: { method: 'shards', shard_size: 4 } }],
  ])('%s is malformed', async (_, made) => {
    const manifest = await read({ ...data, 'model.sig': bundle(statement({ resources: filesOf(data), ...made })) })
    expect(manifest).toMatchObject({ entries: [], problems: [{ code: 'malformed', invalid: true }] })
  })

  it('a name that stands there twice is a problem', async () => {
    const resources = [...filesOf(data), ...filesOf(data)]
    expect(problems(await read({ ...data, 'model.sig': bundle(statement({ resources })) }))).toHaveLength(2)
  })

  it.each(['sha256', 'blake2b', 'blake3'])('reads resources of %s', async (algorithm) => {
    const digest = 'ab'.repeat(algorithm === 'blake2b' ? 64 : 32)
    const manifest = await read({ ...data, 'model.sig': bundle(statement({ resources: [{ name: 'a.bin', algorithm, digest }] })) })
    expect(said(manifest)).toEqual({ 'a.bin': `${algorithm}:${digest}` })
  })
})

describe('shards', () => {
  const shard = (name: string, content: string): Resource => ({ name, digest: sha(content) })
  const serialization = { method: 'shards', shard_size: 4 }
  const made = (...resources: readonly Resource[]) => ({
    'a.bin': 'AAAABB',
    empty: '',
    'model.sig': bundle(statement({ resources, serialization })),
  })

  it('are ranges of a file, the whole of which they are', async () => {
    const manifest = await read(made(shard('a.bin:0:4', 'AAAA'), shard('a.bin:4:6', 'BB')))
    expect(manifest.entries).toMatchObject([
      { path: 'a.bin', range: [0, 4] },
      { path: 'a.bin', range: [4, 6] },
    ])
    expect(problems(manifest)).toEqual([])
    expect(manifest.ignored).toContain('empty')
  })

  it.each([[['a.bin:0:4', 'a.bin:5:6']], [['a.bin:1:4', 'a.bin:4:6']], [['a.bin:0:4', 'a.bin:3:6']], [['a.bin:0:0']]])(
    '%j leave something out or overlap',
    async (names) => {
      expect(problems(await read(made(...names.map((name) => shard(name, 'x')))))[0]).toMatch(/inconsistent/)
    },
  )
})

describe('signatures of a single file before 1.1', () => {
  const single = (name: string) => bundle(statement({ resources: [{ name: '.', digest: sha('A') }], name }))

  it('speak of the subject beside them and of no folder', async () => {
    const manifest = await read({ 'a.bin': 'A', 'b.bin': 'B', 'model.sig': single('a.bin') })
    expect(manifest).toMatchObject({ closed: null, entries: [{ path: 'a.bin' }], ignored: [] })
  })

  it('or of the file that they are named after', async () => {
    expect(await read({ 'a.bin': 'A', 'a.bin.sig': single('renamed') }, keyed, 'a.bin.sig')).toMatchObject({ entries: [{ path: 'a.bin' }] })
  })

  it('never of a file outside', async () => {
    const manifest = await read({ 'a.bin': 'A', 'model.sig': single('../a.bin') })
    expect(manifest.entries.every(({ path }) => !path.includes('..'))).toBe(true)
  })
})

describe('release 0.2', () => {
  it.each(['sha256', 'sha384'])('holds in its own encoding with %s, with digests in the subject', async (hashName) => {
    const manifest = await read({ ...data, 'model.sig': bundle(old(data), { encode: brokenPreAuthEncoding, hashName }) })
    expect(manifest).toMatchObject({ kind: 'oms', version: '0.2', closed: '', signatures: [{ status: 'trusted' }] })
    expect(said(manifest)).toEqual({ 'a.bin': `sha256:${sha('A')}`, 'sub/b.bin': `sha256:${sha('B')}` })
  })

  it('its encoding holds for no other statement', async () => {
    const made = bundle(statement({ resources: filesOf(data) }), { encode: brokenPreAuthEncoding, hashName: 'sha256' })
    expect(await read({ ...data, 'model.sig': made })).toMatchObject({ entries: [], signatures: [{ status: 'invalid' }] })
  })
})

describe('certificates', async () => {
  const ca = await certificate('root', { ca: true })
  const middle = await certificate('middle', { ca: true, issuer: ca })
  const signer = await certificate('vendor', { issuer: middle })
  const chain = (...certificates: readonly { readonly der: Buffer }[]) => ({
    x509CertificateChain: { certificates: certificates.map(({ der }) => ({ rawBytes: der.toString('base64') })) },
  })
  const by = (material: object): string => {
    const made = JSON.parse(bundle(statement({ resources: filesOf(data) }), { material }))
    const payload = Buffer.from(made.dsseEnvelope.payload, 'base64')
    made.dsseEnvelope.signatures[0].sig = sign('sha384', preAuthEncoding(statementPayloadType, payload), signer.privateKey).toString(
      'base64',
    )
    return JSON.stringify(made)
  }
  const trust = (name: string, text: string, now = new Date('2026-11-24T00:00:00Z')) => trusting({ certificates: [{ name, text }], now })
  const status = async (sig: string, policy: TrustPolicy) => (await read({ ...data, 'model.sig': sig }, policy)).signatures[0]?.status

  it('count where they lead to an authority of the policy', async () => {
    expect(await status(by(chain(signer, middle)), trust('ca.pem', ca.pem))).toBe('trusted')
    expect(await status(by(chain(signer, middle)), trusting())).toBe('untrusted')
    expect(await status(by(chain(signer)), trust('ca.pem', ca.pem))).toBe('untrusted')
    expect(await status(by(chain(signer, middle, ca)), trust('other.pem', (await certificate('root', { ca: true })).pem))).toBe('untrusted')
  })

  it('must be valid now, for nobody vouches for the time', async () => {
    expect(await status(by(chain(signer, middle)), trust('ca.pem', ca.pem, new Date('2037-01-01T00:00:00Z')))).toBe('invalid')
  })

  it('need no authority where the policy names their key', async () => {
    const { createPublicKey } = await import('node:crypto')
    const key = createPublicKey(signer.privateKey)
    expect(await status(by(chain(signer, middle)), trusting({ keys: [{ name: 'v.pub', text: pem(key) }] }))).toBe('trusted')
  })

  it('do not count for what another key signed', async () => {
    const wrong = bundle(statement({ resources: filesOf(data) }), { material: chain(signer, middle) })
    expect(await status(wrong, trust('ca.pem', ca.pem))).toBe('invalid')
  })
})
