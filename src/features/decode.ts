import type { Region, Sharp, SharpOptions } from 'sharp'
import type { Pixels } from './pixel-vector.ts'

type SharpFactory = typeof import('sharp').default

const maxPixels = 64_000_000
const timeoutSeconds = 30
const twelveBits = 4095
let loaded: Promise<SharpFactory> | null = null

/** sharp with the loaders of PNG, JPEG, WebP and TIFF alone, one thread an image, and no cache. */
export function loadSharp(): Promise<SharpFactory> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.block({ operation: ['VipsForeignLoad'] })
    sharp.unblock({
      operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer', 'VipsForeignLoadTiffBuffer'],
    })
    sharp.cache(false)
    sharp.concurrency(1)
    return sharp
  })
  return loaded
}

/** First page only; the colour profile of a file is not applied. */
export const decoding: SharpOptions = { failOn: 'error', limitInputPixels: maxPixels, ignoreIcc: true, sequentialRead: true, pages: 1 }

export const startDecoding = (sharp: SharpFactory, bytes: Uint8Array): Sharp => sharp(bytes, decoding).timeout({ seconds: timeoutSeconds })

/** What libvips said, in one short line. */
export const decodingProblem = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .split('\n', 1)[0]
    ?.replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 160) ?? ''

/** An encoded picture as `decodePixels` gives it, a side longer than `maxSide` scaled down to it. */
export async function decodeWithin(bytes: Uint8Array, maxSide: number): Promise<Pixels> {
  const sharp = await loadSharp()
  return decodePixels(
    () => startDecoding(sharp, bytes),
    (width, height) => [Math.min(width, maxSide), Math.min(height, maxSide)],
  )
}

/** The middle of an encoded picture in its own pixels, at most `side` a side, on the grid of JPEG's blocks. */
export async function decodeCentre(bytes: Uint8Array, side: number): Promise<Pixels> {
  const sharp = await loadSharp()
  const start = () => startDecoding(sharp, bytes)
  const { width, height } = await start().metadata()
  const region = {
    left: width > side ? Math.floor((width - side) / 16) * 8 : 0,
    top: height > side ? Math.floor((height - side) / 16) * 8 : 0,
    width: Math.min(width, side),
    height: Math.min(height, side),
  }
  return decodePixels(start, () => [width, height], region)
}

export interface RawImage {
  /** height x width x channels, row-major. */
  readonly data: Uint8Array
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** sharp takes 1 to 4 channels; of more, it gets the mean. */
export function startRaw(sharp: SharpFactory, image: RawImage): Sharp {
  const { height, width } = image
  if (image.channels <= 4) return sharp(image.data, { raw: { height, width, channels: image.channels as 1 | 2 | 3 | 4 } })
  const data = new Uint8Array(height * width)
  for (let i = 0; i < data.length; i++) {
    let sum = 0
    for (let c = 0; c < image.channels; c++) sum += image.data[i * image.channels + c] as number
    data[i] = sum / image.channels
  }
  return sharp(data, { raw: { height, width, channels: 1 } })
}

/**
 * A picture as RGB pixels, 16 bits a channel where the file has them, else 8, scaled to the width and height that `fit` makes of its own.
 * Where 16 bits hold no value above 4095 they are taken for 12, which is what many medical devices write.
 * Throws what sharp throws: not one of the four formats, damaged, more than 64 million pixels, more than 30 s.
 */
export async function decodePixels(
  start: () => Sharp,
  fit: (width: number, height: number) => readonly [number, number],
  region: Region | null = null,
): Promise<Pixels> {
  const { width, height, depth } = await start().metadata()
  if (depth !== 'uchar' && depth !== 'ushort') throw new Error(`pixels of type ${depth}: only 8 and 16 bits a channel are read`)
  const wide = depth === 'ushort'
  const [toWidth, toHeight] = fit(width, height)
  const image = region ? start().extract(region) : start()
  if (toWidth !== width || toHeight !== height) image.resize(toWidth, toHeight, { fit: 'fill', kernel: 'linear' })
  const { data, info } = await image
    .toColourspace(wide ? 'rgb16' : 'srgb')
    .removeAlpha()
    .raw(wide ? { depth: 'ushort' } : {})
    .toBuffer({ resolveWithObject: true })
  const words = wide ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : null
  return {
    data: words ?? data,
    height: info.height,
    width: info.width,
    channels: info.channels,
    scaled: toWidth !== width || toHeight !== height,
    max: words ? (words.every((v) => v <= twelveBits) ? twelveBits : 65_535) : 255,
  }
}
