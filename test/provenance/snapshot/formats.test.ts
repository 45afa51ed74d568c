import { createHash } from 'node:crypto'
import { join } from 'node:path'
import {
  Bool,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow'
import fc from 'fast-check'
import Papa from 'papaparse'
import { describe, expect, test } from 'vitest'
import type { SourceSpec } from '../../../src/contracts/data.ts'
import type { RecordSchema, SnapshotRoots } from '../../../src/contracts/snapshot.ts'
import { snapshotSources } from '../../../src/engine/snapshot.ts'
import { duckdb, folder, npyBytes, unicodeItems, zipBytes } from '../../sources/make.ts'

const { dir, put } = folder()

interface Entry {
  readonly id: string
  readonly text: string | null
  readonly label: string
  readonly count: bigint
  readonly dose: number | null
  readonly share: number
  readonly smoker: boolean
  readonly at: Date
  readonly vec: readonly number[]
  readonly scores: readonly number[]
}

const schema: RecordSchema = {
  columns: {
    text: 'text',
    count: 'int64',
    dose: 'float64',
    share: 'float32',
    smoker: 'bool',
    at: 'timestamp',
    vec: 'float32[3]',
    scores: 'int64[]',
  },
  nulls: ['NA'],
}
const columns = { id: 'id', label: 'label' }

const word = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 14 }).filter((s) => s.trim() !== '' && !s.includes('\0'))
const entries: fc.Arbitrary<Entry[]> = fc.uniqueArray(
  fc.record({
    id: fc.oneof(word, fc.constantFrom('007', '7', '1e3', 'null')),
    text: fc.oneof(word, fc.constantFrom('a,b', 'say "no"', 'two\nlines', '1', 'NA', 'true', null)),
    label: fc.constantFrom('cat', 'ärger', '0', '1', 'two words'),
    count: fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -5n, max: 300n })),
    dose: fc.oneof(fc.double({ noDefaultInfinity: true, noNaN: true }), fc.integer({ min: -9, max: 9 }), fc.constantFrom(-0, null)),
    share: fc.float({ noDefaultInfinity: true, noNaN: true }),
    smoker: fc.boolean(),
    at: fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
    vec: fc.array(fc.float({ noDefaultInfinity: true, noNaN: true }), { minLength: 3, maxLength: 3 }),
    scores: fc.array(fc.integer({ min: -300, max: 70_000 }), { maxLength: 4 }),
  }),
  { minLength: 1, maxLength: 25, selector: (e) => e.id },
)

type Writer = (data: readonly Entry[]) => Promise<SourceSpec>

/** JSON with numbers of any size as they are. */
const json = (e: Entry): string => {
  const { count, ...rest } = e
  return `${JSON.stringify({ ...rest, share: Number(e.share) }).slice(0, -1)},"count":${count}}`
}

const cells = (e: Entry): readonly unknown[] => [
  e.id,
  e.text,
  e.label,
  String(e.count),
  e.dose === null ? 'NA' : String(e.dose),
  String(e.share),
  e.smoker ? 'True' : 'false',
  e.at.toISOString().replace('T', ' ').replace('Z', '+00:00'),
  JSON.stringify(e.vec),
  JSON.stringify(e.scores),
]
const header = ['id', 'text', 'label', 'count', 'dose', 'share', 'smoker', 'at', 'vec', 'scores']

const writers: Record<string, Writer> = {
  csv: async (data) => ({ path: put('r.csv', Papa.unparse([header, ...data.map(cells)], { newline: '\n', quotes: true })), columns }),
  jsonl: async (data) => ({ path: put('r.jsonl', [...data].reverse().map(json).join('\n')), columns }),
  parquet: async (data) => {
    const from = put('p.jsonl', data.map(json).join('\n'))
    const path = join(dir, 'r.parquet')
    const types =
      "{id: 'VARCHAR', text: 'VARCHAR', label: 'VARCHAR', count: 'BIGINT', dose: 'DOUBLE', share: 'FLOAT', smoker: 'BOOLEAN', \"at\": 'TIMESTAMP', vec: 'FLOAT[]', scores: 'INTEGER[]'}"
    await duckdb([
      `COPY (SELECT * FROM read_json('${from}', format = 'newline_delimited', columns = ${types})) TO '${path}' (FORMAT parquet)`,
    ])
    return { path, columns }
  },
  arrow: async (data) => {
    const of = <K extends keyof Entry>(k: K): Entry[K][] => data.map((e) => e[k])
    const table = new Table({
      scores: vectorFromArray(
        of('scores').map((s) => [...s]),
        new List(new Field('item', new Int32(), true)),
      ),
      vec: vectorFromArray(
        of('vec').map((v) => [...v]),
        new FixedSizeList(3, new Field('item', new Float32(), false)),
      ),
      at: vectorFromArray(of('at'), new TimestampMillisecond()),
      smoker: vectorFromArray(of('smoker'), new Bool()),
      share: vectorFromArray(of('share'), new Float32()),
      dose: vectorFromArray(of('dose'), new Float64()),
      count: vectorFromArray(of('count'), new Int64()),
      label: vectorFromArray(of('label'), new Dictionary(new Utf8(), new Int32())),
      text: vectorFromArray(of('text'), new Utf8()),
      id: vectorFromArray(of('id'), new Utf8()),
    })
    return { path: put('r.arrow', tableToIPC(table, 'file')), columns }
  },
}

let made = 0
async function rootsOf(spec: SourceSpec, given: RecordSchema | null = schema): Promise<SnapshotRoots> {
  const result = await snapshotSources([spec], dir, join(dir, `s${made++}`), {
    subject: { name: 'rows', version: null },
    now: new Date('2026-11-24T00:00:00Z'),
    workers: 1,
    hooks: { progress: () => {}, log: () => {} },
    schema: given,
  })
  expect([result.misfits, result.incomplete]).toEqual([[], []])
  return result.header.roots
}

const comparable = ({ records, key, content, label }: SnapshotRoots) => ({ records, key, content, label })

describe('the same rows under one schema', { timeout: 120_000 }, () => {
  test.each(Object.keys(writers).filter((n) => n !== 'csv'))('have one root as CSV and as %s', async (name) => {
    await fc.assert(
      fc.asyncProperty(entries, async (data) => {
        const csv = await rootsOf(await (writers.csv as Writer)(data))
        const other = await rootsOf(await (writers[name] as Writer)(data))
        expect(comparable(other)).toEqual(comparable(csv))
      }),
      { numRuns: name === 'parquet' ? 6 : 12 },
    )
  })

  test('have one root as CSV and as npz', async () => {
    await fc.assert(
      fc.asyncProperty(entries, async (data) => {
        const rows = data.map((e) => ({ ...e, dose: e.dose ?? 0 }))
        const arrays = {
          'id.npy': npyBytes(
            '<U64',
            [rows.length],
            unicodeItems(
              rows.map((e) => e.id),
              64,
            ),
          ),
          'label.npy': npyBytes(
            '<U16',
            [rows.length],
            unicodeItems(
              rows.map((e) => e.label),
              16,
            ),
          ),
          'count.npy': npyBytes(
            '<i8',
            [rows.length],
            BigInt64Array.from(rows, (e) => e.count),
          ),
          'dose.npy': npyBytes(
            '<f8',
            [rows.length],
            Float64Array.from(rows, (e) => e.dose),
          ),
          'smoker.npy': npyBytes(
            '|b1',
            [rows.length],
            Uint8Array.from(rows, (e) => Number(e.smoker)),
          ),
          'vec.npy': npyBytes('<f4', [rows.length, 3], Float32Array.from(rows.flatMap((e) => e.vec))),
        }
        const kept = ['id', 'label', 'count', 'dose', 'smoker', 'vec']
        const at = kept.map((n) => header.indexOf(n))
        const csv = Papa.unparse([kept, ...rows.map((e) => at.map((i) => cells(e)[i]))], { newline: '\r\n' })
        expect(comparable(await rootsOf({ path: put('a.npz', zipBytes(arrays)), columns }))).toEqual(
          comparable(await rootsOf({ path: put('a.csv', csv), columns })),
        )
      }),
      { numRuns: 10 },
    )
  })

  test('a value that is changed in any column changes the root', async () => {
    const [base] = fc.sample(entries, { numRuns: 1, seed: 7 }) as [Entry[]]
    const before = comparable(await rootsOf(await (writers.jsonl as Writer)(base)))
    const first = base[0] as Entry
    const edits: Partial<Entry>[] = [
      { text: `${first.text} ` },
      { count: first.count + 1n > 2n ** 63n - 1n ? first.count - 1n : first.count + 1n },
      { dose: (first.dose ?? 0) + 1e9 },
      { share: first.share === 1 ? 2 : 1 },
      { smoker: !first.smoker },
      { at: new Date(first.at.getTime() + 1) },
      { vec: [first.vec[0] === 5 ? 6 : 5, ...first.vec.slice(1)] },
      { scores: [...first.scores, 0] },
    ]
    for (const edit of edits) {
      const after = comparable(await rootsOf(await (writers.jsonl as Writer)([{ ...first, ...edit }, ...base.slice(1)])))
      expect([after.key, after.label, Object.keys(edit)]).toEqual([before.key, before.label, Object.keys(edit)])
      expect(after.content, Object.keys(edit)[0]).not.toBe(before.content)
      expect(after.records).not.toBe(before.records)
    }
    const relabelled = comparable(await rootsOf(await (writers.jsonl as Writer)([{ ...first, label: 'dog' }, ...base.slice(1)])))
    expect([relabelled.key, relabelled.content]).toEqual([before.key, before.content])
    expect(relabelled.label).not.toBe(before.label)
  })
})

test('the root of three known rows stays what it is', async () => {
  const path = put('known.csv', 'id,label,text\n1,a,one\n2,b,two\n3,a,drei ü\n')
  const { records } = await rootsOf({ path, columns }, null)
  const leaf = (id: string, content: string, label: string) => {
    const sha = (text: string) => createHash('sha256').update(text).digest()
    return Buffer.concat([sha(`i${id}`).subarray(0, 16), sha(`c${content}`).subarray(0, 24), sha(`l${label}`).subarray(0, 24)])
  }
  const leaves = [leaf('1', ';4:textt3:one', 't1:a'), leaf('2', ';4:textt3:two', 't1:b'), leaf('3', ';4:textt6:drei ü', 't1:a')]
  const buckets = Array.from({ length: 1024 }, (_, b) =>
    createHash('sha256')
      .update(Buffer.concat(leaves.filter((l) => l.readUInt16BE(0) >> 6 === b)))
      .digest(),
  )
  const fold = createHash('sha256').update(Buffer.concat(buckets)).digest('hex')
  const schemaDigest = createHash('sha256').update('{"columns":null,"nulls":[]}').digest('hex')
  const bound =
    `{"canonical":"assay-record-1","columns":{"id":"id","ignored":[],"label":"label"},"key":null,"labels":[["a",2],["b",1]],` +
    `"leaves":"${fold}","records":3,"schema":"${schemaDigest}"}`
  expect(records).toBe(createHash('sha256').update(bound).digest('hex'))
})
