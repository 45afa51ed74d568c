import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, onTestFinished, test } from 'vitest'
import { flagFormats } from '../../src/contracts/pipeline.ts'
import type { RecordChange, RecordLocation } from '../../src/contracts/snapshot.ts'
import { openChangeWriter } from '../../src/report/changes.ts'

const place = (row: number, part: Partial<RecordLocation> = {}): RecordLocation => ({
  id: `r-${row}`,
  shard: 'a.csv',
  row,
  label: 'normal',
  source: null,
  time: Date.UTC(2026, 10, 24),
  ...part,
})
const some: readonly RecordChange[] = [
  { kind: 'removed', before: place(7, { label: '=1+1' }), after: null },
  { kind: 'added', before: null, after: place(3_000_000_000, { id: null, source: 'site, 1', time: 1e300 }) },
  { kind: 'relabelled', before: place(1), after: place(2, { label: 'pneumonia' }) },
]

const folder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'changes-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}
async function read(path: string): Promise<unknown[][]> {
  const connection = await (await DuckDBInstance.create()).connect()
  const options = path.endsWith('.csv') ? `read_csv('${path}', header = true, all_varchar = true)` : `'${path}'`
  return (await connection.runAndReadAll(`select * from ${options}`)).getRowsJson()
}

test.each(flagFormats)('%s names every change with both sides', async (format) => {
  const path = join(await folder(), `changes.${format}`)
  const writer = await openChangeWriter(path, format)
  for (const change of some) writer.add(change)
  await writer.close()
  const rows = (await read(path)).map((row) => row.map((v) => (v === null ? null : String(v))))
  const iso = '2026-11-24T00:00:00.000Z'
  const times = (row: readonly (string | null)[]) => row.map((v) => (v?.startsWith('2026-11-24') ? iso : v))
  expect(rows.map(times)).toEqual([
    ['removed', 'r-7', 'a.csv', '7', format === 'csv' ? "'=1+1" : '=1+1', null, iso, null, null, null, null, null, null],
    ['added', null, null, null, null, null, null, null, 'a.csv', '3000000000', 'normal', 'site, 1', null],
    ['relabelled', 'r-1', 'a.csv', '1', 'normal', null, iso, 'r-2', 'a.csv', '2', 'pneumonia', null, iso],
  ])
})

test('many changes, none lost, in their order; no change makes an empty table', async () => {
  const base = await folder()
  const writer = await openChangeWriter(join(base, 'c.parquet'), 'parquet')
  for (let i = 0; i < 250_001; i++) writer.add({ kind: 'edited', before: place(i), after: place(i) })
  await writer.close()
  const connection = await (await DuckDBInstance.create()).connect()
  const sums = await connection.runAndReadAll(
    `select count(*)::int, sum(row_before)::bigint::text, min(row_after)::int from '${base}/c.parquet'`,
  )
  expect(sums.getRowsJson()).toEqual([[250_001, String((250_000 * 250_001) / 2), 0]])
  const none = await openChangeWriter(join(base, 'none.csv'), 'csv')
  await none.close()
  expect((await readFile(join(base, 'none.csv'), 'utf8')).split('\n')).toHaveLength(2)
})

test('what cannot be written is an error of its own, and leaves nothing', async () => {
  await expect(openChangeWriter('/no/such/folder/c.csv', 'csv')).rejects.toMatchObject({ code: 'unwritable', exit: 2 })
  const base = await folder()
  const writer = await openChangeWriter(join(base, 'c.jsonl'), 'jsonl')
  writer.add(some[0] as RecordChange)
  await writer.abandon()
  expect(await readdir(base)).toEqual([])
})
