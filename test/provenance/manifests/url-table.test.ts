import fc from 'fast-check'
import { parquetWriteBuffer } from 'hyparquet-writer'
import Papa from 'papaparse'
import { describe, expect, it } from 'vitest'
import { discover } from '../../../src/provenance/discover.ts'
import { problemList } from '../../../src/provenance/manifests/problem-list.ts'
import { cellDigest, urlColumns } from '../../../src/provenance/manifests/url-columns.ts'
import { urlName } from '../../../src/provenance/manifests/url-members.ts'
import { delimitedTable, lineTable } from '../../../src/provenance/manifests/url-rows.ts'
import { urlTable } from '../../../src/provenance/manifests/url-table.ts'
import { deliver, digest, folder, nobody, problems, said } from './deliver.ts'

const sha256 = (text: string) => digest('sha256', text)
const md5 = (text: string) => digest('md5', text)

const header = 'url,sha256,bytes,file,label\n'
const csv = `${header}https://a.example/1.jpg,${sha256('one')},3,images/1.jpg,cat\nhttps://b.example/2.jpg,${sha256('two')},3,images/2.jpg,dog\n`
const images = { 'images/1.jpg': 'one', 'images/2.jpg': 'two' }
const expected = { 'images/1.jpg': `sha256:${sha256('one')}`, 'images/2.jpg': `sha256:${sha256('two')}` }

/** The rows of `csv` in another form. */
const rows = Papa.parse<Record<string, string>>(csv.trim(), { header: true }).data

function parquet(names: readonly string[], values: readonly Readonly<Record<string, unknown>>[]): Uint8Array {
  const columnData = names.map((name) => ({ name, data: values.map((value) => value[name]) }))
  return new Uint8Array(parquetWriteBuffer({ columnData: columnData as never }))
}

describe('a table of URLs and digests', () => {
  it.each<[string, string | Uint8Array]>([
    ['CSV', csv],
    ['CSV with a byte order mark and CR LF', `\ufeff${csv.replaceAll('\n', '\r\n')}`],
    ['CSV with semicolons', csv.replaceAll(',', ';')],
    ['CSV with quotes', Papa.unparse(rows, { quotes: true })],
    ['TSV', csv.replaceAll(',', '\t')],
  ])('%s is read', async (_, text) => {
    const { read, detects } = await deliver(urlTable, { 'table.csv': text, ...images })
    expect(await detects('table.csv')).toBe(true)
    const manifest = await read('table.csv')
    expect(said(manifest)).toEqual(expected)
    expect(manifest.entries[0]).toMatchObject({
      url: 'https://a.example/1.jpg',
      label: 'cat',
      bytes: 3,
      place: { file: 'table.csv', row: 0 },
    })
    expect([problems(manifest), manifest.own, manifest.closed]).toEqual([[], ['table.csv'], null])
  })

  it.each<[string, string, string | Uint8Array]>([
    ['JSON lines', 'table.jsonl', rows.map((row) => `${JSON.stringify(row)}\n`).join('')],
    ['Parquet', 'table.parquet', parquet(['url', 'sha256', 'bytes', 'file', 'label'], rows)],
    [
      'Parquet with typed columns',
      'table.parquet',
      parquet(
        ['url', 'sha256', 'bytes', 'file', 'label'],
        rows.map((row) => ({ ...row, bytes: 3, sha256: new Uint8Array(Buffer.from(row.sha256 as string, 'hex')) })),
      ),
    ],
  ])('%s is read', async (_, path, content) => {
    const { read, detects } = await deliver(urlTable, { [path]: content, ...images })
    expect(await detects(path)).toBe(true)
    const manifest = await read(path)
    expect(said(manifest)).toEqual(expected)
    expect(manifest.entries.map(({ url, label, bytes }) => [url, label, bytes])).toEqual([
      ['https://a.example/1.jpg', 'cat', 3],
      ['https://b.example/2.jpg', 'dog', 3],
    ])
    expect(problems(manifest)).toEqual([])
  })

  it('finds members by the last segment of the URL', async () => {
    const text = `URL,MD5\nhttps://a.example/x/1%20a.jpg?size=3,${md5('one')}\nhttps://b.example/gone.jpg,${md5('two')}\n`
    const { read, detects } = await deliver(urlTable, { 'set/t.csv': text, 'set/pictures/1 a.jpg': 'one' })
    expect(await detects('set/t.csv')).toBe(true)
    expect(said(await read('set/t.csv'))).toEqual({ 'set/pictures/1 a.jpg': `md5:${md5('one')}`, 'set/gone.jpg': `md5:${md5('two')}` })
  })

  it("finds members by img2dataset's key, beside captions and notes of the same key", async () => {
    const names = ['url', 'key', 'status', 'sha256', 'width']
    const table = parquet(names, [
      { url: 'https://a.example/image.jpg', key: '000000000', status: 'success', sha256: sha256('one'), width: 3 },
      { url: 'https://b.example/image.jpg', key: '000000001', status: 'success', sha256: sha256('two'), width: 3 },
      { url: 'https://c.example/image.jpg', key: '000000002', status: 'failed_to_download', sha256: null, width: null },
    ])
    const { read, detects } = await deliver(urlTable, {
      '00000.parquet': table,
      '00000/000000000.jpg': 'one',
      '00000/000000000.txt': 'caption',
      '00000/000000000.json': '{}',
      '00000/000000001.jpg': 'two',
    })
    expect(await detects('00000.parquet')).toBe(true)
    const manifest = await read('00000.parquet')
    expect(said(manifest)).toEqual({
      '00000/000000000.jpg': `sha256:${sha256('one')}`,
      '00000/000000001.jpg': `sha256:${sha256('two')}`,
    })
    expect(problems(manifest)).toEqual(['inconsistent: 00000.parquet: 1 row says that the file was not downloaded, and it is not here.'])
  })

  it('takes all columns of digests, and says where one row has none', async () => {
    const text = `url,md5,sha256,file\nhttps://a.example/1,${md5('one')},${sha256('one')},1\nhttps://a.example/2,,,2\nhttps://a.example/3,foo,bar,3\n`
    const manifest = await (await deliver(urlTable, { 't.csv': text, 1: 'one' })).read('t.csv')
    expect(said(manifest)).toEqual({ 1: `md5:${md5('one')} sha256:${sha256('one')}`, 2: 'none', 3: 'placeholder foo' })
  })

  it('names rows that contradict each other', async () => {
    const text = `url,sha256\nhttps://a.example/1.jpg,${sha256('one')}\nhttps://b.example/1.jpg,${sha256('two')}\nhttps://c.example/1.jpg,${sha256('one')}\n`
    const manifest = await (await deliver(urlTable, { 't.csv': text, '1.jpg': 'one' })).read('t.csv')
    expect(problems(manifest)).toEqual(['inconsistent: t.csv, rows 1 and 2: two sha256 digests for 1.jpg.'])
    expect(said(manifest)).toEqual({ '1.jpg': `sha256:${sha256('one')} sha256:${sha256('two')}` })
  })

  it('refuses paths out of the delivery', async () => {
    const text = `${header}https://a.example/1,${sha256('one')},3,../../etc/passwd,cat\nhttps://a.example/1,${sha256('one')},3,/etc/passwd,cat\n`
    const manifest = await (await deliver(urlTable, { 't.csv': text })).read('t.csv')
    expect([manifest.entries, manifest.problems.map(({ code }) => code)]).toEqual([[], ['hostile-path', 'hostile-path']])
  })

  it('names rows that are damaged', async () => {
    const text = `${csv}https://c.example/3.jpg,${sha256('x')}\nhttps://c.example/4.jpg,${sha256('x')},3,images/4.jpg,"cat\n`
    const manifest = await (await deliver(urlTable, { 't.csv': text, ...images })).read('t.csv')
    expect(problems(manifest)).toEqual([
      'malformed: t.csv, row 3: 2 fields where the header has 5.',
      'malformed: t.csv, row 4: its quotes are malformed.',
      'malformed: t.csv, row 3: names no file.',
    ])
    const lines = `${JSON.stringify(rows[0])}\n{"url": \n[]\n${JSON.stringify(rows[1])}\n`
    const other = await (await deliver(urlTable, { 't.jsonl': lines, ...images })).read('t.jsonl')
    expect(problems(other)).toEqual([
      'malformed: t.jsonl, line 2: "{"url": " is no JSON object.',
      'malformed: t.jsonl, line 3: "[]" is no JSON object.',
    ])
    expect(said(other)).toEqual(expected)
  })

  it('reads back what is written', async () => {
    const name = fc.stringMatching(/^[a-z0-9 _-]{1,12}$/).filter((text) => text.trim() === text && text !== '')
    const member = fc.record({
      name,
      content: fc.string({ minLength: 1, maxLength: 8 }),
      label: fc.string({ minLength: 1, unit: 'grapheme' }),
    })
    const tables = fc.uniqueArray(member, { minLength: 1, maxLength: 8, selector: (each) => each.name.toLowerCase() })
    await fc.assert(
      fc.asyncProperty(tables, fc.constantFrom(',', '\t'), async (list, delimiter) => {
        const data = list.map(({ name, content, label }) => ({
          url: `https://x.example/${name}`,
          sha256: sha256(content),
          path: `m/${name}`,
          label,
        }))
        const files = Object.fromEntries(list.map(({ name, content }) => [`m/${name}`, content]))
        const manifest = await (await deliver(urlTable, { 't.csv': Papa.unparse(data, { delimiter }), ...files })).read('t.csv')
        expect(problems(manifest)).toEqual([])
        expect(said(manifest)).toEqual(Object.fromEntries(data.map(({ path, sha256 }) => [path, `sha256:${sha256}`])))
        expect(manifest.entries.map(({ label }) => label)).toEqual(list.map(({ label }) => label))
      }),
      { numRuns: 40 },
    )
  })
})

describe('data are no manifest', () => {
  it.each<[string, string, string | Uint8Array]>([
    ['a table without URLs', 'a.csv', `file,sha256,label\nimages/1.jpg,${sha256('one')},cat\n`],
    ['a table without digests', 'a.csv', 'url,file,label\nhttps://a.example/1.jpg,images/1.jpg,cat\n'],
    ['a crawl, whose members are not here', 'a.jsonl', `{"url":"https://a.example/page","digest":"${sha256('page')}","text":"..."}\n`],
    ['hashes that are numbers', 'a.csv', 'url,hash,file\nhttps://a.example/1.jpg,-4711,images/1.jpg\n'],
    [
      'LAION without digests',
      'a.parquet',
      parquet(['url', 'hash', 'file'], [{ url: 'https://a.example/1.jpg', hash: 5n, file: 'images/1.jpg' }]),
    ],
    ['other Parquet', 'a.parquet', parquet(['text', 'label'], [{ text: 'a', label: 'b' }])],
    ['a damaged Parquet', 'a.parquet', `PAR1${'x'.repeat(100)}`],
    ['nothing', 'a.csv', ''],
    ['no JSON', 'a.jsonl', '{"url":1,"md5":'],
  ])('%s', async (_, path, content) => {
    expect(await (await deliver(urlTable, { [path]: content, ...images })).detects(path)).toBe(false)
  })

  it('but say why when they are asked for as a manifest', async () => {
    const { read } = await deliver(urlTable, {
      'a.csv': 'a,b\n1,2\n',
      'b.parquet': 'PAR1xxxxPAR1',
      'c.csv': 'url,hash\nhttps://a.example/1,-5\n',
    })
    expect(problems(await read('a.csv'))).toEqual(['malformed: a.csv has no columns of URLs and digests.'])
    expect(problems(await read('b.parquet'))[0]).toMatch(/^malformed: b.parquet is no table that can be read: /)
    expect(problems(await read('c.csv'))).toEqual(['unsupported: c.csv: what column hash holds are no digests of files.'])
  })
})

describe('a table none of whose members came along', () => {
  it('is a manifest where the user says so', async () => {
    const root = folder({ 'a.txt': 'x', 't.csv': `url,sha256\nhttps://a.example/1.jpg,${sha256('one')}\n` })
    expect((await discover(root, nobody)).manifests).toEqual([])
    const { manifests } = await discover(root, nobody, ['t.csv'])
    expect(manifests.map(said)).toEqual([{ '1.jpg': `sha256:${sha256('one')}` }])
  })
})

describe('hostile tables', () => {
  it('are read up to a bound, and say that there is more', () => {
    const list = problemList('t')
    const csv = delimitedTable(`url,md5\n${'https://a.example/x,y\n'.repeat(9)}`, 't.csv', 4, true, list)
    const lines = lineTable(Buffer.from('{"url":"https://a.example/x","md5":"y"}\n'.repeat(9)), 't.jsonl', 4, true, list)
    expect([csv, lines].map((table) => [table?.rows.length, table?.more])).toEqual([
      [4, true],
      [4, true],
    ])
  })

  it.each<[string, string, string | Uint8Array]>([
    ['a line of a megabyte', 'a.csv', `${header}${'x'.repeat(2 ** 20)}\n`],
    ['a quote that never ends', 'a.csv', `${header}"${'x\n'.repeat(10_000)}`],
    ['NUL', 'a.csv', `${header}\0,\0,\0,\0,\0\n`],
    ['bytes that are no text', 'a.csv', Buffer.concat([Buffer.from(header), Buffer.from([0xff, 0xfe, 0x2c, 0xc3])])],
    ['names of prototypes', 'a.jsonl', '{"url":"https://a.example/x","md5":"x","__proto__":{"file":"y"},"constructor":1}\n'],
    ['wrong types', 'a.jsonl', '{"url":{"a":1},"md5":[1],"file":null}\n'],
    ['depth', 'a.jsonl', `{"url":"https://a.example/x","md5":${'['.repeat(50_000)}\n`],
  ])('%s never throws, and is told', async (_, path, content) => {
    const manifest = await (await deliver(urlTable, { [path]: content })).read(path)
    expect(manifest.problems.length + manifest.entries.length).toBeGreaterThan(0)
  })
})

describe('columns', () => {
  it.each([
    ['url', 'sha256'],
    ['URL', 'MD5'],
    ['image_url', 'hash'],
    ['uri', 'checksum'],
    ['link', 'sha1'],
    ['ImageURL', 'file_hash'],
    ['download_url', 'checksum_sha256'],
    ['source url', 'md5sum'],
    ['url', 'sha256_hash'],
  ])('%s and %s', (url, hash) => {
    expect(urlColumns(['x', url, hash])).toMatchObject({ url, hashes: [{ column: hash }] })
  })

  it.each(['phash', 'perceptual_hash', 'simhash', 'url_hash', 'text_hash', 'hashtag', 'commit_sha', 'dhash'])(
    '%s is no digest of a file',
    (hash) => {
      expect(urlColumns(['url', hash])).toBeNull()
    },
  )

  it('of sizes are of bytes, not of pixels', () => {
    expect(urlColumns(['url', 'md5', 'width', 'height', 'file_size', 'caption', 'class_name'])).toMatchObject({
      bytes: 'file_size',
      label: 'class_name',
    })
    expect(urlColumns(['url', 'md5', 'width', 'image_width', 'text'])).toMatchObject({ bytes: null, label: null, path: null, key: null })
  })

  it('hold digests with the name of their algorithm, in hexadecimal or base64', () => {
    expect(cellDigest(`sha256:${sha256('a')}`, null)).toEqual({ algorithm: 'sha256', hex: sha256('a') })
    expect(cellDigest(` ${md5('a').toUpperCase()} `, null)).toEqual({ algorithm: 'md5', hex: md5('a') })
    expect(cellDigest(Buffer.from(sha256('a'), 'hex').toString('base64'), 'sha256')).toEqual({ algorithm: 'sha256', hex: sha256('a') })
    expect(cellDigest(md5('a'), 'sha256')).toBeNull()
  })

  it('of URLs have a last segment, or none', () => {
    expect(['https://a.example/b/c.jpg?x=1#y', 'https://a.example/', 'a', 'https://a.example/%zz', 'data:,x'].map(urlName)).toEqual([
      'c.jpg',
      null,
      null,
      null,
      ',x',
    ])
  })
})
