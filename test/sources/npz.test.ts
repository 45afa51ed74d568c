import { describe, expect, test } from 'vitest'
import { folder, load, npyBytes, refusal, unicodeItems, zipBytes } from './make.ts'

const { dir, put } = folder()
let files = 0
const npz = (members: Record<string, Uint8Array>, how: 'stored' | 'deflated' = 'deflated'): string =>
  put(`a${files++}.npz`, zipBytes(members, how))

const images = npyBytes(
  '|u1',
  [4, 2, 2],
  Uint8Array.from({ length: 16 }, (_, i) => i),
)
const labels = npyBytes('<i8', [4, 1], BigInt64Array.of(1n, 0n, 1n, 1n))

describe('archives that are read', () => {
  test.each(['stored', 'deflated'] as const)('members by role, %s', async (how) => {
    const path = npz({ 'train_images.npy': images, 'train_labels.npy': labels, 'readme.txt': new Uint8Array(3) }, how)
    const { rows, listing } = await load(
      { path, arrays: { image: 'train_images', label: 'train_labels.npy' }, classes: ['normal', 'ill'] },
      dir,
    )
    expect(rows.map((r) => [r.row, r.label, r.image])).toEqual([
      [0, 'ill', [0, 1, 2, 3]],
      [1, 'normal', [4, 5, 6, 7]],
      [2, 'ill', [8, 9, 10, 11]],
      [3, 'ill', [12, 13, 14, 15]],
    ])
    expect(listing.shards.map((s) => [s.expectedRows, s.format])).toEqual([[4, 'npz']])
    expect(listing.guessed).toBe(false)
  })

  test('splits become shards of their own where the roles are guessed', async () => {
    const path = npz({
      'train_images.npy': images,
      'train_labels.npy': labels,
      'test_images.npy': npyBytes('|u1', [1, 2, 2], Uint8Array.of(9, 9, 9, 9)),
      'test_labels.npy': npyBytes('<i8', [1, 1], BigInt64Array.of(0n)),
    })
    const { rows, listing } = await load({ path }, dir)
    expect(listing.roles).toEqual(['label', 'image'])
    expect(listing.shards.map((s) => [s.id.split('#')[1], s.expectedRows])).toEqual([
      ['train', 4],
      ['test', 1],
    ])
    expect(rows).toHaveLength(5)
  })

  test('X and y', async () => {
    const path = npz({
      'X.npy': npyBytes('<f4', [2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)),
      'y.npy': npyBytes('<U2', [2], unicodeItems(['ab', 'c'], 2)),
    })
    const { rows } = await load({ path }, dir)
    expect(rows).toEqual([
      { row: 0, label: 'ab', embedding: [1, 2, 3] },
      { row: 1, label: 'c', embedding: [4, 5, 6] },
    ])
  })

  test('Fortran order', async () => {
    const path = npz({ 'x.npy': npyBytes('<f8', [3, 2], Float64Array.of(1, 2, 3, 10, 20, 30), true) })
    const { rows } = await load({ path, arrays: { embedding: 'x' } }, dir)
    expect(rows.map((r) => r.embedding)).toEqual([
      [1, 10],
      [2, 20],
      [3, 30],
    ])
  })

  test('members larger than the pieces that are read, in batches', async () => {
    const n = 30_000
    const path = npz({
      'x.npy': npyBytes(
        '<f8',
        [n, 4],
        Float64Array.from({ length: n * 4 }, (_, i) => i),
      ),
    })
    const { rows, batches } = await load({ path, arrays: { embedding: 'x' } }, dir)
    expect(rows).toHaveLength(n)
    expect(rows.every((r, i) => (r.embedding as number[])[0] === 4 * i)).toBe(true)
    expect(Math.max(...batches)).toBe(4096)
  })
})

describe('archives that are refused', () => {
  const good = zipBytes(
    {
      'x.npy': npyBytes(
        '<f8',
        [2000, 2],
        new Float64Array(4000).map((_, i) => Math.sin(i)),
      ),
    },
    'stored',
  )
  const flip = (at: number): Uint8Array => {
    const bytes = Uint8Array.from(good)
    bytes[at] = (bytes[at] as number) ^ 1
    return bytes
  }

  test('a flipped bit in a stored member is found by its checksum', async () => {
    const { errors } = await load({ path: put('flip.npz', flip(900)), arrays: { embedding: 'x' } }, dir)
    expect(errors.map((e) => [e.code, e.exit])).toEqual([['corrupt', 2]])
    expect(errors[0]?.message).toContain('checksum')
  })

  test.each<[string, Uint8Array, string, number]>([
    ['cut off', good.subarray(0, good.length - 30), 'truncated', 2],
    ['cut in half', good.subarray(0, good.length / 2), 'truncated', 2],
    ['no arrays', zipBytes({ 'a.txt': new Uint8Array(1) }), 'empty', 4],
    ['Python objects', zipBytes({ 'x.npy': npyBytes('|O', [1], new Uint8Array(8)) }), 'unsafe', 2],
    ['a member shorter than its header says', zipBytes({ 'x.npy': npyBytes('<f8', [100], new Float64Array(50)) }), 'corrupt', 2],
  ])('%s', async (_, bytes, code, exit) => {
    const error = await refusal({ path: put(`bad${files++}.npz`, bytes) }, dir)
    expect([error.code, error.exit]).toEqual([code, exit])
  })

  test('a member that grows a thousandfold', async () => {
    const bomb = zipBytes({ 'x.npy': npyBytes('<f8', [2 ** 20, 10], new Float64Array(10 * 2 ** 20)) })
    const error = await refusal({ path: put('bomb.npz', bomb) }, dir)
    expect([error.code, error.exit]).toEqual(['expands-too-much', 2])
  })

  test('members of different lengths', async () => {
    const path = npz({ 'x.npy': npyBytes('<f4', [2, 2], new Float32Array(4)), 'y.npy': npyBytes('|u1', [3], new Uint8Array(3)) })
    const error = await refusal({ path, arrays: { embedding: 'x', label: 'y' } }, dir)
    expect([error.code, error.exit]).toEqual(['row-count', 2])
  })

  test('a member that is not there', async () => {
    const error = await refusal({ path: npz({ 'train_labels.npy': labels }), arrays: { label: 'train_label' } }, dir)
    expect([error.code, error.exit]).toEqual(['unknown-column', 4])
    expect(error.hint).toContain('train_labels')
  })
})
