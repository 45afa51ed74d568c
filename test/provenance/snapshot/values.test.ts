import { join } from 'node:path'
import { Field, Float64, Int64, List, Struct, Table, TimestampMicrosecond, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import type { SourceSpec } from '../../../src/contracts/data.ts'
import type { RecordSchema } from '../../../src/contracts/snapshot.ts'
import { type SnapshotOptions, type SnapshotResult, snapshotSources } from '../../../src/engine/snapshot.ts'
import { openSnapshot } from '../../../src/provenance/snapshot/read.ts'
import { duckdb, folder, npyBytes, zipBytes } from '../../sources/make.ts'

const { dir, put } = folder()
let made = 0

const snapshot = (spec: SourceSpec, options: Partial<SnapshotOptions> = {}): Promise<SnapshotResult> =>
  snapshotSources([spec], dir, join(dir, `s${made++}`), {
    subject: { name: 'rows', version: null },
    now: new Date('2026-11-24T00:00:00Z'),
    workers: 1,
    hooks: { progress: () => {}, log: () => {} },
    ...options,
  })

let files = 0
const columns = { id: 'id', label: 'label' }
const root = async (lines: readonly string[], options: Partial<SnapshotOptions> = {}): Promise<string> =>
  (await snapshot({ path: put(`v${files++}.jsonl`, lines.join('\n')), columns }, options)).header.roots.records
const value = (json: string, options?: Partial<SnapshotOptions>): Promise<string> => root([`{"id":"1","label":"a","x":${json}}`], options)

describe('values by their own kind', { timeout: 60_000 }, () => {
  test.each([
    ['1', '1.0'],
    ['0', '-0.0'],
    ['1e2', '100'],
    ['[1, 2]', '[1.0, 2e0]'],
    ['{"b": 1, "a": [null]}', '{"a": [null], "b": 1, "c": null}'],
    ['""', 'null'],
    ['9007199254740993', '9007199254740993'],
    ['NaN', 'NaN'],
    ['"\\u00e9"', '"é"'],
  ])('%s is %s', async (a, b) => {
    expect(await value(a)).toBe(await value(b))
  })

  test.each([
    ['1', '"1"'],
    ['1', 'true'],
    ['1', '[1]'],
    ['null', '"null"'],
    ['NaN', '"NaN"'],
    ['NaN', 'null'],
    ['[1, null]', '[1, 0]'],
    ['["a,b"]', '["a", "b"]'],
    ['["a", "bc"]', '["ab", "c"]'],
    ['[[1], [2]]', '[[1, 2]]'],
    ['[]', 'null'],
    ['[""]', '[null]'],
    ['9007199254740993', '9007199254740992'],
    ['1152921504606847001', '1152921504606847000'],
    ['1152921504606846976', '1152921504606847000'],
    ['[9007199254740993]', '[9007199254740992]'],
    ['{"k": 9007199254740993}', '{"k": 9007199254740992}'],
    ['123456789012345678901234567890', '123456789012345678901234567891'],
    ['0.1', '0.10000000000000002'],
    ['"e\\u0301"', '"é"'],
    ['"\\ud800"', '"\\ud801"'],
    ['"\\ud800"', '"\\ufffd"'],
    ['"a"', '"a "'],
    ['{"a": {}}', '{}'],
    ['{"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}}', '{"a": {"b": {"c": {"d": {"e": {"f": {"g": 2}}}}}}}'],
  ])('%s is not %s', async (a, b) => {
    expect(await value(a)).not.toBe(await value(b))
  })

  test('what stands in a name cannot stand in a value', async () => {
    expect(await root(['{"id":"1","label":"a","x":"t1:a;1:yt1:b"}'])).not.toBe(await root(['{"id":"1","label":"a","x":"a","y":"b"}']))
    expect(await root(['{"id":"1","label":"a","xy":"z"}'])).not.toBe(await root(['{"id":"1","label":"a","x":"yz"}']))
  })

  test('a field that comes late, or that is called like a part of an object, is not lost', async () => {
    const many = Array.from({ length: 1200 }, (_, i) => `{"id":"${i}","label":"a","x":1}`)
    const late = [...many.slice(0, 1199), '{"id":"1199","label":"a","x":1,"hidden":{"deep":[1]}}']
    expect(await root(many)).not.toBe(await root(late))
    expect(await root(many)).not.toBe(await root([...many.slice(0, 1199), '{"id":"1199","label":"a","x":1,"__proto__":1}']))
    const path = put('twice.jsonl', '{"id":"1","label":"a","m":{"k":1}}\n{"id":"2","label":"a","m":{"k":1},"m.k":2}\n')
    const { header, incomplete, issues } = await snapshot({ path, columns })
    expect([header.records, header.shards[0]?.rejected, incomplete]).toEqual([1, 1, ['twice.jsonl: 1 row could not be read']])
    expect(issues[0]).toMatchObject({ code: 'invalid-json', column: 'm.k', rejected: true })
  })

  test('texts of CSV are texts, and a second column of one name counts', async () => {
    const csv = async (text: string) => (await snapshot({ path: put(`c${files++}.csv`, text), columns })).header.roots.records
    expect(await csv('id,label,x\n1,a,007\n')).not.toBe(await csv('id,label,x\n1,a,7\n'))
    expect(await csv('id,label,x,x\n1,a,1,2\n')).not.toBe(await csv('id,label,x,x\n1,a,1,3\n'))
    expect(await csv('id,label,x\n1,a,"two\nlines"\n')).toBe(await csv('id,label,x\r\n1,a,"two\nlines"\r\n'))
    expect(await csv('id,label,x\n1,a,b\n')).toBe(await root(['{"id":"1","label":"a","x":"b"}']))
  })
})

describe('nested values of typed formats', { timeout: 60_000 }, () => {
  const lines = [
    '{"id":"1","label":"a","tags":["x","y,z"],"boxes":[{"w":1.5,"n":"b"},{"w":2,"n":null}],"meta":{"age":40},"at":"2026-01-02T03:04:05.000006Z"}',
    '{"id":"2","label":"a","tags":[],"boxes":[],"meta":{"age":null},"at":null}',
  ]

  test('agree with JSON', async () => {
    const path = join(dir, 'nested.parquet')
    const from = put('nested.jsonl', lines.join('\n'))
    const types =
      "{id: 'VARCHAR', label: 'VARCHAR', tags: 'VARCHAR[]', boxes: 'STRUCT(w DOUBLE, n VARCHAR)[]', meta: 'STRUCT(age BIGINT)', \"at\": 'TIMESTAMPTZ'}"
    await duckdb([
      "SET TimeZone = 'UTC'",
      `COPY (SELECT * FROM read_json('${from}', format = 'newline_delimited', columns = ${types})) TO '${path}' (FORMAT parquet)`,
    ])
    const box = new Struct([new Field('w', new Float64(), true), new Field('n', new Utf8(), true)])
    const rows = lines.map(
      (l) => JSON.parse(l) as { id: string; label: string; tags: string[]; boxes: object[]; meta: { age: number | null } },
    )
    const table = new Table({
      id: vectorFromArray(
        rows.map((r) => r.id),
        new Utf8(),
      ),
      label: vectorFromArray(
        rows.map((r) => r.label),
        new Utf8(),
      ),
      tags: vectorFromArray(
        rows.map((r) => r.tags),
        new List(new Field('item', new Utf8(), true)),
      ),
      boxes: vectorFromArray(
        rows.map((r) => r.boxes),
        new List(new Field('item', box, true)),
      ),
      meta: vectorFromArray(
        rows.map((r) => ({ age: r.meta.age === null ? null : BigInt(r.meta.age) })),
        new Struct([new Field('age', new Int64(), true)]),
      ),
      at: vectorFromArray([1767323045000.006, null], new TimestampMicrosecond()),
    })
    const arrow = put('nested.arrow', tableToIPC(table, 'stream'))
    const roots = []
    for (const spec of [
      { path: from, columns },
      { path, columns },
      { path: arrow, columns },
    ])
      roots.push((await snapshot(spec)).header.roots.records)
    expect(new Set(roots).size).toBe(1)
  })

  test('an edit deep in a list of structs is seen', async () => {
    const roots = []
    for (const n of ['b', 'c']) {
      const path = join(dir, `deep-${n}.parquet`)
      await duckdb([
        `COPY (SELECT '1' AS id, 'a' AS label, [{'w': 1.5, 'n': ['${n}']}] AS boxes, MAP {'k': '${n}'} AS m) TO '${path}' (FORMAT parquet)`,
      ])
      roots.push((await snapshot({ path, columns })).header.roots.content)
    }
    expect(roots[0]).not.toBe(roots[1])
  })
})

describe('declared types', { timeout: 60_000 }, () => {
  const schema: RecordSchema = { columns: { x: 'int64', t: 'timestamp', b: 'bool', l: 'float32[2]' }, nulls: ['NA'] }
  const csv = (text: string) => snapshot({ path: put(`d${files++}.csv`, text), columns }, { schema })

  test('texts that mean the same are the same', async () => {
    const a = await csv('id,label,x,t,b,l\n1,a,7,2026-01-02T03:04:05Z,yes,"[1, 0.1]"\n')
    const b = await csv('id,label,x,t,b,l\n1,a,+007,2026-01-02 04:04:05+01:00,TRUE,"[1.0,1e-1]"\n')
    const c = await csv('id,label,x,t,b,l\n1,a,7.0,1767323045,1,"[1,0.10000000149011612]"\n')
    expect(b.header.roots.records).toBe(a.header.roots.records)
    expect(c.header.roots.records).toBe(a.header.roots.records)
    expect([a.misfits, b.misfits, c.misfits]).toEqual([[], [], []])
  })

  test('a value of another type is kept, told and counted', async () => {
    const good = await csv('id,label,x,t,b,l\n1,a,7,NA,,"[1,2]"\n')
    const bad = await csv('id,label,x,t,b,l\n1,a,7x,NA,,"[1,2,3]"\n')
    expect(bad.misfits).toEqual([
      { column: 'l', count: 1, example: "'[1,2,3]'" },
      { column: 'x', count: 1, example: "'7x'" },
    ])
    expect([good.header.shards[0]?.misfits, bad.header.shards[0]?.misfits, bad.header.records]).toEqual([0, 2, 1])
    const worse = await csv('id,label,x,t,b,l\n1,a,8x,NA,,"[1,2,3]"\n')
    expect(new Set([good, bad, worse].map((r) => r.header.roots.content)).size).toBe(3)
  })

  test('another schema is another root, also where no value differs', async () => {
    const text = 'id,label,y\n1,a,b\n'
    const one = await csv(text)
    const other = await snapshot({ path: put('other.csv', text), columns }, { schema: { ...schema, nulls: [] } })
    expect(other.header.roots.content).toBe(one.header.roots.content)
    expect(other.header.roots.records).not.toBe(one.header.roots.records)
  })
})

describe('ids, labels and places', { timeout: 60_000 }, () => {
  test('ids are texts, and a record without one is told by its content', async () => {
    const { folder: at } = await snapshot({ path: put('ids.csv', 'id,label,x\n007,a,1\n7,b,2\n,b,3\n,b,3\n'), columns })
    const opened = await openSnapshot(at, { verify: true })
    const ids: (string | null)[] = []
    for (const bucket of opened.buckets(() => true)) for (let i = 0; i < bucket.size; i++) ids.push(opened.location(bucket, i).id)
    expect(ids.map(String).sort()).toEqual(['007', '7', 'null', 'null'])
    expect(opened.header.labels).toEqual([
      { name: 'a', count: 1 },
      { name: 'b', count: 3 },
    ])
  })

  test('labels of numbers, texts and booleans are one', async () => {
    const json = await root(['{"id":1,"label":1}', '{"id":2,"label":true}'])
    const csv = await snapshot({ path: put('l.csv', 'id,label\n1,1\n2,true\n'), columns })
    const npz = await snapshot({
      path: put(
        'l.npz',
        zipBytes({ 'id.npy': npyBytes('<i8', [2], BigInt64Array.of(1n, 2n)), 'label.npy': npyBytes('|b1', [2, 1], Uint8Array.of(1, 0)) }),
      ),
      columns,
    })
    expect(csv.header.roots.records).toBe(json)
    expect(npz.header.labels.map((l) => l.name)).toEqual(['false', 'true'])
  })

  test('names of records are kept whatever they are', async () => {
    const names = ['../../etc/passwd', '\u202e\u0007', '"', '<script>', 'x'.repeat(5000), '\ud83d\ude00', 'constructor', '__proto__']
    const { folder: at } = await snapshot({
      path: put('names.jsonl', names.map((n) => JSON.stringify({ id: n, label: n, x: n })).join('\n')),
      columns,
    })
    const opened = await openSnapshot(at, { verify: true })
    const found: (string | null)[] = []
    for (const bucket of opened.buckets(() => true)) for (let i = 0; i < bucket.size; i++) found.push(opened.location(bucket, i).id)
    expect(found.sort()).toEqual([...names].sort())
    expect(opened.header.labels.reduce((n, l) => n + l.count, 0)).toBe(names.length)
  })

  test('source and time are kept beside the record; they are content unless they are ignored', async () => {
    const all = { ...columns, source: 'who', time: 'when' }
    const text = (who: string) => `id,label,who,when\n1,a,${who},2026-01-02T03:04:05.5Z\n2,b,y,never\n`
    const a = await snapshot({ path: put('p1.csv', text('x')), columns: all })
    const b = await snapshot({ path: put('p2.csv', text('z')), columns: all })
    expect(a.header.sources).toEqual([
      { name: 'x', count: 1 },
      { name: 'y', count: 1 },
    ])
    expect(b.header.roots.content).not.toBe(a.header.roots.content)
    const c = await snapshot({ path: put('p1.csv', text('x')), columns: all }, { ignored: ['who'] })
    const d = await snapshot({ path: put('p2.csv', text('z')), columns: all }, { ignored: ['who'] })
    expect(d.header.roots.records).toBe(c.header.roots.records)
    expect(d.header.roots.locations).not.toBe(c.header.roots.locations)
    const opened = await openSnapshot(a.folder)
    const times: (number | null)[] = []
    for (const bucket of opened.buckets(() => true)) for (let i = 0; i < bucket.size; i++) times.push(opened.location(bucket, i).time)
    expect(times.sort()).toEqual([Date.UTC(2026, 0, 2, 3, 4, 5, 500), null])
  })

  test('a key hides the ids and changes every digest', async () => {
    const path = put('key.csv', 'id,label,x\nann,a,1\nbob,b,2\n')
    const plain = await snapshot({ path, columns })
    const keyed = await snapshot({ path, columns }, { key: Buffer.from('k1') })
    const same = await snapshot({ path, columns }, { key: Buffer.from('k1') })
    const other = await snapshot({ path, columns }, { key: Buffer.from('k2') })
    expect(same.header.roots).toEqual(keyed.header.roots)
    expect(new Set([plain, keyed, other].map((r) => r.header.roots.key)).size).toBe(3)
    expect([plain.header.keyId, keyed.header.keyed]).toEqual([null, true])
    const opened = await openSnapshot(keyed.folder, { verify: true })
    for (const bucket of opened.buckets(() => true)) for (let i = 0; i < bucket.size; i++) expect(opened.location(bucket, i).id).toBeNull()
  })
})
