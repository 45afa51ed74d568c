import { decodePixels, loadSharp, type RawImage, startDecoding, startRaw } from './decode.ts'
import type { Pixels } from './pixel-vector.ts'

/**
 * A small PNG as a data URI, made anew from the pixels so that nothing else of the file comes along. Larger pictures are scaled to fit
 * `maxPixels` a side, smaller ones enlarged by a whole factor without smoothing. Null where the picture cannot be decoded.
 */
export async function thumbnail(image: Uint8Array | RawImage, maxPixels = 96): Promise<string | null> {
  const sharp = await loadSharp()
  const start = () => (image instanceof Uint8Array ? startDecoding(sharp, image) : startRaw(sharp, image))
  try {
    const { height, width, depth } = await start().metadata()
    const longest = Math.max(height, width)
    const factor = longest > maxPixels ? maxPixels / longest : Math.floor(maxPixels / longest)
    const side = (n: number): number => Math.max(1, Math.round(n * factor))
    const fitted =
      depth === 'ushort'
        ? startRaw(sharp, eightBits(await decodePixels(start, (w, h) => (factor < 1 ? [side(w), side(h)] : [w, h]))))
        : start()
    const png = await fitted
      .resize(side(width), side(height), { fit: 'fill', kernel: factor < 1 ? 'linear' : 'nearest' })
      .toColourspace('srgb')
      .png({ compressionLevel: 9 })
      .toBuffer()
    return `data:image/png;base64,${png.toString('base64')}`
  } catch {
    return null
  }
}

const eightBits = ({ data, max, height, width, channels }: Pixels): RawImage => ({
  data: Uint8Array.from(data, (v) => Math.round((v * 255) / max)),
  height,
  width,
  channels,
})
