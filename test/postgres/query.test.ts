import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { column, matrixOf } from '../../src/contracts/batch.ts'
import type { ChunkTap } from '../../src/contracts/chunk.ts'
import type { ColumnMap, SourceSpec } from '../../src/contracts/data.ts'
import { listSources } from '../../src/sources/list.ts'
import { readShard } from '../../src/sources/read.ts'
import { copyStores } from '../../src/stores/copy.ts'
import { type Postgres, startPostgres } from './server.ts'

let server: Postgres
let dir: string
let copies = 0

beforeAll(async () => {
  server = await startPostgres()
  dir = mkdtempSync(join(tmpdir(), 'assay-query-'))
  vi.stubEnv('DATABASE', server.url())
})
afterAll(async () => {
  await server?.destroy()
  rmSync(dir, { recursive: true, force: true })
})

const copy = (sql: string, rest: Partial<SourceSpec> = {}, sample = false) =>
  copyStores([{ sql, connection: { env: 'DATABASE' }, ...rest }], {
    folder: join(dir, String(copies++)),
    resume: false,
    sample,
    progress: () => {},
  })

async function batches(sql: string, columns: ColumnMap, tap?: ChunkTap) {
  const { shards } = await listSources(await copy(sql, { columns }), dir)
  const issues: string[] = []
  const out = []
  for (const shard of shards) for await (const batch of readShard(shard, (i) => issues.push(`${i.code} ${i.row}`), tap)) out.push(batch)
  return { out, issues }
}

const failure = (sql: string, rest: Partial<SourceSpec> = {}) =>
  copy(sql, rest).then(
    () => null,
    (e: unknown) => e,
  )

test('values keep what they are: long integers, numbers, truth values, times, lists, bytes, conversations', async () => {
  await server.sql(`
    CREATE TABLE kinds (id bigint, "odd ""name' column" text, ok boolean, price numeric(8,2), exact numeric, at timestamptz, born date, vec float4[], wide float8[], tags text[], chat jsonb);
    INSERT INTO kinds VALUES
      (9007199254740993, 'first', true, 12.50, 0.1234567890123456789, '2026-01-02 03:04:05.678+02', '2026-01-02', '{0.5,-1.25}', '{0.1,NaN}', '{a,"b c"}', '[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]'),
      (9007199254740995, NULL, NULL, NULL, NULL, 'infinity', '0044-03-15 BC', NULL, '{1,NULL}', '{}', '[{"role":"user","content":"q2"},{"role":"assistant","content":"a2"}]')`)
  const { out } = await batches('SELECT * FROM kinds', {
    id: 'id',
    label: `odd "name' column`,
    embedding: 'vec',
    text: 'chat',
    response: 'chat',
    time: 'at',
  })
  const [batch] = out
  if (!batch) throw new Error('no batch')
  expect(out).toHaveLength(1)
  // the second row has no vector
  expect([...(column(batch, 'id') ?? [])]).toEqual(['9007199254740993'])
  expect([...(column(batch, 'time') ?? [])]).toEqual(['2026-01-02T01:04:05.678Z'])
  expect([...(column(batch, 'text') ?? [])]).toEqual(['q'])
  expect([...(column(batch, 'response') ?? [])]).toEqual(['a'])
  expect([...(matrixOf(batch, 'embedding')?.data ?? [])]).toEqual([0.5, -1.25])
  const { shards, columns } = await listSources(await copy('SELECT * FROM kinds'), dir, { everyColumn: true, tapOnly: true })
  const seen = new Map<string, unknown>()
  for (const shard of shards)
    for await (const _ of readShard(
      shard,
      () => {},
      (chunk) => {
        for (const [name, cells] of chunk.columns) seen.set(name, cells)
      },
    ))
      break
  expect([...new Map(columns.map((c) => [c.name, c.type])).values()]).toEqual([
    'Int64',
    'Utf8',
    'Bool',
    'Float64',
    'Utf8',
    'Utf8',
    'Utf8',
    'List<Float32>',
    'List<Float64>',
    'JSON',
    'JSON',
  ])
  expect(seen.get('ok')).toEqual({ kind: 'values', values: [true, null] })
  expect(seen.get('exact')).toEqual({ kind: 'values', values: ['0.1234567890123456789', null] })
  expect(seen.get('at')).toMatchObject({ values: ['2026-01-02T01:04:05.678Z', 'infinity'] })
  expect(seen.get('born')).toMatchObject({ values: ['2026-01-02', '0044-03-15 BC'] })
  expect(seen.get('tags')).toMatchObject({ values: [['a', 'b c'], []] })
})

test('pictures in a column are read', async () => {
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64')
  await server.sql('CREATE TABLE pictures (id int, label text, png bytea)')
  await server.sql(`INSERT INTO pictures VALUES (1, 'a', $1), (2, 'b', '\\x00'), (3, 'c', NULL)`, [png])
  const { out, issues } = await batches('SELECT * FROM pictures', { id: 'id', label: 'label', image: 'png' })
  expect(Buffer.from(column(out[0] as never, 'image')?.get(0) as Uint8Array).equals(png)).toBe(true)
  expect(issues).toEqual(['undecodable-image 1', 'undecodable-image 2'])
})

test('hostile content stays content: huge texts, markup, escapes, other scripts', async () => {
  const texts = [
    'x'.repeat(2 ** 20),
    "'; DROP TABLE t; --",
    '<script>alert(1)</script>',
    '\u202e\u001b[31m{}"\\N,\t\r\n',
    '{1,2,NULL}',
    '\\x00',
    '',
    '🙂 \u0301',
  ]
  await server.sql('CREATE TABLE hostile (id int primary key, body text, label text)')
  for (const [i, body] of texts.entries()) await server.sql('INSERT INTO hostile VALUES ($1, $2, $3)', [i, body, 'a'])
  const { out } = await batches('SELECT * FROM hostile', { id: 'id', text: 'body', label: 'label' })
  expect(out.flatMap((b) => [...(column(b, 'text') ?? [])])).toEqual(texts.map((t) => t || null))
})

test('many rows of one key come in the order of their content', async () => {
  await server.sql(`CREATE TABLE ties AS SELECT i / 100 AS k, 'v' || (i * 7919 % 1000) AS v FROM generate_series(0, 999) AS i`)
  const { out } = await batches('SELECT * FROM ties', { id: 'k', label: 'v' })
  const again = await batches('SELECT * FROM (SELECT * FROM ties ORDER BY v DESC) x', { id: 'k', label: 'v' })
  const labels = (found: typeof out) => found.flatMap((b) => [...(column(b, 'label') ?? [])])
  expect(labels(out)).toHaveLength(1000)
  expect(labels(again.out)).toEqual(labels(out))
})

test('a role that may only read is enough, and nobody writes through a query', async () => {
  await server.sql(`
    CREATE TABLE visible (id int primary key, label text); INSERT INTO visible VALUES (1, 'a'), (2, 'b');
    CREATE TABLE secret (id int primary key);
    CREATE FUNCTION grab() RETURNS int LANGUAGE sql AS 'INSERT INTO visible VALUES (99, ''x'') RETURNING 1';
    CREATE SEQUENCE counter;
    CREATE ROLE auditor LOGIN PASSWORD 'auditor-secret'; GRANT SELECT ON visible TO auditor`)
  vi.stubEnv('AUDITOR', server.url('auditor', 'auditor-secret'))
  const connection = { env: 'AUDITOR' }
  await copy('SELECT * FROM visible', { connection })
  expect(await failure('SELECT * FROM secret', { connection })).toMatchObject({
    code: 'refused',
    exit: 4,
    message: expect.stringContaining('permission denied for table secret'),
    hint: expect.stringContaining('SELECT'),
  })
  for (const sql of [
    'SELECT grab() AS id',
    "SELECT nextval('counter') AS id",
    'WITH d AS (DELETE FROM visible RETURNING *) SELECT * FROM d',
    'SELECT 1 AS id) AS q; DELETE FROM visible; SELECT * FROM (SELECT 1 AS id',
  ])
    expect(await failure(sql)).toMatchObject({ code: 'bad-query', exit: 4 })
  expect((await server.sql('SELECT count(*)::int AS n FROM visible')).rows).toEqual([{ n: 2 }])
})

test('what the user can put right is exit 4, what only time can is exit 2, and no message tells a secret', async () => {
  await server.sql(`CREATE TABLE faults (id int, k int, label text); INSERT INTO faults VALUES (1, NULL, 'a')`)
  vi.stubEnv('WRONG', server.url('owner', 'not-the-password'))
  vi.stubEnv('NOWHERE', 'postgresql://owner:owner-secret@127.0.0.1:1/postgres')
  vi.stubEnv('NONSENSE', 'postgresql://owner:owner-secret@:not a port/x')
  const cases: readonly (readonly [string, Partial<SourceSpec>, object])[] = [
    ['SELECT 1 AS id', { connection: { env: 'UNSET' } }, { code: 'no-variable', exit: 4, message: expect.stringContaining('UNSET') }],
    ['SELECT 1 AS id', { connection: { env: 'WRONG' } }, { code: 'refused', exit: 4 }],
    ['SELECT 1 AS id', { connection: { env: 'NOWHERE' } }, { code: 'unreachable', exit: 2, hint: expect.stringContaining('--resume') }],
    ['SELECT 1 AS id', { connection: { env: 'NONSENSE' } }, { exit: 4 }],
    ['SELEC 1', {}, { code: 'bad-query', exit: 4, message: expect.stringContaining('syntax error') }],
    ['SELECT * FROM missing', {}, { code: 'bad-query', exit: 4, message: expect.stringContaining('"missing" does not exist') }],
    ['SELECT 1 AS a, 2 AS a', {}, { code: 'ambiguous-column', exit: 4 }],
    ['SELECT label FROM faults', {}, { code: 'unknown-column', exit: 4, hint: expect.stringContaining('key:') }],
    ['SELECT * FROM faults', { key: 'nothing' }, { code: 'unknown-column', exit: 4, hint: expect.stringContaining('"label"') }],
    ['SELECT * FROM faults', { key: 'k' }, { code: 'invalid-spec', exit: 4, message: expect.stringContaining('key is missing') }],
    ['SELECT 1 / (id - 1) AS id FROM faults', {}, { code: 'unreadable', exit: 2, message: expect.stringContaining('division by zero') }],
    ['SELECT pg_sleep(30), 1 AS id', { 'statement-timeout': 1 }, { code: 'timeout', exit: 2 }],
  ]
  for (const [sql, rest, expected] of cases) {
    const error = (await failure(sql, rest)) as Error
    expect(error, sql).toMatchObject(expected)
    expect(`${error.message} ${JSON.stringify(error)}`).not.toMatch(/owner-secret|not-the-password|127\.0\.0\.1/)
  }
})

test('a comment and a semicolon at the end of a query are no part of it', async () => {
  const [spec] = await copy("SELECT 1 AS id, 'a' AS label -- the end")
  const [other] = await copy("SELECT 1 AS id, 'a' AS label; -- the end\n")
  for (const s of [spec, other]) expect((await listSources([s as SourceSpec], dir)).shards[0]?.expectedRows).toBe(1)
})

test('a plan counts the rows and copies the first alone', async () => {
  const [spec] = await copy(`SELECT i AS id, 'a' AS label FROM generate_series(1, 300000) AS i`, {}, true)
  const { shards } = await listSources([spec as SourceSpec], dir)
  expect(shards.map((s) => s.expectedRows)).toEqual([131072, 131072, 37856])
  expect(shards[1]?.id).toMatch(/^generate_series-[0-9a-f]{12}#131072\+131072$/)
})
