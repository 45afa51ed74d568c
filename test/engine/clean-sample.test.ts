import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { CleanSample, readPictures } from '../../src/engine/clean-sample.ts'
import { listSources } from '../../src/sources/list.ts'

const seed = new Uint8Array(16).fill(5)
const shards = ['a', 'b'].map((id) => ({ id, format: 'csv', path: id, bytes: 0, expectedRows: null, options: {} }))
const names = ['x', 'y', 'z']
const batchOf = (from: number, count: number): Batch =>
  makeBatch({
    row: Uint32Array.from({ length: count }, (_, i) => from + i),
    label: { codes: Int32Array.from({ length: count }, (_, i) => ((from + i) % 7 === 0 ? -1 : (from + i) % 3)), values: names },
  })
/** 900 rows of two shards, in batches of `size`. */
function filled(size: number, key = seed, skip: (row: number) => boolean = () => false): CleanSample {
  const sample = new CleanSample(key, shards, 50)
  for (const shard of [0, 1])
    for (let from = 0; from < 900; from += size) {
      const count = Math.min(size, 900 - from)
      sample.add(
        shard,
        batchOf(from, count),
        Uint8Array.from({ length: count }, (_, i) => (skip(from + i) ? 1 : 0)),
      )
    }
  return sample
}
const all = (sample: CleanSample, count = 1000) => sample.take(count, () => true)

describe('a sample of clean rows', () => {
  test('is the same for any size of batch, and another for another seed', () => {
    expect(all(filled(37))).toEqual(all(filled(900)))
    expect(all(filled(900))).not.toEqual(all(filled(900, new Uint8Array(16))))
  })

  test('keeps so many of each label, also of rows without one, and leaves out what is skipped', () => {
    const rows = all(filled(100, seed, (row) => row % 2 === 0))
    expect(rows).toHaveLength(4 * 50)
    expect(rows.every((c) => c.row % 2 === 1)).toBe(true)
    expect(rows.filter((c) => c.label === null)).toHaveLength(50)
    expect(filled(100).labels()).toEqual(names)
  })

  test('gives the first of the labels that are wanted, whatever the others are', () => {
    const some = filled(100).take(60, (label) => label !== 'x')
    expect(some.some((c) => c.label === 'x')).toBe(false)
    expect(some.map((c) => c.key)).toEqual(some.map((c) => c.key).toSorted((a, b) => a - b))
    expect(some).toEqual(
      filled(100)
        .take(100, (label) => label !== 'x')
        .slice(0, 60),
    )
  })
})

describe('pictures of rows', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'assay-clean-'))
  afterAll(() => rm(dir, { recursive: true, force: true }))

  test('are read again from their shards, without those that cannot be decoded', async () => {
    for (const [i, side] of [8, 900, 12].entries())
      await sharp({ create: { width: side, height: 8, channels: 3, background: { r: 10 * i, g: 20, b: 30 } } })
        .png()
        .toFile(join(dir, `${i}.png`))
    await writeFile(join(dir, '3.png'), (await sharp(join(dir, '0.png')).toBuffer()).subarray(0, 40))
    const { shards: found } = await listSources([{ path: dir }], dir)
    const wanted = [3, 1, 0].map((row) => ({ key: row, shard: 0, row, label: null }))
    const pictures = await readPictures(found, wanted)
    expect(pictures.map((p) => [p.row, p.picture.width, p.picture.height])).toEqual([
      [0, 8, 8],
      [1, 320, 8],
    ])
    expect([...(pictures[1]?.picture.data.subarray(0, 3) ?? [])]).toEqual([10, 20, 30])
  })
})
