import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { audit } from '../../src/engine/audit.ts'
import { snapshotSources } from '../../src/engine/snapshot.ts'
import { withCopies } from '../../src/engine/stores.ts'
import { type Postgres, startPostgres } from './server.ts'

let server: Postgres
let dir: string
/** The audit of the table as `fill` leaves it. */
let before: Awaited<ReturnType<typeof run>>
const rows = 900

beforeAll(async () => {
  server = await startPostgres()
  process.env.STUDIES_URL = server.url()
})
afterAll(async () => {
  await server?.destroy()
  delete process.env.STUDIES_URL
})

/** Two classes far apart, of which one source flips a fifth of its labels; the same on every call. */
async function fill(): Promise<void> {
  await server.sql(`
    DROP TABLE IF EXISTS studies;
    CREATE TABLE studies (id bigint PRIMARY KEY, label text, x float8, y float8, hospital text);
    INSERT INTO studies
    SELECT 9007199254740990 + i,
           CASE WHEN (i % 2 = 0) <> (i % 5 = 0 AND i % 3 = 0) THEN 'benign' ELSE 'malignant' END,
           (i % 2) * 6 + (i * 7919 % 1000) / 700.0, (i * 104729 % 1000) / 500.0, 'h' || (i % 3)
    FROM generate_series(1, ${rows}) AS i`)
}

beforeAll(fill)
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'assay-stores-'))
  before = await run(query(all))
})
afterEach(() => {
  for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const columns = '{ id: id, label: label, source: hospital, features: [x, y] }'
const query = (sql: string) => `{ sql: ${JSON.stringify(sql)}, connection: { env: STUDIES_URL }, columns: ${columns} }`

async function pipelineOf(sources: string): Promise<Awaited<ReturnType<typeof loadPipeline>>> {
  const file = join(dir, 'p.yaml')
  writeFileSync(
    file,
    `version: 1\nsubject: { name: studies }\nsources: [${sources}]\ndetectors: { label-flip: {}, spectral: false, embedding-outlier: false, embedding-cluster: false, trigger-tabular: false }\nreport: { formats: [json, html], flags: jsonl }\n`,
  )
  return loadPipeline(file)
}

interface How {
  readonly runDir?: string
  readonly resume?: boolean
  /** Waited for before more rows are read. */
  readonly progress?: (phase: string) => unknown
}

async function run(sources: string, { runDir = join(dir, 'run'), resume = false, progress = () => {} }: How = {}) {
  const { pipeline, base } = await pipelineOf(sources)
  const hooks = { progress: ({ phase }: { phase: string }) => progress(phase), log: () => {} }
  const { report } = await audit({ pipeline, base, runDir, resume, seed: '7', now: new Date('2026-11-27T00:00:00Z'), workers: 1, hooks })
  const flags = readFileSync(join(runDir, 'flags.jsonl'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { id: string; score: number; detector: string })
    .map(({ id, score, detector }) => `${id} ${detector} ${score}`)
    .sort()
  return { report, flags }
}

const findingsOf = ({ report }: Awaited<ReturnType<typeof run>>) =>
  report.findings.map((f) => ({ rule: f.rule, fingerprint: f.fingerprint, count: f.count, message: f.message }))

const all = 'SELECT * FROM studies'

/** Acts once, as soon as the first rows of a query are read. */
const once = (act: () => Promise<unknown>): { progress: (phase: string) => unknown; done: () => Promise<unknown> } => {
  let acting: Promise<unknown> | null = null
  return {
    progress: (phase) => {
      if (phase.startsWith('read studies')) acting ??= act()
      return acting
    },
    done: () => acting ?? Promise.reject(new Error('never read')),
  }
}

test('a table is audited as the same rows in a CSV file', async () => {
  const { rows: table } = await server.sql('SELECT id::text, label, x::text, y::text, hospital FROM studies ORDER BY id')
  const csv = ['id,label,x,y,hospital', ...table.map((r) => [r.id, r.label, r.x, r.y, r.hospital].join(','))].join('\n')
  writeFileSync(join(dir, 'studies.csv'), csv)
  const file = await run(`{ path: studies.csv, columns: ${columns} }`, { runDir: join(dir, 'csv') })
  expect(before.report.rows.read).toBe(rows)
  expect(before.flags.length).toBeGreaterThan(30)
  expect(before.flags).toEqual(file.flags)
  expect(findingsOf(before)).toEqual(findingsOf(file))
  expect(before.report.inputs.map((i) => i.id)).toEqual([expect.stringMatching(/^studies-[0-9a-f]{12}$/)])
})

test('one query or 64 give the same answer', async () => {
  const parts = Array.from({ length: 64 }, (_, i) => query(`SELECT * FROM studies WHERE (id - 9007199254740991) * 64 / ${rows} = ${i}`))
  const split = await run(parts.join(', '), { runDir: join(dir, 'split') })
  expect(split.report.inputs).toHaveLength(64)
  expect(split.flags.map((f) => f.split(' ')[0])).toEqual(before.flags.map((f) => f.split(' ')[0]))
  expect(findingsOf(split).map((f) => f.fingerprint)).toEqual(findingsOf(before).map((f) => f.fingerprint))
})

test('a table that changes under the audit is audited as it was', async () => {
  const change = once(() =>
    server.sql(
      `DELETE FROM studies WHERE id % 4 = 0; UPDATE studies SET label = 'benign'; INSERT INTO studies VALUES (1, 'benign', 0, 0, 'h9'), (${2n ** 62n}, 'new', 0, 0, 'h9')`,
    ),
  )
  const during = await run(query(all), { runDir: join(dir, 'during'), progress: change.progress })
  await change.done()
  const after = await run(query(all), { runDir: join(dir, 'after') })
  await fill()
  expect(during.flags).toEqual(before.flags)
  expect(findingsOf(during)).toEqual(findingsOf(before))
  expect(after.report.rows.read).not.toBe(rows)
})

test('a connection that is cut is replaced: the same rows of the same snapshot', async () => {
  const cut = once(() =>
    server.sql(
      `UPDATE studies SET label = 'benign' WHERE id % 7 = 0; SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'assay' AND query LIKE 'FETCH%'`,
    ),
  )
  const after = await run(query(all), { runDir: join(dir, 'cut'), progress: cut.progress })
  const result = (await cut.done()) as { rowCount: number }[]
  await fill()
  expect(result.at(-1)?.rowCount).toBe(1)
  expect(after.flags).toEqual(before.flags)
})

test('a server that stops ends the run with exit 2, and --resume gives the same answer once it is back', async () => {
  const stop = once(() => server.stop())
  const runDir = join(dir, 'stopped')
  const error = await run(query(all), { runDir, progress: stop.progress }).catch((e: unknown) => e)
  await stop.done()
  expect(error).toMatchObject({ code: 'unreachable', exit: 2, hint: expect.stringContaining('--resume') })
  expect(readdirSync(join(runDir, 'copies'))).toEqual([])
  const down = await run(query(all), { runDir, resume: true }).catch((e: unknown) => e)
  expect(down).toMatchObject({ code: 'unreachable', exit: 2 })
  await server.start()
  const resumed = await run(query(all), { runDir, resume: true })
  expect(resumed.flags).toEqual(before.flags)
  expect(findingsOf(resumed)).toEqual(findingsOf(before))
})

test('a run that is resumed after the copy does not ask the server again, and another plan is refused', async () => {
  await run(query(all))
  await server.stop()
  const again = await run(query(all), { resume: true })
  const used = await run(query(all)).catch((e: unknown) => e)
  await server.start()
  expect(again.flags).toEqual(before.flags)
  expect(used).toMatchObject({ code: 'run-directory-used', exit: 4 })
})

test('neither the report nor the run directory holds the connection string or its password', async () => {
  await run(query(all))
  const secret = server.url()
  const files = readdirSync(join(dir, 'run'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
  expect(files.length).toBeGreaterThan(5)
  for (const file of files) {
    const bytes = readFileSync(join(file.parentPath, file.name), 'latin1')
    for (const word of [secret, 'owner-secret', '127.0.0.1']) expect(bytes.includes(word), `${file.name} holds ${word}`).toBe(false)
  }
})

test('a snapshot of a query does not depend on how it is read, and tells what changed', async () => {
  const { pipeline, base } = await pipelineOf(query(all))
  const hooks = { progress: () => {}, log: () => {} }
  const take = async (name: string) => {
    const { sources } = await withCopies(pipeline, join(dir, `${name}-run`), { hooks, resume: false })
    const how = { subject: { name: 'studies', version: null }, now: new Date(0), workers: 1, hooks }
    return (await snapshotSources(sources as readonly SourceSpec[], base, join(dir, name), how)).header
  }
  const [first, second] = [await take('a'), await take('b')]
  await server.sql(`UPDATE studies SET label = 'benign' WHERE id = (SELECT min(id) FROM studies WHERE label = 'malignant')`)
  const third = await take('c')
  await fill()
  expect(first.records).toBe(rows)
  expect(second.roots.records).toBe(first.roots.records)
  expect(third.roots.records).not.toBe(first.roots.records)
})
