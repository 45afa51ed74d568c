import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ColumnMap, RowIssue } from '../../src/contracts/data.ts'
import { folder, load, refusal } from './make.ts'

const { dir, put } = folder()
let files = 0

const read = (content: string | Uint8Array, columns?: ColumnMap, extension = 'csv') =>
  load({ path: put(`f${files++}.${extension}`, content), ...(columns ? { columns } : {}) }, dir)

const brief = (issues: readonly RowIssue[]) => issues.map((i) => [i.code, i.row, i.line, i.rejected])

const map: ColumnMap = { id: 'id', label: 'label' }

describe('CSV that is read', () => {
  const rows = [
    { row: 0, id: '007', label: 'cat' },
    { row: 1, id: '8', label: 'dog' },
  ]
  test.each<[string, string | Uint8Array, string?]>([
    ['commas', 'id,label\n007,cat\n8,dog\n'],
    ['no line end after the last record', 'id,label\n007,cat\n8,dog'],
    ['CRLF', 'id,label\r\n007,cat\r\n8,dog\r\n'],
    ['carriage returns alone', 'id,label\r007,cat\r8,dog\r'],
    ['semicolons', 'id;label\n007;cat\n8;dog\n'],
    ['pipes', 'id|label\n007|cat\n8|dog\n'],
    ['tabs', 'id\tlabel\n007\tcat\n8\tdog\n', 'tsv'],
    ['quotes', '"id","label"\n"007","cat"\n"8","dog"\n'],
    ['quotes and CRLF', '"id","label"\r\n"007","cat"\r\n"8","dog"\r\n'],
    ['a byte order mark', '\ufeffid,label\n007,cat\n8,dog\n'],
    ['blank lines', '\nid,label\n\n007,cat\n\n8,dog\n\n'],
    ['other columns', 'x,label,y,id\n1,cat,2,007\n1,dog,2,8\n'],
    ['gzip', gzipSync('id,label\n007,cat\n8,dog\n'), 'csv.gz'],
    ['several gzip members', Buffer.concat([gzipSync('id,label\n007,c'), gzipSync('at\n8,dog\n')]), 'csv.gz'],
    ['spaces around the names of columns', 'id , label\n007,cat\n8,dog\n'],
  ])('%s', async (_, content, extension) => {
    const { rows: got, issues, errors } = await read(content, map, extension)
    expect({ got, issues, errors }).toEqual({ got: rows, issues: [], errors: [] })
  })

  test('quoted fields keep delimiters, quotes and line ends', async () => {
    const { rows } = await read('text,label\n"a, ""b""\nc",1\n', { text: 'text', label: 'label' })
    expect(rows).toEqual([{ row: 0, text: 'a, "b"\nc', label: '1' }])
  })

  test('characters of several bytes across the pieces that are read', async () => {
    const lines = Array.from({ length: 40_000 }, (_, i) => `${i},${'ä€😀'.repeat(1 + (i % 5))}`)
    const { rows, issues, batches } = await read(`id,text\n${lines.join('\n')}\n`, { id: 'id', text: 'text' })
    expect(issues).toEqual([])
    expect(rows).toHaveLength(40_000)
    expect(rows.every((r, i) => r.text === 'ä€😀'.repeat(1 + (i % 5)) && r.id === String(i))).toBe(true)
    expect(Math.max(...batches)).toBeLessThanOrEqual(4096)
  })

  test('numbers as features: decimal notation, missing words, extremes', async () => {
    const { rows, issues } = await read('a,b,label\n1,-.5,x\n1e3,0.1,x\nNA,12345678901234.56e2,y\n,nan,y\n', {
      features: ['a', 'b'],
      label: 'label',
    })
    expect(rows.map((r) => r.features)).toEqual([
      [1, -0.5],
      [1000, 0.1],
      [Number.NaN, 1234567890123456],
      [Number.NaN, Number.NaN],
    ])
    expect(issues.map((i) => [i.code, i.row, i.column])).toEqual([
      ['missing-value', 2, 'a'],
      ['missing-value', 3, 'a'],
      ['missing-value', 3, 'b'],
    ])
  })

  test('embedding in one cell as a JSON list, predictions in several columns', async () => {
    const { rows } = await read('v,p0,p1\n"[1, 2.5]",0.25,0.75\n"[3,4]",1,0\n', { embedding: 'v', predictions: ['p0', 'p1'] })
    expect(rows).toEqual([
      { row: 0, embedding: [1, 2.5], predictions: [0.25, 0.75] },
      { row: 1, embedding: [3, 4], predictions: [1, 0] },
    ])
  })

  test('integer labels take the names of classes', async () => {
    const path = put('classes.csv', 'id,y\na,0\nb,1\nc,2\nd,normal\n')
    const { rows, issues } = await load({ path, columns: { id: 'id', label: 'y' }, classes: ['normal', 'pneumonia'] }, dir)
    expect(rows.map((r) => r.label)).toEqual(['normal', 'pneumonia', 'normal'])
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['out-of-range', 2, true]])
  })
})

describe('rows that are reported', () => {
  test.each<[string, string | Uint8Array, ColumnMap, unknown[][]]>([
    ['too few fields', 'id,label\na,x\nb\nc,y\n', map, [['ragged-row', 1, 3, true]]],
    ['too many fields', 'id,label\na,x\nb,y,z\n', map, [['ragged-row', 1, 3, true]]],
    ['a line after a field of several lines', 'id,label\n"a\n\n",x\nb\n', map, [['ragged-row', 1, 5, true]]],
    ['text after a closing quote', 'id,label\n"a"b",x\nc,y\n', map, [['ragged-row', 0, 2, true]]],
    ['bytes that are not UTF-8', Buffer.from('id,label\na,\xff\nb,y\n', 'latin1'), map, [['invalid-utf8', 0, 2, true]]],
    ['a cut sequence at the end', Buffer.from('id,label\na,x\nb,\xe2\x82', 'latin1'), map, [['invalid-utf8', 1, 3, true]]],
    ['an overlong sequence', Buffer.from('id,label\na,\xc0\xaf\nb,y\n', 'latin1'), map, [['invalid-utf8', 0, 2, true]]],
    ['no label', 'id,label\na,\nb,y\n', map, [['missing-label', 0, 2, false]]],
    ['no id', 'id,label\n,x\nb,y\n', map, [['missing-id', 0, 2, false]]],
    ['words in a feature', 'a,label\n1,x\nhigh,y\n', { features: 'a', label: 'label' }, [['wrong-type', 1, 3, true]]],
    ['hexadecimal in a feature', 'a,label\n1,x\n0x10,y\n', { features: 'a', label: 'label' }, [['wrong-type', 1, 3, true]]],
    ['an infinite feature', 'a,label\n1,x\n-inf,y\n', { features: 'a', label: 'label' }, [['non-finite', 1, 3, true]]],
    ['NaN in predictions', 'p,q\n.5,.5\nnan,1\n', { predictions: ['p', 'q'] }, [['non-finite', 1, 3, true]]],
    ['a vector of another length', 'v,label\n"[1,2]",x\n"[1,2,3]",y\n', { embedding: 'v', label: 'label' }, [['wrong-type', 1, 3, true]]],
    ['a vector with a word', 'v,label\n"[1,2]",x\n"[1,""b""]",y\n', { embedding: 'v', label: 'label' }, [['wrong-type', 1, 3, true]]],
    ['a vector that is missing', 'v,label\n"[1,2]",x\n,y\n', { embedding: 'v', label: 'label' }, [['missing-value', 1, 3, true]]],
    ['an id of 5,000 characters', `id,label\n${'a'.repeat(5000)},x\nb,y\n`, map, [['too-long', 0, 2, true]]],
  ])('%s', async (_, content, columns, expected) => {
    const { rows, issues, errors } = await read(content, columns)
    expect(brief(issues)).toEqual(expected)
    expect(errors).toEqual([])
    const rejected = new Set(issues.filter((i) => i.rejected).map((i) => i.row))
    expect(rows.some((r) => rejected.has(r.row as number))).toBe(false)
  })

  test('rows count on after a rejected one', async () => {
    const { rows } = await read('id,label\na,x\nb\nc,y\n', map)
    expect(rows.map((r) => r.row)).toEqual([0, 2])
  })

  test('a piece with bad bytes keeps the good rows as they are', async () => {
    const good = Array.from({ length: 300 }, (_, i) => `ü${i},€`)
    const bytes = Buffer.concat([Buffer.from(`id,label\n${good.join('\n')}\n`), Buffer.from('x,\xfe\n', 'latin1'), Buffer.from('ü,€\n')])
    const { rows, issues } = await read(bytes, map)
    expect(rows).toHaveLength(301)
    expect(rows.every((r) => r.label === '€')).toBe(true)
    expect(brief(issues)).toEqual([['invalid-utf8', 300, 302, true]])
  })
})

describe('files that cannot be read to their end', () => {
  const valid = `id,label\n${Array.from({ length: 5000 }, (_, i) => `${i},${i % 2}`).join('\n')}\n`

  test('a quote that is never closed names its line, after the rows before it', async () => {
    const { rows, errors } = await read('id,label\na,x\nb,"y\nc,z\n', map)
    expect(rows.map((r) => r.id)).toEqual(['a'])
    expect(errors.map((e) => [e.code, e.exit, e.place.line])).toEqual([['truncated', 2, 3]])
  })

  test('gzip that is cut off', async () => {
    const gz = gzipSync(valid)
    const path = put('cut.csv.gz', gz.subarray(0, gz.length - 20))
    const { errors } = await load({ path, columns: map }, dir)
    expect(errors.map((e) => [e.code, e.exit, e.place.file])).toEqual([['truncated', 2, 'cut.csv.gz']])
  })

  test('gzip with a wrong checksum', async () => {
    const gz = gzipSync(valid)
    gz[gz.length - 6] = (gz[gz.length - 6] as number) ^ 1
    const error = await refusal({ path: put('crc.csv.gz', gz), columns: map }, dir).catch(() => null)
    const errors = error ? [error] : (await load({ path: put('crc2.csv.gz', gz), columns: map }, dir)).errors
    expect(errors.map((e) => [e.code, e.exit])).toEqual([['corrupt', 2]])
  })

  test('data behind the gzip stream', async () => {
    const bytes = Buffer.concat([gzipSync(valid), Buffer.from([0, 0, 0, 7, 7])])
    const { errors } = await load({ path: put('tail.csv.gz', bytes), columns: map }, dir)
    expect(errors.map((e) => e.code)).toEqual(['corrupt'])
    const padded = await load({ path: put('pad.csv.gz', Buffer.concat([gzipSync(valid), Buffer.alloc(512)])), columns: map }, dir)
    expect(padded.errors).toEqual([])
    expect(padded.rows).toHaveLength(5000)
  })

  test('a record without an end', async () => {
    const path = put('long.csv', `id,label\na,x\nb,"${'y'.repeat(9 * 2 ** 20)}\n`)
    const { rows, errors } = await load({ path, columns: map }, dir)
    expect(rows).toHaveLength(1)
    expect(errors.map((e) => [e.code, e.exit])).toEqual([['corrupt', 2]])
  })

  test('misplaced quotes without an end', async () => {
    const { rows, errors } = await read(`id,label\na,x\n"b${'"b'.repeat(2 ** 21)}`, map)
    expect(rows.map((r) => r.id)).toEqual(['a'])
    expect(errors.map((e) => [e.code, e.exit, e.place.line])).toEqual([['corrupt', 2, 3]])
  })

  test.each<[string, string | Uint8Array, string, number]>([
    ['an empty file', '', 'empty', 4],
    ['line ends alone', '\n\n\n', 'unknown-format', 2],
    ['UTF-16', Buffer.from('\ufeffid,label\na,x\n', 'utf16le'), 'unsupported', 2],
    ['no header', '1.5,2\n3,4.5\n', 'invalid-spec', 4],
  ])('%s', async (_, content, code, exit) => {
    const error = await refusal({ path: put(`bad${files++}.csv`, content) }, dir)
    expect([error.code, error.exit]).toEqual([code, exit])
  })
})
