import { column } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { decodeWithin } from './decode.ts'
import { rawImages } from './image-column.ts'
import type { PixelPlan } from './pixel-row.ts'
import type { Pixels } from './pixel-vector.ts'

/** Longest side that pixels keep; a larger picture is scaled to `scaledSide` a side. */
const maxNativeSide = 96
const scaledSide = 64
/** Encoded images of the first batch that are decoded to tell the size and whether there is colour. */
const looked = 16

/**
 * The size of the column `pixels`: that of raw images, or of the first encoded image that can be decoded, where neither side is
 * longer than 96, else at most 64 x 64. In colour where a raw image has three channels or one of the first 16 encoded images shows any.
 * The first batch decides for all data.
 */
export async function planPixels(first: Batch): Promise<PixelPlan> {
  const raw = first.numRows > 0 ? rawImages(first)?.(0) : null
  const images = raw ? [] : await decodable(first)
  const { height, width } = raw ?? images[0] ?? { height: scaledSide, width: scaledSide }
  const colour = raw ? raw.channels === 3 || raw.channels === 4 : images.length === 0 || images.some(hasColour)
  const native = Math.max(height, width) <= maxNativeSide
  const side = (n: number): number => (native ? n : Math.min(n, scaledSide))
  const size = `${side(height)} x ${side(width)} ${colour ? 'RGB' : 'grey'}`
  return {
    height: side(height),
    width: side(width),
    channels: colour ? 3 : 1,
    noise: false,
    description: native ? `pixels as ${size}, the size of the first image` : `pixels as ${size}, scaled down by area`,
  }
}

async function decodable(batch: Batch): Promise<Pixels[]> {
  const images = column(batch, 'image')
  const found: Pixels[] = []
  for (let i = 0; i < batch.numRows && found.length < looked && i < 4 * looked; i++) {
    const bytes = images?.get(i) as Uint8Array | null
    if (!bytes) continue
    try {
      found.push(await decodeWithin(bytes, 8 * maxNativeSide))
    } catch {
      // The first read reports it.
    }
  }
  return found
}

function hasColour({ data, channels }: Pixels): boolean {
  if (channels < 3) return false
  for (let i = 0; i < data.length; i += channels) if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return true
  return false
}
