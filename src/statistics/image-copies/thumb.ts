import type { PixelShape } from '../../contracts/statistic.ts'
import { resizer } from '../../math/image-hash.ts'

/** Sides beyond this are brought down to it before two pictures are compared. */
const maxSide = 28

export interface Thumb {
  /** Luma of at most 28 x 28, 0..255. */
  readonly size: number
  of(luma: Float64Array, into: Uint8Array): void
}

export function thumbMaker({ height, width }: PixelShape): Thumb {
  const rows = Math.min(height, maxSide)
  const columns = Math.min(width, maxSide)
  const size = rows * columns
  const fitted = new Float64Array(size)
  const fit = rows === height && columns === width ? null : resizer(height, width, rows, columns)
  return {
    size,
    of(luma, into) {
      fit?.(luma, fitted)
      const from = fit ? fitted : luma
      for (let i = 0; i < size; i++) into[i] = Math.round(from[i] as number)
    },
  }
}

/** Grey levels: two pictures of less contrast are compared as if they had so much noise. */
const floor = 2
/** Grey levels by which the means of two copies may differ. */
const maxShift = 40

export interface Moments {
  readonly mean: number
  /** Sum of squares about the mean. */
  readonly square: number
}

export function momentsOf(thumb: Uint8Array): Moments {
  let sum = 0
  for (const v of thumb) sum += v
  const mean = sum / thumb.length
  let square = 0
  for (const v of thumb) square += (v - mean) ** 2
  return { mean, square }
}

/** Less contrast than this is a picture of one shade: all of them are alike, whatever the shade. */
export const isBlank = (thumb: Uint8Array): boolean => momentsOf(thumb).square < floor ** 2 * thumb.length

/** Pearson's correlation of two thumbs, with a floor of noise; 0 where their brightness is too different for copies. */
export function likeness(a: Uint8Array, b: Uint8Array, x: Moments = momentsOf(a), y: Moments = momentsOf(b)): number {
  const noise = floor ** 2 * a.length
  if (x.square < noise && y.square < noise) return 1
  if (Math.abs(x.mean - y.mean) > maxShift) return 0
  let product = -a.length * x.mean * y.mean
  for (let i = 0; i < a.length; i++) product += (a[i] as number) * (b[i] as number)
  return Math.max(0, (product + noise) / Math.sqrt((x.square + noise) * (y.square + noise)))
}
