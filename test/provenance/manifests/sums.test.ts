import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DeliveredFile } from '../../../src/contracts/provenance.ts'
import { readSums, sums } from '../../../src/provenance/manifests/sums.ts'
import { safePath } from '../../../src/provenance/paths.ts'
import { deliver, digest, nobody, problems, said } from './deliver.ts'

const a = digest('sha256', 'a')
const b = digest('sha256', 'b')

describe('a sums file', () => {
  it('names files beside it, whatever the dialect of a line', async () => {
    const text = `\ufeff# made by x\r\n${a}  a.csv\r\n\r\nSHA256 (sub/b b.csv) = ${b}\r\n; end\r\n${a.toUpperCase()} *./c.csv`
    const { read, detects } = await deliver(sums, { 'set/SHA256SUMS': text })
    expect(await detects('set/SHA256SUMS')).toBe(true)
    const manifest = await read('set/SHA256SUMS')
    expect(said(manifest)).toEqual({ 'set/a.csv': `sha256:${a}`, 'set/sub/b b.csv': `sha256:${b}`, 'set/c.csv': `sha256:${a}` })
    expect(manifest).toMatchObject({ kind: 'sums', own: ['set/SHA256SUMS'], closed: null, problems: [], signatures: [] })
    expect(manifest.entries.map(({ place }) => place.line)).toEqual([2, 4, 6])
  })

  it('kept in a folder of its own may name files from the root', async () => {
    const { read } = await deliver(sums, { 'meta/SHA256SUMS': `${a}  data/a.csv\n${b}  data/b.csv\n`, 'data/a.csv': 'a' })
    expect(Object.keys(said(await read('meta/SHA256SUMS')))).toEqual(['data/a.csv', 'data/b.csv'])
  })

  it('beside one file names that, in any form', async () => {
    for (const text of [a, `${a}\n`, `${a}  x.csv\n`, `${a}  -\n`, `SHA2-256(stdin)= ${a}\n`, `${a}  build/x.csv\n`]) {
      const { read, detects } = await deliver(sums, { 'data/x.csv.sha256': text, 'data/x.csv': 'a' })
      expect(await detects('data/x.csv.sha256')).toBe(true)
      expect(said(await read('data/x.csv.sha256'))).toEqual({ 'data/x.csv': `sha256:${a}` })
    }
  })

  it('puts digests of several algorithms of one file together', async () => {
    const md5 = digest('md5', 'a')
    const manifest = await (await deliver(sums, { CHECKSUMS: `MD5 (a) = ${md5}\nSHA256 (a) = ${a}\nSHA256 (a) = ${a}\n` })).read(
      'CHECKSUMS',
    )
    expect(said(manifest)).toEqual({ a: `md5:${md5} sha256:${a}` })
    expect(manifest.problems).toEqual([])
  })

  it('that contradicts itself says on which lines', async () => {
    const manifest = await (await deliver(sums, { SHA256SUMS: `${a}  x\n${b}  ./x\n` })).read('SHA256SUMS')
    expect(problems(manifest)).toEqual(['inconsistent: SHA256SUMS, lines 1 and 2: two sha256 digests for ./x.'])
    expect(said(manifest)).toEqual({ x: `sha256:${a} sha256:${b}` })
  })

  it('that names itself says so', async () => {
    const manifest = await (await deliver(sums, { SHA256SUMS: `${a}  x\n${digest('sha256', '')}  SHA256SUMS\n` })).read('SHA256SUMS')
    expect(said(manifest)).toEqual({ x: `sha256:${a}` })
    expect(manifest.problems).toMatchObject([{ code: 'inconsistent', invalid: false, place: { line: 2 } }])
  })

  it('names every line that is no sum', async () => {
    const text = Buffer.concat([
      Buffer.from(`hello\n${a}  x\n${a}\n`),
      Buffer.from([0xff, 10]),
      Buffer.from(`SM3 (y) = ${a}\nSHA256 (z) = TBD\n`),
    ])
    const manifest = await (await deliver(sums, { SHA256SUMS: text })).read('SHA256SUMS')
    expect(problems(manifest)).toEqual([
      'malformed: SHA256SUMS, line 1: "hello" is no sum.',
      'malformed: SHA256SUMS, line 3: a digest without the name of a file.',
      'malformed: SHA256SUMS, line 4: bytes that are not UTF-8; the sum cannot be compared.',
      'unsupported: SHA256SUMS, line 5: SM3 digests cannot be computed.',
    ])
    expect(said(manifest)).toEqual({ x: `sha256:${a}`, y: 'none', z: 'placeholder TBD' })
  })

  it.each(['../x', '/etc/passwd', 'a/../../x', '~/x', 'C:/x', 'a\\b', 'https://example.com/x'])('refuses %s', async (name) => {
    const manifest = await (await deliver(sums, { 'sub/SHA256SUMS': `${a}  ${name}\n` })).read('sub/SHA256SUMS')
    expect([manifest.entries, manifest.problems.map(({ code }) => code)]).toEqual([[], ['hostile-path']])
  })

  it.each(['', '# nothing\n', '\n\n'])('that holds %j says so', async (text) => {
    expect(problems(await (await deliver(sums, { SHA256SUMS: text })).read('SHA256SUMS'))).toEqual(['malformed: SHA256SUMS holds no sums.'])
  })

  it('without a telling name is found by its content', async () => {
    const files = {
      'release.txt': `${a}  a\n${b}  b\n`,
      'list.lst': `SHA256 (a) = ${a}\n`,
      'hashes.txt': `${a}  a\n`,
      'notes.txt': `${a}  a\nand more\n`,
      'hashes.old.txt': 'no sums at all\n',
      'words.txt': 'cafe babe\n',
      'manifest-sha256.txt': `${a}  data/a\n`,
      'data.csv': `${a}  a\n`,
      'empty.txt': '',
    }
    const { detects } = await deliver(sums, files)
    const found = await Promise.all(Object.keys(files).map(async (path) => ((await detects(path)) ? [path] : [])))
    expect(found.flat()).toEqual(['release.txt', 'list.lst', 'hashes.txt'])
  })

  it('whose head ends within a line is found all the same', async () => {
    const text = Array.from({ length: 200 }, (_, i) => `${a}  file ${i}\n`).join('')
    expect(await (await deliver(sums, { 'x.txt': text })).detects('x.txt')).toBe(true)
  })

  it('writes, reads back', async () => {
    const part = fc.string({ minLength: 1, maxLength: 10, unit: 'grapheme' })
    const path = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'))
    const safe = path.filter((each) => {
      const result = safePath(each, '')
      return 'path' in result && result.path === each && each.trimEnd() === each && each !== 'SHA256SUMS'
    })
    const dialects = [
      (name: string, hex: string) => `${hex}  ${name}\n`,
      (name: string, hex: string) => `${hex} *${name}\r\n`,
      (name: string, hex: string) => `SHA256 (${name}) = ${hex}\n`,
      (name: string, hex: string) => `${Buffer.from(hex, 'hex').toString('base64')}  ./${name}\n`,
    ]
    const list = fc.uniqueArray(fc.tuple(safe, fc.constantFrom(...dialects)), { minLength: 1, maxLength: 10, selector: ([name]) => name })
    await fc.assert(
      fc.asyncProperty(list, async (files) => {
        const text = files.map(([name, write]) => write(name, digest('sha256', name))).join('')
        const manifest = await (await deliver(sums, { SHA256SUMS: text })).read('SHA256SUMS')
        expect(manifest.problems).toEqual([])
        expect(said(manifest)).toEqual(Object.fromEntries(files.map(([name]) => [name, `sha256:${digest('sha256', name)}`])))
      }),
      { numRuns: 60 },
    )
  })

  it('loses no line, whatever it holds', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 60 }), { maxLength: 20 }), async (lines) => {
        const text = `${a}  good\n${lines.join('\n')}\n`
        const manifest = await (await deliver(sums, { SHA256SUMS: text })).read('SHA256SUMS')
        const remarks = text.split('\n').filter((line) => /^\s*([#;]|$)/.test(line)).length
        const names = new Set([...manifest.entries.map(({ place }) => place.line), ...manifest.problems.map(({ place }) => place.line)])
        expect(names.size + remarks).toBeGreaterThanOrEqual(text.split('\n').length)
      }),
      { numRuns: 60 },
    )
  })

  it('of lines of a megabyte, and of too many sums, is read within bounds', async () => {
    const long = await (await deliver(sums, { SHA256SUMS: `${'x'.repeat(2 ** 20)}\n${a}  x\n` })).read('SHA256SUMS')
    expect(long.problems).toMatchObject([{ code: 'malformed', place: { line: 1 } }])
    expect((long.problems[0] as { message: string }).message.length).toBeLessThan(300)
    expect(said(long)).toEqual({ x: `sha256:${a}` })
    const { delivery } = await deliver(sums, { SHA256SUMS: Array.from({ length: 9 }, (_, i) => `${a} ${i}\n`).join('') })
    const many = await readSums(delivery.files[0] as DeliveredFile, delivery, nobody, 7)
    expect([many.entries.length, many.problems.map(({ code, place }) => [code, place.line])]).toEqual([7, [['too-large', 8]]])
  })
})

describe('a signed sums file', () => {
  const text = `${a}  x\n`
  const ed25519 = generateKeyPairSync('ed25519')
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = (key: typeof ed25519) => ({ name: 'vendor.pub', text: key.publicKey.export({ type: 'spki', format: 'pem' }) as string })
  const trust = { ...nobody, keys: [pem(ed25519), pem(p256)] }

  it.each([
    ['SHA256SUMS.sig', sign(null, Buffer.from(text), ed25519.privateKey)],
    ['SHA256SUMS.ed25519', Buffer.from(sign(null, Buffer.from(text), ed25519.privateKey).toString('base64'))],
    ['SHA256SUMS.p256.sig', sign('sha256', Buffer.from(text), p256.privateKey)],
    ['SHA256SUMS.sign', sign('sha256', Buffer.from(text), { key: p256.privateKey, dsaEncoding: 'ieee-p1363' })],
  ])('is trusted by %s', async (name, signature) => {
    const { read } = await deliver(sums, { SHA256SUMS: text, [name]: signature })
    const manifest = await read('SHA256SUMS', trust)
    expect(manifest.signatures).toMatchObject([{ file: name, status: 'trusted' }])
    expect(manifest.own).toEqual(['SHA256SUMS', name])
    expect((await read('SHA256SUMS')).signatures).toMatchObject([{ file: name, status: 'unchecked' }])
  })

  it('that was changed is not trusted', async () => {
    const signature = sign(null, Buffer.from(text), ed25519.privateKey)
    const { read } = await deliver(sums, { SHA256SUMS: text.replace('x', 'y'), 'SHA256SUMS.sig': signature })
    const [check] = (await read('SHA256SUMS', trust)).signatures
    expect(check?.status).not.toBe('trusted')
  })

  it('may be signed under its name without .txt', async () => {
    const signature = sign(null, Buffer.from(text), ed25519.privateKey)
    const { read } = await deliver(sums, { 'SHA256SUMS.txt': text, 'SHA256SUMS.sig': signature, 'SHA256SUMS.pem': 'x' })
    const manifest = await read('SHA256SUMS.txt', trust)
    expect(manifest.signatures).toMatchObject([{ file: 'SHA256SUMS.sig', status: 'trusted' }])
    expect(manifest.own).toEqual(['SHA256SUMS.txt', 'SHA256SUMS.sig', 'SHA256SUMS.pem'])
  })

  it('by OpenPGP is not judged', async () => {
    const armour = '-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n'
    const packet = Buffer.concat([Buffer.from([0x89, 0x01, 0x33, 0x04, 0x00]), Buffer.alloc(305, 7)])
    const { read, detects } = await deliver(sums, { SHA256SUMS: text, 'SHA256SUMS.asc': armour, 'SHA256SUMS.gpg': packet })
    expect(await detects('SHA256SUMS.asc')).toBe(false)
    const { signatures } = await read('SHA256SUMS', trust)
    expect(signatures.map(({ method, file, status }) => [method, file, status])).toEqual([
      ['OpenPGP', 'SHA256SUMS.asc', 'unchecked'],
      ['OpenPGP', 'SHA256SUMS.gpg', 'unchecked'],
    ])
  })
})

describe('a clear-signed sums file', () => {
  const armoured = (body: string, after = '') =>
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${body}-----BEGIN PGP SIGNATURE-----\n\niQEzBAEB\n=abcd\n-----END PGP SIGNATURE-----\n${after}`

  it('is read, dashes unescaped, its signature unchecked', async () => {
    const { read, detects } = await deliver(sums, { 'SHA256SUMS.asc': armoured(`${a}  x\n- -----BEGIN\n`) })
    expect(await detects('SHA256SUMS.asc')).toBe(true)
    const manifest = await read('SHA256SUMS.asc')
    expect(said(manifest)).toEqual({ x: `sha256:${a}` })
    expect(problems(manifest)).toEqual(['malformed: SHA256SUMS.asc, line 5: "-----BEGIN" is no sum.'])
    expect(manifest.signatures).toMatchObject([{ method: 'OpenPGP', file: 'SHA256SUMS.asc', status: 'unchecked', signer: null }])
    expect(manifest.own).toEqual(['SHA256SUMS.asc'])
  })

  it('tells of sums that no signature covers', async () => {
    const manifest = await (await deliver(sums, { SHA256SUMS: armoured(`${a}  x\n`, `${b}  y\n`) })).read('SHA256SUMS')
    expect(said(manifest)).toEqual({ x: `sha256:${a}`, y: `sha256:${b}` })
    expect(problems(manifest)).toEqual(['inconsistent: SHA256SUMS, line 10: stands outside of the signed part.'])
  })

  it('that never ends is damaged', async () => {
    const text = armoured(`${a}  x\n`).split('=abcd')[0] as string
    expect(problems(await (await deliver(sums, { SHA256SUMS: text })).read('SHA256SUMS'))).toEqual([
      'malformed: SHA256SUMS: the signed message that it begins never ends.',
    ])
  })
})

describe('digests as other tools compute them', () => {
  it.each([
    ['B2SUMS', 'blake2b', 'blake2b512'],
    ['SHA3-256SUMS', 'sha3-256', 'sha3-256'],
    ['SHA384SUMS', 'sha384', 'sha384'],
    ['MD5SUMS', 'md5', 'md5'],
  ])('%s', async (name, algorithm, openssl) => {
    const hex = createHash(openssl).update('a').digest('hex')
    expect(said(await (await deliver(sums, { [name]: `${hex}  a\n` })).read(name))).toEqual({ a: `${algorithm}:${hex}` })
  })
})
