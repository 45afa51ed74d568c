import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ColumnMap } from '../../src/contracts/data.ts'
import { folder, load, refusal } from './make.ts'

const { dir, put } = folder()
let files = 0

const read = (content: string | Uint8Array, columns: ColumnMap, extension = 'jsonl') =>
  load({ path: put(`f${files++}.${extension}`, content), columns }, dir)

const lines = (...records: unknown[]): string => `${records.map((r) => JSON.stringify(r)).join('\n')}\n`

describe('JSONL that is read', () => {
  const content = lines({ id: '007', label: 1, v: [1, 2] }, { id: 8, label: true, v: [3, 4.5] })
  const rows = [
    { row: 0, id: '007', label: '1', embedding: [1, 2] },
    { row: 1, id: '8', label: 'true', embedding: [3, 4.5] },
  ]
  test.each<[string, string | Uint8Array, string?]>([
    ['lines', content],
    ['no line end after the last', content.trimEnd()],
    ['CRLF', content.replaceAll('\n', '\r\n')],
    ['a byte order mark', `\ufeff${content}`],
    ['blank lines', content.replaceAll('\n', '\n\n')],
    ['gzip', gzipSync(content), 'jsonl.gz'],
    ['another extension', content, 'data'],
  ])('%s', async (_, bytes, extension) => {
    const { rows: got, issues, errors } = await read(bytes, { id: 'id', label: 'label', embedding: 'v' }, extension)
    expect({ got, issues, errors }).toEqual({ got: rows, issues: [], errors: [] })
  })

  test('nested fields by dot path, and a key that holds a dot', async () => {
    const content = lines(
      { meta: { label: 'a', deep: { id: 1 } }, 'x.y': 'plain' },
      { meta: { label: 'b', deep: { id: 2 } }, 'x.y': 'dot' },
    )
    const { rows, listing } = await read(content, { label: 'meta.label', id: 'meta.deep.id', text: 'x.y' })
    expect(rows).toEqual([
      { row: 0, label: 'a', id: '1', text: 'plain' },
      { row: 1, label: 'b', id: '2', text: 'dot' },
    ])
    expect(listing.columns.map((c) => c.name)).toEqual(['meta.label', 'meta.deep.id', 'x.y'])
  })

  test('keys of the prototype are data, not code', async () => {
    const { rows } = await read('{"__proto__": {"label": "x"}, "id": "1", "label": "a"}\n', { id: 'id', label: 'label' })
    expect(rows).toEqual([{ row: 0, id: '1', label: 'a' }])
    expect(({} as { label?: string }).label).toBeUndefined()
    const error = await refusal({ path: put('proto.jsonl', '{"id": 1}\n'), columns: { id: 'constructor' } }, dir)
    expect(error.code).toBe('unknown-column')
  })
})

describe('rows that are reported', () => {
  const map: ColumnMap = { id: 'id', label: 'label', embedding: 'v' }
  const good = { id: 'z', label: 'a', v: [1, 2] }
  test.each<[string, string | Uint8Array, string, number, boolean]>([
    ['a line that is no JSON', `${lines(good)}{"id": 1,\n${lines(good)}`, 'invalid-json', 1, true],
    ['a last line that is cut off', `${lines(good)}{"id": "x", "lab`, 'invalid-json', 1, true],
    ['an array', `${lines(good)}[1]\n`, 'invalid-json', 1, true],
    ['a number', `${lines(good)}7\n`, 'invalid-json', 1, true],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from(lines(good)), Buffer.from('{"id":"\xff"}\n', 'latin1')]),
      'invalid-utf8',
      1,
      true,
    ],
    ['NaN as Python writes it', `${lines(good)}{"id": "NaN", "label": "b", "v": [1, NaN]}\n`, 'non-finite', 1, true],
    ['Infinity as Python writes it', `${lines(good)}{"id": "x", "label": "b", "v": [-Infinity, 2]}\n`, 'non-finite', 1, true],
    ['a number too large for a double', `${lines(good)}{"id": "x", "label": "b", "v": [1e999, 2]}\n`, 'non-finite', 1, true],
    ['null in a vector', lines(good, { ...good, v: [1, null] }), 'non-finite', 1, true],
    ['a shorter vector', lines(good, { ...good, v: [1] }), 'wrong-type', 1, true],
    ['a text for a vector', lines(good, { ...good, v: 'one, two' }), 'wrong-type', 1, true],
    ['no vector', lines(good, { id: 'x', label: 'b' }), 'missing-value', 1, true],
    ['an object for a label', lines(good, { ...good, label: { a: 1 } }), 'wrong-type', 1, true],
    ['a list for an id', lines(good, { ...good, id: [1] }), 'wrong-type', 1, true],
    ['a label of null', lines(good, { ...good, label: null }), 'missing-label', 1, false],
    ['an empty label', lines(good, { ...good, label: '' }), 'missing-label', 1, false],
    ['no label', lines(good, { id: 'x', v: [1, 2] }), 'missing-label', 1, false],
    ['no id', lines(good, { label: 'b', v: [1, 2] }), 'missing-id', 1, false],
    ['a line of 9 MiB', `${lines(good)}{"id": "${'x'.repeat(9 * 2 ** 20)}"}\n${lines(good)}`, 'too-long', 1, true],
  ])('%s', async (_, content, code, row, rejected) => {
    const { rows, issues, errors } = await read(content, map)
    expect(issues.map((i) => [i.code, i.row, i.line, i.rejected])).toEqual([[code, row, row + 1, rejected]])
    expect(errors).toEqual([])
    expect(rows.some((r) => r.row === row)).toBe(!rejected)
  })

  test('lines are counted in the file, rows among the records', async () => {
    const { issues } = await read(`\n${lines(good)}\n\n{\n`, map)
    expect(issues.map((i) => [i.row, i.line])).toEqual([[1, 5]])
  })

  test('a word that stands inside a string is left as it is', async () => {
    const line = '{"id": "NaN \\" Infinity", "label": "b", "v": [1, 2], "other": NaN}'
    const { rows } = await read(`${line}\n`, map)
    expect(rows).toEqual([{ row: 0, id: 'NaN " Infinity', label: 'b', embedding: [1, 2] }])
  })

  test('4 million escaped quotes in a string without an end are one bad row, soon', async () => {
    const { issues } = await read(`${lines(good)}{"v": NaN, "id": "${'\\"'.repeat(2 ** 21)}\n`, map)
    expect(issues.map((i) => [i.code, i.row])).toEqual([['invalid-json', 1]])
  })

  test('a nest of 100,000 brackets is one bad row', async () => {
    const { rows, issues } = await read(`${lines(good)}{"id": "x", "label": "b", "v": ${'['.repeat(100_000)}\n`, map)
    expect(rows).toHaveLength(1)
    expect(issues.map((i) => i.code)).toEqual(['invalid-json'])
  })
})

test.each<[string, string, string]>([
  ['a JSON array', '[{"id": 1}]', 'unknown-format'],
  ['broken lines alone', '{"id": 1\n{"id": 2\n', 'corrupt'],
])('%s is refused', async (_, content, code) => {
  const error = await refusal({ path: put(`bad${files++}.jsonl`, content) }, dir)
  expect([error.code, error.exit]).toEqual([code, 2])
})
