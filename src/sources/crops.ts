import { readFile, stat } from 'node:fs/promises'
import type { RowIssueCode } from '../contracts/data.ts'
import type { Annotated } from './annotated.ts'
import { SourceError } from './errors.ts'
import { imageKind } from './image-kind.ts'
import { limits } from './limits.ts'

/** Why a record has no picture. */
export interface NoPicture {
  readonly code: RowIssueCode
  readonly detail: string
}

interface Pixels {
  readonly data: Buffer
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
}

const no = (code: RowIssueCode, detail: string): NoPicture => ({ code, detail })
const isReason = (x: Uint8Array | Pixels | NoPicture): x is NoPicture => 'code' in x

async function load(path: string): Promise<Uint8Array | NoPicture> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile())
    throw new SourceError('not-found', `${path}: was there when the folder was listed and cannot be read now`, { file: path }, undefined, 2)
  return found.size > limits.imageBytes ? no('too-long', `${found.size} bytes`) : readFile(path)
}

type SharpFactory = typeof import('sharp').default
let loaded: Promise<SharpFactory> | null = null

/** sharp with the loaders of the formats that are read, and no others. */
function loadSharp(): Promise<SharpFactory> {
  loaded ??= import('sharp').then(({ default: sharp }) => {
    sharp.block({ operation: ['VipsForeignLoad'] })
    sharp.unblock({
      operation: ['VipsForeignLoadPngBuffer', 'VipsForeignLoadJpegBuffer', 'VipsForeignLoadWebpBuffer', 'VipsForeignLoadTiffBuffer'],
    })
    sharp.concurrency(1)
    return sharp
  })
  return loaded
}

/** As its pixels lie in the file; turned as the camera says where `size`, that of the annotations, is only met so. */
async function decode(bytes: Uint8Array, size: Annotated['size']): Promise<Pixels | NoPicture> {
  const kind = imageKind(bytes)
  if (kind === null) return no('undecodable-image', 'not PNG, JPEG, WebP or TIFF')
  if (kind === 'dicom') return no('undecodable-image', 'boxes in DICOM files are not read')
  const sharp = await loadSharp()
  const options = { failOn: 'error', limitInputPixels: limits.imagePixels, ignoreIcc: true, pages: 1 } as const
  try {
    const { width, height, orientation = 1 } = await sharp(bytes, options).metadata()
    const turned = orientation >= 5 && size && size[0] !== size[1] && size[0] === height && size[1] === width
    const upright = turned ? sharp(bytes, options).autoOrient() : sharp(bytes, options)
    const { data, info } = await upright.timeout({ seconds: 30 }).raw().toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height, channels: info.channels as Pixels['channels'] }
  } catch (e) {
    const [first = ''] = String((e as Error).message).split('\n', 1)
    return no('undecodable-image', first.slice(0, 160))
  }
}

/** The box within the picture; a message where nothing of it is. */
function clamp(
  box: NonNullable<Annotated['box']>,
  width: number,
  height: number,
): { left: number; top: number; width: number; height: number } | NoPicture {
  const [x, y, w, h] = box
  const shown = `box ${box.map((v) => Math.round(v * 10) / 10).join(', ')}`
  if (!box.every(Number.isFinite)) return no('non-finite', shown)
  if (w <= 0 || h <= 0) return no('out-of-range', `${shown}: has no area`)
  const left = Math.max(0, Math.floor(x))
  const top = Math.max(0, Math.floor(y))
  const right = Math.min(width, Math.ceil(x + w))
  const bottom = Math.min(height, Math.ceil(y + h))
  if (right <= left || bottom <= top) return no('out-of-range', `${shown}: lies outside of the picture of ${width} x ${height}`)
  return { left, top, width: right - left, height: bottom - top }
}

/**
 * Gives the picture of a record: the file as it is, or what its box shows as PNG, parts outside of the picture left out. A picture is
 * decoded once for all its boxes where they follow one another. @param pathOf absolute path of a picture
 */
export function openCrops(pathOf: (file: string) => string): (record: Annotated) => Promise<Uint8Array | NoPicture> {
  let held: { readonly file: string; readonly pixels: Promise<Pixels | NoPicture> } | null = null
  return async ({ image, box, size }) => {
    if (image === undefined) return no('undecodable-image', 'the picture is not in the folder')
    if (!box) return load(pathOf(image))
    if (held?.file !== image) {
      const pixels = load(pathOf(image)).then((bytes) => (isReason(bytes) ? bytes : decode(bytes, size)))
      held = { file: image, pixels }
    }
    const pixels = await held.pixels
    if (isReason(pixels)) return pixels
    const { data, width, height, channels } = pixels
    if (size && (size[0] !== width || size[1] !== height))
      return no('out-of-range', `the picture has ${width} x ${height} pixels, the annotations are for ${size[0]} x ${size[1]}`)
    const region = clamp(box, width, height)
    if ('code' in region) return region
    const sharp = await loadSharp()
    return sharp(data, { raw: { width, height, channels } }).extract(region).png({ compressionLevel: 1 }).toBuffer()
  }
}
