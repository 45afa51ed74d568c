import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Digest, FileGrade, Manifest, TrustPolicy } from '../../src/contracts/provenance.ts'
import { openDelivery } from '../../src/provenance/delivery.ts'
import { discoverFile } from '../../src/provenance/discover-file.ts'
import { hashFiles } from '../../src/provenance/hash-files.ts'
import { defaultTrust, loadTrust } from '../../src/provenance/trust.ts'
import { type Discovery, digestRequests, discover, type Graded, gradeFiles } from '../../src/provenance/verify.ts'
import { folderOf } from './folders.ts'
import { digestOf, entryOf, manifestOf, signatureOf } from './manifest-of.ts'

const trust = defaultTrust(new Date('2026-11-24T00:00:00Z'))
type Files = Readonly<Record<string, string | Uint8Array>>

async function grade(files: Files, manifests: readonly Manifest[], policy: Partial<TrustPolicy> = {}): Promise<Graded> {
  const found: Discovery = { delivery: await openDelivery(folderOf(files)), manifests }
  return gradeFound(found, policy)
}

async function gradeFound(found: Discovery, policy: Partial<TrustPolicy> = {}): Promise<Graded> {
  const digests = await hashFiles(found.delivery.root, digestRequests(found), {
    threads: 1,
    progress: () => {},
    outside: found.delivery.outside,
  })
  return gradeFiles(found, digests, { ...trust, ...policy })
}

const gradeOfFile = ({ files }: Graded, path: string): FileGrade | undefined => files.find((f) => f.path === path)

describe('the grade of a file', () => {
  const a = 'content of a'
  const [md5, sha1, sha256, sha512] = (['md5', 'sha1', 'sha256', 'sha512'] as const).map((algorithm) => digestOf(algorithm, a)) as [
    Digest,
    Digest,
    Digest,
    Digest,
  ]
  const wrong = digestOf('sha256', 'b')
  const wrongMd5 = digestOf('md5', 'b')
  it.each([
    ['a sufficient digest', [[entryOf('a', [sha256])]], 'verified'],
    ['a stronger digest', [[entryOf('a', [sha512])]], 'verified'],
    ['a weak and a sufficient digest', [[entryOf('a', [md5, sha256])]], 'verified'],
    ['a weak digest alone', [[entryOf('a', [md5, sha1])]], 'weak-digest'],
    ['a digest that differs', [[entryOf('a', [wrong])]], 'mismatched'],
    ['a weak one that differs beside a strong one that matches', [[entryOf('a', [sha256, wrongMd5])]], 'mismatched'],
    ['another manifest that differs', [[entryOf('a', [sha256])], [entryOf('a', [wrongMd5])]], 'mismatched'],
    ['two lines that contradict each other', [[entryOf('a', [sha256]), entryOf('a', [wrong])]], 'mismatched'],
    ['the right digest and another size', [[entryOf('a', [sha256], { bytes: 3 })]], 'mismatched'],
    ['the right digest and size', [[entryOf('a', [sha256], { bytes: a.length })]], 'verified'],
    ['a size alone that differs', [[entryOf('a', [], { bytes: 3 })]], 'mismatched'],
    ['a size alone', [[entryOf('a', [], { bytes: a.length })]], 'no-digest'],
    ['a name alone', [[entryOf('a')]], 'no-digest'],
    ['a placeholder', [[entryOf('a', [], { placeholder: 'foo' })]], 'placeholder-digest'],
    ['a placeholder, and a digest elsewhere', [[entryOf('a', [], { placeholder: 'foo' })], [entryOf('a', [sha256])]], 'verified'],
    ['a name, and a weak digest elsewhere', [[entryOf('a')], [entryOf('a', [md5])]], 'weak-digest'],
    ['nothing', [[]], 'unlisted'],
  ] as const)('by %s', async (_, entries, expected) => {
    const manifests = entries.map((list, i) => manifestOf(list, { file: `SUMS${i}` }))
    expect(gradeOfFile(await grade({ a }, manifests), 'a')?.grade).toBe(expected)
  })

  it('depends on the weakest digest that the policy accepts', async () => {
    const manifests = [manifestOf([entryOf('a', [md5])])]
    expect(gradeOfFile(await grade({ a }, manifests, { weakest: 'md5' }), 'a')?.grade).toBe('verified')
    expect(gradeOfFile(await grade({ a }, [manifestOf([entryOf('a', [sha256])])], { weakest: 'sha384' }), 'a')?.grade).toBe('weak-digest')
  })

  it('is missing where there is no such file, with the bytes that were declared', async () => {
    const graded = await grade({ a }, [manifestOf([entryOf('a', [sha256]), entryOf('b/c', [wrong], { bytes: 88 })])])
    expect(gradeOfFile(graded, 'b/c')).toMatchObject({ grade: 'missing', bytes: null, expected: wrong, actual: null })
    expect(graded.coverage).toMatchObject({ files: 2, bytes: 100, verifiedFiles: 0.5, verifiedBytes: 0.12 })
  })

  it('comes with the digests behind it and the manifest that decided', async () => {
    const manifests = [manifestOf([entryOf('a', [sha256])], { file: 'GOOD' }), manifestOf([entryOf('a', [wrong])], { file: 'LATER' })]
    const found = gradeOfFile(await grade({ a }, manifests), 'a')
    expect(found).toMatchObject({ expected: wrong, actual: digestOf('sha256', a).hex, manifests: ['LATER', 'GOOD'], signed: false })
  })

  it('counts as signed where a trusted signature stands behind a sufficient digest', async () => {
    const signed = { file: 'SIGNED', signatures: [signatureOf('trusted')] }
    const of = async (digest: typeof md5, more: Partial<Manifest>) =>
      gradeOfFile(await grade({ a }, [manifestOf([entryOf('a', [sha256])]), manifestOf([entryOf('a', [digest])], more)]), 'a')
    expect(await of(sha256, signed)).toMatchObject({ grade: 'verified', signed: true })
    expect(await of(md5, signed)).toMatchObject({ grade: 'verified', signed: false })
    expect(await of(sha256, { ...signed, signatures: [signatureOf('untrusted')] })).toMatchObject({ signed: false })
  })

  it('is not verified by a manifest whose signature does not hold, which still can contradict', async () => {
    const broken = { signatures: [signatureOf('invalid')] }
    expect(gradeOfFile(await grade({ a }, [manifestOf([entryOf('a', [sha256])], broken)]), 'a')?.grade).toBe('no-digest')
    expect(gradeOfFile(await grade({ a }, [manifestOf([entryOf('a', [wrong])], broken)]), 'a')?.grade).toBe('mismatched')
  })

  it('is found under another Unicode normal form, where there is one such file', async () => {
    const entries = [entryOf('e\u0301', [digestOf('sha256', 'x')])]
    const graded = await grade({ é: 'x' }, [manifestOf(entries)])
    expect(graded.files.map((f) => [f.path, f.grade])).toEqual([['é', 'verified']])
  })
})

describe('ranges', () => {
  const content = '0123456789'
  const part = (start: number, end: number, text = content.slice(start, end)) =>
    entryOf('a', [digestOf('sha256', text)], { range: [start, end] })
  it.each([
    ['cover the file', [part(0, 4), part(4, 10)], 'verified'],
    ['cover it in another order, and overlap', [part(3, 10), part(0, 4)], 'verified'],
    ['leave a hole', [part(0, 4), part(5, 10)], 'mismatched'],
    ['leave out the end', [part(0, 4), part(4, 9)], 'mismatched'],
    ['leave out the beginning', [part(1, 10)], 'mismatched'],
    ['reach beyond the end', [part(0, 4), part(4, 11)], 'mismatched'],
    ['differ in one', [part(0, 4), part(4, 10, '456788')], 'mismatched'],
    ['run backwards', [part(0, 10), { ...part(0, 1), range: [5, 2] }], 'mismatched'],
  ] as const)('that %s', async (_, entries, expected) => {
    expect(gradeOfFile(await grade({ a: content }, [manifestOf(entries)]), 'a')?.grade).toBe(expected)
  })

  it('verify an empty file', async () => {
    const entry = entryOf('a', [digestOf('sha256', '')], { range: [0, 0] })
    expect(gradeOfFile(await grade({ a: '' }, [manifestOf([entry])]), 'a')?.grade).toBe('verified')
  })

  it('that overlap without end are not hashed for ever', async () => {
    const entries = Array.from({ length: 200 }, (_, i) => part(0, 10 - (i % 5)))
    const many = entries.flatMap((e) =>
      (['sha256', 'sha512', 'md5'] as const).map((algorithm) => ({ ...e, digests: [digestOf(algorithm, content.slice(0, e.range?.[1]))] })),
    )
    const found: Discovery = { delivery: await openDelivery(folderOf({ a: content })), manifests: [manifestOf(many)] }
    const [request] = digestRequests(found)
    expect(request?.ranges.reduce((sum, r) => sum + r.range[1] - r.range[0], 0)).toBeLessThanOrEqual(80)
    expect(gradeOfFile(await gradeFound(found), 'a')?.grade).toBe('mismatched')
  })
})

describe('unlisted files', () => {
  const listed = entryOf('data/a', [digestOf('sha256', 'a')])
  const files = { 'data/a': 'a', 'data/b': 'b', 'data/.git/x': 'x', README: 'r', SUMS: 's' }

  it('are those that no manifest names; parts of manifests are none', async () => {
    const graded = await grade(files, [manifestOf([listed])])
    expect(graded.files.filter((f) => f.grade === 'unlisted').map((f) => f.path)).toEqual(['README', 'data/.git/x', 'data/b'])
    expect(gradeOfFile(graded, 'SUMS')).toBeUndefined()
  })

  it('in a folder that a manifest closes are unlisted even where another manifest names them', async () => {
    const closing = manifestOf([listed], { file: 'bag', closed: 'data', ignored: ['data/.git', 'data/.git/'] })
    const other = manifestOf([entryOf('data/b', [digestOf('sha256', 'b')]), entryOf('README', [digestOf('sha256', 'r')])])
    const graded = await grade(files, [closing, other])
    expect(gradeOfFile(graded, 'data/b')).toMatchObject({ grade: 'unlisted', manifests: ['bag'] })
    expect(gradeOfFile(graded, 'data/.git/x')).toMatchObject({ grade: 'unlisted', manifests: [] })
    expect(gradeOfFile(graded, 'README')?.grade).toBe('verified')
  })
})

describe('problems', () => {
  it('are names of a manifest that collide', async () => {
    const manifests = [manifestOf([entryOf('A.txt', [digestOf('sha256', 'a')]), entryOf('a.txt', [digestOf('sha256', 'a')])])]
    const { problems } = await grade({ 'A.txt': 'a' }, manifests)
    expect(problems).toMatchObject([{ code: 'hostile-path', message: expect.stringContaining('A.txt and a.txt'), invalid: true }])
  })

  it('are files that cannot be read, which are not verified', async () => {
    const root = folderOf({ a: 'a' })
    const found: Discovery = { delivery: await openDelivery(root), manifests: [manifestOf([entryOf('a', [digestOf('sha256', 'a')])])] }
    const failed = [{ path: 'a', bytes: 0, digests: [], ranges: [], failed: 'a cannot be read' }]
    const graded = gradeFiles(found, failed, trust)
    expect(graded.files).toMatchObject([{ path: 'a', grade: 'no-digest' }])
    expect(graded.problems).toMatchObject([{ code: 'unreadable', message: 'a cannot be read.' }])
  })
})

describe('laws', () => {
  const contents = ['', 'a', 'content', 'other content']
  const algorithms = ['md5', 'sha1', 'sha256', 'sha512'] as const
  const anEntry = fc.record({
    path: fc.constantFrom('x', 'y', 'z/w', 'gone'),
    of: fc.constantFrom(...contents),
    using: fc.uniqueArray(fc.constantFrom(...algorithms), { maxLength: 2 }),
    bytes: fc.option(fc.constantFrom(0, 1, 7)),
  })
  const aManifest = fc.record({
    entries: fc.array(anEntry, { maxLength: 6 }),
    closed: fc.constantFrom(null, null, '', 'z'),
    status: fc.constantFrom(null, 'trusted' as const, 'untrusted' as const, 'invalid' as const),
  })
  const aWorld = fc.record({
    files: fc.dictionary(fc.constantFrom('x', 'y', 'z/w'), fc.constantFrom(...contents)),
    manifests: fc.array(aManifest, { maxLength: 4 }),
  })
  interface Drawn {
    readonly entries: readonly {
      readonly path: string
      readonly of: string
      readonly using: readonly (typeof algorithms)[number][]
      readonly bytes: number | null
    }[]
    readonly closed: string | null
    readonly status: 'trusted' | 'untrusted' | 'invalid' | null
  }
  const manifestsOf = (drawn: readonly Drawn[]): Manifest[] =>
    drawn.map(({ entries, closed, status }, i) => {
      const stated = entries.map(({ path, of, using, bytes }) => {
        const digests = using.map((algorithm) => digestOf(algorithm, of))
        return entryOf(path, digests, { bytes })
      })
      return manifestOf(stated, { file: `M${i}`, closed, signatures: status ? [signatureOf(status)] : [] })
    })

  it('the order of manifests and of their entries does not matter', async () => {
    await fc.assert(
      fc.asyncProperty(aWorld, fc.nat(), async ({ files, manifests }, seed) => {
        const delivery = await openDelivery(folderOf(files))
        const all = manifestsOf(manifests)
        const turned = all.map((m) => ({ ...m, entries: [...m.entries].reverse() }))
        const shuffled = [...turned.slice(seed % (turned.length + 1)), ...turned.slice(0, seed % (turned.length + 1))].reverse()
        expect(await gradeFound({ delivery, manifests: shuffled })).toMatchObject({
          files: (await gradeFound({ delivery, manifests: all })).files,
        })
      }),
      { numRuns: 60 },
    )
  })

  it('no file is verified that differs from any statement, and none without a sufficient digest of its bytes', async () => {
    await fc.assert(
      fc.asyncProperty(aWorld, async ({ files, manifests }) => {
        const delivery = await openDelivery(folderOf(files))
        const all = manifestsOf(manifests)
        const graded = await gradeFound({ delivery, manifests: all })
        for (const file of graded.files.filter((f) => f.grade === 'verified')) {
          const statements = all.flatMap((m) => m.entries.filter((e) => e.path === file.path))
          const content = files[file.path] as string
          const digests = statements.flatMap((e) => e.digests)
          expect(digests.every((d) => d.hex === digestOf(d.algorithm, content).hex)).toBe(true)
          expect(statements.every((e) => e.bytes === null || e.bytes === content.length)).toBe(true)
          expect(digests.some((d) => d.algorithm === 'sha256' || d.algorithm === 'sha512')).toBe(true)
        }
        const { byGrade, files: count } = graded.coverage
        expect(Object.values(byGrade).reduce((sum, g) => sum + g.files, 0)).toBe(count)
        expect(graded.files).toHaveLength(count)
      }),
      { numRuns: 60 },
    )
  })

  it('a file whose bytes are changed in any place is never verified', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 300 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        async (bytes, at, by) => {
          const changed = Buffer.from(bytes)
          changed[at % bytes.length] = (changed[at % bytes.length] as number) ^ by
          for (const algorithm of algorithms) {
            const manifests = [manifestOf([entryOf('f', [digestOf(algorithm, bytes)])])]
            expect(gradeOfFile(await grade({ f: changed }, manifests, { weakest: 'crc32' }), 'f')?.grade).toBe('mismatched')
            expect(gradeOfFile(await grade({ f: bytes }, manifests, { weakest: 'crc32' }), 'f')?.grade).toBe('verified')
          }
        },
      ),
      { numRuns: 15 },
    )
  })
})

const sums = (files: Files): string =>
  Object.entries(files)
    .map(([path, content]) => `${digestOf('sha256', content).hex}  ${path}\n`)
    .join('')

describe('discover', () => {
  it('finds manifests by looking, and reads those that were named alone', async () => {
    const files = { a: 'a', 'sub/b': 'b' }
    const root = folderOf({ ...files, SHA256SUMS: sums(files), 'md5sums.txt': `${digestOf('md5', 'a').hex}  a\n` })
    expect((await discover(root, trust)).manifests.map((m) => m.file)).toEqual(['SHA256SUMS', 'md5sums.txt'])
    expect((await discover(root, trust, ['md5sums.txt'])).manifests.map((m) => m.file)).toEqual(['md5sums.txt'])
    expect((await discover(root, trust, false)).manifests).toEqual([])
    await expect(discover(root, trust, ['nothing'])).rejects.toMatchObject({ code: 'unknown-manifest', exit: 4 })
    await expect(discover(root, trust, ['a'])).rejects.toMatchObject({ code: 'unknown-manifest' })
  })

  it('takes a manifest from elsewhere as if it lay in the root, before one of its name', async () => {
    const root = folderOf({ a: 'changed', SHA256SUMS: sums({ a: 'changed' }) })
    const elsewhere = folderOf({ SHA256SUMS: sums({ a: 'a' }) })
    const graded = await gradeFound(await discover(root, trust, [join(elsewhere, 'SHA256SUMS')]))
    expect(graded.files.map((f) => [f.path, f.grade])).toEqual([['a', 'mismatched']])
  })

  it('reads nothing that a link brings in from outside', async () => {
    const elsewhere = folderOf({ 'secret.txt': 'secret' })
    const root = folderOf({ SHA256SUMS: `${digestOf('sha256', 'secret').hex}  secret.txt\n` })
    symlinkSync(join(elsewhere, 'secret.txt'), join(root, 'secret.txt'))
    const graded = await gradeFound(await discover(root, trust))
    expect(graded.files).toMatchObject([{ path: 'secret.txt', grade: 'missing' }])
    expect(graded.problems).toMatchObject([{ code: 'hostile-path' }])
  })
})

describe('discoverFile', () => {
  it('holds one file against the manifests of its folder', async () => {
    const files = { a: 'a', b: 'b' }
    const root = folderOf({ ...files, SHA256SUMS: sums(files) })
    writeFileSync(join(root, 'b'), 'changed')
    const of = async (file: string) => (await gradeFound(await discoverFile(join(root, file), trust, null))).files
    expect(await of('a')).toMatchObject([{ path: 'a', grade: 'verified' }])
    expect(await of('b')).toMatchObject([{ path: 'b', grade: 'mismatched' }])
  })

  it('takes a manifest that lies in a folder above, and none that does not name the file', async () => {
    const files = { 'sub/a': 'a', 'sub/b': 'b' }
    const root = folderOf({ ...files, SHA256SUMS: sums(files) })
    const elsewhere = folderOf({ SHA256SUMS: sums({ other: 'x' }), sums: sums({ a: 'changed' }) })
    const by = async (manifest: string) => (await gradeFound(await discoverFile(join(root, 'sub/a'), trust, [manifest]))).files
    expect(await by(join(root, 'SHA256SUMS'))).toMatchObject([{ path: 'sub/a', grade: 'verified' }])
    expect(await by(join(elsewhere, 'sums'))).toMatchObject([{ path: 'a', grade: 'mismatched' }])
    await expect(by(join(elsewhere, 'SHA256SUMS'))).rejects.toMatchObject({
      code: 'unknown-manifest',
      message: 'SHA256SUMS does not name a',
    })
  })

  it('holds the files that a manifest names against it, and no others', async () => {
    const files = { a: 'a', 'sub/b': 'b' }
    const root = folderOf({ ...files, SHA256SUMS: sums({ ...files, gone: 'x' }), other: 'x' })
    const graded = await gradeFound(await discoverFile(join(root, 'SHA256SUMS'), trust, null))
    expect(graded.files.map((f) => [f.path, f.grade])).toEqual([
      ['gone', 'missing'],
      ['a', 'verified'],
      ['sub/b', 'verified'],
    ])
  })
})

describe('loadTrust', () => {
  const spec = {
    trust: { keys: [], certificates: [], identities: [], trustedRoot: null },
    weakestDigest: 'sha256',
    coverage: 0,
    unlisted: 'report',
    requireSignature: false,
  } as const

  it('reads keys from elsewhere, and none from the delivery', () => {
    const root = folderOf({ 'key.pub': 'inside' })
    const elsewhere = folderOf({ 'key.pub': 'outside' })
    const keys = [join(elsewhere, 'key.pub')]
    expect(loadTrust({ ...spec, trust: { ...spec.trust, keys } }, trust.now, root).keys).toEqual([{ name: keys[0], text: 'outside' }])
    symlinkSync(join(root, 'key.pub'), join(elsewhere, 'link.pub'))
    for (const key of [join(root, 'key.pub'), join(elsewhere, 'link.pub')])
      expect(() => loadTrust({ ...spec, trust: { ...spec.trust, keys: [key] } }, trust.now, root)).toThrow(/lies inside the delivery/)
  })

  it('names a key that is not there', () => {
    expect(() => loadTrust({ ...spec, trust: { ...spec.trust, keys: ['/no/key'] } }, trust.now)).toThrow('/no/key: there is no such file')
  })
})
