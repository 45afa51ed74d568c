import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { column, makeBatch, matrixOf, rowsOf, selectColumns } from '../../src/contracts/batch.ts'
import type { Batch, RowIssue } from '../../src/contracts/data.ts'
import { pixelsOf } from '../../src/contracts/pixel-rows.ts'
import { takeRows } from '../../src/contracts/take-rows.ts'
import { openFeatures } from '../../src/features/open.ts'
import { type PixelPlan, pixelRow } from '../../src/features/pixel-row.ts'
import { type FeaturePlan, planFeatures } from '../../src/features/plan.ts'
import { planPixels } from '../../src/features/plan-pixels.ts'

const seed = new Uint8Array(16).fill(7)
const embedding = planFeatures(['image'], {}) as FeaturePlan
const noise = (n: number, k = 1): Uint8Array => Uint8Array.from({ length: n }, (_, i) => Math.imul(i + 1, 2654435761 * k) >>> 24)
const numbers = (n: number): Uint32Array => Uint32Array.from({ length: n }, (_, i) => i)
const raw = (height: number, width: number, channels: number, rows = 3): Batch => {
  const dims = height * width * channels
  return makeBatch({ row: numbers(rows), image: { data: noise(rows * dims), rows, dims, height, width, channels } })
}
const png = async (data: Uint8Array, width: number, channels: 1 | 3): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp(data, { raw: { width, height: data.length / width / channels, channels } })
      .png()
      .toBuffer(),
  )
const encoded = (image: readonly (Uint8Array | null)[]): Batch => makeBatch({ row: numbers(image.length), image })

async function apply(plan: FeaturePlan | null, pixels: PixelPlan, batch: Batch, issues: RowIssue[] = []): Promise<Batch> {
  const features = await openFeatures(plan, seed, (i) => issues.push(i), undefined, pixels)
  const out = await features.apply(batch)
  await features.close()
  return out
}

describe('the plan of pixels', () => {
  test.each([
    [28, 28, 1, 'its own size', [28, 28, 1]],
    [96, 20, 3, 'its own size', [96, 20, 3]],
    [32, 32, 4, 'colour without alpha', [32, 32, 3]],
    [28, 28, 2, 'grey without alpha', [28, 28, 1]],
    [128, 50, 3, 'scaled down', [64, 50, 3]],
    [97, 300, 1, 'scaled down', [64, 64, 1]],
  ])('raw %i x %i x %i: %s', async (height, width, channels, _, expected) => {
    const plan = await planPixels(raw(height, width, channels))
    expect([plan.height, plan.width, plan.channels]).toEqual(expected)
  })

  test('encoded images: the first that can be decoded tells the size, any of the first tells of colour', async () => {
    const grey = await png(noise(20 * 30), 30, 1)
    const greyInColour = await png(
      noise(20 * 30 * 3).map((_, i, all) => all[i - (i % 3)] as number),
      30,
      3,
    )
    const colour = await png(noise(40 * 40 * 3), 40, 3)
    const planned = async (...images: (Uint8Array | null)[]) => {
      const { height, width, channels } = await planPixels(encoded(images))
      return [height, width, channels]
    }
    expect(await planned(null, grey.subarray(0, 50), grey)).toEqual([20, 30, 1])
    expect(await planned(greyInColour, grey)).toEqual([20, 30, 1])
    expect(await planned(grey, colour)).toEqual([20, 30, 3])
    expect(await planned(await png(noise(200 * 40), 200, 1))).toEqual([40, 64, 1])
    expect(await planned(null)).toEqual([64, 64, 3])
  })
})

describe('a row of pixels', () => {
  const row = (p: { height: number; width: number; channels: 1 | 3 }, data: Uint8Array | Uint16Array, size: number[], max: number) => {
    const into = new Uint8Array(p.height * p.width * p.channels)
    const [height, width, channels] = size as [number, number, number]
    pixelRow(p, { data, height, width, channels, max }, into)
    return [...into]
  }

  test('is what the picture is where it has the size', () => {
    const data = noise(4 * 4 * 3)
    expect(row({ height: 4, width: 4, channels: 3 }, data, [4, 4, 3], 255)).toEqual([...data])
  })

  test('of 16 bits is scaled by the largest value', () => {
    expect(row({ height: 1, width: 3, channels: 1 }, Uint16Array.of(0, 32768, 65535), [1, 3, 1], 65535)).toEqual([0, 128, 255])
    expect(row({ height: 1, width: 2, channels: 1 }, Uint16Array.of(2048, 4095), [1, 2, 1], 4095)).toEqual([128, 255])
  })

  test('grey becomes colour and colour grey', () => {
    expect(row({ height: 1, width: 2, channels: 3 }, Uint8Array.of(7, 9), [1, 2, 1], 255)).toEqual([7, 7, 7, 9, 9, 9])
    expect(row({ height: 1, width: 1, channels: 1 }, Uint8Array.of(255, 0, 0), [1, 1, 3], 255)).toEqual([76])
    expect(row({ height: 1, width: 1, channels: 3 }, Uint8Array.of(1, 2, 3, 99), [1, 1, 4], 255)).toEqual([1, 2, 3])
  })

  test('is the mean of what it covers where the picture is larger', () => {
    const data = Uint8Array.of(0, 10, 20, 30, 100, 110, 120, 130)
    expect(row({ height: 1, width: 2, channels: 1 }, data, [2, 4, 1], 255)).toEqual([55, 75])
  })
})

describe('the column pixels', () => {
  test('of raw images is those images, with or without an embedding', async () => {
    const batch = raw(28, 28, 1)
    const plan = await planPixels(batch)
    for (const features of [embedding, null]) {
      const out = await apply(features, plan, batch)
      expect(pixelsOf(out)).toEqual({ data: noise(3 * 784), rows: 3, height: 28, width: 28, channels: 1 })
      expect(matrixOf(out, 'embedding')?.rows).toBe(features ? 3 : undefined)
    }
  })

  test('of encoded images is the same whether an embedding decodes them or not; what cannot be decoded is left out once', async () => {
    const pictures = [noise(30 * 30, 1), noise(30 * 30, 2), noise(50 * 40, 3)]
    const [a, b, c] = (await Promise.all(pictures.map((p, i) => png(p, i === 2 ? 40 : 30, 1)))) as [Uint8Array, Uint8Array, Uint8Array]
    const batch = encoded([a, b.subarray(0, 60), null, b, c])
    const plan = await planPixels(batch)
    const outs = []
    for (const features of [embedding, null]) {
      const issues: RowIssue[] = []
      const out = await apply(features, plan, batch, issues)
      expect([...rowsOf(out)]).toEqual([0, 3, 4])
      expect(issues.map((i) => [i.row, i.code, i.rejected])).toEqual([1, 2].map((r) => [r, 'undecodable-image', true]))
      outs.push(pixelsOf(out))
    }
    expect(outs[0]).toEqual(outs[1])
    expect(outs[0]?.data.subarray(0, 900)).toEqual(pictures[0])
    expect(outs[0]?.data.subarray(900, 1800)).toEqual(pictures[1])
  })

  test('comes beside an embedding of text, and a ready embedding stays', async () => {
    const image = await Promise.all([1, 2].map((k) => png(noise(12 * 12 * 3, k), 12, 3)))
    const ready = { data: Float32Array.of(1, 2, 3, 4), rows: 2, dims: 2 }
    const batch = makeBatch({ row: numbers(2), text: ['one', 'two'], image, embedding: ready })
    const plan = await planPixels(batch)
    const kept = await apply(null, plan, batch)
    expect(matrixOf(kept, 'embedding')?.data).toEqual(ready.data)
    expect(pixelsOf(kept)?.data.subarray(0, 432)).toEqual(noise(432, 1))
    const text = planFeatures(['text', 'image'], {}) as FeaturePlan
    const made = await apply(text, plan, makeBatch({ row: numbers(2), text: ['one', 'two'], image }))
    expect(pixelsOf(made)?.data).toEqual(pixelsOf(kept)?.data)
    expect(matrixOf(made, 'embedding')?.dims).toBe(512)
  })

  test('keeps its size when rows are taken and columns chosen', async () => {
    const out = await apply(null, await planPixels(raw(5, 6, 3)), raw(5, 6, 3))
    const taken = takeRows(selectColumns(out, new Set(['row', 'pixels'])), Int32Array.of(2, 0))
    expect(column(taken, 'image')).toBeNull()
    const { data, ...size } = pixelsOf(taken) as NonNullable<ReturnType<typeof pixelsOf>>
    expect(size).toEqual({ rows: 2, height: 5, width: 6, channels: 3 })
    expect(data.subarray(90)).toEqual(noise(90))
    expect(pixelsOf(raw(5, 6, 3))).toBeNull()
  })

  test('is made only of images', async () => {
    const plan = await planPixels(raw(5, 6, 3))
    await expect(apply(null, plan, makeBatch({ row: numbers(1), text: ['a'] }))).rejects.toThrow('role image')
  })
})
