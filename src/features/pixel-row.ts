import type { PixelShape } from '../contracts/statistic.ts'
import { lumaOf, type Pixels, resample } from './pixel-vector.ts'

/** Plain JSON: how every image becomes a row of the column `pixels`. Part of the plan, so that it is the same in every worker. */
export interface PixelPlan extends PixelShape {
  /** The column `noise` is made as well: see `contracts/noise.ts`. */
  readonly noise: boolean
  /** One sentence for the dry run and the report's coverage page. */
  readonly description: string
}

export const rowLength = (p: PixelShape): number => p.height * p.width * p.channels

/**
 * A picture as 8-bit pixels of the plan's size: unchanged where it has that size already, else area-resampled. One and two channels are
 * grey (and alpha), three and four are RGB (and alpha), more are averaged to grey. Alpha is not used.
 *
 * @param into `rowLength(p)` bytes
 */
export function pixelRow(p: PixelShape, pixels: Pixels, into: Uint8Array): void {
  const { height, width, channels, data, max } = pixels
  const scale = 255 / max
  const colour = channels === 3 || channels === 4
  const native = height === p.height && width === p.width
  if (native && max === 255 && channels === p.channels) {
    into.set(data)
    return
  }
  const cells = height * width
  const planes = p.channels === 3 && colour ? 3 : 1
  for (let k = 0; k < planes; k++) {
    let plane: Float64Array
    if (planes === 3) {
      plane = new Float64Array(cells)
      for (let i = 0; i < cells; i++) plane[i] = data[i * channels + k] as number
    } else plane = lumaOf(pixels)
    let fitted: Float32Array | Float64Array = plane
    if (!native) {
      fitted = new Float32Array(p.height * p.width)
      resample(plane, height, width, { into: fitted, rows: p.height, columns: p.width }, 1, 0)
    }
    const size = p.height * p.width
    const copies = planes === 1 ? p.channels : 1
    for (let i = 0; i < size; i++) {
      const value = Math.round((fitted[i] as number) * scale)
      for (let c = 0; c < copies; c++) into[i * p.channels + k + c] = value
    }
  }
}
