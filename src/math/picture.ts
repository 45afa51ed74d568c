import { encode } from 'fast-png'
import type { Picture } from '../contracts/finding.ts'

/** height x width x channels, row-major, 0..255. */
export interface PictureSpec {
  readonly caption: string
  readonly data: Uint8Array | Uint8ClampedArray
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly outline?: Picture['outline']
}

/** Pixels as evidence. The same pixels give the same bytes. */
export function pictureOf({ caption, data, height, width, channels, outline = null }: PictureSpec): Picture {
  const png = encode({ width, height, channels, depth: 8, data: Uint8Array.from(data) })
  return { caption, png: `data:image/png;base64,${Buffer.from(png).toString('base64')}`, width, height, outline }
}
