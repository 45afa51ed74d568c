import { describe, expect, test } from 'vitest'
import { keyed } from '../../src/math/rng.ts'
import type { PlaneShape } from '../../src/statistics/trigger-search/planes.ts'
import { recoverWave } from '../../src/statistics/trigger-search/recover.ts'
import { isOneWave, partOfWave, toWaves, waveMatrix } from '../../src/statistics/trigger-search/waves.ts'

const shape: PlaneShape = { height: 14, width: 20, planes: 3 }
const size = shape.height * shape.width

/** Planes of which the last is drawn. */
const planes = (value: (y: number, x: number) => number): Float32Array =>
  Float32Array.from({ length: 3 * size }, (_, i) => (i < 2 * size ? 0 : value(Math.floor((i - 2 * size) / shape.width), i % shape.width)))
const waving = (down: number, across: number, phase = 0) =>
  planes((y, x) => Math.sin(phase + 2 * Math.PI * ((down * y) / shape.height + (across * x) / shape.width)))
const oneWave = async (data: Float32Array): Promise<boolean> => isOneWave(await toWaves(data, 1, shape), shape)

describe('waves', () => {
  test.each([
    [14, 20],
    [5, 7],
    [8, 8],
    [9, 4],
    [1, 3],
  ])('of %i x %i pixels are orthonormal', (height, width) => {
    const n = height * width
    const m = waveMatrix({ height, width, planes: 1 })
    for (let i = 0; i < n; i++)
      for (let j = 0; j <= i; j++) {
        let sum = 0
        for (let k = 0; k < n; k++) sum += (m[i * n + k] as number) * (m[j * n + k] as number)
        expect(Math.abs(sum - Number(i === j))).toBeLessThan(1e-5)
      }
  })

  test('a sinusoid of whole periods is one wave of one plane', async () => {
    const found = await toWaves(waving(0, 6), 1, shape)
    const large = Array.from(found.keys()).filter((i) => Math.abs(found[i] as number) > 1e-3)
    expect(large.length).toBe(1)
    expect(large[0]).toBeGreaterThanOrEqual(2 * size)
    expect(found.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(size / 2, 2)
  })

  test.each([
    ['across', 0, 6, 0],
    ['down, of another phase', 4, 0, 1],
    ['aslant', 3, -5, 2],
    ['of periods that do not fit', 0, 5.5, 0.3],
    ['aslant, of periods that do not fit', 3.4, 4.7, 0.3],
  ])('a sinusoid %s is told from shapes', async (_, down, across, phase) => {
    expect(await oneWave(waving(down, across, phase))).toBe(true)
  })

  test.each<[string, (y: number, x: number) => number]>([
    ['a shade', (_, x) => x],
    ['a slow wave', (_, x) => Math.sin((4 * Math.PI * x) / 20)],
    ['a mark', (y, x) => (y > 10 && x > 16 ? (y + x) % 2 : 0)],
    ['a stroke', (y, x) => Number(Math.abs(y - x / 2) < 1.5)],
  ])('%s is none', async (_, value) => {
    expect(await oneWave(planes(value))).toBe(false)
  })

  test('nor is noise', async () => {
    const random = keyed(new Uint8Array(16), 'noise')
    for (let i = 0; i < 20; i++) expect(await oneWave(planes(() => random.normal()))).toBe(false)
  })

  test('the part of a wave in a picture is the wave, without shades and noise, in every channel', () => {
    const random = keyed(new Uint8Array(16), 'picture')
    const own = (x: number, c: number): number => 10 * (c + 1) * Math.sin((2 * Math.PI * 6 * x) / 20)
    const place = Array.from({ length: 3 * size }, (_, i) => ({ c: i % 3, x: Math.floor(i / 3) % 20 }))
    const found = partOfWave(
      place.map(({ x, c }) => own(x, c) + 0.5 * x + random.normal()),
      { height: 14, width: 20, channels: 3 },
      { down: 0, across: 6 },
    )
    place.forEach(({ x, c }, i) => {
      expect(Math.abs((found[i] as number) - own(x, c))).toBeLessThan(3)
    })
  })

  test('recovered as a trigger it is added to a picture, nearly, when it is blended in', () => {
    const [height, width] = [14, 20]
    const wave = Float64Array.from({ length: size }, (_, i) => 12 * Math.sin((2 * Math.PI * 5 * (i % width)) / width))
    const background = { mean: Float64Array.from({ length: size }, (_, i) => 60 + i / 4), deviation: new Float64Array(size).fill(30) }
    const carriers = { ...background, mean: background.mean.map((v, i) => v + (wave[i] as number)) }
    const found = recoverWave({ height, width, channels: 1 }, carriers, [background], { down: 0, across: 5 }, 'a')
    expect(found.box).toEqual([0, 0, width, height])
    for (const [i, alpha] of found.alpha.entries()) {
      expect(alpha).toBeLessThan(0.11)
      expect(Math.abs(127.5 * (1 - alpha) + alpha * (found.pattern[i] as number) - 127.5 - (wave[i] as number))).toBeLessThan(1)
      expect(found.pattern[i]).toBeGreaterThanOrEqual(-0.01)
      expect(found.pattern[i]).toBeLessThanOrEqual(255.01)
    }
  })
})
