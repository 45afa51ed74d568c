import type { PixelShape } from '../../contracts/statistic.ts'

/** Longest side of the planes that templates are sought on; larger pictures are area-resampled. */
const maxSide = 32

/** Grey, or opponent colours of RGB: luma, red against blue, green against both; orthonormal rows. */
const opponent = [
  [1, 1, 1].map((v) => v / Math.sqrt(3)),
  [1, 0, -1].map((v) => v / Math.sqrt(2)),
  [1, -2, 1].map((v) => v / Math.sqrt(6)),
] as const

/** Size of the planes of a picture of this shape. */
export interface PlaneShape {
  readonly height: number
  readonly width: number
  /** Grey 1, colour 3. */
  readonly planes: 1 | 3
}

export const planeShape = ({ height, width, channels }: PixelShape): PlaneShape => ({
  height: Math.min(height, maxSide),
  width: Math.min(width, maxSide),
  planes: channels,
})

export const planeLength = (s: PlaneShape): number => s.height * s.width * s.planes

/** Rows of pixels as planes: [rows, planes, height, width], 0..255. */
export function toPlanes(pixels: Uint8Array, rows: number, from: PixelShape): Float32Array {
  const to = planeShape(from)
  const size = to.height * to.width
  const out = new Float32Array(rows * size * to.planes)
  const { height, width, channels } = from
  const down = weights(height, to.height)
  const across = weights(width, to.width)
  const narrow = new Float32Array(height * to.width)
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < channels; c++) {
      const at = r * height * width * channels + c
      const into = (r * to.planes + c) * size
      if (height === to.height && width === to.width) {
        for (let i = 0; i < size; i++) out[into + i] = pixels[at + i * channels] as number
        continue
      }
      for (let y = 0; y < height; y++)
        for (let x = 0; x < to.width; x++) {
          let sum = 0
          for (const [i, w] of across[x] as Weights) sum += w * (pixels[at + (y * width + i) * channels] as number)
          narrow[y * to.width + x] = sum
        }
      for (let y = 0; y < to.height; y++)
        for (let x = 0; x < to.width; x++) {
          let sum = 0
          for (const [i, w] of down[y] as Weights) sum += w * (narrow[i * to.width + x] as number)
          out[into + y * to.width + x] = sum
        }
    }
  }
  return out
}

type Weights = readonly (readonly [number, number])[]

/** Per target cell, the source cells that it covers and their shares. */
function weights(from: number, to: number): Weights[] {
  return Array.from({ length: to }, (_, t) => {
    const low = (t * from) / to
    const high = ((t + 1) * from) / to
    const out: [number, number][] = []
    for (let i = Math.floor(low); i < Math.min(Math.ceil(high), from); i++)
      out.push([i, (Math.min(high, i + 1) - Math.max(low, i)) / (high - low)])
    return out
  })
}

/** Colour planes as opponent colours; grey ones as they are. */
export function toOpponent(planes: Float32Array, rows: number, s: PlaneShape): Float32Array {
  if (s.planes === 1) return planes
  const size = s.height * s.width
  const out = new Float32Array(planes.length)
  for (let r = 0; r < rows; r++)
    for (let k = 0; k < 3; k++) {
      const [a, b, c] = opponent[k] as [number, number, number]
      const from = r * 3 * size
      const into = from + k * size
      for (let i = 0; i < size; i++)
        out[into + i] =
          a * (planes[from + i] as number) + b * (planes[from + size + i] as number) + c * (planes[from + 2 * size + i] as number)
    }
  return out
}

/** Orthonormal DCT-II of one axis, [frequency, position]. */
function cosines(n: number): Float64Array {
  const out = new Float64Array(n * n)
  for (let u = 0; u < n; u++)
    for (let x = 0; x < n; x++) out[u * n + x] = Math.sqrt((u === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (x + 0.5) * u) / n)
  return out
}

/** The orthonormal 2-D DCT of a plane as one matrix, [coefficient, pixel]; its transpose is the inverse. */
export function dctMatrix({ height, width }: PlaneShape): Float32Array {
  const down = cosines(height)
  const across = cosines(width)
  const size = height * width
  const out = new Float32Array(size * size)
  for (let u = 0; u < height; u++)
    for (let v = 0; v < width; v++)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < width; x++)
          out[(u * width + v) * size + y * width + x] = (down[u * height + y] as number) * (across[v * width + x] as number)
  return out
}
