import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { listSources } from '../../src/sources/list.ts'
import { readShard } from '../../src/sources/read.ts'
import { duckdb, folder, load, npyBytes, refusal } from './make.ts'

const { dir, put } = folder()
const csv = (...labels: string[]): string => `id,label\n${labels.map((l, i) => `${i},${l}`).join('\n')}\n`
const columns = { id: 'id', label: 'label' }

describe('paths', () => {
  put('parts/b.csv', csv('x', 'y'))
  put('parts/a.csv', csv('x'))
  put('parts/deep/c.csv', csv('y'))
  put('parts/[odd] (1).csv', csv('z'))

  test('shards come in the order of their paths, named from the base', async () => {
    const { shards, files } = await listSources([{ path: 'parts/**/*.csv', columns }], dir)
    expect(shards.map((s) => s.id)).toEqual(['parts/[odd] (1).csv', 'parts/a.csv', 'parts/b.csv', 'parts/deep/c.csv'])
    expect(files.map((f) => f.id)).toEqual(shards.map((s) => s.id))
    expect(files.every((f) => f.bytes > 0)).toBe(true)
  })

  test('a list of paths and patterns names each file once', async () => {
    const { shards } = await listSources([{ path: ['parts/b.csv', 'parts/*.csv'], columns }], dir)
    expect(shards.map((s) => s.id)).toEqual(['parts/[odd] (1).csv', 'parts/a.csv', 'parts/b.csv'])
  })

  test('a name with the characters of a pattern is a name where there is such a file', async () => {
    const { rows } = await load({ path: join(dir, 'parts/[odd] (1).csv'), columns }, dir)
    expect(rows.map((r) => r.label)).toEqual(['z'])
  })

  test('a folder of tables', async () => {
    const { shards } = await listSources([{ path: 'parts', columns }], dir)
    expect(shards).toHaveLength(4)
  })

  test.each<[string, SourceSpec, string]>([
    ['a path that is not there', { path: 'parts/none.csv' }, 'not-found'],
    ['a pattern without match', { path: 'parts/*.parquet' }, 'no-match'],
    ['an object store', { path: 's3://bucket/key.parquet' }, 'unsupported-scheme'],
    ['an address', { path: 'https://example.org/data.csv' }, 'unsupported-scheme'],
    ['no path', {}, 'invalid-spec'],
    ['an unknown format', { path: 'parts/a.csv', format: 'xlsx' }, 'invalid-spec'],
    ['an unknown column', { path: 'parts/a.csv', columns: { label: 'lebel' } }, 'unknown-column'],
    ['two columns for a label', { path: 'parts/a.csv', columns: { label: ['id', 'label'] } }, 'invalid-spec'],
    ['no column for features', { path: 'parts/a.csv', features: [] }, 'invalid-spec'],
  ])('%s', async (_, spec, code) => {
    const error = await refusal(spec, dir)
    expect([error.code, error.exit]).toEqual([code, 4])
  })

  test('what to do about an object store is said', async () => {
    const error = await refusal({ path: 's3://bucket/key' }, dir)
    expect(`${error.message} ${error.hint}`).toMatch(/stores and addresses .* sources of an audit.*copy the files first/)
  })

  test('what is neither file nor folder is refused, not waited for', async () => {
    const socket = join(dir, 'socket')
    const server = createServer().listen(socket)
    await once(server, 'listening')
    const error = await refusal({ path: socket }, dir)
    server.close()
    expect([error.code, error.exit]).toEqual(['not-a-file', 4])
  })

  test('a folder without data', async () => {
    mkdirSync(join(dir, 'nothing'))
    expect((await refusal({ path: 'nothing' }, dir)).code).toBe('no-match')
  })

  test('a file named by two sources', async () => {
    const error = await refusal(
      [
        { path: 'parts/a.csv', columns },
        { path: 'parts/*.csv', columns },
      ],
      dir,
    )
    expect([error.code, error.exit]).toEqual(['listed-twice', 4])
  })
})

describe('formats by content', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['jsonl in a .csv', '{"id": 1, "label": "x"}\n', 'jsonl'],
    ['csv without extension', csv('x'), 'csv'],
    ['npy in a .csv', npyBytes('|u1', [1, 1], Uint8Array.of(3)), 'npy'],
  ])('%s', async (name, content, format) => {
    const path = put(name.includes('.csv') ? `${name}.csv` : name, content)
    const { shards } = await listSources([{ path, ...(format === 'npy' ? { columns: { embedding: `${name}.csv` } } : { columns }) }], dir)
    expect(shards.map((s) => s.format)).toEqual([format])
  })

  test('`format:` overrides', async () => {
    const { rows } = await load({ path: put('table.dat', '{a,label\n1,x\n'), format: 'csv', columns: { label: 'label' } }, dir)
    expect(rows).toEqual([{ row: 0, label: 'x' }])
  })

  test.each<[string, Uint8Array, RegExp]>([
    ['pickle', Buffer.from([0x80, 4, 0x95, 1, 0, 0, 0, 0, 0, 0, 0]), /would run code/],
    ['PDF', Buffer.from('%PDF-1.7\n1 0 obj\n'), /PDF/],
    ['zeros', Buffer.alloc(5000), /zeros/],
  ])('%s is refused with a reason', async (name, content, hint) => {
    const error = await refusal({ path: put(`${name}.bin`, content) }, dir)
    expect([error.code, error.exit]).toEqual(['unknown-format', 2])
    expect(error.hint).toMatch(hint)
  })
})

describe('files that differ', () => {
  test('one without a column is a shard that throws, the others are read', async () => {
    put('mixed/1.csv', csv('x', 'y'))
    put('mixed/2.csv', 'id,other\n1,2\n')
    put('mixed/3.csv', csv('z'))
    const { listing, rows, errors } = await load({ path: 'mixed/*.csv', columns }, dir)
    expect(listing.shards).toHaveLength(3)
    expect(rows.map((r) => r.label)).toEqual(['x', 'y', 'z'])
    expect(errors.map((e) => [e.code, e.exit, e.place.file, e.place.column])).toEqual([['mixed-schema', 2, 'mixed/2.csv', 'label']])
    expect(errors[0]?.message).toContain('mixed/1.csv has')
  })

  test('one that cannot be read is a shard that throws every time, as plain data', async () => {
    put('some/1.csv', csv('x'))
    put('some/2.csv', '')
    put('some/3.parquet', 'PAR1 and nothing else')
    const { shards } = await listSources([{ path: 'some/*', columns }], dir)
    const travelled = structuredClone(shards)
    for (const at of [1, 2, 1]) {
      const read = readShard(travelled[at] as (typeof shards)[number], () => {})
      await expect(read.next()).rejects.toMatchObject({ name: 'SourceError', place: { file: shards[at]?.id } })
    }
  })

  test('none that can be read is an error of the listing', async () => {
    put('none/1.parquet', 'PAR1 and nothing else')
    put('none/2.parquet', 'PAR1 and nothing else')
    expect((await refusal({ path: 'none/*.parquet' }, dir)).exit).toBe(2)
  })

  test('vectors of another width', async () => {
    put('widths/1.jsonl', '{"v": [1, 2]}\n')
    put('widths/2.jsonl', '{"v": [1, 2, 3]}\n')
    const { errors, rows } = await load({ path: 'widths/*', columns: { embedding: 'v' } }, dir)
    expect(rows).toHaveLength(1)
    expect(errors.map((e) => [e.code, e.place.column])).toEqual([['mixed-schema', 'v']])
  })

  test('a part with a header alone is a shard without rows', async () => {
    put('headers/1.csv', 'id,label\n')
    put('headers/2.csv', csv('x'))
    const { rows, errors } = await load({ path: 'headers/*' }, dir)
    expect([rows.length, errors]).toEqual([1, []])
  })

  test('files of different formats with the same columns', async () => {
    await duckdb([`COPY (SELECT 'p' AS id, 'x' AS label) TO '${join(dir, 'formats-1.parquet')}' (FORMAT parquet)`])
    put('formats-2.jsonl', '{"id": "j", "label": "y"}\n')
    put('formats-3.csv', csv('z'))
    const { rows } = await load({ path: 'formats-*', columns }, dir)
    expect(rows.map((r) => [r.id, r.label])).toEqual([
      ['p', 'x'],
      ['j', 'y'],
      ['0', 'z'],
    ])
  })

  test('sources with different roles', async () => {
    put('one.csv', csv('x'))
    put('two.csv', 'id,note\n1,hello there\n')
    const error = await refusal([{ path: 'one.csv' }, { path: 'two.csv' }], dir)
    expect([error.code, error.exit]).toEqual(['mixed-schema', 4])
  })
})

describe('headers', () => {
  test('a used name that occurs twice is ambiguous, an unused one is nobody’s business', async () => {
    put('twice.csv', 'id,label,label\n1,x,y\n')
    expect((await refusal({ path: 'twice.csv', columns }, dir)).code).toBe('ambiguous-column')
    const { rows } = await load({ path: 'twice.csv', columns: { id: 'id' } }, dir)
    expect(rows).toEqual([{ row: 0, id: '1' }])
  })

  test('columns with numbers for names', async () => {
    const { rows } = await load({ path: put('counted.csv', '0,1,2\n.5,.25,7\n'), features: ['0', '1'] }, dir)
    expect(rows[0]?.features).toEqual([0.5, 0.25])
  })

  test('nothing that looks like a role', async () => {
    const error = await refusal({ path: put('nothing.jsonl', '{"a": {"b": ["x"]}}\n') }, dir)
    expect([error.code, error.exit]).toEqual(['no-roles', 4])
    expect(error.hint).toContain('columns:')
  })
})
