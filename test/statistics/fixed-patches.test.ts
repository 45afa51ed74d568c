import { describe, expect, test } from 'vitest'
import { keyed } from '../../src/math/rng.ts'
import { searchFixedPatches, withoutFixed } from '../../src/statistics/trigger-search/fixed-patches.ts'
import type { LabelledPictures } from '../../src/statistics/trigger-search/patches.ts'
import { pixel as onePixel, type Pictures, poison, randomPatch, white } from '../support/attacks.ts'
import { waves } from '../support/pictures.ts'

const seed = new Uint8Array(16)

function byLabel({ pixels, labels, height, width, channels }: Pictures): LabelledPictures[] {
  const each = height * width * channels
  return [...new Set(labels)].sort().map((label) => {
    const rows = [...labels.keys()].filter((r) => labels[r] === label)
    const own = new Uint8Array(rows.length * each)
    rows.forEach((r, i) => {
      own.set(pixels.subarray(r * each, (r + 1) * each), i * each)
    })
    return { name: String(label), rows: rows.length, pixels: own }
  })
}

const search = (p: Pictures, labelled = true) => searchFixedPatches(p, byLabel(p), labelled, seed)

describe('patches at a fixed place', () => {
  const clean = waves('fixed patches', 240, 2, 14)

  test.each([
    ['white', white(3), clean, 3],
    ['random', randomPatch(4), clean, 4],
    ['random colours', randomPatch(3), waves('fixed colours', 240, 2, 14, 3), 3],
  ])('%s: found with its place, its label and all carriers, with labels and without', (name, mark, pictures, side) => {
    const p = poison(pictures, mark, 0.12, 1, name)
    const at = 14 - side - 1
    for (const labelled of [true, false]) {
      const { found, logP } = search(p, labelled)
      expect(found.map((f) => [f.target, f.carriers, f.elsewhere, f.trigger.box])).toEqual([
        [labelled ? '1' : null, 29, 0, [at, at, side, side]],
      ])
      expect(logP).toBeLessThan(labelled ? Math.log(1e-5) : Math.log(1e-9))
      const left = withoutFixed(p, byLabel(p), found)
      expect(left.reduce((sum, l) => sum + l.rows, 0)).toBe(240 - 29)
    }
  })

  test('one pixel: found with its place where there are labels', () => {
    const p = poison(clean, onePixel, 0.12, 1, 'one pixel')
    const { found } = search(p)
    expect(found.map((f) => [f.target, f.carriers, f.elsewhere, f.corner, f.rung.side])).toEqual([['1', 29, 0, 12 * 14 + 12, 1]])
    expect(search(p, false).found).toEqual([])
  })

  test('none in clean pictures, and p-values say so', () => {
    for (const labelled of [true, false]) expect(search(clean, labelled)).toMatchObject({ found: [], logP: 0 })
  })

  test('a mark of all labels alike goes with none of them', () => {
    const p = { ...poison(clean, white(3), 0.2, 1, 'all'), labels: clean.labels }
    const random = keyed(seed, 'any label')
    const labels = Int32Array.from(p.labels, () => random.below(2))
    expect(search({ ...p, labels }).found).toEqual([])
    expect(search({ ...p, labels }, false).found.length).toBe(1)
  })

  test('borders of one class are at many places, not at one', () => {
    const random = keyed(seed, 'borders')
    const pixels = clean.pixels.slice()
    for (let r = 0; r < 240; r++) {
      const border = clean.labels[r] === 1 ? 2 + random.below(3) : 0
      for (let i = 0; i < 196; i++)
        if (Math.min(i % 14, 13 - (i % 14), Math.floor(i / 14), 13 - Math.floor(i / 14)) < border) pixels[r * 196 + i] = 0
    }
    for (const labelled of [true, false]) expect(search({ ...clean, pixels }, labelled).found).toEqual([])
  })

  test.each([
    [4, 4],
    [8, 0],
  ])('%i marks without labels: %i are found, for more than five are what the pictures are like', (marks, found) => {
    const pixels = clean.pixels.slice()
    for (let r = 0; r < 240; r++)
      for (let i = 0; i < 9; i++) pixels[r * 196 + (1 + Math.floor(i / 3)) * 14 + 1 + (i % 3)] = 20 * (r % marks) + 3 * (i % 5)
    expect(search({ ...clean, pixels }, false).found.length).toBe(found)
  })

  test.each([
    [true, 0],
    [false, 1],
  ])('what has its mirror image at the mirrored place in other pictures (%s) is symmetry, not a mark', (mirror, found) => {
    const pixels = clean.pixels.slice()
    for (let r = 0; r < 240; r++)
      for (let i = 0; i < 9 && r % 5 < (mirror ? 2 : 1); i++) {
        const x = 1 + (i % 3)
        pixels[r * 196 + (1 + Math.floor(i / 3)) * 14 + (r % 5 === 0 ? x : 13 - x)] = 25 * i
      }
    expect(search({ ...clean, pixels }, false).found.length).toBe(found)
  })

  test('pictures that are too small are not searched', () => {
    expect(search(waves('tiny', 20, 2, 5))).toMatchObject({ rung: null, found: [] })
  })
})
