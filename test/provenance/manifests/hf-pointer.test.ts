import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hfPointer } from '../../../src/provenance/manifests/hf-pointer.ts'
import { deliver, digest, problems, said } from './deliver.ts'

const content = 'the content of a file\n'
const sha256 = digest('sha256', content)
const gitId = 'a'.repeat(20).padEnd(40, '0')

const pointer = (oid: string, size: number | string): string =>
  `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`

describe('a Git LFS pointer', () => {
  // the example of the specification
  const example = pointer('4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393', 12345)

  it('in place of its content names itself, and says what it is', async () => {
    const { read, detects } = await deliver(hfPointer, { 'data/train.parquet': example })
    expect(await detects('data/train.parquet')).toBe(true)
    const manifest = await read('data/train.parquet')
    expect(manifest.entries).toMatchObject([{ path: 'data/train.parquet', bytes: 12345 }])
    expect(said(manifest)).toEqual({ 'data/train.parquet': 'sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393' })
    expect(problems(manifest)).toEqual([
      'inconsistent: data/train.parquet is a Git LFS pointer, not the content: fetch its 12,345 bytes with git lfs pull.',
    ])
    expect(manifest.own).toEqual([])
  })

  it('in a side folder stands for the file of the same path and size', async () => {
    const { read } = await deliver(hfPointer, { 'side/data/a.bin': pointer(sha256, content.length), 'data/a.bin': content })
    const manifest = await read('side/data/a.bin')
    expect(said(manifest)).toEqual({ 'data/a.bin': `sha256:${sha256}` })
    expect([manifest.own, problems(manifest)]).toEqual([['side/data/a.bin'], []])
  })

  it('in a folder named after pointers stands for a file even where its size differs', async () => {
    const { read } = await deliver(hfPointer, { 'lfs-pointers/a.bin': pointer(sha256, content.length), 'a.bin': `${content}more` })
    expect(said(await read('lfs-pointers/a.bin'))).toEqual({ 'a.bin': `sha256:${sha256}` })
  })

  it('with extensions has no digest of the file', async () => {
    const text = `version https://git-lfs.github.com/spec/v1\next-0-foo sha256:${'b'.repeat(63)}0\noid sha256:${sha256}\nsize 22\n`
    const manifest = await (await deliver(hfPointer, { a: text })).read('a')
    expect(said(manifest)).toEqual({ a: 'none' })
    expect(problems(manifest)).toContain('unsupported: a: the digest is of the content after Git LFS extensions changed it.')
  })

  it.each([
    ['an object id of another kind', pointer('12ab', 5), 'line 2: the object id "sha256:12ab" is no SHA-256'],
    ['a size that is none', pointer(sha256, '-1'), 'line 3: the size "-1" is no number of bytes'],
    ['a line that is none', `${pointer(sha256, 5)}garbage\n`, 'line 4: "garbage" is no line of a Git LFS pointer'],
    ['a second size', `${pointer(sha256, 5)}size 6\n`, 'line 4: a second "size"'],
    ['nothing more', 'version https://git-lfs.github.com/spec/v1\n', 'the object id "" is no SHA-256'],
  ])('with %s is a problem', async (_, text, message) => {
    const manifest = await (await deliver(hfPointer, { 'p.bin': text })).read('p.bin')
    expect(problems(manifest).join('\n')).toContain(message)
    expect(manifest.entries).toHaveLength(1)
  })

  it.each(['version 1\n', 'version https://git-lfs.github.com/spec/v10\n', '', '{}'])('is not %j', async (text) => {
    expect(await (await deliver(hfPointer, { p: text })).detects('p')).toBe(false)
  })

  it('is not a file of 1,024 bytes or more', async () => {
    expect(await (await deliver(hfPointer, { p: example.padEnd(1024, ' ') })).detects('p')).toBe(false)
  })

  it('is read without fail whatever follows its first line', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 200 }), async (rest) => {
        const { read } = await deliver(hfPointer, { p: `version https://git-lfs.github.com/spec/v1\n${rest}` })
        const manifest = await read('p')
        expect(manifest.problems.length).toBeGreaterThan(0)
      }),
      { numRuns: 30 },
    )
  })
})

describe('the cache of the hub', () => {
  const readme = 'b'.repeat(8).padEnd(40, '1')
  const repository = 'hub/datasets--org--name'
  const files = {
    [`${repository}/refs/main`]: gitId,
    [`${repository}/blobs/${sha256}`]: content,
    [`${repository}/blobs/${readme}`]: '# read me\n',
    [`${repository}/snapshots/${gitId}/data/train.csv`]: `-> ../../../blobs/${sha256}`,
    [`${repository}/snapshots/${gitId}/README.md`]: `-> ../../blobs/${readme}`,
  }

  it('names its objects after their digests', async () => {
    const { read, detects } = await deliver(hfPointer, files)
    const [first, second] = [sha256, readme].sort() as [string, string]
    expect([await detects(`${repository}/blobs/${first}`), await detects(`${repository}/blobs/${second}`)]).toEqual([true, false])
    const manifest = await read(`${repository}/blobs/${first}`)
    expect(said(manifest)).toEqual({
      [`${repository}/blobs/${sha256}`]: `sha256:${sha256}`,
      [`${repository}/blobs/${readme}`]: 'none',
      [`${repository}/snapshots/${gitId}/data/train.csv`]: `sha256:${sha256}`,
      [`${repository}/snapshots/${gitId}/README.md`]: 'none',
    })
    expect(manifest).toMatchObject({ title: 'Hugging Face cache', version: gitId, own: [`${repository}/refs/main`] })
    expect(problems(manifest)).toEqual([
      `unsupported: ${repository}/blobs: 2 files are known by Git's SHA-1 alone, which is no digest of the bytes: not verified.`,
    ])
  })

  it('is none without snapshots', async () => {
    const { detects } = await deliver(hfPointer, { [`blobs/${sha256}`]: content })
    expect(await detects(`blobs/${sha256}`)).toBe(false)
  })
})

describe('the notes of a download', () => {
  const note = (etag: string) => `${gitId}\n${etag}\n1732406400.5\n`
  const notes = 'set/.cache/huggingface/download'

  it('tell the digests of files in LFS', async () => {
    const { read, detects } = await deliver(hfPointer, {
      'set/data/a.bin': content,
      'set/README.md': 'x',
      [`${notes}/README.md.metadata`]: note(gitId),
      [`${notes}/data/a.bin.metadata`]: note(sha256),
      [`${notes}/data/a.bin.lock`]: '',
      'set/.cache/huggingface/.gitignore': '*',
    })
    expect([await detects(`${notes}/README.md.metadata`), await detects(`${notes}/data/a.bin.metadata`)]).toEqual([true, false])
    const manifest = await read(`${notes}/README.md.metadata`)
    expect(said(manifest)).toEqual({ 'set/README.md': 'none', 'set/data/a.bin': `sha256:${sha256}` })
    expect([...manifest.own].sort()).toEqual([
      'set/.cache/huggingface/.gitignore',
      `${notes}/README.md.metadata`,
      `${notes}/data/a.bin.lock`,
      `${notes}/data/a.bin.metadata`,
    ])
    expect(manifest.version).toBe(gitId)
  })

  it('in the root of the delivery name files of the root', async () => {
    const path = '.cache/huggingface/download/a.bin.metadata'
    const { read } = await deliver(hfPointer, { 'a.bin': content, [path]: note(sha256) })
    expect(said(await read(path))).toEqual({ 'a.bin': `sha256:${sha256}` })
  })

  it('that are damaged are problems', async () => {
    const path = `${notes}/a.metadata`
    const manifest = await (await deliver(hfPointer, { [path]: 'what\n\0?' })).read(path)
    expect(problems(manifest)).toEqual([`malformed: ${path}: not the commit and the ETag of a download.`])
    expect(manifest.entries).toMatchObject([{ path: 'set/a', digests: [] }])
  })
})

describe('a listing of the hub', () => {
  // the form of https://huggingface.co/api/datasets/ID?blobs=true
  const listing = (siblings: unknown) =>
    JSON.stringify({ _id: '0123456789abcdef01234567', id: 'org/name', sha: gitId, pad: 'x'.repeat(5000), siblings })

  it('gives digests of files in LFS and sizes of all', async () => {
    const text = listing([
      { rfilename: 'README.md', size: 3, blobId: gitId },
      { rfilename: 'data/a.bin', size: content.length, blobId: gitId, lfs: { sha256, size: content.length, pointerSize: 130 } },
    ])
    const { read, detects } = await deliver(hfPointer, { 'meta/info.json': text, 'data/a.bin': content })
    expect(await detects('meta/info.json')).toBe(true)
    const manifest = await read('meta/info.json')
    expect(said(manifest)).toEqual({ 'README.md': 'none', 'data/a.bin': `sha256:${sha256}` })
    expect(manifest.entries.map(({ bytes }) => bytes)).toEqual([3, content.length])
    expect(manifest.version).toBe(gitId)
  })

  it('may be a tree', async () => {
    const text = JSON.stringify([
      { type: 'directory', oid: gitId, size: 0, path: 'data' },
      { type: 'file', oid: gitId, size: 22, path: 'data/a.bin', lfs: { oid: sha256, size: 22, pointerSize: 130 } },
    ])
    const { read, detects } = await deliver(hfPointer, { 'tree.json': text })
    expect(await detects('tree.json')).toBe(true)
    expect(said(await read('tree.json'))).toEqual({ 'data/a.bin': `sha256:${sha256}` })
  })

  it('is not data that have an id', async () => {
    const text = `{"_id":"0123456789abcdef01234567","id":"x","text":"${'y'.repeat(5000)}"}`
    expect(await (await deliver(hfPointer, { 'a.json': text })).detects('a.json')).toBe(false)
  })

  it('names paths that are refused, and items that name nothing', async () => {
    const manifest = await (await deliver(hfPointer, { 'l.json': listing([{ rfilename: '../x' }, { size: 1 }, 'text', null]) })).read(
      'l.json',
    )
    expect(manifest.problems.map(({ code }) => code)).toEqual(['malformed', 'malformed', 'malformed', 'hostile-path', 'unsupported'])
  })

  it.each(['{"siblings": [', '{"siblings": 5}', '{"siblings": []}', `{"siblings": ${'['.repeat(5000)}`])(
    '%j is a problem',
    async (text) => {
      const manifest = await (await deliver(hfPointer, { 'l.json': text })).read('l.json')
      expect(manifest.problems).toHaveLength(1)
    },
  )
})
