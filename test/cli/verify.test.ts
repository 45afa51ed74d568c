import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseReport } from '../../src/report/schema.ts'
import { folderOf } from '../provenance/folders.ts'
import { assay } from './harness.ts'

const files = { 'train.csv': 'id,label\n1,cat\n', 'images/a.png': 'a', 'images/b.png': 'b' }
const digest = (algorithm: string, content: string): string => createHash(algorithm).update(content).digest('hex')
const sums = (algorithm = 'sha256', of: Readonly<Record<string, string>> = files): string =>
  Object.entries(of)
    .map(([path, content]) => `${digest(algorithm, content)}  ${path}\n`)
    .join('')

const ours = generateKeyPairSync('ed25519')
const theirs = generateKeyPairSync('ed25519')
const pem = (key: typeof ours.publicKey): string => key.export({ type: 'spki', format: 'pem' }).toString()
const keys = () => folderOf({ 'ours.pub': pem(ours.publicKey), 'theirs.pub': pem(theirs.publicKey) })

const delivery = (more: Readonly<Record<string, string | Uint8Array>> = { SHA256SUMS: sums() }): string => folderOf({ ...files, ...more })
const signed = (): string => delivery({ SHA256SUMS: sums(), 'SHA256SUMS.sig': sign(null, Buffer.from(sums()), ours.privateKey) })
const verify = (...args: readonly string[]) => assay(['verify', ...args])
const rules = (stdout: string): string[] => parseReport(stdout).findings.map((f) => `${f.rule} ${f.severity}`)

describe('assay verify of a folder', () => {
  it('passes what matches, and says who vouches for it', async () => {
    const { code, stdout, stderr } = await verify(delivery())
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\[PASSED\]/)
    expect(stdout).toContain('3 files')
    expect(stdout).toContain('provenance/unsigned')
  })

  it('fails on a byte that differs, a file that is missing, and names both', async () => {
    const root = delivery()
    appendFileSync(join(root, 'train.csv'), ' ')
    rmSync(join(root, 'images/a.png'))
    writeFileSync(join(root, 'images/new.png'), 'new')
    const { code, stdout } = await verify(root)
    expect(code).toBe(1)
    expect(stdout).toContain(digest('sha256', `${files['train.csv']} `))
    expect(stdout).toMatch(
      /Files that are not verified\n {2}mismatched {2}train\.csv\n {2}missing {5}images\/a\.png\n {2}unlisted {4}images\/new\.png\n/,
    )
    expect(rules((await verify(root, '--json')).stdout).sort()).toEqual([
      'provenance/mismatch high',
      'provenance/missing high',
      'provenance/unlisted medium',
      'provenance/unsigned medium',
    ])
    expect((await verify(root, '--exit-zero')).code).toBe(0)
  })

  it('has nothing to verify where there is no manifest, unless the policy demands one', async () => {
    const root = delivery({})
    const { code, stdout } = await verify(root)
    expect(code).toBe(3)
    expect(stdout).toContain('no manifest was found')
    for (const demand of [['--require-coverage', '1'], ['--require-signature'], ['--unlisted', 'fail']])
      expect((await verify(root, ...demand)).code).toBe(1)
  })

  it.each([
    [['--weakest', 'md5'], 0, []],
    [[], 0, ['provenance/weak-digest low']],
    [['--require-coverage', '0.5'], 1, ['provenance/coverage high', 'provenance/weak-digest low']],
    [['--fail-on', 'medium'], 1, ['provenance/weak-digest low']],
  ])('grades MD5 as the policy %j asks', async (policy, code, expected) => {
    const root = delivery({ 'md5sums.txt': sums('md5') })
    const ran = await verify(root, '--json', ...policy)
    expect(ran.code).toBe(code)
    expect(rules(ran.stdout).filter((rule) => !rule.includes('unsigned'))).toEqual(expected)
  })

  it('demands a signature by a key that was given', async () => {
    const trusted = keys()
    const root = signed()
    const good = await verify(root, '--key', join(trusted, 'ours.pub'), '--require-coverage', '100%')
    expect(good.code).toBe(0)
    expect(good.stdout).toContain('(trusted)')
    expect((await verify(root, '--key', join(trusted, 'theirs.pub'))).code).toBe(1)
    expect((await verify(delivery(), '--key', join(trusted, 'ours.pub'))).code).toBe(1)
    expect((await verify(delivery(), '--key', join(trusted, 'ours.pub'), '--no-require-signature')).code).toBe(0)
    writeFileSync(join(root, 'SHA256SUMS'), sums('sha256', { ...files, 'train.csv': 'changed' }))
    writeFileSync(join(root, 'train.csv'), 'changed')
    const forged = await verify(root, '--key', join(trusted, 'ours.pub'), '--no-require-signature', '--json')
    expect(forged.code).toBe(1)
    expect(rules(forged.stdout)).toContain('provenance/untrusted-signer high')
  })

  it('is critical where a trusted signature vouches for the digest that differs', async () => {
    const root = signed()
    writeFileSync(join(root, 'images/a.png'), 'x')
    const { code, stdout } = await verify(root, '--key', join(keys(), 'ours.pub'), '--json', '--fail-on', 'critical')
    expect(code).toBe(1)
    expect(rules(stdout)).toEqual(['provenance/mismatch critical'])
  })

  it('takes no key from inside the delivery, by no way', async () => {
    const root = folderOf({ ...files, 'key.pub': pem(ours.publicKey) })
    const link = join(keys(), 'link.pub')
    symlinkSync(join(root, 'key.pub'), link)
    for (const key of [join(root, 'key.pub'), link]) {
      const { code, stderr } = await verify(root, '--key', key)
      expect(code).toBe(4)
      expect(stderr).toMatch(/lies inside the delivery that it is to vouch for\n.*hint: /s)
    }
  })

  it('believes a manifest from elsewhere before one of the same name that came with the data', async () => {
    const root = delivery({ 'train.csv': 'changed', SHA256SUMS: sums('sha256', { ...files, 'train.csv': 'changed' }) })
    const published = join(folderOf({ SHA256SUMS: sums() }), 'SHA256SUMS')
    expect((await verify(root)).code).toBe(0)
    expect((await verify(root, '--manifest', published)).code).toBe(1)
    expect((await verify(root, '--manifest', 'SHA256SUMS')).code).toBe(0)
    expect((await verify(root, '--manifest', 'nothing')).code).toBe(4)
  })

  it('refuses hostile paths and reads nothing behind them', async () => {
    const elsewhere = folderOf({ secret: 'secret' })
    const hostile = ['../secret', join(elsewhere, 'secret'), '~/secret', 'a/../../secret']
    const root = delivery({ SHA256SUMS: sums() + hostile.map((path) => `${digest('sha256', 'secret')}  ${path}\n`).join('') })
    const { code, stdout } = await verify(root, '--json')
    expect(code).toBe(1)
    const report = parseReport(stdout)
    expect(report.findings.find((f) => f.rule === 'provenance/manifest')).toMatchObject({ severity: 'high', count: hostile.length })
    expect(report.provenance?.files.map((f) => f.path)).not.toContain('secret')
  })

  it('is incomplete where a file changes while it is read', async () => {
    const root = delivery({ SHA256SUMS: `${'0a'.repeat(32)}  large.bin\n`, 'large.bin': '' })
    truncateSync(join(root, 'large.bin'), 200 << 20)
    const timer = setInterval(() => appendFileSync(join(root, 'large.bin'), 'x'), 1)
    const { code, stdout } = await verify(root).finally(() => clearInterval(timer))
    expect(stdout).toContain('large.bin was changed while it was read')
    expect(code).toBe(2)
  })
})

describe('assay verify of a file', () => {
  it('holds it against the manifests that lie beside it', async () => {
    const root = folderOf({ a: 'a', b: 'changed', SHA256SUMS: sums('sha256', { a: 'a', b: 'b' }) })
    expect((await verify(join(root, 'a'))).code).toBe(0)
    expect((await verify(join(root, 'b'))).code).toBe(1)
    const alone = await verify(join(delivery({}), 'train.csv'))
    expect(alone.code).toBe(3)
    expect(alone.stdout).toContain('nothing that lies beside')
  })

  it('judges an envelope by its signature', async () => {
    const pae = (type: string, body: string): Buffer => Buffer.from(`DSSEv1 ${type.length} ${type} ${body.length} ${body}`)
    const [type, body] = ['http://example.com/HelloWorld', 'hello world']
    const signature = sign(null, pae(type, body), ours.privateKey).toString('base64')
    const of = (text: string) =>
      JSON.stringify({ payload: Buffer.from(text).toString('base64'), payloadType: type, signatures: [{ keyid: '', sig: signature }] })
    const root = folderOf({ 'good.json': of(body), 'bad.json': of('hello moon!') })
    const trusted = keys()
    const good = await verify(join(root, 'good.json'), '--key', join(trusted, 'ours.pub'))
    expect(good.code).toBe(0)
    expect(good.stdout).toMatch(/no file was\s+held against it/)
    expect((await verify(join(root, 'good.json'), '--key', join(trusted, 'theirs.pub'))).code).toBe(1)
    expect((await verify(join(root, 'bad.json'), '--key', join(trusted, 'ours.pub'))).code).toBe(1)
  })
})

describe('the command', () => {
  it('writes reports where it is told, never into the delivery', async () => {
    const root = delivery()
    const out = folderOf({})
    expect((await verify(root, '--run-dir', join(out, 'run'), '--quiet')).stdout).toBe('')
    expect(readFileSync(join(out, 'run/report.html'), 'utf8')).toContain('SHA256SUMS')
    expect(parseReport(readFileSync(join(out, 'run/report.json'), 'utf8')).verdict).toBe('passed')
    expect((await verify(root, '--to', 'markdown')).stdout).toContain('SHA256SUMS')
    expect((await verify(root, '--to', 'sarif', '--out', join(out, 'r.sarif'))).code).toBe(0)
    expect(JSON.parse(readFileSync(join(out, 'r.sarif'), 'utf8')).version).toBe('2.1.0')
    for (const args of [
      ['--run-dir', join(root, 'run')],
      ['--to', 'html', '--out', join(root, 'r.html')],
    ]) {
      const { code, stderr } = await verify(root, ...args)
      expect(code).toBe(4)
      expect(stderr).toContain('lies in the delivery')
    }
    expect(existsSync(join(root, 'run'))).toBe(false)
  })

  it.each([
    [['/no/such/folder'], /no such file or folder/],
    [['.', '--key', '/no/key'], /\/no\/key: there is no such file/],
    [['.', '--identity', 'a@example.org'], /has no --issuer/],
    [['.', '--issuer', 'https://example.org'], /has no --identity/],
    [['.', '--bundle', 'b.json', '--key', 'k.pub'], /is a folder/],
    [['README.md', '--bundle', 'b.json'], /who may have signed it/],
    [['.', '--out', 'x'], /needs the format/],
    [['.', '--weakest', 'rot13'], /rot13/],
    [['.', '--require-coverage', '2'], /0 to 1/],
  ])('refuses %j', async (args, message) => {
    const { code, stderr, stdout } = await verify(...args)
    expect(code).toBe(4)
    expect(stderr).toMatch(message)
    expect(stdout).toBe('')
  })

  it('gives the same report for the same delivery', async () => {
    const root = signed()
    const [one, two] = await Promise.all([verify(root, '--json', '--workers', '1'), verify(root, '--json', '--workers', '4')])
    expect(one.stdout).toBe(two.stdout)
  })
})
