import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dvc } from '../../../src/provenance/manifests/dvc.ts'
import { deliver, digest, problems, said } from './deliver.ts'

const md5 = (text: string | Uint8Array) => digest('md5', text)
const data = 'id,label\n1,cat\n2,dog\n'

/** A `.dvc` file as DVC 3 writes it. */
const file = (path: string, content: string, more = '  hash: md5\n') =>
  `outs:\n- md5: ${md5(content)}\n  size: ${content.length}\n${more}  path: ${path}\n`

describe('a .dvc file', () => {
  it('names one file beside it', async () => {
    const { read, detects } = await deliver(dvc, { 'set/data.csv.dvc': file('data.csv', data), 'set/data.csv': data })
    expect(await detects('set/data.csv.dvc')).toBe(true)
    const manifest = await read('set/data.csv.dvc')
    expect(manifest.entries).toMatchObject([{ path: 'set/data.csv', bytes: data.length }])
    expect(said(manifest)).toEqual({ 'set/data.csv': `md5:${md5(data)}` })
    expect([problems(manifest), manifest.own]).toEqual([[], ['set/data.csv.dvc']])
  })

  it('may work in another folder of the delivery, but not outside', async () => {
    const text = (folder: string) => `wdir: ${folder}\n${file('data.csv', data)}`
    const inside = await deliver(dvc, { 'a/b/x.dvc': text('../../c'), 'c/data.csv': data })
    expect(said(await inside.read('a/b/x.dvc'))).toEqual({ 'c/data.csv': `md5:${md5(data)}` })
    const root = await deliver(dvc, { 'a/x.dvc': text('..') })
    expect(said(await root.read('a/x.dvc'))).toEqual({ 'data.csv': `md5:${md5(data)}` })
    const outside = await (await deliver(dvc, { 'a/x.dvc': text('../../..') })).read('a/x.dvc')
    expect([outside.entries, outside.problems.map(({ code }) => code)]).toEqual([[], ['hostile-path']])
  })

  it.each(['/etc/passwd', '../../x', 'C:\\x', '~/x'])('may not name %s', async (path) => {
    const manifest = await (await deliver(dvc, { 'a/x.dvc': file(`'${path}'`, data) })).read('a/x.dvc')
    expect([manifest.entries, manifest.problems.map(({ code }) => code)]).toEqual([[], ['hostile-path']])
  })

  it('tells where an import came from', async () => {
    const text = `deps:\n- etag: '"abc"'\n  size: 21\n  hash: md5\n  path: https://example.com/data.csv\n${file('data.csv', data)}`
    const manifest = await (await deliver(dvc, { 'data.csv.dvc': text })).read('data.csv.dvc')
    expect(manifest.entries).toMatchObject([{ path: 'data.csv', url: 'https://example.com/data.csv' }])
    expect(manifest.entries).toHaveLength(1)
  })

  it('that knows only an etag has no digest', async () => {
    const text = 'outs:\n- etag: abc\n  size: 4\n  path: data.csv\n'
    const manifest = await (await deliver(dvc, { 'x.dvc': text })).read('x.dvc')
    expect(said(manifest)).toEqual({ 'data.csv': 'none' })
    expect(problems(manifest)[0]).toContain('which is no digest of its bytes')
  })

  it.each([
    ['text', 'outs:\n- md5: issue 80\n  hash: md5\n  path: a\n', 'placeholder issue 80'],
    ['a number', `outs:\n- md5: ${'1'.repeat(32)}\n  hash: md5\n  path: a\n`, 'placeholder 1.1111111111111112e+31'],
  ])('with %s for a digest has a placeholder', async (_, text, expected) => {
    expect(said(await (await deliver(dvc, { 'a.dvc': text })).read('a.dvc'))).toEqual({ a: expected })
  })

  it('with a folder reads its listing from the cache, and claims to name all of it', async () => {
    const listing = JSON.stringify([
      { md5: md5('a'), relpath: 'a.txt' },
      { md5: md5('b'), relpath: 'sub/b.txt' },
    ])
    const hash = md5(listing)
    const text = `outs:\n- md5: ${hash}.dir\n  size: 2\n  nfiles: 2\n  hash: md5\n  path: images\n`
    for (const cache of ['.dvc/cache/files/md5', '.dvc/cache', 'files/md5']) {
      const object = `${cache}/${hash.slice(0, 2)}/${hash.slice(2)}.dir`
      const manifest = await (await deliver(dvc, { 'images.dvc': text, [object]: listing, 'images/a.txt': 'a' })).read('images.dvc')
      expect(said(manifest)).toEqual({ 'images/a.txt': `md5:${md5('a')}`, 'images/sub/b.txt': `md5:${md5('b')}` })
      expect([manifest.closed, manifest.own, problems(manifest)]).toEqual(['images', ['images.dvc', object], []])
    }
  })

  it('with a listing that was changed trusts none of it', async () => {
    const listing = JSON.stringify([{ md5: md5('a'), relpath: 'a.txt' }])
    const hash = md5(listing)
    const object = `.dvc/cache/files/md5/${hash.slice(0, 2)}/${hash.slice(2)}.dir`
    const text = `outs:\n- md5: ${hash}.dir\n  size: 1\n  nfiles: 1\n  hash: md5\n  path: images\n`
    const forged = listing.replace(md5('a'), md5('evil'))
    const manifest = await (await deliver(dvc, { 'images.dvc': text, [object]: forged, 'images/a.txt': 'evil' })).read('images.dvc')
    expect(said(manifest)).toEqual({ 'images/a.txt': 'none' })
    expect(problems(manifest)[0]).toContain('its MD5 differs')
    expect(manifest.closed).toBeNull()
  })

  it('with a folder but no listing counts its files and bytes', async () => {
    const text = `outs:\n- md5: ${md5('x')}.dir\n  size: 9\n  nfiles: 3\n  hash: md5\n  path: images\n`
    const manifest = await (await deliver(dvc, { 'images.dvc': text, 'images/a': 'a', 'images/b': 'b' })).read('images.dvc')
    expect(said(manifest)).toEqual({ 'images/a': 'none', 'images/b': 'none' })
    expect(problems(manifest).map((text) => text.replace(/\(.*\)/, ''))).toEqual([
      'unsupported: images.dvc: the listing of images/  is not in the delivery: its files have no digests.',
      'inconsistent: images.dvc: images/ should hold 3 files; there are 2.',
      'inconsistent: images.dvc: the files of images/ should hold 9 bytes; there are 2.',
    ])
  })

  it('with a folder that is not there names it as missing', async () => {
    const text = `outs:\n- md5: ${md5('x')}.dir\n  size: 9\n  nfiles: 3\n  hash: md5\n  path: images\n`
    const manifest = await (await deliver(dvc, { 'images.dvc': text })).read('images.dvc')
    expect(said(manifest)).toEqual({ images: 'none' })
  })

  it('with listed files of a remote that keeps versions', async () => {
    const text = `outs:\n- path: images/\n  files:\n  - relpath: a.txt\n    md5: ${md5('a')}\n    size: 1\n  - size: 3\n`
    const manifest = await (await deliver(dvc, { 'images.dvc': text })).read('images.dvc')
    expect(said(manifest)).toEqual({ 'images/a.txt': `md5:${md5('a')}` })
    expect(problems(manifest)).toEqual(['malformed: images.dvc: file 2 of images/ has no relpath.'])
  })
})

describe('an MD5 from before DVC 3', () => {
  const windows = data.replaceAll('\n', '\r\n')

  it('over normalised line ends is no digest of the bytes', async () => {
    const { read } = await deliver(dvc, { 'a.csv.dvc': file('a.csv', data, ''), 'a.csv': windows })
    const manifest = await read('a.csv.dvc')
    expect(said(manifest)).toEqual({ 'a.csv': 'none' })
    expect(problems(manifest)[0]).toContain('agrees only after line ends were normalised')
  })

  it.each([
    ['the text has other content', file('a.csv', data, ''), windows.replace('dog', 'fox')],
    ['the file has plain line ends', file('a.csv', data, ''), data],
    ['the file is binary', file('a.csv', `\0${data}`, ''), `\0${windows}`],
    ['DVC 3 took the bytes as they are', file('a.csv', data), windows],
  ])('stays where %s', async (_, text, content) => {
    const manifest = await (await deliver(dvc, { 'a.csv.dvc': text, 'a.csv': content })).read('a.csv.dvc')
    expect(manifest.entries).toMatchObject([{ path: 'a.csv', digests: [{ algorithm: 'md5' }] }])
  })

  it('keeps a pair on the border of two pieces of 1 MiB', async () => {
    const content = `${'a'.repeat(2 ** 20 - 1)}\r\nb\r\n`
    const text = (normal: string) => file('a.txt', normal, '').replace(/size: \d+/, `size: ${content.length}`)
    const read = async (normal: string) => said(await (await deliver(dvc, { 'a.dvc': text(normal), 'a.txt': content })).read('a.dvc'))
    expect(await read(`${'a'.repeat(2 ** 20 - 1)}\r\nb\n`)).toEqual({ 'a.txt': 'none' })
    expect(await read(content.replaceAll('\r\n', '\n'))).not.toEqual({ 'a.txt': 'none' })
  })
})

describe('dvc.lock', () => {
  const lock = (stages: string) => `schema: '2.0'\nstages:\n${stages}`
  const stage = `  train:
    cmd: python train.py
    deps:
    - path: ../raw/elsewhere.csv
      md5: ${md5('not delivered')}
      size: 3
    - path: raw.csv
      hash: md5
      md5: ${md5('raw')}
      size: 3
    params:
      params.yaml:
        seed: 3
    outs:
    - path: data.csv
      hash: md5
      md5: ${md5(data)}
      size: ${data.length}
`

  it('names the outputs of stages, and inputs that were delivered', async () => {
    const { read, detects } = await deliver(dvc, { 'dvc.lock': lock(stage), 'raw.csv': 'raw', 'data.csv': data })
    expect(await detects('dvc.lock')).toBe(true)
    const manifest = await read('dvc.lock')
    expect(said(manifest)).toEqual({ 'data.csv': `md5:${md5(data)}`, 'raw.csv': `md5:${md5('raw')}` })
    expect(problems(manifest)).toEqual([])
  })

  it('of the first schema has stages at its top', async () => {
    const manifest = await (await deliver(dvc, { 'dvc.lock': stage.replace(/^ {2}/gm, '') })).read('dvc.lock')
    expect(said(manifest)).toEqual({ 'data.csv': `md5:${md5(data)}` })
  })

  it('names stages that are none', async () => {
    const manifest = await (await deliver(dvc, { 'dvc.lock': lock('  a: 5\n  b:\n    outs: 7\n') })).read('dvc.lock')
    expect(problems(manifest)).toEqual(['malformed: dvc.lock: stage a is no stage.', 'malformed: dvc.lock: outs is no list.'])
  })
})

describe('hostile YAML', () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
    .split('')
    .map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]}, `.repeat(9)}]\n`)
    .join('')}outs: *i\n`

  it.each([
    ['a bomb', bomb],
    ['depth', `outs: ${'['.repeat(20_000)}`],
    ['no YAML', 'outs: [}'],
    ['NUL', 'outs:\0'],
    ['bytes', '\u00ff\ufffe'],
    ['nothing', ''],
    ['a list', '- a\n'],
    ['wrong types', 'outs: {a: 1}\n'],
    ['no path', 'outs:\n- md5: x\n'],
    ['numbers', 'outs:\n- 5\n- null\n- [a]\n'],
    ['a prototype', '__proto__:\n  outs: []\n'],
  ])('%s is a problem', async (_, text) => {
    const manifest = await (await deliver(dvc, { 'a.dvc': text })).read('a.dvc')
    expect(manifest.entries).toEqual([])
    expect(manifest.problems.length).toBeGreaterThan(0)
  })

  it('is read without fail whatever its values are', async () => {
    const value = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.array(fc.string()), fc.object({ maxDepth: 2 }))
    const item = fc.dictionary(fc.constantFrom('path', 'md5', 'size', 'nfiles', 'hash', 'files'), value)
    await fc.assert(
      fc.asyncProperty(fc.array(item, { maxLength: 4 }), value, async (outs, wdir) => {
        const { read } = await deliver(dvc, { 'a.dvc': JSON.stringify({ outs, wdir }) })
        const manifest = await read('a.dvc')
        for (const { path } of manifest.entries) expect(path).not.toMatch(/^\/|(^|\/)\.\.(\/|$)/)
      }),
      { numRuns: 100 },
    )
  })
})
