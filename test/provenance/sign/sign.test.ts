import { createHash, createPublicKey, hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type SignRequest, signFolder, writeKeyPair, writeVerdict } from '../../../src/engine/sign.ts'
import { openDelivery } from '../../../src/provenance/delivery.ts'
import { fileAt } from '../../../src/provenance/manifests/lookup.ts'
import { readSigned } from '../../../src/provenance/manifests/signed.ts'
import { makeKeyPair } from '../../../src/provenance/sign/keygen.ts'
import { omsBundle, omsStatement } from '../../../src/provenance/sign/oms.ts'
import { loadSigningKey } from '../../../src/provenance/sign/signing-key.ts'
import { checkSnapshotSignature, signSnapshot, type VerdictInput, verdictStatement } from '../../../src/provenance/sign/statement.ts'
import { sumsText } from '../../../src/provenance/sign/sums.ts'
import { hintOf } from '../../../src/provenance/signatures/offline.ts'
import { folder } from '../manifests/deliver.ts'
import { pem, signingKey, trusting, trustingKeys } from '../signatures/trust.ts'

const sha = (content: string): string => hash('sha256', content)
const data = { 'a.csv': 'A', 'sub/b.csv': 'B', 'sub.txt': 'C', '.gitignore': 'x', '.git/HEAD': 'x' }
const request = (root: string, key: string | null, part: Partial<SignRequest> = {}): SignRequest => ({
  root,
  key,
  out: null,
  sums: null,
  bom: null,
  subject: { name: null, version: null },
  ignore: [],
  force: false,
  now: new Date('2026-11-24T00:00:00Z'),
  threads: 1,
  progress: () => {},
  ...part,
})
const keys = async (type: 'p256' | 'p384' | 'ed25519' = 'p256', password: string | null = null) => {
  const at = join(folder({}), 'vendor')
  const { files } = await writeKeyPair(at, type, password)
  return { key: files[0], pub: files[1], policy: trusting({ keys: [{ name: 'vendor.pub', text: readFileSync(files[1], 'utf8') }] }) }
}
const manifestOf = async (root: string, path: string, policy = trusting()) => {
  const delivery = await openDelivery(root)
  return readSigned(fileAt(delivery, path) as never, delivery, policy)
}

describe('keys', () => {
  it.each(['p256', 'p384', 'ed25519'] as const)('%s: made once, the private one for its owner alone', async (type) => {
    const at = join(folder({}), 'new', 'vendor')
    const { files, fingerprint } = await writeKeyPair(at, type, null)
    expect(files).toEqual([`${at}.key`, `${at}.pub`])
    expect(statSync(files[0]).mode & 0o777).toBe(0o600)
    expect(loadSigningKey(files[0]).fingerprint).toBe(fingerprint)
    const before = readFileSync(files[0], 'utf8')
    await expect(writeKeyPair(at, type, null)).rejects.toMatchObject({ code: 'exists', exit: 4 })
    expect(readFileSync(files[0], 'utf8')).toBe(before)
  })

  it('leaves nothing where only the public file exists', async () => {
    const at = folder({ 'vendor.pub': 'mine' })
    await expect(writeKeyPair(join(at, 'vendor'), 'p256', null)).rejects.toMatchObject({ code: 'exists' })
    expect(readdirSync(at)).toEqual(['vendor.pub'])
  })

  it('are encrypted with a passphrase, and say so where it is missing or wrong', async () => {
    const { key } = await keys('p384', 'secret')
    expect(readFileSync(key, 'utf8')).toContain('ENCRYPTED')
    expect(loadSigningKey(key, 'secret').kind).toBe('ecdsa-p384')
    expect(() => loadSigningKey(key)).toThrow(/passphrase/)
    expect(() => loadSigningKey(key, 'Secret')).toThrow(/passphrase/)
  })

  it.each(['', 'x', pem(createPublicKey(makeKeyPair('p256', null).privatePem))])('refuses %j as a private key', (text) => {
    const at = join(folder({ 'x.key': text }), 'x.key')
    expect(() => loadSigningKey(at)).toThrow(expect.objectContaining({ code: 'bad-key', exit: 4 }))
  })
})

describe('the signature of a folder', () => {
  it.each(['p256', 'p384', 'ed25519'] as const)('with %s covers every file but those of git, and itself', async (type) => {
    const root = folder(data)
    const { key, policy } = await keys(type)
    const signed = await signFolder(request(root, key))
    expect(signed).toMatchObject({ files: 3, bytes: 3, written: [join(root, 'model.sig')] })
    const manifest = await manifestOf(root, 'model.sig', policy)
    expect(manifest).toMatchObject({ kind: 'oms', closed: '', signatures: [{ status: 'trusted' }], problems: [] })
    expect(manifest.entries.map(({ path, digests }) => [path, digests[0]?.hex])).toEqual([
      ['a.csv', sha('A')],
      ['sub.txt', sha('C')],
      ['sub/b.csv', sha('B')],
    ])
  })

  it('names the folder, its parts in the order of paths, and the digest of all digests', () => {
    const files = Object.entries({ 'sub.txt': 'C', 'sub/b.csv': 'B', 'a.csv': 'A' }).map(([path, content]) => ({
      path,
      sha256: sha(content),
    }))
    const statement = omsStatement('data', files, ['model.sig'])
    const order = ['A', 'B', 'C'].map((content) => Buffer.from(sha(content), 'hex'))
    const root = createHash('sha256').update(Buffer.concat(order)).digest('hex')
    expect(statement.subject).toEqual([{ name: 'data', digest: { sha256: root } }])
    expect(statement.predicate).toMatchObject({
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: ['.git', '.gitattributes', '.github', '.gitignore', 'model.sig'],
      },
      resources: [{ name: 'a.csv' }, { name: 'sub/b.csv' }, { name: 'sub.txt' }],
    })
  })

  it('names its key as the reference implementation does: SHA-256 of the PEM text', () => {
    const key = signingKey('p256')
    const bundle = omsBundle(omsStatement('x', [], []), key) as { verificationMaterial: { publicKey: { hint: string } } }
    expect(bundle.verificationMaterial.publicKey.hint).toBe(hintOf({ key: key.publicKey }))
    expect(hintOf({ key: key.publicKey })).toBe(sha(pem(key.publicKey)))
  })

  it('covers sums and bill of materials as well', async () => {
    const root = folder(data)
    const { key, policy } = await keys()
    const signed = await signFolder(request(root, key, { sums: 'SHA256SUMS', bom: 'bom.cdx.json' }))
    expect(signed.written).toEqual(['bom.cdx.json', 'SHA256SUMS', 'model.sig'].map((name) => join(root, name)))
    const manifest = await manifestOf(root, 'model.sig', policy)
    expect(manifest.entries.map(({ path }) => path).sort()).toEqual(['SHA256SUMS', 'a.csv', 'bom.cdx.json', 'sub.txt', 'sub/b.csv'])
    const sums = readFileSync(join(root, 'SHA256SUMS'), 'utf8')
    expect(sums.split('\n').slice(0, -1)).toEqual([
      `${sha('A')}  a.csv`,
      `${sha(readFileSync(join(root, 'bom.cdx.json'), 'utf8'))}  bom.cdx.json`,
      `${sha('C')}  sub.txt`,
      `${sha('B')}  sub/b.csv`,
    ])
  })

  it('refuses to overwrite, and changes nothing when it does', async () => {
    const root = folder({ ...data, SHA256SUMS: 'mine' })
    const { key } = await keys()
    await expect(signFolder(request(root, key, { sums: 'SHA256SUMS', bom: 'bom.json' }))).rejects.toMatchObject({ code: 'exists', exit: 4 })
    expect(readFileSync(join(root, 'SHA256SUMS'), 'utf8')).toBe('mine')
    expect(existsSync(join(root, 'bom.json'))).toBe(false)
    await signFolder(request(root, key, { sums: 'SHA256SUMS', force: true }))
    expect(readFileSync(join(root, 'SHA256SUMS'), 'utf8')).toContain('a.csv')
  })

  it('may lie elsewhere, and writes what it names alone', async () => {
    const [root, elsewhere] = [folder(data), folder({})]
    const { key, policy } = await keys()
    const signed = await signFolder(request(root, key, { out: join(elsewhere, 'data.sig'), ignore: ['sub'] }))
    expect(signed.written).toEqual([join(elsewhere, 'data.sig')])
    expect(readdirSync(root).sort()).toEqual(['.git', '.gitignore', 'a.csv', 'sub', 'sub.txt'])
    expect(readdirSync(elsewhere)).toEqual(['data.sig'])
    mkdirSync(join(root, 'sigs'))
    writeFileSync(join(root, 'sigs/data.sig'), readFileSync(join(elsewhere, 'data.sig')))
    const manifest = await manifestOf(root, 'sigs/data.sig', policy)
    expect(manifest).toMatchObject({ closed: '', signatures: [{ status: 'trusted' }] })
    expect(manifest.entries.map(({ path }) => path)).toEqual(['a.csv', 'sub.txt'])
    expect(manifest.ignored).toContain('sub/')
  })

  it('holds no links and no names that another disk reads differently', async () => {
    const { key } = await keys()
    const linked = folder(data)
    symlinkSync('a.csv', join(linked, 'link.csv'))
    await expect(signFolder(request(linked, key))).rejects.toMatchObject({ code: 'unsupported', exit: 4 })
    const colliding = folder({ 'a.csv': 'A', 'A.csv': 'B' })
    await expect(signFolder(request(colliding, key))).rejects.toMatchObject({ code: 'hostile', exit: 4 })
    expect(readdirSync(colliding).sort()).toEqual(['A.csv', 'a.csv'])
  })

  it('needs files, a folder, and different names', async () => {
    const { key } = await keys()
    await expect(signFolder(request(folder({}), key))).rejects.toMatchObject({ exit: 3 })
    await expect(signFolder(request(join(folder({}), 'none'), key))).rejects.toMatchObject({ code: 'not-a-folder', exit: 4 })
    await expect(signFolder(request(folder(data), key, { sums: 'x', bom: 'x' }))).rejects.toMatchObject({ code: 'bad-option' })
    await expect(signFolder(request(folder(data), 'none.key'))).rejects.toMatchObject({ code: 'bad-key' })
  })
})

describe('SHA256SUMS', () => {
  it('escapes names as coreutils do', () => {
    const sha256 = sha('x')
    expect(
      sumsText([
        { path: 'b', sha256 },
        { path: 'a\n\\b', sha256 },
      ]),
    ).toBe(`\\${sha256}  a\\n\\\\b\n${sha256}  b\n`)
  })
})

const report: VerdictInput = {
  tool: { name: 'assay', version: '1.2.3' },
  evaluatedAt: '2026-11-24T00:00:00.000Z',
  subject: { name: 'x-rays', version: null },
  verdict: 'passed',
  exitCode: 0,
  headline: 'The gate passed.',
  plan: { digest: sha('plan') },
  inputs: [
    { id: 'a.csv', sha256: sha('A') },
    { id: 'sub/b.csv', sha256: sha('B') },
  ],
  findings: [],
}

describe('the verdict of an audit', () => {
  const result = (part: Partial<VerdictInput>) => (verdictStatement({ ...report, ...part }).predicate as { result: string }).result
  const finding = (rule: string, gates: boolean, status = 'open') => ({ rule, gates, status })

  it('is a test result of in-toto', () => {
    expect(result({})).toBe('PASSED')
    expect(result({ findings: [finding('label-flip/class', false)] })).toBe('WARNED')
    expect(result({ findings: [finding('label-flip/class', false, 'waived')] })).toBe('PASSED')
    for (const verdict of ['failed', 'incomplete', 'nothing-audited'] as const) expect(result({ verdict })).toBe('FAILED')
    expect(
      verdictStatement({
        ...report,
        verdict: 'failed',
        findings: [finding('b', true), finding('a', true), finding('a', true), finding('c', false)],
      }),
    ).toMatchObject({
      predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
      subject: [{ name: 'a.csv', digest: { sha256: sha('A') } }, { name: 'sub/b.csv' }],
      predicate: {
        configuration: [{ name: 'pipeline', digest: { sha256: sha('plan') } }],
        failedTests: ['a', 'b'],
        warnedTests: ['c'],
        annotations: { verdict: 'failed', exitCode: 0, tool: { name: 'assay', version: '1.2.3' } },
      },
    })
  })

  it.each([
    ['files below the pipeline file', ['a.csv', 'sub/b.csv'], ['a.csv', 'sub/b.csv']],
    ['files elsewhere, from the folder that holds them', ['../data/a.csv', '../data/sub/b.csv'], ['a.csv', 'sub/b.csv']],
    ['one file elsewhere', ['../../delivery/a.csv'], ['a.csv']],
    ['files that no folder holds by name', ['../data/a.csv', 'b.csv'], ['input:../data/a.csv', 'input:b.csv']],
    ['folders of which one is around the other', ['../../a.csv', '../b.csv'], ['input:../../a.csv', 'input:../b.csv']],
  ])('names %s', (_, ids, names) => {
    const inputs = ids.map((id) => ({ id, sha256: sha(id) }))
    expect(verdictStatement({ ...report, inputs }).subject).toEqual(
      names.map((name, i) => ({ name, digest: { sha256: sha(ids[i] as string) } })),
    )
  })

  it('is signed into the run directory and verified like any statement', async () => {
    const root = folder(data)
    const { key, policy } = await keys('ed25519')
    expect(await writeVerdict(root, report, key)).toBe(join(root, 'verdict.intoto.json'))
    const manifest = await manifestOf(root, 'verdict.intoto.json', policy)
    expect(manifest).toMatchObject({
      kind: 'in-toto',
      title: 'in-toto test result PASSED',
      signatures: [{ status: 'trusted' }],
      entries: [{ path: 'a.csv' }, { path: 'sub/b.csv' }],
    })
    expect((await manifestOf(root, 'verdict.intoto.json', trustingKeys(signingKey('ed25519').publicKey))).signatures).toMatchObject([
      { status: 'invalid' },
    ])
  })

  it('over nothing is not written', async () => {
    const { key } = await keys()
    expect(await writeVerdict(folder({}), { ...report, inputs: [] }, key)).toBeNull()
  })
})

describe('the signature of a snapshot', () => {
  const key = signingKey('p384')
  const policy = trustingKeys(key.publicKey)
  const envelope = signSnapshot({ name: 'snapshot.json', sha256: sha('header') }, { records: 3 }, key)

  it('is over one header', () => {
    expect(checkSnapshotSignature(envelope, sha('header'), 's.sig', policy)).toMatchObject({ status: 'trusted', file: 's.sig' })
    expect(checkSnapshotSignature(envelope, sha('other'), 's.sig', policy)).toMatchObject({ status: 'invalid' })
    expect(checkSnapshotSignature(envelope, sha('header'), 's.sig', trusting())).toMatchObject({ status: 'unchecked' })
    expect(checkSnapshotSignature({}, sha('header'), 's.sig', policy)).toMatchObject({ status: 'invalid' })
  })

  it('is none of another kind of statement', () => {
    const statement = { ...verdictStatement(report), subject: [{ name: 'snapshot.json', digest: { sha256: sha('header') } }] }
    const payload = Buffer.from(JSON.stringify(statement)).toString('base64')
    expect(checkSnapshotSignature({ ...envelope, payload }, sha('header'), 's.sig', trusting())).toMatchObject({ status: 'invalid' })
  })
})
