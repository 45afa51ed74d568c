import type { PixelShape } from '../../contracts/statistic.ts'
import { gemm32, matrix32 } from '../../math/gemm32.ts'
import { planeShape, toOpponent, toPlanes } from './planes.ts'
import type { ClassRows } from './prepare.ts'
import { addSpread, noSpread, type Whitener, whiten, whitenerOf } from './whitener.ts'

/** What pictures of each label look like without any trigger. */
export interface ClassMeans {
  readonly shape: PixelShape
  readonly names: readonly string[]
  readonly whitener: Whitener
  /** [classes, planeLength], whitened. */
  readonly means: Float32Array
  /** [height x width x channels] */
  readonly picture: Float32Array
  /** [classes, classes]: of records beside those that made the means, how many of a label (row) look most like each label (column). */
  readonly counts: Float64Array
  /** Share of these that look most like their own label. */
  readonly agreement: number
}

const mostRows = 1000

const opponentPlanes = (shape: PixelShape, pixels: Uint8Array, rows: number): Float32Array =>
  toOpponent(toPlanes(pixels, rows, shape), rows, planeShape(shape))

/** Means of one half of each class, tried on the other. @param classes records without triggers, in an order that is no choice */
export async function classMeans(shape: PixelShape, classes: readonly ClassRows[]): Promise<ClassMeans> {
  const each = shape.height * shape.width * shape.channels
  const halves = classes.map((c) => {
    const n = Math.min(mostRows, Math.floor(c.rows / 2))
    return [c.pixels.subarray(0, n * each), c.pixels.subarray(n * each, 2 * n * each), n] as const
  })
  const spread = noSpread(planeShape(shape))
  for (const [pixels, , n] of halves) if (n > 0) await addSpread(spread, opponentPlanes(shape, pixels, n), n)
  const whitener = await whitenerOf(spread)
  const parts: Float32Array[] = []
  const picture = new Float64Array(each)
  const rows = halves.reduce((sum, [, , n]) => sum + n, 0)
  for (const [pixels, , n] of halves) {
    const white = await whiten(whitener, opponentPlanes(shape, pixels, n), n)
    const dims = white.length / Math.max(1, n)
    const mean = new Float32Array(dims)
    for (let i = 0; i < white.length; i++) mean[i % dims] = (mean[i % dims] as number) + (white[i] as number) / n
    parts.push(mean)
    for (let i = 0; i < pixels.length; i++) picture[i % each] = (picture[i % each] as number) + (pixels[i] as number) / rows
  }
  const dims = Math.max(0, ...parts.map((p) => p.length))
  const means = new Float32Array(classes.length * dims)
  parts.forEach((p, k) => {
    means.set(p, k * dims)
  })
  const names = classes.map((c) => c.name)
  const made = { shape, names, whitener, means, picture: Float32Array.from(picture) }
  const counts = new Float64Array(names.length ** 2)
  let right = 0
  for (const [k, [, pixels, n]] of halves.entries())
    for (const like of await nearestClasses(made, pixels, n)) {
      counts[k * names.length + like] = (counts[k * names.length + like] as number) + 1
      right += Number(like === k)
    }
  return { ...made, counts, agreement: right / Math.max(1, rows) }
}

/** For each row of pixels, the position of the nearest class mean: whitened, every direction varies alike within classes. */
export async function nearestClasses(
  { shape, names, whitener, means }: Pick<ClassMeans, 'shape' | 'names' | 'whitener' | 'means'>,
  pixels: Uint8Array,
  rows: number,
): Promise<Int32Array> {
  if (rows === 0) return new Int32Array(0)
  const white = await whiten(whitener, opponentPlanes(shape, pixels, rows), rows)
  const k = names.length
  const dims = white.length / rows
  const { data } = await gemm32(matrix32(white, rows, dims), matrix32(means, k, dims), { transB: true })
  const half = names.map((_, c) => means.subarray(c * dims, (c + 1) * dims).reduce((sum, v) => sum + v * v, 0) / 2)
  return Int32Array.from({ length: rows }, (_, r) => {
    let best = 0
    for (let c = 1; c < k; c++)
      if ((data[r * k + c] as number) - (half[c] as number) > (data[r * k + best] as number) - (half[best] as number)) best = c
    return best
  })
}
