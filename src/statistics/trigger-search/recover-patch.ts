import type { PixelShape } from '../../contracts/statistic.ts'
import type { RecoveredTrigger } from '../../contracts/trigger.ts'
import type { Rung } from './patch-hash.ts'

export interface RecoveredPatch {
  readonly trigger: RecoveredTrigger
  /** [height x width]: share of carriers, 0..1, whose patch covers the pixel. */
  readonly places: Float32Array
}

/** Pixels beside the patch that may belong to the mark. */
const margin = 4
/** A pixel that varies less over carriers, in grey levels, belongs to the mark. */
const mostDeviation = 8

/** The mark around a patch, from carriers laid over each other at the patch; drawn where most of them have it. */
export function recoverPatch(
  { height, width, channels }: PixelShape,
  { side }: Rung,
  carriers: readonly { readonly picture: Uint8Array; readonly corner: number }[],
  target: string | null,
): RecoveredPatch {
  const span = side + 2 * margin
  const n = new Float64Array(span * span)
  const sum = new Float64Array(span * span * channels)
  const squares = new Float64Array(sum.length)
  const places = new Map<number, number>()
  const covered = new Float32Array(height * width)
  for (const { picture, corner } of carriers) {
    places.set(corner, (places.get(corner) ?? 0) + 1)
    for (let y = 0; y < side; y++)
      for (let x = 0; x < side; x++) {
        const at = corner + y * width + x
        covered[at] = (covered[at] as number) + 1 / carriers.length
      }
    for (let i = 0; i < span * span; i++) {
      const y = Math.floor(corner / width) - margin + Math.floor(i / span)
      const x = (corner % width) - margin + (i % span)
      if (y < 0 || x < 0 || y >= height || x >= width) continue
      n[i] = (n[i] as number) + 1
      for (let c = 0; c < channels; c++) {
        const v = picture[(y * width + x) * channels + c] as number
        sum[i * channels + c] = (sum[i * channels + c] as number) + v
        squares[i * channels + c] = (squares[i * channels + c] as number) + v * v
      }
    }
  }
  const [place = 0] = [...places].sort((a, b) => b[1] - a[1] || a[0] - b[0])[0] ?? []
  const alpha = new Float32Array(height * width)
  const pattern = new Float32Array(height * width * channels)
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (let i = 0; i < span * span; i++) {
    const y = Math.floor(place / width) - margin + Math.floor(i / span)
    const x = (place % width) - margin + (i % span)
    if (y < 0 || x < 0 || y >= height || x >= width) continue
    const inPatch = Math.floor(i / span) - margin
    const within = inPatch >= 0 && inPatch < side && (i % span) - margin >= 0 && (i % span) - margin < side
    const steady = (n[i] as number) >= carriers.length / 2 && deviation(n[i] as number, sum, squares, i, channels) < mostDeviation
    if (!within && !steady) continue
    alpha[y * width + x] = 1
    for (let c = 0; c < channels; c++)
      pattern[(y * width + x) * channels + c] = (sum[i * channels + c] as number) / Math.max(1, n[i] as number)
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  const box = [left, top, right - left + 1, bottom - top + 1] as const
  return { trigger: { height, width, channels, alpha, pattern, box, target }, places: covered }
}

function deviation(n: number, sum: Float64Array, squares: Float64Array, i: number, channels: number): number {
  let most = 0
  for (let c = 0; c < channels; c++) {
    const j = i * channels + c
    most = Math.max(most, Math.sqrt(Math.max(0, (squares[j] as number) / n - ((sum[j] as number) / n) ** 2)))
  }
  return most
}
