import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Night } from '../../src/contracts/history.ts'
import { openDuckDb } from '../../src/history/duckdb.ts'
import { openHistory, type RecordedRun } from '../../src/history/store.ts'
import { folderWith } from '../config/files.ts'

const hostile = `a'; DROP TABLE assay_runs; -- \u202e`
const nightOf = (i: number, part: Partial<Night> = {}): Night => ({
  run: `run-${i}`,
  startedAt: `2026-01-${String(i + 1).padStart(2, '0')}T02:00:00.000Z`,
  whole: true,
  fresh: false,
  labels: [
    { name: 'a', count: 100 + i, flagged: 1 },
    { name: hostile, count: 50, flagged: 0 },
  ],
  sources: [{ name: 'x', count: 150 + i, flagged: 1 }],
  changes:
    i === 0
      ? null
      : {
          before: `root-${i}`,
          after: `root-${i + 1}`,
          classes: [{ name: 'a', before: 100, relabelled: 2 }],
          sources: [{ name: 'x', before: 150, relabelled: 2 }],
          pairs: [{ from: 'a', to: hostile, count: 2 }],
        },
  ...part,
})
const recordOf = (night: Night, part: Partial<RecordedRun> = {}): RecordedRun => ({
  night,
  subject: 'store',
  digest: `digest ${night.run}`,
  verdict: 'passed',
  exitCode: 0,
  rows: 150,
  flagged: 1,
  tool: '0.1.0',
  plan: 'plan',
  findings: [
    { fingerprint: 'f', rule: 'label-flip/source', severity: 'high', status: 'open', scope: '[]', records: 3, message: hostile, p: 0.01 },
  ],
  sensitivity: null,
  ...part,
})

describe('the history in a DuckDB file', () => {
  test('gives back what was recorded, in the order of time and by subject', async () => {
    const path = join(await folderWith({}), 'deep', 'history.duckdb')
    const store = await openHistory({ path }, {})
    for (const i of [2, 0, 1]) await store.record(recordOf(nightOf(i)))
    await store.record(recordOf(nightOf(7), { subject: 'another' }))
    await store.close()
    const again = await openHistory({ path }, {})
    expect(await again.nights('store', 'run-1')).toEqual([nightOf(0), nightOf(2)])
    expect((await again.list(10)).map((r) => [r.run, r.findings])).toEqual([
      ['run-7', 1],
      ['run-2', 1],
      ['run-1', 1],
      ['run-0', 1],
    ])
    expect(await again.findings('run-1')).toEqual(recordOf(nightOf(1)).findings)
    await again.close()
  })

  test('keeps a run once, and replaces it by what a later attempt says', async () => {
    const path = join(await folderWith({}), 'history.duckdb')
    const store = await openHistory({ path }, {})
    for (let i = 0; i < 3; i++) await store.record(recordOf(nightOf(1)))
    await store.record(recordOf(nightOf(1), { digest: 'another', verdict: 'failed', findings: [] }))
    expect(await store.list(10)).toEqual([expect.objectContaining({ run: 'run-1', verdict: 'failed', findings: 0 })])
    expect(await store.nights('store', '')).toEqual([nightOf(1)])
    await store.close()
  })

  test('many rows go in and come out', async () => {
    const path = join(await folderWith({}), 'history.duckdb')
    const labels = Array.from({ length: 1_001 }, (_, i) => ({ name: `c${String(i).padStart(5, '0')}`, count: i, flagged: 0 }))
    const store = await openHistory({ path }, {})
    await store.record(recordOf(nightOf(1, { labels })))
    expect((await store.nights('store', ''))[0]?.labels).toEqual(labels)
    await store.close()
  })

  test.each([
    ['text', 'this is no database '.repeat(1_000)],
    ['an empty page', '\0'.repeat(12_288)],
  ])('a file that is none (%s) is an error that names it', async (_, content) => {
    const path = join(await folderWith({}), 'history.duckdb')
    writeFileSync(path, content)
    await expect(openHistory({ path }, {})).rejects.toMatchObject({
      code: 'history-unreadable',
      exit: 2,
      message: expect.stringContaining(path),
    })
    expect(readFileSync(path, 'latin1')).toBe(content)
  })

  test('a history of another version is refused', async () => {
    const path = join(await folderWith({}), 'history.duckdb')
    const db = await openDuckDb(path, { waitMs: 0 })
    await db.query('CREATE TABLE assay_history (version INTEGER NOT NULL)')
    await db.query('INSERT INTO assay_history VALUES (99)')
    await db.close()
    await expect(openHistory({ path }, {})).rejects.toMatchObject({ code: 'history-version' })
  })

  test('another process that holds it is waited for, and then told', async () => {
    const path = join(await folderWith({}), 'history.duckdb')
    const holder = spawn(
      process.execPath,
      [
        '-e',
        `import('@duckdb/node-api').then(async ({ DuckDBInstance }) => {
          const held = await DuckDBInstance.create(${JSON.stringify(path)})
          await held.connect()
          console.log('held')
          setInterval(() => {}, 1000)
        })`,
      ],
      { cwd: join(import.meta.dirname, '../..'), stdio: ['ignore', 'pipe', 'inherit'] },
    )
    const ended = new Promise((resolve) => holder.on('close', resolve))
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    await expect(openHistory({ path }, {}, { waitMs: 200 })).rejects.toMatchObject({ code: 'history-locked', exit: 2 })
    const patient = openHistory({ path }, {}, { waitMs: 20_000 })
    holder.kill('SIGKILL')
    await ended
    const store = await patient
    await store.record(recordOf(nightOf(1)))
    expect(await store.list(10)).toHaveLength(1)
    await store.close()
  })
})

describe('the history in PostgreSQL', () => {
  test('without its variable, and where nobody listens, is an error without the address', async () => {
    await expect(openHistory({ connection: { env: 'NOT_SET' } }, {})).rejects.toMatchObject({ code: 'history-unset', exit: 4 })
    const env = { URL_OF_IT: 'postgres://user:s3cret@127.0.0.1:1/db' }
    const error = await openHistory({ connection: { env: 'URL_OF_IT' } }, env, { waitMs: 2_000 }).catch((e: unknown) => e as Error)
    expect(error).toMatchObject({ code: 'history-unreachable' })
    expect((error as Error).message).not.toContain('s3cret')
  })
})
