import type { Raster } from './attack.ts'

/** Channels that hold colour; the rest is alpha, which no attack touches. */
export const colours = (channels: number): number => (channels === 2 ? 1 : channels === 4 ? 3 : channels)

/** A copy of the picture whose colour values are what `value` makes of them; rounded and clipped to 0..max. */
export function mapPixels(image: Raster, value: (v: number, x: number, y: number, channel: number) => number): Raster {
  const { height, width, channels, max } = image
  const data = image.data.slice()
  const count = colours(channels)
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += channels) {
      for (let c = 0; c < count; c++) data[at + c] = clip(value(image.data[at + c] as number, x, y, c), max)
    }
  }
  return { ...image, data }
}

const clip = (v: number, max: number): number => Math.min(max, Math.max(0, Math.round(v)))

/** Value 0..1 of a picture at a place of the unit square, nearest pixel. Grey pictures give every channel the same. */
export function lookUp(image: Raster, u: number, v: number, channel: number): number {
  const x = Math.min(image.width - 1, Math.floor(u * image.width))
  const y = Math.min(image.height - 1, Math.floor(v * image.height))
  const c = Math.min(channel, colours(image.channels) - 1)
  return (image.data[(y * image.width + x) * image.channels + c] as number) / image.max
}

/** Bilinear value at (x, y), clamped to the picture. */
export function bilinear(image: Raster, x: number, y: number, channel: number): number {
  const { width, height, channels, data } = image
  const cx = Math.min(width - 1, Math.max(0, x))
  const cy = Math.min(height - 1, Math.max(0, y))
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)]
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)]
  const [fx, fy] = [cx - x0, cy - y0]
  const at = (px: number, py: number): number => data[(py * width + px) * channels + channel] as number
  return (at(x0, y0) * (1 - fx) + at(x1, y0) * fx) * (1 - fy) + (at(x0, y1) * (1 - fx) + at(x1, y1) * fx) * fy
}
