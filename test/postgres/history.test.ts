import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Night } from '../../src/contracts/history.ts'
import { openHistory, type RecordedRun } from '../../src/history/store.ts'
import { type Postgres, startPostgres } from './server.ts'

let server: Postgres

beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server?.destroy())

const spec = { connection: { env: 'HISTORY' } } as const
const open = (url = server.url()) => openHistory(spec, { HISTORY: url }, { waitMs: 5_000 })
const nightOf = (i: number): Night => ({
  run: `run-${i}`,
  startedAt: `2026-01-${String(i + 1).padStart(2, '0')}T02:00:00.000Z`,
  whole: true,
  fresh: i % 2 === 1,
  labels: [{ name: "a'; DROP TABLE assay_runs; --", count: 100 + i, flagged: 1 }],
  sources: [{ name: 'x', count: 150 + i, flagged: 1 }],
  changes: {
    before: `root-${i}`,
    after: `root-${i + 1}`,
    classes: [{ name: 'a', before: 100, relabelled: 2 }],
    sources: [],
    pairs: [{ from: 'a', to: 'b', count: 2 }],
  },
})
const recordOf = (night: Night, part: Partial<RecordedRun> = {}): RecordedRun => ({
  night,
  subject: 'store',
  digest: `digest ${night.run}`,
  verdict: 'failed',
  exitCode: 1,
  rows: 150,
  flagged: 1,
  tool: '0.1.0',
  plan: 'plan',
  findings: [{ fingerprint: 'f', rule: 'r/r', severity: 'high', status: 'open', scope: '[]', records: 3, message: 'm', p: null }],
  sensitivity: '{"rate":0.01}',
  ...part,
})

describe('the history in PostgreSQL', () => {
  test('twelve writers at once, each twice: every run once, and given back as it was', async () => {
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const store = await open()
        try {
          await store.record(recordOf(nightOf(i)))
          await store.record(recordOf(nightOf(i)))
        } finally {
          await store.close()
        }
      }),
    )
    const store = await open()
    expect(await store.nights('store', '')).toEqual(Array.from({ length: 12 }, (_, i) => nightOf(i)))
    expect((await store.list(100)).map((r) => r.findings)).toEqual(Array.from({ length: 12 }, () => 1))
    await store.close()
  })

  test('a server that stops between two steps is an error that says what stands, and nothing is half written', async () => {
    const store = await open()
    await server.stop()
    const error = await store.record(recordOf(nightOf(20))).catch((e: unknown) => e as Error)
    expect(error).toMatchObject({ code: 'history-unreadable', exit: 2 })
    expect((error as Error).message).not.toContain('owner-secret')
    await store.close()
    await server.start()
    const again = await open()
    expect((await again.list(100)).some((r) => r.run === 'run-20')).toBe(false)
    await again.record(recordOf(nightOf(20)))
    expect((await again.list(100))[0]?.run).toBe('run-20')
    await again.close()
  })

  test('a wrong password is told without the right one', async () => {
    const error = await open(server.url('owner', 'guessed')).catch((e: unknown) => e as Error)
    expect(error).toMatchObject({ code: 'history-unreachable', message: expect.not.stringContaining('guessed') })
  })
})
