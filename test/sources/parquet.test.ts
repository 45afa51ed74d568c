import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import type { ColumnMap } from '../../src/contracts/data.ts'
import { duckdb, folder, load, refusal } from './make.ts'

const { dir, put } = folder()
const file = (name: string): string => join(dir, name)
const write = (name: string, query: string, options = ''): string => `COPY (${query}) TO '${file(name)}' (FORMAT parquet${options})`

beforeAll(async () => {
  await duckdb([
    write(
      'types.parquet',
      `SELECT * FROM (VALUES
        (1::TINYINT, 9007199254740993::BIGINT, 1.5::FLOAT, 12.50::DECIMAL(6,2), 123456789012345678.10::DECIMAL(20,2), true, 'ä€😀', DATE '2026-01-02', NULL::VARCHAR),
        (-1::TINYINT, -5::BIGINT, -0.25::FLOAT, 7.00::DECIMAL(6,2), 2.00::DECIMAL(20,2), false, '', DATE '2026-01-03', 'x'))
        t(tiny, big, real, price, wide, flag, word, day, hole)`,
    ),
    write(
      'lists.parquet',
      `SELECT range::VARCHAR AS id, CASE range % 5
        WHEN 1 THEN NULL WHEN 2 THEN [1.0, 2.0]::FLOAT[] WHEN 3 THEN [1.0, NULL, 3.0]::FLOAT[] WHEN 4 THEN [1.0, 'nan'::FLOAT, 3.0]::FLOAT[]
        ELSE [range, range + 0.5, -range]::FLOAT[] END AS vec FROM range(100)`,
    ),
    write('fixed.parquet', `SELECT range AS id, [range, 1, 2]::DOUBLE[3] AS vec, [range, 300]::SMALLINT[] AS small FROM range(5000)`),
    write(
      'nested.parquet',
      `SELECT {'label': 'c' || range % 2, 'site': {'name': 's' || range % 3}} AS meta, {'bytes': '\\x89PNG\\x0D\\x0A\\x1A\\x0A'::BLOB, 'path': 'a.png'} AS image FROM range(10)`,
    ),
    write(
      'groups.parquet',
      `SELECT range AS id, 'c' || range % 3 AS label, 'note ' || range AS note FROM range(400000)`,
      ', ROW_GROUP_SIZE 50000',
    ),
    write('dictionary.parquet', `SELECT ['normal', 'ill'][1 + range % 2] AS label, range AS id FROM range(3000)`),
    write('empty.parquet', `SELECT range AS id, 'x' AS label FROM range(0)`),
    write('quoted.parquet', `SELECT range AS "it's ""id""", 'x' AS "a.b", 1.5 AS "v;drop" FROM range(3)`),
    write('bytes.parquet', `SELECT '\\xFF\\xFE'::BLOB AS label, range AS id FROM range(2) UNION ALL SELECT 'fine'::BLOB, 7`),
  ])
})

const read = (name: string, columns: ColumnMap) => load({ path: file(name), columns }, dir)

describe('types', () => {
  test.each<[string, unknown[]]>([
    ['tiny', ['1', '-1']],
    ['big', ['9007199254740993', '-5']],
    ['real', ['1.5', '-0.25']],
    ['price', ['12.5', '7']],
    ['wide', ['123456789012345678.1', '2']],
    ['flag', ['true', 'false']],
    ['word', ['ä€😀', null]],
    ['day', ['2026-01-02', '2026-01-03']],
    ['hole', [null, 'x']],
  ])('%s as a label', async (column, expected) => {
    const { rows, issues } = await read('types.parquet', { label: column })
    expect(rows.map((r) => r.label)).toEqual(expected)
    expect(issues.map((i) => i.code)).toEqual(expected.filter((v) => v === null).map(() => 'missing-label'))
  })

  test('numbers, booleans and decimals as features', async () => {
    const { rows } = await read('types.parquet', { features: ['tiny', 'real', 'price', 'flag', 'wide'] })
    expect(rows.map((r) => r.features)).toEqual([
      [1, 1.5, 12.5, 1, 123456789012345680],
      [-1, -0.25, 7, 0, 2],
    ])
  })

  test('a dictionary column', async () => {
    const { rows } = await read('dictionary.parquet', { label: 'label', id: 'id' })
    expect(rows).toHaveLength(3000)
    expect(rows.every((r, i) => r.label === (i % 2 ? 'ill' : 'normal'))).toBe(true)
  })

  test('structs by dot path', async () => {
    const { rows, listing } = await read('nested.parquet', { label: 'meta.label', source: 'meta.site.name', image: 'image.bytes' })
    expect(rows[4]).toMatchObject({ label: 'c0', source: 's1' })
    expect(rows[4]?.image).toBeInstanceOf(Uint8Array)
    expect(listing.columns.map((c) => c.name)).toEqual(['meta.label', 'meta.site.name', 'image.bytes', 'image.path'])
  })

  test('bytes without a text annotation are text where they are UTF-8', async () => {
    const { rows, issues } = await read('bytes.parquet', { label: 'label', id: 'id' })
    expect(rows.map((r) => r.label)).toEqual(['fine'])
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([
      ['invalid-utf8', 0, true],
      ['invalid-utf8', 1, true],
    ])
  })

  test('names of columns are data', async () => {
    const { rows } = await read('quoted.parquet', { id: `it's "id"`, label: 'a.b', features: 'v;drop' })
    expect(rows[2]).toEqual({ row: 2, id: '2', label: 'x', features: [1.5] })
  })
})

describe('lists', () => {
  test('missing, short, null inside, NaN inside: rejected; the others exact', async () => {
    const { rows, issues } = await read('lists.parquet', { id: 'id', embedding: 'vec' })
    expect(rows.map((r) => r.row)).toEqual(Array.from({ length: 20 }, (_, i) => 5 * i))
    expect(rows[3]?.embedding).toEqual([15, 15.5, -15])
    expect(new Set(issues.map((i) => `${i.row % 5} ${i.code} ${i.rejected}`))).toEqual(
      new Set(['1 missing-value true', '2 wrong-type true', '3 non-finite true', '4 non-finite true']),
    )
    expect(issues).toHaveLength(80)
  })

  test('fixed-size lists and lists of small integers', async () => {
    const { rows } = await read('fixed.parquet', { embedding: 'vec', predictions: 'small' })
    expect(rows).toHaveLength(5000)
    expect(rows.every((r, i) => (r.embedding as number[])[0] === i && (r.predictions as number[])[1] === 300)).toBe(true)
  })
})

describe('names', () => {
  test('of files: the characters of a pattern stand for themselves', async () => {
    for (const name of ["it's [a] *?.parquet", "it's a x.parquet"])
      await duckdb([`COPY (SELECT '${name.length}' AS id) TO '${file(name).replaceAll("'", "''")}' (FORMAT parquet)`])
    const { rows } = await read("it's [a] *?.parquet", { id: 'id' })
    expect(rows.map((r) => r.id)).toEqual(['19'])
  })

  test('of columns: one that DuckDB would use itself, two that differ in case alone', async () => {
    await duckdb([
      `COPY (SELECT 5 AS file_row_number, 'x' AS label UNION ALL SELECT 6, 'y') TO '${file('number.parquet')}' (FORMAT parquet)`,
    ])
    const { rows, errors } = await read('number.parquet', { id: 'file_row_number', label: 'label' })
    expect([rows, errors]).toEqual([
      [
        { row: 0, id: '5', label: 'x' },
        { row: 1, id: '6', label: 'y' },
      ],
      [],
    ])
  })
})

describe('row groups', () => {
  test('shards are ranges of them, rows count through the file, the footer declares how many', async () => {
    const { listing, rows, batches, errors } = await read('groups.parquet', { id: 'id', label: 'label', text: 'note' })
    const parts = listing.shards.map((s) => Number(s.expectedRows))
    expect(listing.shards.length).toBeGreaterThan(1)
    expect(parts.reduce((a, b) => a + b, 0)).toBe(400_000)
    expect(listing.shards[1]?.id).toBe(`groups.parquet#${parts[0]}+${parts[1]}`)
    expect(rows).toHaveLength(400_000)
    expect(rows.every((r, i) => r.row === i && r.id === String(i) && r.text === `note ${i}`)).toBe(true)
    expect(Math.max(...batches)).toBeLessThanOrEqual(4096)
    expect(errors).toEqual([])
  })

  test('a file without rows is a shard without rows', async () => {
    const { listing, rows, errors } = await read('empty.parquet', { id: 'id', label: 'label' })
    expect(listing.shards.map((s) => s.expectedRows)).toEqual([0])
    expect([rows, errors]).toEqual([[], []])
  })
})

describe('files that are refused', () => {
  test.each<[string, (bytes: Buffer) => Uint8Array]>([
    ['cut off', (b) => b.subarray(0, b.length - 100)],
    ['without a footer', (b) => b.subarray(0, 1000)],
    [
      'with a footer length beyond the file',
      (b) => Buffer.concat([b.subarray(0, b.length - 8), Buffer.from([255, 255, 255, 127]), Buffer.from('PAR1')]),
    ],
    ['with zeros for a footer', (b) => Buffer.concat([b.subarray(0, b.length - 300), Buffer.alloc(292), b.subarray(b.length - 8)])],
    ['magic alone', () => Buffer.from('PAR1')],
  ])('%s', async (name, damage) => {
    const path = put(`${name}.parquet`, damage(readFileSync(file('groups.parquet'))))
    const error = await refusal({ path, columns: { id: 'id' } }, dir)
    expect([error.exit, error.place.file]).toEqual([2, `${name}.parquet`])
    expect(error.message).not.toMatch(/read_parquet|LINE|\n/)
  })

  test('a column that is not there, with the nearest', async () => {
    const error = await refusal({ path: file('groups.parquet'), columns: { label: 'lable' } }, dir)
    expect([error.code, error.exit]).toEqual(['unknown-column', 4])
    expect(error.hint).toContain('did you mean "label"')
  })
})
