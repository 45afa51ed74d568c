import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Manifest } from '../../../src/contracts/provenance.ts'
import { globMatches } from '../../../src/provenance/manifests/croissant/glob.ts'
import { sizeRange } from '../../../src/provenance/manifests/croissant/sizes.ts'
import { croissant } from '../../../src/provenance/manifests/croissant.ts'
import { problems, said } from './deliver.ts'
import { type Contents, hex, plainGrades, readAll, readOne, unpack } from './packages.ts'

/** The context of Croissant 1.1, in part. */
const context = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  conformsTo: 'dct:conformsTo',
  containedIn: 'cr:containedIn',
  cr: 'http://mlcommons.org/croissant/',
  data: { '@id': 'cr:data', '@type': '@json' },
  dataType: { '@id': 'cr:dataType', '@type': '@vocab' },
  dct: 'http://purl.org/dc/terms/',
  md5: 'cr:md5',
  recordSet: 'cr:recordSet',
  sc: 'https://schema.org/',
}
const rows = 'id,label\n1,cat\n2,dog\n'
const sha256 = hex('sha256', rows)

const record = (parts: object): string =>
  JSON.stringify({ '@context': context, '@type': 'sc:Dataset', name: 'd', conformsTo: 'http://mlcommons.org/croissant/1.1', ...parts })
const fileObject = (parts: object): object => ({
  '@type': 'cr:FileObject',
  '@id': 'data.csv',
  name: 'data.csv',
  contentUrl: 'data.csv',
  encodingFormat: 'text/csv',
  ...parts,
})
const read = (distribution: unknown, others: Contents = { 'data.csv': rows }, more: object = {}): Promise<Manifest> =>
  readOne(croissant, { 'croissant.json': record({ distribution, ...more }), ...others })

describe('FileObjects', () => {
  it('name a file with its digest, its size and the version of Croissant', async () => {
    const manifest = await read([fileObject({ sha256, contentSize: `${rows.length} B` })])
    expect(manifest).toMatchObject({ kind: 'croissant', version: '1.1', closed: null, own: ['croissant.json'], problems: [] })
    expect(manifest.entries).toEqual([
      {
        path: 'data.csv',
        digests: [{ algorithm: 'sha256', hex: sha256 }],
        bytes: null,
        range: null,
        placeholder: null,
        url: null,
        label: null,
        elsewhere: false,
        place: { file: 'croissant.json' },
      },
    ])
  })

  it.each([
    ['SHA-256', { sha256: sha256.toUpperCase() }, `sha256:${sha256}`],
    ['MD5', { md5: hex('md5', rows) }, `md5:${hex('md5', rows)}`],
    ['both', { sha256, md5: hex('md5', rows) }, `sha256:${sha256} md5:${hex('md5', rows)}`],
    ['none', {}, 'none'],
    [
      'the address of an issue',
      { sha256: 'https://github.com/mlcommons/croissant/issues/80' },
      'placeholder https://github.com/mlcommons/croissant/issues/80',
    ],
    ['a word', { sha256: 'foo' }, 'placeholder foo'],
    ['its own name', { sha256: 'sha256' }, 'placeholder sha256'],
    ['another word', { sha256: 'default' }, 'placeholder default'],
    ['an MD5 where a SHA-256 should be', { sha256: hex('md5', rows) }, `placeholder ${hex('md5', rows)}`],
    ['zeros', { sha256: '0'.repeat(64) }, `placeholder ${'0'.repeat(64)}`],
    ['a number', { sha256: 7 }, 'placeholder '],
    ['a placeholder beside an MD5', { sha256: 'foo', md5: hex('md5', rows) }, `md5:${hex('md5', rows)}`],
  ])('may carry %s', async (_, parts, expected) => {
    expect(said(await read([fileObject(parts)]))).toEqual({ 'data.csv': expected })
  })

  it('verify what is the same and nothing else', async () => {
    for (const [content, grade] of [
      [rows, 'verified'],
      [`${rows}3,cat\n`, 'mismatched'],
    ] as const) {
      const delivery = await unpack({ 'croissant.json': record({ distribution: [fileObject({ sha256 })] }), 'data.csv': content })
      const [manifest] = await readAll(croissant, delivery)
      expect(manifest && plainGrades(manifest, delivery)).toEqual(new Map([['data.csv', grade]]))
    }
  })

  it.each([
    [
      'prefixes',
      {
        '@context': context,
        '@type': 'sc:Dataset',
        'sc:distribution': { '@type': 'cr:FileObject', 'sc:name': 'data.csv', 'sc:contentUrl': 'data.csv', 'sc:sha256': sha256 },
      },
    ],
    [
      'whole addresses',
      {
        '@type': 'https://schema.org/Dataset',
        'http://purl.org/dc/terms/conformsTo': 'http://mlcommons.org/croissant/1.0',
        'https://schema.org/distribution': [
          {
            '@type': 'http://mlcommons.org/croissant/FileObject',
            'https://schema.org/name': 'data.csv',
            'https://schema.org/sha256': sha256,
          },
        ],
      },
    ],
    [
      'aliases of its context',
      {
        '@context': [
          {
            files: 'https://schema.org/distribution',
            hash: 'sc:sha256',
            F: 'cr:FileObject',
            sc: 'https://schema.org/',
            cr: 'http://mlcommons.org/croissant/',
          },
        ],
        '@type': 'Dataset',
        files: { '@type': 'F', '@id': 'data.csv', hash: sha256 },
      },
    ],
    [
      'a graph',
      {
        '@context': ['https://w3id.org/croissant', { cr: 'http://mlcommons.org/croissant/' }],
        '@graph': [
          { '@type': 'sc:Dataset', '@id': 'd', distribution: [{ '@id': 'data.csv' }] },
          { '@type': 'sc:FileObject', '@id': 'data.csv', contentUrl: 'data.csv', sha256 },
        ],
      },
    ],
    [
      'values as objects and lists',
      {
        '@context': { cr: 'http://mlcommons.org/croissant/' },
        '@type': ['sc:Dataset'],
        distribution: [{ '@type': ['cr:FileObject'], name: { en: 'data.csv' }, contentUrl: { '@value': 'data.csv' }, sha256: [sha256] }],
      },
    ],
    [
      'version 0.8',
      {
        '@context': { ml: 'http://mlcommons.org/schema/' },
        '@type': 'sc:Dataset',
        distribution: [{ '@type': 'ml:FileObject', name: 'data.csv', contentUrl: 'data.csv', sha256 }],
      },
    ],
  ])('are read under %s', async (_, document) => {
    expect(said(await readOne(croissant, { 'metadata.json': JSON.stringify(document), 'data.csv': rows }))).toEqual({
      'data.csv': `sha256:${sha256}`,
    })
  })

  it('lie where their relative address says, beside the record', async () => {
    const text = record({ distribution: [fileObject({ contentUrl: 'sub/data.csv', sha256 })] })
    const manifest = await readOne(croissant, { 'meta/croissant.json': text, 'meta/sub/data.csv': rows })
    expect(said(manifest)).toEqual({ 'meta/sub/data.csv': `sha256:${sha256}` })
  })

  it.each([
    ['its name', { name: 'mine.csv', contentUrl: 'https://example.org/files/x' }, 'mine.csv'],
    ['its id', { name: 'the table', '@id': 'mine.csv', contentUrl: 'https://example.org/files/x' }, 'mine.csv'],
    ['the end of its address', { name: 'the table', '@id': 't', contentUrl: 'https://example.org/files/mine.csv?download=1' }, 'mine.csv'],
    ['an encoded end', { name: 'the table', '@id': 't', contentUrl: 'https://example.org/files/my%20own.csv' }, 'my own.csv'],
  ])('that lie behind an address are looked for by %s', async (_, parts, path) => {
    const manifest = await read([fileObject({ ...parts, sha256 })], { [path]: rows })
    expect(manifest.entries).toMatchObject([{ path, url: (parts as { contentUrl: string }).contentUrl, elsewhere: true }])
  })

  it('inside of an archive are found where it was expanded, or go with the archive', async () => {
    const zip = {
      '@type': 'cr:FileObject',
      '@id': 'all.zip',
      name: 'all.zip',
      contentUrl: 'https://example.org/all.zip',
      sha256: hex('sha256', 'zip'),
    }
    const member = { '@type': 'cr:FileObject', '@id': 'ratings', containedIn: { '@id': 'all.zip' }, contentUrl: 'ml/ratings.csv' }
    expect(said(await read([zip, member], { 'all.zip': 'zip' }))).toEqual({ 'all.zip': `sha256:${hex('sha256', 'zip')}` })
    const archive = { ...zip, '@id': 'archive', name: 'the archive' }
    const expanded = { ...member, containedIn: { '@id': 'archive' } }
    expect(Object.keys(said(await read([archive, expanded], { 'all/ml/ratings.csv': rows })))).toContain('all/ml/ratings.csv')
    expect(said(await read([zip, member], { 'all/ml/ratings.csv': rows }))).toEqual({
      'all.zip': `sha256:${hex('sha256', 'zip')}`,
      'all/ml/ratings.csv': 'none',
    })
    const nowhere = await read([zip, member], {})
    expect(nowhere.entries.map(({ path, elsewhere }) => [path, elsewhere])).toEqual([
      ['all.zip', true],
      ['ml/ratings.csv', true],
    ])
  })

  it('that are repositories are no missing files', async () => {
    const repo = {
      '@type': 'cr:FileObject',
      '@id': 'repo',
      name: 'repo',
      contentUrl: 'https://huggingface.co/datasets/x/tree/refs%2Fconvert%2Fparquet',
      encodingFormat: 'git+https',
      sha256: 'https://github.com/mlcommons/croissant/issues/80',
    }
    const delivery = await unpack({ 'croissant.json': record({ distribution: [repo] }) })
    const [manifest] = await readAll(croissant, delivery)
    expect(manifest && plainGrades(manifest, delivery)).toEqual(new Map([['repo', 'placeholder-digest']]))
  })

  it('that lie behind an address may not be called what is no path', async () => {
    const manifest = await read([fileObject({ '@id': '../a', name: '/b', contentUrl: 'https://example.org/~c', sha256 })])
    expect(manifest.entries).toEqual([])
    expect(manifest.problems).toMatchObject([{ code: 'hostile-path', invalid: true }])
  })

  it.each(['/etc/passwd', '../data.csv', 'a/../../data.csv', '~/data.csv', 'C:\\data.csv'])('may not lie at %s', async (contentUrl) => {
    const manifest = await read([fileObject({ contentUrl, sha256 })])
    expect(manifest.entries).toEqual([])
    expect(manifest.problems).toMatchObject([{ code: 'hostile-path', invalid: true }])
  })

  it('are what their digest says; a size decides only where nothing better does', async () => {
    const sized = async (parts: object) => {
      const manifest = await read([fileObject({ contentSize: '7 B', ...parts })])
      return [manifest.entries[0]?.bytes, manifest.problems.map(({ code, invalid }) => [code, invalid])]
    }
    expect(await sized({ sha256 })).toEqual([null, [['inconsistent', false]]])
    expect(await sized({ md5: hex('md5', rows) })).toEqual([7, [['inconsistent', false]]])
    expect(await sized({})).toEqual([7, [['inconsistent', false]]])
    const absent = await read([fileObject({ sha256, contentSize: '7 B' })], {})
    expect(absent.entries[0]?.bytes).toBe(7)
  })

  it('are complained of where their size cannot be right', async () => {
    expect(problems(await read([fileObject({ sha256, contentSize: '1.2 MB' })]))).toEqual([
      `inconsistent: data.csv has ${rows.length} bytes; croissant.json says 1.2 MB.`,
    ])
    expect(problems(await read([fileObject({ sha256, contentSize: 'large' })]))).toEqual([
      'malformed: The contentSize of data.csv in croissant.json is not a size: "large".',
    ])
    expect(problems(await read([fileObject({ sha256, contentSize: '0.02 kB' })]))).toEqual([])
  })
})

describe('FileSets', () => {
  const repo = { '@type': 'cr:FileObject', '@id': 'repo', contentUrl: 'https://example.org/x', encodingFormat: 'git+https' }
  it('name delivered files by pattern, without a digest', async () => {
    const set = {
      '@type': 'cr:FileSet',
      '@id': 'files',
      containedIn: { '@id': 'repo' },
      includes: ['default/*.parquet', '*.jpg'],
      excludes: 'default/skip*',
    }
    const manifest = await read([repo, set], {
      'default/train/0.parquet': '1',
      'default/skip.parquet': '2',
      'a/b.jpg': '3',
      'other.txt': '4',
      'data.csv': rows,
    })
    expect(said(manifest)).toEqual({ repo: 'none', 'a/b.jpg': 'none', 'default/train/0.parquet': 'none' })
  })

  it('take nothing away from what a FileObject says', async () => {
    const set = { '@type': 'cr:FileSet', '@id': 'files', includes: '*' }
    expect(said(await read([set, fileObject({ sha256 })]))).toEqual({ 'data.csv': `sha256:${sha256}` })
  })
})

describe('record sets', () => {
  it('declare columns with types, under the names that the file has', async () => {
    const recordSet = [
      {
        '@type': 'cr:RecordSet',
        '@id': 'default',
        field: [
          {
            '@type': 'cr:Field',
            '@id': 'default/id',
            name: 'default/id',
            dataType: 'sc:Integer',
            source: { extract: { column: 'movieId' } },
          },
          { '@type': 'cr:Field', '@id': 'default/label', dataType: ['sc:Text', 'wd:Q1'] },
          { '@type': 'cr:Field', '@id': 'default/tags', name: 'tags', dataType: 'sc:Text', repeated: true },
          {
            '@type': 'cr:Field',
            '@id': 'default/split',
            name: 'split',
            dataType: 'sc:Text',
            source: { extract: { fileProperty: 'fullpath' } },
          },
        ],
      },
      {
        '@type': 'cr:RecordSet',
        '@id': 'splits',
        dataType: 'cr:Split',
        field: { '@id': 'splits/name' },
        data: [{ 'splits/name': 'train' }],
      },
      {
        '@type': 'cr:RecordSet',
        '@id': 'counted',
        dataType: 'cr:Split',
        data: [
          { name: 'train', num_examples: 3 },
          { name: 'test', num_examples: 1 },
        ],
      },
      { '@type': 'cr:RecordSet', '@id': 'enum', isEnumeration: true, field: { '@id': 'enum/name' } },
      { '@type': 'cr:RecordSet', '@id': 'inline', field: [{ '@id': 'inline/a', dataType: 'sc:Text' }], data: [{ a: 1 }, { a: 2 }] },
    ]
    const { facts } = await read([], {}, { recordSet })
    expect(facts).toMatchObject([
      {
        rows: null,
        columns: [
          { name: 'movieId', type: 'Integer' },
          { name: 'label', type: 'Text' },
          { name: 'tags', type: 'list' },
        ],
        by: 'croissant.json, record set default',
      },
      { splits: { train: 3, test: 1 }, by: 'croissant.json, record set counted' },
      { rows: 2, columns: [{ name: 'a', type: 'Text' }], by: 'croissant.json, record set inline' },
    ])
  })
})

describe('sizes', () => {
  it.each([
    ['13510573713 B', 13510573713, 13510573713],
    ['8813', 8813, 8813],
    [8813, 8813, 8813],
    ['1,234 bytes', 1234, 1234],
    ['4.698 MB', 4697000, 4927259],
    ['1 KiB', 0, 2048],
    ['97.73 TiB', 107444276266270, 107466266498827],
    ['0.5 B', null, null],
    ['large', null, null],
    [-1, null, null],
    ['', null, null],
    ['9'.repeat(200), null, null],
  ])('%s', (text, low, high) => {
    expect(sizeRange(text)).toEqual(low === null ? null : { low, high })
  })

  it('hold what rounds to them, in units of 1,000 and of 1,024', () => {
    const size = fc.integer({ min: 1, max: 2 ** 50 })
    fc.assert(
      fc.property(
        size,
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(['', 1000], ['i', 1024], ['', 1024]),
        fc.constantFrom(1, 2, 3, 4),
        (bytes, digits, [infix, base], power) => {
          const range = sizeRange(`${(bytes / Number(base) ** power).toFixed(digits)} ${' kMGT'[power]}${infix}B`)
          expect(range && range.low <= bytes && bytes <= range.high).toBe(true)
        },
      ),
    )
  })
})

describe('patterns', () => {
  it.each([
    ['*.jpg', 'a/b.jpg', true],
    ['*.jpg', 'a/b.jpeg', false],
    ['*/*/*.parquet', 'a/b/c.parquet', true],
    ['*/*/*.parquet', 'a/c.parquet', false],
    ['**/x', 'a/b/x', true],
    ['a?c', 'abc', true],
    ['a?c', 'ac', false],
    ['[ab]x', 'bx', true],
    ['[!ab]x', 'bx', false],
    ['[0-9][0-9]', '42', true],
    ['[]]', ']', true],
    ['[', '[', true],
    ['a.b', 'axb', false],
    ['', '', true],
    ['*', '', true],
  ])('%s and %s', (pattern, path, expected) => {
    expect(globMatches(pattern, path)).toBe(expected)
  })

  it('cost at most their length times that of the path', () => {
    const started = performance.now()
    expect(globMatches('*a'.repeat(500), `${'a'.repeat(4_000)}b`)).toBe(false)
    expect(performance.now() - started).toBeLessThan(2_000)
  })
})

describe('hostile records', () => {
  const text = (document: unknown) => JSON.stringify(document)
  it.each([
    ['no JSON', '{"@context": "http://mlcommons.org/croissant/1.0", ', ['malformed: croissant.json is not JSON.']],
    [
      'no data set',
      text({ '@context': 'http://mlcommons.org/croissant/1.0', '@type': 'Person' }),
      ['malformed: croissant.json describes no data set (an object of type sc:Dataset).'],
    ],
    [
      'nesting',
      `{"@context": "http://mlcommons.org/croissant/1.0", "a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      ['too-large: croissant.json is nested deeper than 64 levels.'],
    ],
    [
      'a FileObject of nothing',
      record({ distribution: [{ '@type': 'cr:FileObject' }] }),
      ['malformed: croissant.json has a FileObject without a name, an id and an address.'],
    ],
    ['a distribution that is a text', record({ distribution: 'data.csv' }), []],
    ['a file that contains itself', record({ distribution: [{ '@type': 'cr:FileObject', '@id': 'a', containedIn: { '@id': 'a' } }] }), []],
    [
      'a context that runs in a circle',
      text({ '@context': { a: 'b', b: 'a', cr: 'http://mlcommons.org/croissant/' }, '@type': 'sc:Dataset', a: 1, distribution: [] }),
      [],
    ],
  ])('with %s do not throw', async (_, content, expected) => {
    expect(problems(await readOne(croissant, { 'croissant.json': content }))).toEqual(expected)
  })

  it('cannot reach a prototype', async () => {
    const content = `{"@context": {"cr": "http://mlcommons.org/croissant/", "__proto__": {"sha256": "x"}}, "@type": "sc:Dataset", "distribution": [{"@type": "cr:FileObject", "__proto__": {"sha256": "${sha256}"}, "name": "data.csv"}]}`
    expect(said(await readOne(croissant, { 'croissant.json': content, 'data.csv': rows }))).toEqual({ 'data.csv': 'none' })
    expect(({} as Record<string, unknown>).sha256).toBeUndefined()
  })

  it('never throw, whatever stands under the keys that are read', async () => {
    const key = fc.constantFrom(
      '@id',
      '@type',
      'distribution',
      'recordSet',
      'name',
      'contentUrl',
      'contentSize',
      'sha256',
      'md5',
      'containedIn',
      'includes',
      'field',
      'dataType',
      'source',
      'extract',
      'data',
      '__proto__',
      'constructor',
    )
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.constant(null),
      fc.constantFrom('cr:FileObject', 'cr:FileSet', 'cr:RecordSet', '../x', '/x', sha256),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'medium' },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 5 }),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(value, value, async (distribution, recordSet) => {
        const manifest = await read(distribution, { 'data.csv': rows }, { recordSet })
        for (const { path } of manifest.entries) expect(path).not.toMatch(/^\/|(?:^|\/)\.\.(?:\/|$)|\\/)
      }),
      { numRuns: 80 },
    )
  })
})

describe('other JSON', () => {
  it.each([
    ['data.json', '[{"text": "see mlcommons.org/croissant for more"}]'],
    ['package.json', '{"name": "x"}'],
    ['notes.txt', record({ distribution: [] })],
  ])('is no record: %s', async (name, content) => {
    expect(await readAll(croissant, await unpack({ [name]: content }))).toEqual([])
  })
})
