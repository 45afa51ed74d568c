import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Dictionary, Field, FixedSizeList, Float32, Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow'
import fc from 'fast-check'
import Papa from 'papaparse'
import { describe, expect, test } from 'vitest'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { duckdb, folder, load, npyBytes, type Row, unicodeItems, zipBytes } from './make.ts'

const { dir, put } = folder()

interface Entry {
  readonly id: string
  readonly text: string
  readonly label: string
  readonly vec: readonly number[]
}

const word = (maxLength: number) =>
  fc.string({ unit: 'grapheme', minLength: 1, maxLength }).filter((s) => s.trim() !== '' && !s.includes('\0'))

const entries: fc.Arbitrary<Entry[]> = fc.uniqueArray(
  fc.record({
    id: word(12),
    text: fc.oneof(word(60), fc.constantFrom('a,b', 'say "no"', 'two\nlines', '\r\n', '"', ';|\t', 'null', '007')),
    label: fc.constantFrom('cat', 'ärger', '0', 'two words', 'True'),
    vec: fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 3, maxLength: 3 }),
  }),
  { minLength: 1, maxLength: 60, selector: (e) => e.id },
)

const columns = { id: 'id', text: 'text', label: 'label', embedding: 'vec' }

type Writer = (data: readonly Entry[]) => Promise<SourceSpec>

const jsonl = (data: readonly Entry[]): string => data.map((e) => JSON.stringify(e)).join('\n')

const writers: Record<string, Writer> = {
  csv: async (data) => {
    const rows = data.map((e) => [e.id, e.text, ...e.vec.map(String), e.label])
    const path = put('r.csv', Papa.unparse([['id', 'text', 'v0', 'v1', 'v2', 'label'], ...rows], { newline: '\n' }))
    return { path, columns: { ...columns, embedding: ['v0', 'v1', 'v2'] } }
  },
  'tsv with lists': async (data) => {
    const rows = data.map((e) => [e.id, e.text, JSON.stringify(e.vec), e.label])
    const path = put('r.tsv', Papa.unparse([['id', 'text', 'vec', 'label'], ...rows], { newline: '\r\n', delimiter: '\t', quotes: true }))
    return { path, columns }
  },
  jsonl: async (data) => ({ path: put('r.jsonl', jsonl(data)), columns }),
  parquet: async (data) => {
    const from = put('r-parquet.jsonl', jsonl(data))
    const path = join(dir, 'r.parquet')
    const types = "{id: 'VARCHAR', text: 'VARCHAR', label: 'VARCHAR', vec: 'FLOAT[]'}"
    await duckdb([
      `COPY (SELECT * FROM read_json('${from}', format = 'newline_delimited', columns = ${types})) TO '${path}' (FORMAT parquet)`,
    ])
    return { path, columns }
  },
  ...Object.fromEntries(
    (['file', 'stream'] as const).map((form): [string, Writer] => [
      `arrow ${form}`,
      async (data) => {
        const table = new Table({
          id: vectorFromArray(
            data.map((e) => e.id),
            new Utf8(),
          ),
          text: vectorFromArray(
            data.map((e) => e.text),
            new Utf8(),
          ),
          label: vectorFromArray(
            data.map((e) => e.label),
            new Dictionary(new Utf8(), new Int32()),
          ),
          vec: vectorFromArray(
            data.map((e) => [...e.vec]),
            new FixedSizeList(3, new Field('item', new Float32(), false)),
          ),
        })
        return { path: put(`r-${form}.arrow`, tableToIPC(table, form)), columns }
      },
    ]),
  ),
}

const arrays = (data: readonly Entry[]) => ({
  'id.npy': npyBytes(
    '<U64',
    [data.length],
    unicodeItems(
      data.map((e) => e.id),
      64,
    ),
  ),
  'label.npy': npyBytes(
    '<U16',
    [data.length],
    unicodeItems(
      data.map((e) => e.label),
      16,
    ),
  ),
  'vec.npy': npyBytes('<f4', [data.length, 3], Float32Array.from(data.flatMap((e) => e.vec))),
})

const arrayWriters: Record<string, Writer> = {
  npy: async (data) => {
    for (const [name, bytes] of Object.entries(arrays(data))) writeFileSync(join(dir, name), bytes)
    return { arrays: { id: join(dir, 'id.npy'), label: join(dir, 'label.npy'), embedding: join(dir, 'vec.npy') } }
  },
  npz: async (data) => ({ path: put('r.npz', zipBytes(arrays(data))), arrays: { id: 'id', label: 'label', embedding: 'vec' } }),
}

const zero = (vec: readonly number[]): number[] => vec.map((v) => (v === 0 ? 0 : v))

async function check(write: Writer, withText: boolean): Promise<void> {
  await fc.assert(
    fc.asyncProperty(entries, async (data) => {
      const { rows, issues, errors } = await load(await write(data), dir)
      const expected: Row[] = data.map((e, row) => ({
        row,
        id: e.id,
        ...(withText ? { text: e.text } : {}),
        label: e.label,
        embedding: zero(e.vec),
      }))
      expect([issues, errors]).toEqual([[], []])
      expect(rows.map((r) => ({ ...r, embedding: zero(r.embedding as number[]) }))).toEqual(expected)
    }),
    { numRuns: 25 },
  )
}

describe('the same rows from every format', () => {
  test.each(Object.entries(writers))('%s', async (_, write) => check(write, true))
  test.each(Object.entries(arrayWriters))('%s', async (_, write) => check(write, false))
})
