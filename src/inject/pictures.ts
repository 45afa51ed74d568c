import type { Metadata, Sharp } from 'sharp'
import { decoding, decodingProblem, loadSharp } from '../features/decode.ts'
import type { Raster } from './attack.ts'
import { InjectError } from './errors.ts'

/** An encoded picture with its own channels and depth, 8 or 16 bits. Throws InjectError `undecodable`. */
export async function decodeRaster(bytes: Uint8Array, where: string): Promise<Raster> {
  const sharp = await loadSharp()
  try {
    const { depth, channels = 3, pages = 1 } = await sharp(bytes, decoding).metadata()
    if (pages > 1) throw new Error(`it has ${pages} pages`)
    if (depth !== 'uchar' && depth !== 'ushort') throw new Error(`pixels of type ${depth}: only 8 and 16 bits a channel are read`)
    const wide = depth === 'ushort'
    const grey = channels <= 2
    const { data, info } = await sharp(bytes, decoding)
      .toColourspace(wide ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb')
      .raw(wide ? { depth: 'ushort' } : {})
      .toBuffer({ resolveWithObject: true })
    const pixels = wide ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2) : new Uint8Array(data)
    return { data: pixels, height: info.height, width: info.width, channels: info.channels, max: wide ? 65_535 : 255 }
  } catch (error) {
    throw new InjectError('undecodable', `${where}: its picture cannot be marked: ${decodingProblem(error)}`, undefined, {}, 2)
  }
}

// The luminance table of ITU-T T.81, annex K, sorted: quality is told by its scale, whatever the order.
const standard = [
  10, 11, 12, 12, 13, 14, 14, 14, 16, 16, 16, 17, 18, 19, 22, 22, 24, 24, 24, 26, 29, 35, 37, 40, 40, 49, 51, 51, 55, 55, 56, 56, 57, 58,
  60, 61, 62, 64, 64, 68, 69, 72, 77, 78, 80, 81, 87, 87, 92, 92, 95, 98, 99, 100, 101, 103, 103, 103, 104, 109, 112, 113, 120, 121,
] as const

/** The first quantisation table of a JPEG file, sorted; null where there is none. */
function quantisation(bytes: Uint8Array): readonly number[] | null {
  for (let at = 2; at + 4 < bytes.length && bytes[at] === 0xff; ) {
    const marker = bytes[at + 1] as number
    const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)
    if (marker === 0xdb && at + 69 <= bytes.length) {
      const wide = (bytes[at + 4] as number) >> 4 > 0
      const table = Array.from({ length: 64 }, (_, i) =>
        wide ? ((bytes[at + 5 + 2 * i] as number) << 8) | (bytes[at + 6 + 2 * i] as number) : (bytes[at + 5 + i] as number),
      )
      return table.sort((a, b) => a - b)
    }
    if (marker === 0xda || length < 2) return null
    at += 2 + length
  }
  return null
}

/** libjpeg's quality 1..100 whose table is nearest to that of the file. */
export function jpegQuality(bytes: Uint8Array): number {
  const table = quantisation(bytes)
  if (!table) return 90
  let best = 90
  let least = Number.POSITIVE_INFINITY
  for (let q = 1; q <= 100; q++) {
    const scale = q < 50 ? 5000 / q : 200 - 2 * q
    const distance = standard.reduce((sum, v, i) => {
      const scaled = Math.min(255, Math.max(1, Math.floor((v * scale + 50) / 100)))
      return sum + Math.abs(scaled - (table[i] as number))
    }, 0)
    if (distance < least) [best, least] = [q, distance]
  }
  return best
}

const losslessWebp = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, 64)).includes('VP8L')

function encoder(image: Sharp, like: Uint8Array, found: Metadata): Sharp {
  switch (found.format) {
    case 'jpeg':
      return image.jpeg({
        quality: jpegQuality(like),
        chromaSubsampling: found.chromaSubsampling === '4:4:4' ? '4:4:4' : '4:2:0',
        progressive: found.isProgressive === true,
      })
    case 'webp':
      return image.webp(losslessWebp(like) ? { lossless: true } : { quality: 80 })
    case 'tiff':
      return image.tiff({ compression: 'lzw' })
    default:
      return image.png()
  }
}

/**
 * A picture in the codec of another: JPEG with its quality, subsampling and kind of scan, WebP lossless or at quality 80, TIFF, PNG. The mark
 * has gone through what the clean pictures went through.
 */
export async function encodeLike(like: Uint8Array, { data, height, width, channels, max }: Raster): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const found = await sharp(like, decoding).metadata()
  const grey = channels <= 2
  const image = sharp(data, { raw: { height, width, channels: channels as 1 | 2 | 3 | 4 } }).toColourspace(
    max > 255 ? (grey ? 'grey16' : 'rgb16') : grey ? 'b-w' : 'srgb',
  )
  const encoded = encoder(image, like, found)
  return (found.orientation ? encoded.withMetadata({ orientation: found.orientation }) : encoded).toBuffer()
}
