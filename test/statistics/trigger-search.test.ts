import { describe, expect, test } from 'vitest'
import { keyed } from '../../src/math/rng.ts'
import { classMeans } from '../../src/statistics/trigger-search/class-means.ts'
import { copiesOf, patchReader } from '../../src/statistics/trigger-search/patch-hash.ts'
import { type LabelledPictures, searchPatches } from '../../src/statistics/trigger-search/patches.ts'
import { planeShape, toOpponent, toPlanes } from '../../src/statistics/trigger-search/planes.ts'
import { recoverTrigger, undoOf } from '../../src/statistics/trigger-search/recover.ts'
import { signSeeds } from '../../src/statistics/trigger-search/seeds.ts'
import { splitCarriers } from '../../src/statistics/trigger-search/split.ts'
import { fitTail, logBeside, references, testTail } from '../../src/statistics/trigger-search/tail.ts'
import { addSpread, noSpread, whiten, whitenerOf } from '../../src/statistics/trigger-search/whitener.ts'
import { waves } from '../support/pictures.ts'

const seed = new Uint8Array(16)
const sorted = (values: Iterable<number>): Float32Array => Float32Array.from(values).sort()

describe('a second mode of scores', () => {
  test('of one population is not found: p-values on fresh scores are not too small', () => {
    const random = keyed(seed, 'one mode')
    const skewed = (): number => random.normal() + 0.5 * random.normal() ** 2
    for (const draw of [() => random.normal(), skewed, () => -Math.log(1 - random.uniform())]) {
      let [small, own] = [0, 0]
      for (let i = 0; i < 200; i++) {
        const fit = fitTail(sorted(Array.from({ length: 400 }, draw)))
        if (fit && fit.logP < Math.log(0.05)) own++
        if (fit && testTail(sorted(Array.from({ length: 400 }, draw)), fit, sorted(Array.from({ length: 900 }, draw))) < Math.log(0.05))
          small++
      }
      expect(small).toBeLessThanOrEqual(16)
      expect(own).toBeLessThanOrEqual(4)
    }
  })

  test.each([0.03, 0.2, 0.5])('of a share of %f is found, with a threshold between the two', (share) => {
    const random = keyed(seed, `two modes ${share}`)
    const draw = () => Array.from({ length: 1000 }, (_, i) => random.normal() + (i < 1000 * share ? 12 : 0))
    const fit = fitTail(sorted(draw()))
    expect(fit?.threshold).toBeGreaterThan(3)
    expect(fit?.threshold).toBeLessThan(9.5)
    expect(fit?.count).toBe(1000 * share)
    const others = sorted(Array.from({ length: 1000 }, () => random.normal()))
    expect(fit && testTail(sorted(draw()), fit, others)).toBeLessThan(Math.log(0.01))
    expect(fit && logBeside(fit, others)).toBe(fit?.logP)
  })

  test('that other classes have too, if more rarely, is none of this class', () => {
    const random = keyed(seed, 'steps of a codec')
    // Of records with texture one in ten stays below the step that the others reach.
    const step = () => (random.uniform() < 0.1 ? 3 + 3 * random.uniform() : 9 + random.normal())
    const draw = (share: number) => sorted(Array.from({ length: 2500 }, () => (random.uniform() < share ? step() : random.normal())))
    const [fit, others] = [fitTail(draw(0.08)), draw(0.06)]
    expect(fit?.logP).toBeLessThan(Math.log(1e-6))
    expect(fit && logBeside(fit, others)).toBeGreaterThan(Math.log(0.01))
    expect(fit && testTail(draw(0.08), fit, others)).toBeGreaterThan(Math.log(0.01))
  })

  test('centre and spread are those of the lower population', () => {
    const random = keyed(seed, 'references')
    const scores = Array.from({ length: 4000 }, (_, i) => 5 + 2 * random.normal() + (i < 1600 ? 40 : 0))
    const [, low] = references(sorted(scores))
    expect(low.centre).toBeGreaterThan(4)
    expect(low.centre).toBeLessThan(6.5)
    expect(low.deviation).toBeGreaterThan(1.3)
    expect(low.deviation).toBeLessThan(2.7)
  })

  test('equal scores are no mode', () => {
    expect(fitTail(new Float32Array(100))).toBeNull()
  })
})

test('the first sign direction is a pattern that is faint beside what records show', async () => {
  const [rows, dims, carriers] = [600, 120, 60]
  const random = keyed(seed, 'faint pattern')
  // Few records of strong texture, as photographs have it, would take every main direction of the rows as they are.
  const data = Float32Array.from({ length: rows }, () => Math.exp(1.2 * random.normal())).reduce(
    (all, strength, r) => {
      for (let j = 0; j < dims; j++)
        all[r * dims + j] = strength * random.normal() + (r < carriers ? 0.45 * strength * (j % 2 ? 1 : -1) : 0)
      return all
    },
    new Float32Array(rows * dims),
  )
  const hits = (scores: Float32Array): number => {
    const cut = scores.slice().sort()[rows - carriers] as number
    return scores.subarray(0, carriers).filter((s) => s >= cut).length
  }
  const seeds = await signSeeds(data, rows, dims, random)
  expect(Math.max(...seeds.filter((s) => s.name.endsWith('sign 1')).map((s) => hits(s.scores)))).toBeGreaterThan(0.8 * carriers)
})

describe('carriers of two kinds', () => {
  const rows = 60
  const dims = 50
  const draw = (name: string, apart: number): Float32Array => {
    const random = keyed(seed, name)
    const data = Float32Array.from(random.normals(rows * dims))
    for (let r = 0; r < 24; r++) for (let j = 0; j < 9; j++) data[r * dims + j] = (data[r * dims + j] as number) + apart
    return data
  }

  test('are told apart', () => {
    const side = splitCarriers(draw('two kinds', 4), rows, dims)
    expect(new Set(side?.subarray(0, 24)).size).toBe(1)
    expect(new Set(side?.subarray(24)).size).toBe(1)
    expect(side?.[0]).not.toBe(side?.[30])
  })

  test('of one kind are not', () => {
    for (let i = 0; i < 30; i++) expect(splitCarriers(draw(`one kind ${i}`, 0), rows, dims)).toBeNull()
  })
})

test('a mixed-in pattern is recovered from means and deviations', () => {
  const shape = { height: 2, width: 3, channels: 1 as const }
  const others = { mean: Float64Array.of(100, 90, 80, 70, 60, 50), deviation: new Float64Array(6).fill(40) }
  const alpha = [0, 0.25, 0.25, 0, 1, 0]
  const pattern = [0, 250, 10, 0, 200, 0]
  const carriers = {
    mean: others.mean.map((m, i) => (1 - (alpha[i] as number)) * m + (alpha[i] as number) * (pattern[i] as number)),
    deviation: others.deviation.map((d, i) => (1 - (alpha[i] as number)) * d),
  }
  const found = recoverTrigger(shape, carriers, [others], 'x')
  alpha.forEach((a, i) => {
    expect(found.alpha[i]).toBeCloseTo(a, 5)
    if (a > 0) expect(found.pattern[i]).toBeCloseTo(pattern[i] as number, 3)
  })
  expect(found.box).toEqual([1, 1, 1, 1])
  expect(found.target).toBe('x')
})

test('what a pattern did is undone: mixed in, added, covering; against the records that carriers were made of', () => {
  const own = { mean: Float64Array.of(230, 10, 200), deviation: new Float64Array(3).fill(10) }
  const others = { mean: Float64Array.of(100, 90, 180), deviation: new Float64Array(3).fill(40) }
  const carriers = { mean: Float64Array.of(0.8 * 100 + 0.2 * 250, 90 + 12, 255), deviation: Float64Array.of(32, 40, 0) }
  const { scale, offset } = undoOf(carriers, [own, others])
  const undone = [0.8 * 60 + 0.2 * 250, 77 + 12, 255].map((v, i) => v * (scale[i] as number) + (offset[i] as number))
  expect(undone[0]).toBeCloseTo(60, 3)
  expect(undone[1]).toBeCloseTo(77, 3)
  expect(undone[2]).toBeCloseTo(180, 3)
})

describe('whitening within classes', () => {
  const side = 8
  const shape = { height: side, width: side, channels: 1 as const }
  const blocks = [0, 1, 2].map((k) => {
    const { pixels, labels } = waves(`white ${k}`, 400, 3, side)
    const rows = Array.from(labels.keys()).filter((i) => labels[i] === k)
    const own = new Uint8Array(rows.length * side * side)
    rows.forEach((r, i) => {
      // A column of its own is brighter in every class.
      const picture = pixels.subarray(r * side * side, (r + 1) * side * side)
      own.set(
        picture.map((v, j) => Math.min(255, v + (j % side === 2 * k ? 50 : 0))),
        i * side * side,
      )
    })
    return { name: `${k}`, pixels: own, rows: rows.length }
  })

  test('within classes, values are about uncorrelated and vary by at most one', async () => {
    const dims = side * side
    const planesOf = (pixels: Uint8Array, rows: number) => toOpponent(toPlanes(pixels, rows, shape), rows, planeShape(shape))
    const spread = noSpread(planeShape(shape))
    for (const { pixels, rows } of blocks) await addSpread(spread, planesOf(pixels, rows), rows)
    const whitener = await whitenerOf(spread)
    const products = new Float64Array(dims * dims)
    let all = 0
    for (const { pixels, rows } of blocks) {
      const white = await whiten(whitener, planesOf(pixels, rows), rows)
      const mean = new Float64Array(dims)
      for (let i = 0; i < white.length; i++) mean[i % dims] = (mean[i % dims] as number) + (white[i] as number) / rows
      for (let r = 0; r < rows; r++)
        for (let i = 0; i < dims; i++)
          for (let j = 0; j < dims; j++) {
            const [a, b] = [i, j].map((k) => (white[r * dims + k] as number) - (mean[k] as number)) as [number, number]
            products[i * dims + j] = (products[i * dims + j] as number) + a * b
          }
      all += rows
    }
    for (let i = 0; i < dims; i++)
      for (let j = 0; j < dims; j++) {
        const c = (products[i * dims + j] as number) / all
        if (i === j) expect(c).toBeGreaterThan(0.3)
        if (i === j) expect(c).toBeLessThan(1.1)
        else expect(Math.abs(c)).toBeLessThan(0.35)
      }
  })

  test('the nearest class mean is that of the own label, more often than not', async () => {
    const means = await classMeans(shape, blocks)
    expect(means.names).toEqual(['0', '1', '2'])
    expect(means.counts.reduce((a, b) => a + b, 0)).toBe(blocks.reduce((sum, b) => sum + Math.floor(b.rows / 2), 0))
    expect(means.agreement).toBeGreaterThan(0.9)
    const own = [0, 1, 2].reduce((sum, k) => sum + (means.counts[k * 4] as number), 0)
    expect(means.agreement).toBeCloseTo(own / means.counts.reduce((a, b) => a + b, 0), 6)
  })
})

describe('patches at any place', () => {
  /** Noise of its own in every picture, and in some the same patch, somewhere. */
  const labelled = (name: string, rows: number, carriers: number): LabelledPictures => {
    const random = keyed(seed, `patches ${name}`)
    const pixels = Uint8Array.from({ length: rows * 256 }, () => random.below(256))
    for (let r = 0; r < carriers; r++) {
      const corner = random.below(13) * 16 + random.below(13)
      for (let i = 0; i < 9; i++)
        pixels[r * 256 + corner + Math.floor(i / 3) * 16 + (i % 3)] = [9, 250, 9, 250, 250, 9, 9, 9, 250][i] as number
    }
    return { name, rows, pixels }
  }
  const search = (elsewhere: number) =>
    searchPatches({ height: 16, width: 16, channels: 1 }, [labelled('a', 300, 40), labelled('b', 2000, elsewhere)], true, seed)

  test('that one label alone has are found, with their carriers', () => {
    const { found, logP } = search(1)
    expect(found.map((f) => [f.target, f.carriers, f.elsewhere, f.copies])).toEqual([['a', 40, 1, 0]])
    expect(logP).toBeLessThan(Math.log(1e-6))
  })

  test('that a label has twenty times as often as others are strokes of its own, where others have them too', () => {
    expect(search(14)).toMatchObject({ found: [], logP: 0 })
  })
})

describe('hashes of patches', () => {
  const shape = { height: 20, width: 24, channels: 3 as const }
  const random = keyed(seed, 'patches')
  const picture = Uint8Array.from({ length: 20 * 24 * 3 }, () => random.below(256))
  const patchAt = (corner: number, side: number): Uint8Array =>
    Uint8Array.from({ length: side * side * 3 }, (_, i) => {
      const y = Math.floor(corner / 24) + Math.floor(i / 3 / side)
      return picture[(y * 24 + (corner % 24) + (Math.floor(i / 3) % side)) * 3 + (i % 3)] as number
    })

  test.each([
    [8, 3],
    [4, 5],
  ])('of %i bits and side %i are the same in a picture and alone, and all different in noise', (bits, side) => {
    const reader = patchReader(shape, { bits, side }, 99)
    const { hashes, corners, count } = reader.read(picture)
    expect(count).toBe((21 - side) * (25 - side))
    expect(new Set(hashes.subarray(0, count)).size).toBe(count)
    for (let i = 0; i < count; i += 17) expect(reader.hashOf(patchAt(corners[i] as number, side))).toBe(hashes[i])
    expect(Math.max(...hashes)).toBeGreaterThan(2 ** 48)
    expect(patchReader(shape, { bits, side }, 98).read(picture).hashes[0]).not.toBe(hashes[0])
  })

  test('flat patches are left out', () => {
    expect(patchReader(shape, { bits: 8, side: 3 }, 1).read(new Uint8Array(picture.length).fill(200)).count).toBe(0)
  })

  test('copies are ten other patches in colour, seven in grey', () => {
    const patch = patchAt(0, 3)
    const different = (list: readonly Uint8Array[]) => new Set(list.map(String)).size
    expect(different([patch, ...copiesOf(patch, 3, 3)])).toBe(11)
    expect(different([patch.subarray(0, 9), ...copiesOf(patch.subarray(0, 9), 3, 1)])).toBe(8)
  })
})
