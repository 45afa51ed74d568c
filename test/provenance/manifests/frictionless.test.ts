import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { frictionless } from '../../../src/provenance/manifests/frictionless.ts'
import { problems, said } from './deliver.ts'
import { type Contents, hex, plainGrades, readAll, readOne, unpack } from './packages.ts'

const rows = 'id,label\n1,cat\n2,dog\n'
const json = (value: unknown): string => JSON.stringify(value)
const read = (resources: unknown, others: Contents = { 'data.csv': rows }) =>
  readOne(frictionless, { 'datapackage.json': json({ name: 'p', resources }), ...others })

describe('Data Package', () => {
  it.each(['datapackage.json', 'datapackage.yaml', 'some/folder/datapackage.yml', 'cats.datapackage.json'])(
    'is found by its name: %s',
    async (name) => {
      const text = name.endsWith('json')
        ? json({ resources: [{ name: 'd', path: 'data.csv' }] })
        : 'resources:\n  - name: d\n    path: data.csv\n'
      const base = name.slice(0, name.lastIndexOf('/') + 1)
      const manifest = await readOne(frictionless, { [name]: text, [`${base}data.csv`]: rows })
      expect(manifest.entries.map(({ path }) => path)).toEqual([`${base}data.csv`])
      expect(manifest).toMatchObject({ kind: 'frictionless', version: '1', closed: null, own: [name], problems: [] })
    },
  )

  it('knows version 2 by its $schema', async () => {
    const text = json({ $schema: 'https://datapackage.org/profiles/2.0/datapackage.json', resources: [] })
    expect((await readOne(frictionless, { 'datapackage.json': text })).version).toBe('2.0')
  })

  it.each([
    ['MD5 without a name', hex('md5', rows), `md5:${hex('md5', rows)}`],
    ['md5', `md5:${hex('md5', rows)}`, `md5:${hex('md5', rows)}`],
    ['sha1', `sha1:${hex('sha1', rows)}`, `sha1:${hex('sha1', rows)}`],
    ['sha256', `sha256:${hex('sha256', rows)}`, `sha256:${hex('sha256', rows)}`],
    ['SHA-512', `SHA-512:${hex('sha512', rows).toUpperCase()}`, `sha512:${hex('sha512', rows)}`],
    ['a SHA-256 without its name', hex('sha256', rows), `placeholder ${hex('sha256', rows)}`],
    ['words', 'to be done', 'placeholder to be done'],
    ['an empty text', '', 'none'],
    ['nothing', null, 'none'],
  ])('takes a hash that is %s', async (_, hash, expected) => {
    expect(said(await read([{ name: 'd', path: 'data.csv', hash, bytes: rows.length }]))).toEqual({ 'data.csv': expected })
  })

  it('warns of an algorithm that it cannot compute', async () => {
    const manifest = await read([{ name: 'd', path: 'data.csv', hash: `whirlpool:${'ab'.repeat(64)}` }])
    expect(said(manifest)).toEqual({ 'data.csv': 'none' })
    expect(manifest.problems).toMatchObject([{ code: 'unsupported', invalid: false }])
  })

  it('takes what frictionless-py writes under stats', async () => {
    const stats = { md5: hex('md5', rows), sha256: hex('sha256', rows), bytes: rows.length, fields: 2, rows: 2 }
    const manifest = await read([{ name: 'd', path: 'data.csv', stats }])
    expect(said(manifest)).toEqual({ 'data.csv': `sha256:${hex('sha256', rows)} md5:${hex('md5', rows)}` })
    expect(manifest.entries[0]?.bytes).toBeNull()
    expect(manifest.facts).toMatchObject([{ rows: 2, by: 'datapackage.json, resource d' }])
    const old = await read([{ name: 'd', path: 'data.csv', stats: { hash: hex('md5', rows) } }])
    expect(said(old)).toEqual({ 'data.csv': `md5:${hex('md5', rows)}` })
  })

  it('verifies a file that is the same, and none that was changed', async () => {
    const text = json({ resources: [{ name: 'd', path: 'data.csv', hash: hex('md5', rows), bytes: rows.length }] })
    for (const [content, grade] of [
      [rows, 'verified'],
      [rows.replace('dog', 'cat'), 'mismatched'],
    ] as const) {
      const delivery = await unpack({ 'datapackage.json': text, 'data.csv': content })
      const [manifest] = await readAll(frictionless, delivery)
      expect(manifest && plainGrades(manifest, delivery)).toEqual(new Map([['data.csv', grade]]))
    }
  })

  it.each(['1e400', '-3', '"many"', '[]', '{"toString":1}'])('says so where a size is no number of bytes: %s', async (size) => {
    const text = `{"resources":[{"name":"d","path":"data.csv","hash":"sha256:${hex('sha256', rows)}","bytes":${size}}]}`
    const manifest = await readOne(frictionless, { 'datapackage.json': text, 'data.csv': rows })
    expect(manifest.entries[0]?.bytes).toBeNull()
    expect(manifest.problems).toMatchObject([{ code: 'malformed', invalid: false, message: expect.stringContaining('no number of bytes') }])
  })

  it('has a size that decides where no strong digest does, and else is a warning', async () => {
    const wrong = { name: 'd', path: 'data.csv', bytes: 7 }
    expect((await read([{ ...wrong, hash: hex('md5', rows) }])).entries[0]?.bytes).toBe(7)
    const manifest = await read([{ ...wrong, hash: `sha256:${hex('sha256', rows)}` }])
    expect(manifest.entries[0]?.bytes).toBeNull()
    expect(manifest.problems).toMatchObject([
      { code: 'inconsistent', invalid: false, message: 'data.csv has 21 bytes; datapackage.json says 7.' },
    ])
  })

  it('reads the parts of a resource, and does not check one hash over several files', async () => {
    const manifest = await read([{ name: 'd', path: ['a.csv', 'b.csv'], hash: hex('md5', 'both'), bytes: 4 }])
    expect(said(manifest)).toEqual({ 'a.csv': 'none', 'b.csv': 'none' })
    expect(manifest.entries.every(({ bytes }) => bytes === null)).toBe(true)
    expect(problems(manifest)).toEqual(['unsupported: Resource d of datapackage.json has one hash over 2 files, which is not checked.'])
  })

  it('looks for what lies behind an address beside the package, and fetches nothing', async () => {
    const url = 'https://example.org/files/data.csv?download=1'
    const manifest = await read([{ name: 'd', path: url, hash: hex('md5', rows) }])
    expect(manifest.entries).toMatchObject([{ path: 'data.csv', url, elsewhere: true }])
  })

  it('has inline data without a file', async () => {
    const manifest = await read([{ name: 'd', data: [{ a: 1 }] }])
    expect([manifest.entries, manifest.problems]).toEqual([[], []])
  })

  it.each(['/etc/passwd', '../data.csv', 'a/../../data.csv', '~/data.csv', 'C:\\data.csv', 'a\\b.csv', ''])(
    'refuses the path %j',
    async (path) => {
      const manifest = await read([{ name: 'd', path }])
      expect(manifest.entries).toEqual([])
      expect(manifest.problems).toMatchObject([{ code: 'hostile-path', invalid: true, place: { file: 'datapackage.json', row: 0 } }])
    },
  )

  it('declares the columns of its schema', async () => {
    const schema = { fields: [{ name: 'id', type: 'integer' }, { name: 'label' }, { type: 'string' }, 'x'] }
    const [facts] = (await read([{ name: 'd', path: 'data.csv', schema }])).facts
    expect(facts).toMatchObject({
      rows: null,
      columns: [
        { name: 'id', type: 'integer' },
        { name: 'label', type: null },
      ],
    })
  })

  it.each([
    ['no JSON', '{"resources": [', 'malformed: datapackage.json is not JSON.'],
    ['no object', '[]', 'malformed: datapackage.json has no list of resources.'],
    ['nothing', '', 'malformed: datapackage.json is not JSON.'],
    ['no list', '{"resources": {}}', 'malformed: datapackage.json has no list of resources.'],
    ['a list from a prototype', '{"__proto__": {"resources": [{"path": "a"}]}}', 'malformed: datapackage.json has no list of resources.'],
    ['a resource that is a number', '{"resources": [1]}', 'malformed: Resource 1 of datapackage.json is not an object.'],
    ['a resource with nothing', '{"resources": [{}]}', 'malformed: Resource 1 of datapackage.json has neither a path nor data.'],
    [
      'a path that is a number',
      '{"resources": [{"name": "d", "path": 7}]}',
      'malformed: A path of resource d in datapackage.json is not a text.',
    ],
    [
      'a hundred thousand levels',
      `{"resources": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
      'too-large: datapackage.json is nested deeper than 64 levels.',
    ],
  ])('says what is wrong with %s', async (_, text, message) => {
    const manifest = await readOne(frictionless, { 'datapackage.json': text })
    expect(problems(manifest)).toEqual([message])
    expect(manifest.entries).toEqual([])
  })

  it('says what is wrong with YAML: errors, bombs of aliases', async () => {
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replace(/./g, (c) => `${c}: &${c} [${Array(9).fill(`*${String.fromCharCode(c.charCodeAt(0) - 1)}`)}]\n`)}resources: [*h]\n`
    for (const text of ['resources: [', bomb, `resources: ${'['.repeat(20_000)}`]) {
      const manifest = await readOne(frictionless, { 'datapackage.yaml': text })
      expect(manifest.problems).toMatchObject([{ invalid: true }])
    }
  })

  it('never throws, whatever the JSON holds', async () => {
    const key = fc.constantFrom(
      'path',
      'url',
      'hash',
      'bytes',
      'stats',
      'schema',
      'fields',
      'name',
      'data',
      'resources',
      '__proto__',
      'rows',
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.boolean(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 4 }), async (resources) => {
        const manifest = await readOne(frictionless, { 'datapackage.json': json({ resources }) })
        for (const { path } of manifest.entries) expect(path).not.toMatch(/^\/|\.\.\/|\\/)
      }),
      { numRuns: 60 },
    )
  })
})
