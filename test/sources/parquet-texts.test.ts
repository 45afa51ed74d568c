import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Cells } from '../../src/contracts/chunk.ts'
import { cellAt } from '../../src/sources/cells.ts'
import { listSources } from '../../src/sources/list.ts'
import { readShard } from '../../src/sources/read.ts'
import { duckdb, folder } from './make.ts'

const { dir, put } = folder()

const text = fc.oneof(
  fc.constantFrom(
    '\ufeffmark',
    'twelve bytes',
    'thirteen byte',
    'zwölf byte',
    'dreizehn byte',
    'ß'.repeat(6),
    'ß'.repeat(7),
    '\u{1f600}'.repeat(3),
  ),
  fc.string({ maxLength: 40 }).filter((s) => !s.includes('\0')),
  fc.string({ unit: 'grapheme', maxLength: 30 }).filter((s) => !s.includes('\0')),
  fc.constantFrom('one of few long words, again and again', 'another of few long words'),
  fc.integer({ min: 100, max: 40_000 }).map((n) => 'long '.repeat(n / 5)),
  fc.constant(null),
)

describe('texts of Parquet', { timeout: 120_000 }, () => {
  test.each([
    ['plain', ', DICTIONARY_SIZE_LIMIT 1'],
    ['dictionary', ''],
    ['delta', ', DICTIONARY_SIZE_LIMIT 1, PARQUET_VERSION v2'],
  ])('%s pages give back what was written', async (name, how) => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 120 }), fc.integer({ min: 1, max: 40 }), async (texts, times) => {
        const rows = Array.from({ length: texts.length * times }, (_, i) => ({
          id: `row number ${i}`,
          text: texts[i % texts.length] ?? null,
        }))
        const from = put('t.jsonl', rows.map((r) => JSON.stringify(r)).join('\n'))
        const path = join(dir, `${name}.parquet`)
        await duckdb([
          `COPY (SELECT * FROM read_json('${from}', format = 'newline_delimited', columns = {id: 'VARCHAR', text: 'VARCHAR'})) TO '${path}' (FORMAT parquet${how})`,
        ])
        const listing = await listSources([{ path, columns: { id: 'id', text: 'text' } }], dir, { everyColumn: true, tapOnly: true })
        const read: unknown[] = []
        for (const shard of listing.shards)
          for await (const _ of readShard(
            shard,
            (issue) => expect.fail(JSON.stringify(issue)),
            (chunk) => {
              const at = (name: string, i: number) => cellAt(chunk.columns.get(name) as Cells, i)
              for (let i = 0; i < chunk.rows.length; i++) read.push({ id: at('id', i), text: at('text', i) })
            },
          ));
        expect(read).toEqual(rows)
      }),
      { numRuns: 8 },
    )
  })
})
