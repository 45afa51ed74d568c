import { deflateRawSync } from 'node:zlib'
import dcmjsCodecs from 'dcmjs-codecs'
import fc from 'fast-check'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { dicomReason, openDicom } from '../../src/sources/dicom.ts'
import { attributes, compressed, type Dataset, encode, fileOf, type ImageOptions, image, patient } from './dicom-make.ts'

const { Context, NativeCodecs } = dcmjsCodecs
const jpeg = '1.2.840.10008.1.2.4.'

/** Shades of the picture, 0..1. */
async function shades(file: Uint8Array, frame = 0): Promise<number[]> {
  const picture = await openDicom(file).picture(frame)
  const { depth, channels } = await sharp(picture).metadata()
  const wide = depth === 'ushort'
  const data = await sharp(picture)
    .toColourspace(channels === 1 ? (wide ? 'grey16' : 'b-w') : wide ? 'rgb16' : 'srgb')
    .raw(wide ? { depth: 'ushort' } : {})
    .toBuffer()
  const values = wide ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data
  return Array.from(values, (v) => v / (wide ? 65_535 : 255))
}

const reason = async (file: Uint8Array, frame = 0): Promise<string> => {
  try {
    await openDicom(file).picture(frame)
    return 'read'
  } catch (error) {
    return dicomReason(error)
  }
}

const ramp = Array.from({ length: 16 }, (_, i) => i * 256 - 1000)
const near = (a: readonly number[], b: readonly number[], by = 1e-4): void => {
  expect(a.length).toBe(b.length)
  a.forEach((v, i) => {
    expect(Math.abs(v - (b[i] as number))).toBeLessThanOrEqual(by)
  })
}
const clamp = (v: number) => Math.min(Math.max(v, 0), 1)
const signed16 = { rows: 4, columns: 4, allocated: 16, signed: true } satisfies ImageOptions

beforeAll(() => NativeCodecs.initializeAsync())

describe('encodings of the data set', () => {
  const expected = ramp.map((v) => (v + 1000) / (15 * 256))

  test.each<[string, Partial<ImageOptions>]>([
    ['explicit, little endian', {}],
    ['explicit, big endian', { syntax: '1.2.840.10008.1.2.2', little: false }],
    ['implicit', { syntax: '1.2.840.10008.1.2', implicit: true }],
    ['explicit although implicit is declared', { syntax: '1.2.840.10008.1.2' }],
    ['without the file header, explicit', { bare: true }],
    ['without the file header, implicit', { bare: true, implicit: true }],
    ['without the file header, big endian', { bare: true, little: false }],
  ])('%s', async (_, options) => {
    near(await shades(image({ ...signed16, ...options }, ramp)), expected)
  })

  test('deflated', async () => {
    const body = encode({ ...attributes(signed16), 2145386512: ['OW', ramp] })
    near(await shades(fileOf(deflateRawSync(body), { syntax: '1.2.840.10008.1.2.1.99' })), expected)
  })

  test('bytes in words of the other order', async () => {
    const file = image({ rows: 1, columns: 4, syntax: '1.2.840.10008.1.2.2', little: false }, Uint8Array.of(20, 10, 40, 30))
    near(await shades(file), [10 / 255, 20 / 255, 30 / 255, 40 / 255])
  })
})

describe('from stored values to shades', () => {
  const window = (centre: string, width: string, more: Dataset = {}): Dataset => ({
    2625616: ['DS', centre],
    2625617: ['DS', width],
    ...more,
  })
  const rescale: Dataset = { 2625618: ['DS', '-1024'], 2625619: ['DS', '2'] }

  test.each<[string, Dataset, (v: number) => number]>([
    ['window', window('40', '400'), (v) => clamp((v - 39.5) / 399 + 0.5)],
    ['the first of several windows', window('40\\300', '400\\2000'), (v) => clamp((v - 39.5) / 399 + 0.5)],
    ['window on rescaled values', { ...window('-1000', '3000'), ...rescale }, (v) => clamp((2 * v - 1024 + 1000.5) / 2999 + 0.5)],
    ['exact window', window('40', '400', { 2625622: ['CS', 'LINEAR_EXACT'] }), (v) => clamp((v - 40) / 400 + 0.5)],
    ['sigmoid', window('40', '400', { 2625622: ['CS', 'SIGMOID'] }), (v) => 1 / (1 + Math.exp((-4 * (v - 40)) / 400))],
    ['a window of no width is none', window('40', '0'), (v) => (v + 1000) / 3840],
    ['a negative slope turns the shades around', { ...rescale, 2625619: ['DS', '-1'] }, (v) => (2840 - v) / 3840],
    ['padding does not stretch the range', { 2621728: ['SS', -1000] }, (v) => clamp((v + 744) / 3584)],
    [
      'a table of values of interest',
      { 2633744: ['SQ', [{ 2633730: ['SS', [4, -1000, 8]], 2633734: ['OW', [0, 50, 100, 255]] }]] },
      (v) => ([0, 50, 100][v + 1000] ?? 255) / 255,
    ],
    [
      'windows of functional groups',
      { 1375769129: ['SQ', [{ 2658610: ['SQ', [window('0', '1000')]] }]], 2621448: ['IS', '1'] },
      (v) => clamp((v + 0.5) / 999 + 0.5),
    ],
  ])('%s', async (_, more, expected) => {
    near(await shades(image({ ...signed16, more }, ramp)), ramp.map(expected))
    near(
      await shades(image({ ...signed16, more, photometric: 'MONOCHROME1' }, ramp)),
      ramp.map((v) => 1 - expected(v)),
    )
  })

  test('8 bits by their range, 12 of 16 bits without what else is in the word', async () => {
    near(await shades(image({ rows: 1, columns: 4 }, Uint8Array.of(0, 100, 200, 255))), [0, 100 / 255, 200 / 255, 1])
    const words = [0, 100, 4095, 300].map((v) => v | 0xf000)
    near(await shades(image({ rows: 1, columns: 4, allocated: 16, stored: 12 }, words)), [0, 100 / 4095, 1, 300 / 4095])
  })

  test('single bits', async () => {
    near(await shades(image({ rows: 2, columns: 4, allocated: 1 }, Uint8Array.of(0b10010110, 0))), [0, 1, 1, 0, 1, 0, 0, 1])
  })

  test('palette, planes, luma and chroma', async () => {
    const palette: Dataset = Object.fromEntries(
      [0, 1, 2].flatMap((c) => [
        [0x00281101 + c, ['US', [2, 0, 16]]],
        [0x00281201 + c, ['OW', [c * 0x1000, 0xff00 - c * 0x1000]]],
      ]),
    ) as unknown as Dataset
    const file = image({ rows: 1, columns: 2, photometric: 'PALETTE COLOR', more: palette }, Uint8Array.of(0, 1))
    near(
      await shades(file),
      [0, 16, 32, 255, 239, 223].map((v) => v / 255),
    )
    const planes: ImageOptions = { rows: 1, columns: 2, samples: 3, photometric: 'RGB', more: { 2621446: ['US', 1] } }
    near(
      await shades(image(planes, Uint8Array.of(1, 4, 2, 5, 3, 6))),
      [1, 2, 3, 4, 5, 6].map((v) => v / 255),
    )
    const ybr: ImageOptions = { rows: 1, columns: 2, samples: 3, photometric: 'YBR_FULL' }
    near(
      await shades(image(ybr, Uint8Array.of(76, 85, 255, 100, 128, 128))),
      [254, 0, 0, 100, 100, 100].map((v) => v / 255),
      0.005,
    )
    const half: ImageOptions = { rows: 1, columns: 2, samples: 3, photometric: 'YBR_FULL_422' }
    near(
      await shades(image(half, Uint8Array.of(50, 100, 128, 128))),
      [50, 50, 50, 100, 100, 100].map((v) => v / 255),
    )
  })
})

describe('compressed frames', () => {
  const side = 16
  const smooth = Uint16Array.from({ length: side * side }, (_, i) => (i % side) * 200 + Math.floor(i / side) * 50)
  const options: ImageOptions = { rows: side, columns: side, allocated: 16, stored: 12 }
  const encoded = (by: 'encodeRle' | 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000', parameters: object): Uint8Array => {
    const context = new Context({
      width: side,
      height: side,
      bitsAllocated: 16,
      bitsStored: 12,
      samplesPerPixel: 1,
      pixelRepresentation: 0,
      planarConfiguration: 0,
      photometricInterpretation: 'MONOCHROME2',
      decodedBuffer: new Uint8Array(smooth.buffer.slice(0)),
    })
    return NativeCodecs[by](context, parameters as never).getEncodedBuffer() as Uint8Array
  }

  test.each([
    ['RLE', '1.2.840.10008.1.2.5', 'encodeRle', {}, 0],
    ['lossless JPEG', `${jpeg}70`, 'encodeJpeg', { lossy: false, predictor: 1, pointTransform: 0 }, 0],
    ['lossless JPEG, another predictor', `${jpeg}57`, 'encodeJpeg', { lossy: false, predictor: 6, pointTransform: 0 }, 0],
    ['JPEG-LS', `${jpeg}80`, 'encodeJpegLs', { lossy: false }, 0],
    ['JPEG-LS, near-lossless', `${jpeg}81`, 'encodeJpegLs', { lossy: true, allowedLossyError: 3 }, 3],
    ['JPEG 2000', `${jpeg}90`, 'encodeJpeg2000', { lossy: false }, 0],
  ] as const)('%s', async (_, syntax, by, parameters, off) => {
    const file = compressed({ ...options, syntax, more: { 2621448: ['IS', '2'] } }, [encoded(by, parameters), encoded(by, parameters)])
    const dicom = openDicom(file)
    expect(dicom.frames).toBe(2)
    for (const frame of [0, 1]) {
      const { data } = await dicom.samples(frame)
      near([...data], [...smooth], off)
    }
  })

  test('a JPEG of 8 bits in colour', async () => {
    const grey = { create: { width: side, height: side, channels: 3, background: '#336699' } } as const
    const frame = await sharp(grey).jpeg({ quality: 100, chromaSubsampling: '4:2:0' }).toBuffer()
    const file = compressed({ rows: side, columns: side, samples: 3, photometric: 'YBR_FULL_422', syntax: `${jpeg}50` }, [frame])
    near((await shades(file)).slice(0, 3), [0x33 / 255, 0x66 / 255, 0x99 / 255], 0.01)
  })

  test('what is damaged or of another size has a reason', async () => {
    const frame = encoded('encodeJpegLs', { lossy: false })
    const ls = { ...options, syntax: `${jpeg}80` }
    expect(await reason(compressed({ ...ls, rows: 4000 }, [frame]))).toBe(
      'a compressed frame of 16 x 16 pixels where the file declares 4000 x 16',
    )
    expect(await reason(compressed({ ...ls, samples: 3, photometric: 'RGB' }, [frame]))).toBe(
      'a compressed frame of 1 channels where the file declares 3',
    )
    expect(await reason(compressed(ls, [frame.subarray(0, 40)]))).toBe('a damaged compressed frame (JpegLs)')
    expect(await reason(compressed(ls, [Buffer.from('nothing at all')]))).toBe('a compressed frame without a header')
    expect(await reason(compressed({ ...ls, syntax: `${jpeg}100` }, [frame]))).toBe(`transfer syntax ${jpeg}100`)
    expect(await reason(compressed({ ...ls, syntax: patient }, [frame]))).toBe('transfer syntax of no valid name')
    const three = compressed({ ...ls, more: { 2621448: ['IS', '3'] } }, [frame, frame.subarray(1)])
    expect(await reason(three, 2)).toBe('3 frames in 2 fragments that no table assigns to them')
    expect((await reason(compressed(ls, [encoded('encodeRle', {})]))).startsWith('a compressed frame')).toBe(true)
  })
})

describe('files that give no picture', () => {
  const plain: ImageOptions = { rows: 2, columns: 2 }
  const pixels = Uint8Array.of(1, 2, 3, 4)
  const nested = (depth: number): Buffer => {
    const one = Buffer.concat([Buffer.from([0x08, 0x00, 0x40, 0x11]), Buffer.from('SQ\0\0'), Buffer.from([255, 255, 255, 255])])
    const item = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 255, 255, 255, 255])
    return fileOf(Buffer.concat([encode({ 524293: ['CS', 'A'] }), ...Array.from({ length: depth }, () => Buffer.concat([one, item]))]))
  }

  test.each<[string, () => Uint8Array, string]>([
    ['too many pixels', () => image({ rows: 60_000, columns: 60_000 }, pixels), 'DICOM of 60000 x 60000 pixels, more than 64 million'],
    [
      'too many frames',
      () => image({ ...plain, more: { 2621448: ['IS', '99999999'] } }, pixels),
      'DICOM of 99999999 frames, more than 16384',
    ],
    ['no rows', () => image({ ...plain, rows: 0 }, pixels), 'DICOM without its number of rows and columns'],
    ['no pixels', () => fileOf(encode(attributes(plain))), 'DICOM without pixels'],
    ['floating point', () => fileOf(encode({ ...attributes(plain), 2145386504: ['OF', pixels] })), 'floating-point pixels'],
    ['too short', () => image({ ...plain, rows: 3 }, pixels), 'pixel data that ends before frame 1 does'],
    ['CMYK', () => image({ ...plain, samples: 4 }, Buffer.alloc(16)), 'DICOM of 4 channels'],
    ['24 bits', () => image({ ...plain, allocated: 24 }, Buffer.alloc(12)), '24 bits a sample'],
    ['contradicting bits', () => image({ ...plain, stored: 12 }, pixels), '12 bits stored up to bit 11 of 8'],
    [
      'an unknown colour space',
      () => image({ ...plain, samples: 3, photometric: patient }, Buffer.alloc(12)),
      'photometric interpretation of no known name',
    ],
    [
      'a segmented palette',
      () => image({ ...plain, photometric: 'PALETTE COLOR', more: { 2626081: ['OW', pixels] } }, pixels),
      'a segmented palette',
    ],
    ['nested without end', () => nested(100), 'DICOM nested deeper than 64 levels'],
    ['text', () => Buffer.from('hello, this is not an image at all'), 'not DICOM'],
    ['deflated damage', () => fileOf(Buffer.from('abcdefgh'), { syntax: '1.2.840.10008.1.2.1.99' }), 'damaged deflated DICOM'],
  ])('%s', async (_, file, expected) => {
    expect(await reason(file())).toBe(expected)
  })

  test('every cut of a file is read or has a reason, and names of patients are in neither', async () => {
    const file = image({ ...plain, more: { 2621448: ['IS', '1'], 2625616: ['DS', patient] } }, pixels)
    for (let n = 0; n < file.length; n++) {
      const found = await reason(file.subarray(0, n))
      expect(found).not.toContain('Doe')
      expect(found).toMatch(/^[ -~]{4,100}$/)
    }
    const picture = await openDicom(file).picture(0)
    expect(Buffer.from(picture).includes('Doe')).toBe(false)
  })

  test('changed bytes give a picture or a reason', async () => {
    const file = image(
      { ...signed16, more: { 2633744: ['SQ', [{ 2633730: ['SS', [4, 0, 8]], 2633734: ['OW', [0, 50, 100, 255]] }]] } },
      ramp,
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 132, max: file.length - 1 }), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        async (changes) => {
          const copy = Buffer.from(file)
          for (const [at, value] of changes) copy[at] = value
          expect(await reason(copy)).not.toContain('contradict')
        },
      ),
      { numRuns: 300 },
    )
  })
})
