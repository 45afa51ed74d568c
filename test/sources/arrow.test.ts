import {
  Binary,
  Bool,
  CompressionType,
  compressionRegistry,
  DateDay,
  Decimal,
  Dictionary,
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  Int16,
  Int32,
  Int64,
  LargeUtf8,
  List,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Struct,
  Table,
  TimestampMillisecond,
  tableToIPC,
  Utf8,
  Utf8View,
  vectorFromArray,
} from 'apache-arrow'
import { describe, expect, test } from 'vitest'
import type { ColumnMap } from '../../src/contracts/data.ts'
import { decodeLz4Frame } from '../../src/math/lz4.ts'
import { folder, load, refusal } from './make.ts'

const { dir, put } = folder()
let files = 0

const read = (bytes: Uint8Array, columns: ColumnMap) => load({ path: put(`f${files++}.arrow`, bytes), columns }, dir)

const item = (type: Float32 | Float64 | Int16 | Float16) => new Field('item', type, true)

const table = new Table({
  id: vectorFromArray(['007', 'b', null], new Utf8()),
  label: vectorFromArray(['x', null, 'y'], new Dictionary(new Utf8(), new Int32())),
  fixed: vectorFromArray(
    [
      [1, 2],
      [3, 4.5],
      [5, 6],
    ],
    new FixedSizeList(2, item(new Float32())),
  ),
  list: vectorFromArray([[1, 2, 3], [4, 5, 6], null], new List(item(new Float64()))),
  small: vectorFromArray([[1], [2], [3]], new List(item(new Int16()))),
  half: vectorFromArray([[0.5], [1], [2]], new FixedSizeList(1, item(new Float16()))),
  big: vectorFromArray([9007199254740993n, -1n, 0n], new Int64()),
  flag: vectorFromArray([true, false, null], new Bool()),
  day: vectorFromArray([new Date('2026-01-02'), null, new Date(0)], new DateDay()),
  moment: vectorFromArray([new Date('2026-01-02T03:04:05Z'), null, new Date(0)], new TimestampMillisecond()),
  large: vectorFromArray(['ä€😀', '', 'z'], new LargeUtf8()),
  view: vectorFromArray(['short', 'longer than twelve bytes', null], new Utf8View()),
  meta: vectorFromArray(
    [{ site: 'a', n: 1 }, { site: 'b', n: 2 }, null],
    new Struct([new Field('site', new Utf8(), true), new Field('n', new Float64(), true)]),
  ),
})

describe.each(['file', 'stream'] as const)('Arrow IPC %s', (form) => {
  const bytes = tableToIPC(table, form)
  test.each<[string, unknown[]]>([
    ['id', ['007', 'b', null]],
    ['label', ['x', null, 'y']],
    ['big', ['9007199254740993', '-1', '0']],
    ['flag', ['true', 'false', null]],
    ['day', ['2026-01-02T00:00:00.000Z', null, '1970-01-01T00:00:00.000Z']],
    ['moment', ['2026-01-02T03:04:05.000Z', null, '1970-01-01T00:00:00.000Z']],
    ['large', ['ä€😀', null, 'z']],
    ['view', ['short', 'longer than twelve bytes', null]],
    ['meta.site', ['a', 'b', null]],
    ['meta.n', ['1', '2', null]],
  ])('%s as a label', async (column, expected) => {
    const { rows, errors } = await read(bytes, { label: column })
    expect(errors).toEqual([])
    expect(rows.map((r) => r.label)).toEqual(expected)
  })

  test('vectors of every kind', async () => {
    const fixed = await read(bytes, { embedding: 'fixed', predictions: 'small', features: 'meta.n' })
    expect(fixed.rows).toEqual([
      { row: 0, embedding: [1, 2], predictions: [1], features: [1] },
      { row: 1, embedding: [3, 4.5], predictions: [2], features: [2] },
      { row: 2, embedding: [5, 6], predictions: [3], features: [Number.NaN] },
    ])
    const list = await read(bytes, { embedding: 'list', predictions: 'half' })
    expect(list.rows.map((r) => [r.embedding, r.predictions])).toEqual([
      [[1, 2, 3], [0.5]],
      [[4, 5, 6], [1]],
    ])
    expect(list.issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['missing-value', 2, true]])
  })

  test('declared rows and cut-off files', async () => {
    const { listing } = await read(bytes, { id: 'id' })
    expect(listing.shards.map((s) => s.expectedRows)).toEqual([3])
    const cut = put(`cut${files++}.arrow`, bytes.subarray(0, bytes.length - 400))
    const error = await refusal({ path: cut, columns: { id: 'id' } }, dir)
    expect([error.code, error.exit]).toEqual(['truncated', 2])
  })

  test('many record batches: shards of at least 131,072 rows, dictionaries that grow', async () => {
    const writer = form === 'file' ? new RecordBatchFileWriter() : new RecordBatchStreamWriter()
    const n = 30
    const size = 10_000
    for (let k = 0; k < n; k++) {
      const first = k * size
      const part = new Table({
        id: vectorFromArray(
          Array.from({ length: size }, (_, i) => first + i),
          new Int32(),
        ),
      })
      for (const batch of part.batches) writer.write(batch)
    }
    writer.finish()
    const { listing, rows, batches } = await read(writer.toUint8Array(true), { id: 'id' })
    expect(listing.shards.map((s) => s.expectedRows)).toEqual([140_000, 140_000, 20_000])
    expect(rows.every((r, i) => r.row === i && r.id === String(i))).toBe(true)
    expect(Math.max(...batches)).toBeLessThanOrEqual(4096)
  })

  test('bytes that are not UTF-8 are found, not replaced', async () => {
    const raw = Buffer.from(tableToIPC(new Table({ id: vectorFromArray(['good', 'ABCDEFGH', 'fine'], new Utf8()) }), form))
    raw[raw.indexOf('ABCDEFGH') + 3] = 0xff
    const { rows, issues } = await read(raw, { id: 'id' })
    expect(rows.map((r) => r.id)).toEqual(['good', 'fine'])
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['invalid-utf8', 1, true]])
  })
})

test('decimals: exact as text, as numbers where a double holds them', async () => {
  const words = (n: bigint) => Uint32Array.from({ length: 4 }, (_, i) => Number(BigInt.asUintN(32, n >> BigInt(32 * i))))
  const values = [1250n, -700n, 5n]
  const t = new Table({
    price: vectorFromArray(values.map(words), new Decimal(2, 10)),
    long: vectorFromArray(
      values.map((v) => words(v * 10n ** 20n + 1n)),
      new Decimal(2, 30),
    ),
  })
  const { rows } = await read(tableToIPC(t, 'stream'), { label: 'price', id: 'long' })
  expect(rows.map((r) => [r.label, r.id])).toEqual([
    ['12.5', '1250000000000000000000.01'],
    ['-7', '-699999999999999999999.99'],
    ['0.05', '5000000000000000000.01'],
  ])
})

test('encoded images in a binary column', async () => {
  const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1)
  const t = new Table({ png: vectorFromArray([png, Uint8Array.of(1, 2, 3), new Uint8Array(0), null], new Binary()) })
  const { rows, issues } = await read(tableToIPC(t, 'stream'), { image: 'png' })
  expect(rows).toEqual([{ row: 0, image: png }])
  expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([1, 2, 3].map((row) => ['undecodable-image', row, true]))
})

describe('LZ4', () => {
  /** One frame of stored blocks: the simplest encoder that is valid. */
  const encode = (data: Uint8Array): Uint8Array => {
    const head = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
    const size = Buffer.alloc(4)
    size.writeUInt32LE((data.length | 0x80000000) >>> 0)
    return Buffer.concat([head, size, data, Buffer.alloc(4)])
  }

  test('buffers of a compressed batch', async () => {
    compressionRegistry.set(CompressionType.LZ4_FRAME, { encode, decode: decodeLz4Frame })
    const writer = new RecordBatchFileWriter({ compressionType: CompressionType.LZ4_FRAME })
    const id = Array.from({ length: 500 }, (_, i) => `record ${i}`)
    for (const batch of new Table({ id: vectorFromArray(id, new Utf8()) }).batches) writer.write(batch)
    writer.finish()
    const { rows } = await read(writer.toUint8Array(true), { id: 'id' })
    expect(rows.map((r) => r.id)).toEqual(id)
  })

  test('matches that overlap, long lengths, linked blocks', () => {
    // literal "ab", then 300 bytes from 2 back: token 15 for the match, 300 - 4 - 15 = 281 = 255 + 26; then literal "c"
    const block = Uint8Array.of(0x2f, 97, 98, 2, 0, 255, 26, 0x10, 99)
    const second = Uint8Array.of(0x00, 1, 0, 0x10, 100)
    const size = (n: number) => Uint8Array.of(n, 0, 0, 0)
    const frame = Buffer.concat([
      Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0),
      size(block.length),
      block,
      size(second.length),
      second,
      size(0),
    ])
    expect(Buffer.from(decodeLz4Frame(frame)).toString()).toBe(`${'ab'.repeat(151)}ccccc${'d'}`)
  })

  test.each<[string, number[]]>([
    ['no frame', [1, 2, 3, 4, 5, 6, 7]],
    ['a block beyond the end', [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 200, 0, 0, 0, 1]],
    ['an offset before the start', [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 5, 0, 0, 0, 0x10, 97, 9, 0, 0x00, 0, 0, 0, 0]],
    ['no end mark', [0x04, 0x22, 0x4d, 0x18, 0x40, 0x40, 0xc0, 2, 0, 0, 0, 0x10, 97]],
  ])('%s is refused', (_, bytes) => {
    expect(() => decodeLz4Frame(Uint8Array.from(bytes))).toThrow(/damaged LZ4/)
  })
})
