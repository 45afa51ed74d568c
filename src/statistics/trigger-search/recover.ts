import type { PixelShape } from '../../contracts/statistic.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import { partOfWave, type Wave } from './waves.ts'

export interface PixelMoments {
  readonly mean: Float64Array
  readonly deviation: Float64Array
}

/** Means and standard deviations of every pixel over the rows that `takes` picks. */
export function pixelMoments(pixels: Uint8Array, each: number, rows: Iterable<number>): PixelMoments {
  const sum = new Float64Array(each)
  const squares = new Float64Array(each)
  let n = 0
  for (const r of rows) {
    n++
    for (let i = 0; i < each; i++) {
      const v = pixels[r * each + i] as number
      sum[i] = (sum[i] as number) + v
      squares[i] = (squares[i] as number) + v * v
    }
  }
  const mean = sum.map((s) => s / Math.max(1, n))
  return { mean, deviation: squares.map((s, i) => Math.sqrt(Math.max(0, s / Math.max(1, n) - (mean[i] as number) ** 2))) }
}

/**
 * The trigger that carriers have in common: where a pixel is a share alpha of a fixed pattern, its deviation over carriers is (1 - alpha)
 * times that over other records, and the pattern follows from the means. Whether carriers were made of records of the class or of others is
 * not known: alpha is the smaller one of both comparisons, and the pattern comes from the comparison that needs less of it.
 *
 * @param backgrounds the other records of the class, and records of other classes
 */
export function recoverTrigger(
  shape: PixelShape,
  carriers: PixelMoments,
  backgrounds: readonly PixelMoments[],
  target: string | null,
): RecoveredTrigger {
  const { height, width, channels } = shape
  const cells = height * width
  const candidates = backgrounds.map((background) => alphaOver(carriers, background, cells, channels))
  const needed = candidates.map((alpha) => alpha.reduce((a, b) => a + b, 0))
  const background = backgrounds[needed.indexOf(Math.min(...needed))] as PixelMoments
  const alpha = Float32Array.from({ length: cells }, (_, i) => Math.min(...candidates.map((c) => c[i] as number)))
  const pattern = new Float32Array(cells * channels)
  const change = new Float32Array(cells)
  for (let i = 0; i < cells; i++) {
    const a = alpha[i] as number
    for (let c = 0; c < channels; c++) {
      const j = i * channels + c
      const [mean, before] = [carriers.mean[j] as number, background.mean[j] as number]
      pattern[j] = Math.min(255, Math.max(0, (mean - (1 - a) * before) / Math.max(a, leastAlpha)))
      change[i] = Math.max(change[i] as number, a * Math.abs((pattern[j] as number) - before))
    }
  }
  return { height, width, channels, alpha, pattern, box: boxOf(change, height, width), target }
}

/**
 * A wave that was added: in the mean of the carriers against the background that differs least from it, the part that the wave has. As
 * something blended in, which takes a little contrast, it is as faint as that part allows.
 */
export function recoverWave(
  shape: PixelShape,
  carriers: PixelMoments,
  backgrounds: readonly PixelMoments[],
  wave: Wave,
  target: string | null,
): RecoveredTrigger {
  const { height, width, channels } = shape
  const before = nearestOf(carriers, backgrounds).mean
  const part = partOfWave(
    carriers.mean.map((v, i) => v - (before[i] as number)),
    shape,
    wave,
  )
  const alpha = part.reduce((most, v) => Math.max(most, Math.abs(v)), leastAlpha) / middle
  const pattern = part.map((v) => Math.min(255, Math.max(0, middle + v / alpha)))
  return { height, width, channels, alpha: new Float32Array(height * width).fill(alpha), pattern, box: [0, 0, width, height], target }
}

const middle = 127.5

/** Of the records that carriers were made of, as far as means tell. */
function nearestOf(carriers: PixelMoments, backgrounds: readonly PixelMoments[]): PixelMoments {
  const distances = backgrounds.map((b) => b.mean.reduce((sum, v, i) => sum + Math.abs(v - (carriers.mean[i] as number)), 0))
  return backgrounds[distances.indexOf(Math.min(...distances))] as PixelMoments
}

const mostScale = 3

/** [height x width x channels] each: a carrier x scale + offset has the means and deviations of records without the trigger. */
export interface Undo {
  readonly scale: Float32Array
  readonly offset: Float32Array
}

/** What gives carriers the means and deviations of the background that differs least from them. */
export function undoOf(carriers: PixelMoments, backgrounds: readonly PixelMoments[]): Undo {
  const { mean, deviation } = nearestOf(carriers, backgrounds)
  const scale = Float32Array.from(deviation, (spread, i) => {
    const own = carriers.deviation[i] as number
    return own < leastDeviation ? 0 : Math.min(mostScale, spread / own)
  })
  return { scale, offset: scale.map((s, i) => (mean[i] as number) - s * (carriers.mean[i] as number)) }
}

/** Deviations of fewer grey levels say nothing of what covers them. */
const leastDeviation = 2

function alphaOver(carriers: PixelMoments, others: PixelMoments, cells: number, channels: number): Float32Array {
  return Float32Array.from({ length: cells }, (_, i) => {
    let sum = 0
    for (let c = 0; c < channels; c++) {
      const j = i * channels + c
      const spread = others.deviation[j] as number
      const shift = Math.abs((carriers.mean[j] as number) - (others.mean[j] as number))
      // A pixel that never varies tells of a pattern by its mean alone.
      if (spread < leastDeviation) sum += shift > 2 * leastDeviation ? Math.min(1, 0.5 + shift / 255) : 0
      else sum += Math.min(1, Math.max(0, 1 - (carriers.deviation[j] as number) / spread))
    }
    return sum / channels
  })
}

/** Share of the largest change from which a pixel belongs to the box. */
const boxShare = 0.3
const leastAlpha = 0.05

function boxOf(change: Float32Array, height: number, width: number): RecoveredTrigger['box'] {
  const from = boxShare * change.reduce((a, b) => Math.max(a, b), 0)
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (from === 0 || (change[y * width + x] as number) < from) continue
      left = Math.min(left, x)
      right = Math.max(right, x)
      top = Math.min(top, y)
      bottom = Math.max(bottom, y)
    }
  return right < 0 ? [0, 0, width, height] : [left, top, right - left + 1, bottom - top + 1]
}
