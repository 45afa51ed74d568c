import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import fc from 'fast-check'
import Papa from 'papaparse'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { flagFormats } from '../../src/contracts/pipeline.ts'
import { type FlagColumns, openRowWriter, type RowKind } from '../../src/report/flags.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'flags-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const names = {
  flags: ['id', 'shard', 'row', 'detector', 'rule', 'score', 'p_value', 'group', 'given_label', 'suggested_label'],
  scores: ['id', 'shard', 'row', 'detector', 'score', 'p_value', 'given_label', 'suggested_label'],
} as const

const batch: FlagColumns = {
  length: 4,
  id: ['007', null, '=1+1', 'naïve, "quoted"\n日本'],
  shard: 'part-0.csv#0+4',
  row: Uint32Array.of(0, 1, 2_147_483_648, 4_294_967_295),
  detector: 'label-flip',
  rule: ['label-flip/record', 'label-flip/record', 'label-flip/record', 'label-flip/source'],
  score: Float64Array.of(1, 0.1 + 0.2, Number.NaN, 1e-300),
  pValue: Float64Array.of(Number.NaN, 0, 1, 0.05),
  givenLabel: ['a', '', null, 'b'],
  suggestedLabel: ['b', 'b', 'b', null],
}
const expected = [
  ['007', 'part-0.csv#0+4', 0, 'label-flip', 'label-flip/record', 1, null, null, 'a', 'b'],
  [null, 'part-0.csv#0+4', 1, 'label-flip', 'label-flip/record', 0.1 + 0.2, 0, null, '', 'b'],
  ['=1+1', 'part-0.csv#0+4', 2_147_483_648, 'label-flip', 'label-flip/record', null, 1, null, null, 'b'],
  ['naïve, "quoted"\n日本', 'part-0.csv#0+4', 4_294_967_295, 'label-flip', 'label-flip/source', 1e-300, 0.05, null, 'b', null],
]

async function write(file: string, format: (typeof flagFormats)[number], kind: RowKind, batches: readonly FlagColumns[]): Promise<string> {
  const path = join(folder, file)
  const writer = await openRowWriter(path, format, kind)
  for (const one of batches) await writer.write(one)
  await writer.close()
  return path
}

async function readParquet(path: string): Promise<{ readonly columns: readonly string[]; readonly rows: readonly (readonly unknown[])[] }> {
  const connection = await (await DuckDBInstance.create(':memory:')).connect()
  const result = await connection.runAndReadAll(`select * from read_parquet('${path}')`)
  return { columns: result.columnNames(), rows: result.getRows() }
}

describe('parquet', () => {
  test('is read by another implementation as it was written', async () => {
    const { columns, rows } = await readParquet(await write('a.parquet', 'parquet', 'flags', [batch]))
    expect(columns).toEqual(names.flags)
    expect(rows).toEqual(expected)
  })

  test('scores have no rule and no group', async () => {
    const { columns, rows } = await readParquet(await write('b.parquet', 'parquet', 'scores', [batch]))
    expect(columns).toEqual(names.scores)
    expect(rows[3]).toEqual(['naïve, "quoted"\n日本', 'part-0.csv#0+4', 4_294_967_295, 'label-flip', 1e-300, 0.05, 'b', null])
  })

  test('no rows at all', async () => {
    const { columns, rows } = await readParquet(await write('c.parquet', 'parquet', 'flags', []))
    expect([columns, rows]).toEqual([names.flags, []])
  })

  test('any split into batches and row groups gives the same rows', async () => {
    const total = 230_001
    const row = Uint32Array.from({ length: total }, (_, i) => i)
    const score = Float64Array.from(row, (i) => (i % 7 === 0 ? Number.NaN : i / total))
    const id = Array.from(row, (i) => `id-${i}`)
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: total - 1 }), { maxLength: 6 }), async (cuts) => {
        const edges = [0, ...[...new Set(cuts)].sort((a, b) => a - b), total]
        const batches = edges.slice(1).map((to, i): FlagColumns => {
          const from = edges[i] as number
          return {
            length: to - from,
            id: id.slice(from, to),
            shard: 's',
            row: row.subarray(from, to),
            detector: 'd',
            score: score.subarray(from, to),
          }
        })
        const path = await write(`split-${run++}.parquet`, 'parquet', 'scores', batches)
        const connection = await (await DuckDBInstance.create(':memory:')).connect()
        const result = await connection.runAndReadAll(
          `select count(*)::int, count(score)::int, sum(row)::double, count(distinct id)::int, bool_and(id = 'id-' || row) from read_parquet('${path}')`,
        )
        expect(result.getRows()).toEqual([[total, total - Math.ceil(total / 7), (total * (total - 1)) / 2, total, true]])
      }),
      { numRuns: 4 },
    )
  })
})

describe('text formats', () => {
  test('JSON Lines keep every value', async () => {
    const lines = (await readFile(await write('a.jsonl', 'jsonl', 'flags', [batch]), 'utf8')).trimEnd().split('\n')
    const rows = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(rows.map((r) => Object.keys(r))).toEqual(rows.map(() => names.flags))
    expect(rows.map((r) => Object.values(r))).toEqual(expected)
  })

  test('CSV has a header, empty fields for null, and no formulas', async () => {
    const { data } = Papa.parse<string[]>(
      (await readFile(await write('a.csv', 'csv', 'flags', [batch, { ...batch, length: 0 }]), 'utf8')).trimEnd(),
    )
    expect(data[0]).toEqual(names.flags)
    const text = expected.map((r) => r.map((v) => (v === null ? '' : String(v))))
    ;(text[2] as string[])[0] = "'=1+1"
    expect(data.slice(1)).toEqual(text)
  })
})

describe.each(flagFormats)('%s file', (format) => {
  const inFolder = async (): Promise<readonly string[]> => (await readdir(folder)).filter((f) => f.startsWith('whole'))

  test('has its name only when it is whole', async () => {
    const path = join(folder, `whole.${format}`)
    const writer = await openRowWriter(path, format, 'flags')
    await writer.write(batch)
    expect(await inFolder()).not.toContain(`whole.${format}`)
    await writer.close()
    expect(await inFolder()).toEqual([`whole.${format}`])
    await rm(path)
  })

  test('leaves nothing behind when abandoned', async () => {
    const writer = await openRowWriter(join(folder, `whole.${format}`), format, 'flags')
    await writer.write(batch)
    await writer.abandon()
    expect(await inFolder()).toEqual([])
  })

  test('says which path cannot be written', async () => {
    const path = join(folder, 'no', 'such', `folder.${format}`)
    await expect(openRowWriter(path, format, 'flags')).rejects.toMatchObject({ code: 'unwritable', exit: 2, place: { file: path } })
  })
})
