import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { makeBatch, matrixOf } from '../../src/contracts/batch.ts'
import { noiseCode, noiseKind, noiseKindName, noiseParts } from '../../src/contracts/noise.ts'
import { codecCode } from '../../src/features/codec.ts'
import { openFeatures } from '../../src/features/open.ts'
import { seed } from '../support/fit-detector.ts'
import { photo, varied } from '../support/photos.ts'

const raw = (data: Uint8Array, side: number, channels: 1 | 3 = 1) => sharp(data, { raw: { width: side, height: side, channels } })
const plan = { height: 32, width: 32, channels: 1 as const, noise: true, description: '' }

async function noiseOf(images: readonly Uint8Array[], shape: typeof plan = plan): Promise<{ [part: string]: number }[]> {
  const features = await openFeatures(null, seed, () => {}, undefined, shape)
  const out = await features.apply(makeBatch({ row: Uint32Array.from(images.keys()), image: images }))
  const { data } = matrixOf(out, 'noise') as { data: Float32Array }
  return images.map((_, i) => Object.fromEntries(noiseParts.map((p, k) => [p, data[i * noiseParts.length + k] as number])))
}

describe('the kind of a file', () => {
  test.each([30, 75, 95])('JPEG of quality %i', async (quality) => {
    const data = photo(1, 64)
    const rgb = Uint8Array.from({ length: 3 * data.length }, (_, i) => (data[Math.floor(i / 3)] as number) >> (i % 3))
    for (const [options, sampling] of [
      [{ chromaSubsampling: '4:2:0' }, '4:2:0'],
      [{ chromaSubsampling: '4:4:4' }, '4:4:4'],
    ] as const) {
      const file = await raw(rgb, 64, 3)
        .jpeg({ quality, ...options })
        .toBuffer()
      expect(noiseKind(codecCode(file, 64, true))).toEqual({ codec: 'JPEG', quality, sampling, colour: true, side: 64 })
    }
    const grey = await raw(data, 64).toColourspace('b-w').jpeg({ quality }).toBuffer()
    expect(noiseKindName(codecCode(grey, 100, false))).toBe(`JPEG ${quality}, grey, from 64 pixels`)
  })

  test('others, and their codes', async () => {
    const picture = raw(photo(1), 24)
    expect(noiseKindName(codecCode(await picture.png().toBuffer(), 24, false))).toBe('PNG, grey, from 16 pixels')
    expect(noiseKindName(codecCode(await picture.webp().toBuffer(), 24, true))).toBe('WebP, colour, from 16 pixels')
    expect(noiseKindName(codecCode(null, 512, false))).toBe('raw, grey, from 512 pixels')
    const most = { codec: 'JPEG', quality: 100, sampling: 'other', colour: true, side: 2 ** 26 } as const
    expect(noiseCode(most)).toBeLessThan(2 ** 24)
    expect(noiseKind(Math.fround(noiseCode(most)))).toEqual(most)
    expect(noiseKind(codecCode(Uint8Array.of(0xff, 0xd8, 0xff), 8, false)).quality).toBe(0)
  })
})

describe('the column noise', () => {
  test('more noise is more energy, in the quiet cells too', async () => {
    const smooth = photo(3, 32, 0.5, 3)
    const [a, b] = await noiseOf([
      await raw(smooth, 32).png().toBuffer(),
      await raw(varied(smooth, 12, 'x'), 32)
        .png()
        .toBuffer(),
    ])
    for (const part of ['high', 'quiet'] as const) expect((b?.[part] as number) - (a?.[part] as number)).toBeGreaterThan(2)
    expect(noiseKind(a?.code as number)).toMatchObject({ codec: 'PNG', colour: false })
  })

  test('a picture that is scaled down is measured in its own pixels', async () => {
    const side = 600
    const smooth = new Uint8Array(side * side).map((_, i) => 100 + (i % side) / 10)
    const large = await raw(varied(smooth, 12, 'large'), side)
      .png()
      .toBuffer()
    const [own] = await noiseOf([large])
    const [flat] = await noiseOf([await raw(smooth, side).png().toBuffer()])
    expect((own?.high as number) - (flat?.high as number)).toBeGreaterThan(3)
    // Uniform noise of 12 levels has a variance of about 52.
    expect(own?.high).toBeGreaterThan(3.5)
  })
})
