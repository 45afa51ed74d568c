import fc from 'fast-check'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { column, makeBatch, matrixOf, rowsOf } from '../../src/contracts/batch.ts'
import type { Batch, RowIssue } from '../../src/contracts/data.ts'
import { openFeatures } from '../../src/features/open.ts'
import { type PixelParameters, pixelDims, pixelVector } from '../../src/features/pixel-vector.ts'
import { type FeaturePlan, planFeatures } from '../../src/features/plan.ts'

const seed = new Uint8Array(16).fill(7)
const plan = planFeatures(['image'], {}) as FeaturePlan
const noise = (n: number, k = 1): Uint8Array => Uint8Array.from({ length: n }, (_, i) => Math.imul(i + 1, 2654435761 * k) >>> 24)
const rawBatch = (data: Uint8Array, height: number, width: number, channels: number): Batch => {
  const dims = height * width * channels
  const rows = data.length / dims
  return makeBatch({ row: Uint32Array.from({ length: rows }, (_, i) => i), image: { data, rows, dims, height, width, channels } })
}
const vectors = async (batch: Batch, p: FeaturePlan = plan, issues: RowIssue[] = []): Promise<Float32Array> => {
  const features = await openFeatures(p, seed, (issue) => issues.push(issue))
  const out = matrixOf(await features.apply(batch), 'embedding')
  await features.close()
  return out?.data as Float32Array
}
const encode = async (
  data: Uint8Array,
  side: number,
  channels: 1 | 3,
  format: 'png' | 'webp' | 'tiff' | 'jpeg' | 'gif',
): Promise<Uint8Array> =>
  new Uint8Array(
    await sharp(data, { raw: { width: side, height: side, channels } })
      .toFormat(format, format === 'webp' ? { lossless: true } : format === 'tiff' ? { compression: 'lzw' } : {})
      .toBuffer(),
  )

describe('raw pixels', () => {
  test('grey images of the plan’s size are their pixels, from 0 to 1', async () => {
    const data = noise(2 * 784)
    const native = planFeatures(['image'], {}, { height: 28, width: 28, channels: 1 }) as FeaturePlan
    expect(await vectors(rawBatch(data, 28, 28, 1), native)).toEqual(Float32Array.from(data, (v) => v / 255))
  })

  test('a colour image without colour is the grey one', async () => {
    const grey = noise(784)
    const rgb = Uint8Array.from({ length: 3 * 784 }, (_, i) => grey[Math.floor(i / 3)] as number)
    expect(await vectors(rawBatch(rgb, 28, 28, 3))).toEqual(await vectors(rawBatch(grey, 28, 28, 1)))
  })

  test('red and blue differ in colour, not only in grey', async () => {
    const paint = (r: number, g: number, b: number) => Uint8Array.from({ length: 3 * 40 * 40 }, (_, i) => [r, g, b][i % 3] as number)
    const red = await vectors(rawBatch(paint(255, 0, 0), 40, 40, 3))
    expect(red[0]).toBeCloseTo(0.299, 5)
    expect(red[784]).toBeCloseTo(0.5 - 0.299 / 1.772, 5)
    expect(red[784 + 49]).toBeCloseTo(1, 5)
    const blue = await vectors(rawBatch(paint(0, 0, 255), 40, 40, 3))
    expect(blue[784]).toBeCloseTo(1, 5)
  })

  test('law: area resampling keeps the mean and the range', () => {
    const sides = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(sides, sides, sides, sides, fc.integer({ min: 1, max: 5 }), (height, width, toHeight, toWidth, channels) => {
        const p: PixelParameters = { height: toHeight, width: toWidth, chroma: 3 }
        const data = noise(height * width * channels, height)
        const into = new Float32Array(pixelDims(p))
        pixelVector(p, { data, height, width, channels, max: 255 }, into)
        expect(into.every((v) => v >= -1e-6 && v <= 1 + 1e-6)).toBe(true)
        if (channels !== 1) return
        const mean = data.reduce((a, b) => a + b, 0) / data.length / 255
        const grey = into.subarray(0, toHeight * toWidth)
        expect(grey.reduce((a, b) => a + b, 0) / grey.length).toBeCloseTo(mean, 5)
      }),
    )
  })

  test('60,000 digits take seconds', async () => {
    const batch = rawBatch(noise(20_000 * 784), 28, 28, 1)
    const start = performance.now()
    for (let i = 0; i < 3; i++) await vectors(batch)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test('images whose values do not fit their size are refused', async () => {
    const batch = makeBatch({ row: Uint32Array.of(0), image: { data: noise(12), rows: 1, dims: 12, height: 5, width: 5, channels: 1 } })
    await expect(vectors(batch)).rejects.toMatchObject({ code: 'batch', exit: 2 })
  })
})

describe('encoded images', () => {
  test.each(['png', 'webp', 'tiff'] as const)('a lossless %s gives what its raw pixels give', async (format) => {
    const data = noise(28 * 28 * 3)
    const encoded = makeBatch({ row: Uint32Array.of(0), image: [await encode(data, 28, 3, format)] })
    expect(await vectors(encoded)).toEqual(await vectors(rawBatch(data, 28, 28, 3)))
  })

  test('a picture of another size is near what its raw pixels give', async () => {
    const side = 400
    const smooth = Uint8Array.from(
      { length: side * side },
      (_, i) => 127 + 120 * Math.sin((i % side) / 40) * Math.cos(Math.floor(i / side) / 60),
    )
    const raw = await vectors(rawBatch(smooth, side, side, 1))
    const encoded = await vectors(makeBatch({ row: Uint32Array.of(0), image: [await encode(smooth, side, 1, 'png')] }))
    expect(Math.max(...raw.map((v, i) => Math.abs(v - (encoded[i] as number))))).toBeLessThan(0.02)
  })

  test('16 bits a channel are kept', async () => {
    const values = Uint16Array.from({ length: 784 }, (_, i) => i)
    const png = await sharp(values, { raw: { width: 28, height: 28, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer()
    const vector = await vectors(makeBatch({ row: Uint32Array.of(0), image: [new Uint8Array(png)] }))
    expect(new Set(vector.subarray(0, 784)).size).toBe(784)
    expect(vector[700]).toBeCloseTo(700 / 4095, 6)
  })

  test('rows that cannot be decoded are reported and left out, the others stay aligned', async () => {
    const good = await encode(noise(784), 28, 1, 'png')
    const jpeg = await encode(noise(64 * 64), 64, 1, 'jpeg')
    const svg = new TextEncoder().encode(
      '<svg xmlns="http://www.w3.org/2000/svg" width="28" height="28"><rect width="9" height="9"/></svg>',
    )
    const image = [good, jpeg.subarray(0, jpeg.length >> 1), svg, await encode(noise(784), 28, 1, 'gif'), new Uint8Array(0), null, jpeg]
    const row = Uint32Array.of(10, 11, 12, 13, 14, 15, 16)
    const label = { codes: Int32Array.of(0, 1, 0, 1, 0, 1, -1), values: ['a', 'b'] }
    const issues: RowIssue[] = []
    const features = await openFeatures(plan, seed, (i) => issues.push(i))
    const out = await features.apply(makeBatch({ row, id: ['p', 'q', 'r', 's', 't', 'u', 'v'], label, image }))
    expect([...rowsOf(out)]).toEqual([10, 16])
    expect([column(out, 'id')?.get(0), column(out, 'id')?.get(1)]).toEqual(['p', 'v'])
    expect([column(out, 'label')?.get(0), column(out, 'label')?.get(1)]).toEqual(['a', null])
    expect(matrixOf(out, 'embedding')?.data).toEqual(
      Float32Array.of(...(await vectors(makeBatch({ row, image: [good] }))), ...(await vectors(makeBatch({ row, image: [jpeg] })))),
    )
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([11, 12, 13, 14, 15].map((r) => ['undecodable-image', r, true]))
    expect(issues.every((i) => /^[\x20-\x7e]{1,160}$/.test(i.detail ?? ''))).toBe(true)
  })

  test('a picture that declares too many pixels is rejected before it is decoded', async () => {
    const png = Buffer.from(await encode(noise(4), 2, 1, 'png'))
    png.writeUInt32BE(60_000, 16)
    png.writeUInt32BE(60_000, 20)
    const issues: RowIssue[] = []
    const out = await vectors(makeBatch({ row: Uint32Array.of(0), image: [new Uint8Array(png)] }), plan, issues)
    expect(out.length).toBe(0)
    expect(issues.map((i) => i.code)).toEqual(['undecodable-image'])
  })

  test('law: what comes out does not depend on where batches end', async () => {
    const files = await Promise.all([0, 1, 2, 3, 4, 5, 6].map((k) => encode(noise(36 * 36 * 3, k + 1), 36, 3, k % 2 ? 'jpeg' : 'png')))
    const image = files.map((f, i) => (i === 3 ? f.subarray(0, 60) : f))
    const whole = await vectors(makeBatch({ row: Uint32Array.from(image.keys()), image }))
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 4 }), async (cuts) => {
        const features = await openFeatures(plan, seed, () => {})
        const edges = [0, ...cuts.sort((a, b) => a - b), image.length]
        const parts: number[] = []
        for (let k = 0; k + 1 < edges.length; k++) {
          const part = image.slice(edges[k], edges[k + 1])
          const out = await features.apply(makeBatch({ row: Uint32Array.from(part.keys()), image: part }))
          parts.push(...((matrixOf(out, 'embedding')?.data ?? []) as Float32Array))
        }
        expect(Float32Array.from(parts)).toEqual(whole)
      }),
      { numRuns: 8 },
    )
  })
})
