import { describe, expect, test } from 'vitest'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { folder, load, npyBytes, refusal, unicodeItems } from './make.ts'

const { dir, put } = folder()
let files = 0
const npy = (descr: string, shape: number[], data: ArrayBufferView, fortran = false): string =>
  put(`a${files++}.npy`, npyBytes(descr, shape, data, fortran))

const swapped = (data: ArrayBufferView, width: 2 | 4 | 8): Buffer => {
  const bytes = Buffer.from(Buffer.from(data.buffer, data.byteOffset, data.byteLength))
  return width === 2 ? bytes.swap16() : width === 4 ? bytes.swap32() : bytes.swap64()
}

/** Round to nearest even, for values that binary16 holds exactly. */
const half = (values: readonly number[]): Uint16Array => Uint16Array.from(values, (v) => halves.get(v) ?? 0)
const halves = new Map([
  [0, 0],
  [0.5, 0x3800],
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [2 ** -24, 0x0001],
])

const values = [1, 0.5, -2, 0, 1, 65504]

describe('numbers', () => {
  test.each<[string, ArrayBufferView]>([
    ['<f2', half(values)],
    ['>f2', swapped(half(values), 2)],
    ['<f4', Float32Array.from(values)],
    ['>f4', swapped(Float32Array.from(values), 4)],
    ['<f8', Float64Array.from(values)],
    ['>f8', swapped(Float64Array.from(values), 8)],
    ['=f8', Float64Array.from(values)],
  ])('%s as an embedding', async (descr, data) => {
    const path = npy(descr, [3, 2], data)
    const { rows } = await load({ arrays: { embedding: path } }, dir)
    expect(rows.map((r) => r.embedding)).toEqual([values.slice(0, 2), values.slice(2, 4), values.slice(4)])
  })

  test.each<[string, ArrayBufferView]>([
    ['|i1', Int8Array.of(1, -2, 3)],
    ['<i2', Int16Array.of(1, -2, 3)],
    ['<i4', Int32Array.of(1, -2, 3)],
    ['<i8', BigInt64Array.of(1n, -2n, 3n)],
    ['>i8', swapped(BigInt64Array.of(1n, -2n, 3n), 8)],
    ['<f8', Float64Array.of(1, -2, 3)],
  ])('%s as labels', async (descr, data) => {
    const { rows } = await load({ arrays: { label: npy(descr, [3], data) } }, dir)
    expect(rows.map((r) => r.label)).toEqual(['1', '-2', '3'])
  })

  test.each<[string, ArrayBufferView]>([
    ['|u1', Uint8Array.of(0, 255)],
    ['<u2', Uint16Array.of(0, 255)],
    ['<u4', Uint32Array.of(0, 255)],
    ['<u8', BigUint64Array.of(0n, 255n)],
  ])('%s as labels', async (descr, data) => {
    const { rows } = await load({ arrays: { label: npy(descr, [2], data) } }, dir)
    expect(rows.map((r) => r.label)).toEqual(['0', '255'])
  })

  test('integers beyond 2^53 keep every digit', async () => {
    const ids = BigInt64Array.of(9007199254740993n, -1n)
    const { rows } = await load({ arrays: { id: npy('<i8', [2], ids) } }, dir)
    expect(rows.map((r) => r.id)).toEqual(['9007199254740993', '-1'])
  })

  test('booleans as labels and as features', async () => {
    const path = npy('|b1', [2], Uint8Array.of(1, 0))
    const { rows } = await load({ arrays: { label: path, features: npy('|b1', [2], Uint8Array.of(1, 0)) } }, dir)
    expect(rows).toEqual([
      { row: 0, label: 'true', features: [1] },
      { row: 1, label: 'false', features: [0] },
    ])
  })

  test('strings as labels and ids', async () => {
    const label = npy('<U4', [2], unicodeItems(['é😀', 'b'], 4))
    const id = npy('|S3', [2], Buffer.from('a\0\0b1\0', 'latin1'))
    const { rows } = await load({ arrays: { label, id } }, dir)
    expect(rows).toEqual([
      { row: 0, id: 'a', label: 'é😀' },
      { row: 1, id: 'b1', label: 'b' },
    ])
  })

  test('labels of shape N x 1', async () => {
    const { rows } = await load({ arrays: { label: npy('|u1', [2, 1], Uint8Array.of(3, 4)) } }, dir)
    expect(rows.map((r) => r.label)).toEqual(['3', '4'])
  })
})

describe('order and shape', () => {
  test('Fortran order, two axes', async () => {
    const { rows } = await load({ arrays: { embedding: npy('<f8', [3, 2], Float64Array.of(1, 2, 3, 10, 20, 30), true) } }, dir)
    expect(rows.map((r) => r.embedding)).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ])
  })

  test('Fortran order, images of three axes', async () => {
    const [n, h, w, c] = [3, 2, 4, 3]
    const fortran = new Uint8Array(n * h * w * c)
    const plain = new Uint8Array(n * h * w * c)
    for (let a = 0; a < n; a++)
      for (let i = 0; i < h; i++)
        for (let j = 0; j < w; j++)
          for (let k = 0; k < c; k++) {
            const v = a * 64 + i * 16 + j * 3 + k
            fortran[a + n * (i + h * (j + w * k))] = v
            plain[((a * h + i) * w + j) * c + k] = v
          }
    const one = await load({ arrays: { image: npy('|u1', [n, h, w, c], fortran, true) } }, dir)
    const two = await load({ arrays: { image: npy('|u1', [n, h, w, c], plain) } }, dir)
    expect(one.rows).toEqual(two.rows)
    expect(one.rows).toHaveLength(3)
  })

  test('images carry their height, width and channels', async () => {
    const path = npy('|u1', [2, 3, 5], new Uint8Array(30).fill(7))
    const { listing, rows } = await load({ path }, dir)
    expect(listing.roles).toEqual(['image'])
    expect(listing.guessed).toBe(true)
    expect(rows[0]?.image).toEqual(new Array(15).fill(7))
  })

  test('vectors of several axes are laid flat', async () => {
    const { rows } = await load({ arrays: { embedding: npy('<f4', [1, 2, 2], Float32Array.of(1, 2, 3, 4)) } }, dir)
    expect(rows[0]?.embedding).toEqual([1, 2, 3, 4])
  })

  test.each([false, true])('shards of 131,072 rows, batches of 4,096 (Fortran order: %s)', async (fortran) => {
    const n = 300_000
    const path = npy(
      '<f4',
      [n, 2],
      Float32Array.from({ length: 2 * n }, (_, i) => (fortran ? i % n : Math.floor(i / 2))),
      fortran,
    )
    const name = path.split('/').at(-1)
    const { listing, rows, batches } = await load({ arrays: { embedding: path } }, dir)
    expect(listing.shards.map((s) => [s.id, s.expectedRows])).toEqual([
      [`${name}#0+131072`, 131_072],
      [`${name}#131072+131072`, 131_072],
      [`${name}#262144+37856`, 37_856],
    ])
    expect(rows).toHaveLength(n)
    expect(rows.every((r, i) => r.row === i && (r.embedding as number[])[0] === i && (r.embedding as number[])[1] === i)).toBe(true)
    expect(Math.max(...batches)).toBe(4096)
  })
})

describe('rows that are reported', () => {
  test('vectors that are not finite are rejected, the others stay', async () => {
    const path = npy('<f4', [4, 2], Float32Array.of(1, 2, Number.NaN, 0, 3, Number.POSITIVE_INFINITY, 5, 6))
    const { rows, issues } = await load({ arrays: { embedding: path, label: npy('|u1', [4], Uint8Array.of(1, 2, 3, 4)) } }, dir)
    expect(rows).toEqual([
      { row: 0, label: '1', embedding: [1, 2] },
      { row: 3, label: '4', embedding: [5, 6] },
    ])
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([
      ['non-finite', 1, true],
      ['non-finite', 2, true],
    ])
  })

  test('NaN features are missing values', async () => {
    const { rows, issues } = await load({ arrays: { features: npy('<f8', [2, 2], Float64Array.of(1, Number.NaN, 3, 4)) } }, dir)
    expect(rows[0]?.features).toEqual([1, Number.NaN])
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['missing-value', 0, false]])
  })

  test('a NaN label is missing, an infinite one rejected', async () => {
    const { issues } = await load({ arrays: { label: npy('<f8', [3], Float64Array.of(1, Number.NaN, Number.POSITIVE_INFINITY)) } }, dir)
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([
      ['non-finite', 2, true],
      ['missing-label', 1, false],
    ])
  })

  test('strings that are no text', async () => {
    const surrogate = Uint32Array.of(0xd800, 97)
    const { issues } = await load({ arrays: { label: npy('<U1', [2], surrogate) } }, dir)
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['invalid-utf8', 0, true]])
    const bytes = await load({ arrays: { label: npy('|S1', [2], Uint8Array.of(0xff, 97)) } }, dir)
    expect(bytes.issues.map((i) => [i.code, i.row])).toEqual([['invalid-utf8', 0]])
  })
})

describe('files that are refused', () => {
  const good = npyBytes('<f8', [10, 2], new Float64Array(20))
  const header = (dict: string): Buffer => {
    const head = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${dict}\n`, 'latin1')
    head.writeUInt16LE(dict.length + 1, 8)
    return head
  }
  test.each<[string, Uint8Array, string, number]>([
    ['cut off in the data', good.subarray(0, good.length - 8), 'truncated', 2],
    ['cut off in the header', good.subarray(0, 40), 'truncated', 2],
    ['cut off in the magic', good.subarray(0, 7), 'truncated', 2],
    ['bytes after the data', Buffer.concat([good, Buffer.alloc(8)]), 'corrupt', 2],
    ['Python objects', Buffer.concat([header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), Buffer.alloc(8)]), 'unsafe', 2],
    ['structured', header("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }"), 'unsupported', 2],
    ['complex', header("{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }"), 'unsupported', 2],
    ['dates', header("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,), }"), 'unsupported', 2],
    ['a header with code in it', header("{'descr': __import__('os').system('x'), 'fortran_order': False, 'shape': (1,), }"), 'corrupt', 2],
    ['an impossible shape', header("{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999999999, 9999999), }"), 'corrupt', 2],
    ['a shape larger than the file', header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000, 100), }"), 'truncated', 2],
    ['rows of no width', header("{'descr': '<f8', 'fortran_order': False, 'shape': (5, 0), }"), 'corrupt', 2],
    [
      'a single value',
      Buffer.concat([header("{'descr': '<f8', 'fortran_order': False, 'shape': (), }"), Buffer.alloc(8)]),
      'unsupported',
      2,
    ],
    ['no rows', npyBytes('<f8', [0, 2], new Float64Array(0)), 'empty', 4],
    ['a future version', Buffer.concat([Buffer.from('\x93NUMPY\x09\x00', 'latin1'), good.subarray(8)]), 'unsupported', 2],
    ['an empty file', new Uint8Array(0), 'empty', 4],
  ])('%s', async (_, bytes, code, exit) => {
    const error = await refusal({ path: put(`bad${files++}.npy`, bytes), columns: { embedding: `bad${files - 1}.npy` } }, dir)
    expect([error.code, error.exit]).toEqual([code, exit])
  })

  test('arrays of different lengths', async () => {
    const arrays = { label: npy('|u1', [3], new Uint8Array(3)), embedding: npy('<f4', [2, 2], new Float32Array(4)) }
    const error = await refusal({ arrays }, dir)
    expect([error.code, error.exit]).toEqual(['row-count', 2])
    expect(error.message).toContain('has 2 rows')
  })

  test.each<[string, SourceSpec['arrays'] & object, string]>([
    ['images that are no bytes', { image: npy('<f4', [2, 3, 3], new Float32Array(18)) }, 'wrong-type'],
    ['words as an embedding', { embedding: npy('<U1', [2], unicodeItems(['a', 'b'], 1)) }, 'wrong-type'],
    ['a CSV among the arrays', { label: put('l.csv', 'a,b\n1,2\n') }, 'invalid-spec'],
    ['a path that is not there', { label: 'nothing.npy' }, 'not-found'],
  ])('%s', async (_, arrays, code) => {
    const error = await refusal({ arrays }, dir)
    expect([error.code, error.exit]).toEqual([code, 4])
  })
})

test('several arrays given together are read side by side where their names and shapes tell the roles', async () => {
  const probabilities = put('model.pred_probs.npy', npyBytes('<f8', [3, 2], Float64Array.of(0.5, 0.5, 0.25, 0.75, 1, 0)))
  const labels = put('given_labels.npy', npyBytes('|u1', [3], Uint8Array.of(1, 0, 1)))
  const { listing, rows } = await load({ path: [probabilities, labels] }, dir)
  expect(listing.guessed).toBe(true)
  expect(listing.roles).toEqual(['label', 'predictions'])
  expect(rows[1]).toEqual({ row: 1, label: '0', predictions: [0.25, 0.75] })
})
