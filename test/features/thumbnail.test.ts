import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { thumbnail } from '../../src/features/thumbnail.ts'

const read = async (uri: string | null) => {
  const bytes = Buffer.from((uri ?? '').replace('data:image/png;base64,', ''), 'base64')
  return { meta: await sharp(bytes).metadata(), pixels: await sharp(bytes).greyscale().raw().toBuffer() }
}

describe('thumbnails', () => {
  test('tiny pictures are enlarged by a whole factor, without smoothing', async () => {
    const data = Uint8Array.from({ length: 28 * 28 }, (_, i) => ((i + Math.floor(i / 28)) % 2) * 255)
    const { meta, pixels } = await read(await thumbnail({ data, height: 28, width: 28, channels: 1 }))
    expect([meta.format, meta.width, meta.height]).toEqual(['png', 84, 84])
    expect(new Set(pixels)).toEqual(new Set([0, 255]))
    expect([...pixels.subarray(0, 6)]).toEqual([0, 0, 0, 255, 255, 255])
  })

  test.each([
    [1, 400, 200, 96, 48],
    [3, 200, 400, 48, 96],
    [4, 96, 96, 96, 96],
    [6, 10, 20, 40, 80],
    [1, 5000, 1, 96, 1],
  ])('%i channels, %i x %i becomes %i x %i', async (channels, width, height, toWidth, toHeight) => {
    const { meta } = await read(await thumbnail({ data: new Uint8Array(width * height * channels).fill(99), height, width, channels }))
    expect([meta.width, meta.height]).toEqual([toWidth, toHeight])
  })

  test('nothing but the pixels of a file comes along', async () => {
    const jpeg = await sharp({ create: { width: 200, height: 100, channels: 3, background: '#336699' } })
      .withExif({ IFD0: { Artist: 'Patient Name' } })
      .jpeg()
      .toBuffer()
    expect(jpeg.includes('Patient Name')).toBe(true)
    const uri = await thumbnail(new Uint8Array(jpeg), 64)
    expect(Buffer.from((uri ?? '').slice(22), 'base64').includes('Patient Name')).toBe(false)
    const { meta } = await read(uri)
    expect([meta.width, meta.height, meta.exif]).toEqual([64, 32, undefined])
  })

  test('16 bits are shown by what they hold: 12 bits of them, or all', async () => {
    for (const [most, middle] of [
      [4095, 2048],
      [65_535, 32_768],
    ] as const) {
      const values = Uint16Array.from({ length: 16 }, (_, i) => (i === 0 ? 0 : i === 1 ? most : middle))
      for (const format of ['png', 'tiff'] as const) {
        const file = await sharp(values, { raw: { width: 4, height: 4, channels: 1 } })
          .toColourspace('grey16')
          .toFormat(format, format === 'tiff' ? { compression: 'lzw' } : {})
          .toBuffer()
        const { pixels } = await read(await thumbnail(new Uint8Array(file), 8))
        expect([...pixels.subarray(0, 6)]).toEqual([0, 0, 255, 255, 128, 128])
      }
    }
  })

  test('what is no picture has no thumbnail', async () => {
    expect(await thumbnail(new TextEncoder().encode('<svg xmlns="http://www.w3.org/2000/svg"/>'))).toBeNull()
    expect(await thumbnail(new Uint8Array(0))).toBeNull()
    expect(await thumbnail({ data: new Uint8Array(5), height: 28, width: 28, channels: 1 })).toBeNull()
  })
})
