/** Area weights of one axis: target cell t is the mean of what it covers of the source. */
function axis(from: number, to: number): { readonly first: Int32Array; readonly weights: readonly Float64Array[] } {
  const first = new Int32Array(to)
  const weights: Float64Array[] = []
  for (let t = 0; t < to; t++) {
    const low = (t * from) / to
    const high = ((t + 1) * from) / to
    first[t] = Math.floor(low)
    const end = Math.min(Math.ceil(high - 1e-9), from)
    weights.push(
      Float64Array.from(
        { length: end - (first[t] as number) },
        (_, k) => (Math.min(high, (first[t] as number) + k + 1) - Math.max(low, (first[t] as number) + k)) / (high - low),
      ),
    )
  }
  return { first, weights }
}

const frequencies = 8
/** Differences that arithmetic alone can make: uniform pictures all have one hash. */
const rounding = 1e-6
const side = 32

/** frequencies x n: the lowest rows of the orthonormal DCT-II of n numbers that were brought to 32 by area. */
function lowRows(n: number): Float64Array {
  const { first, weights } = axis(n, side)
  const rows = new Float64Array(frequencies * n)
  for (let u = 0; u < frequencies; u++)
    for (let t = 0; t < side; t++) {
      const c = Math.sqrt((u === 0 ? 1 : 2) / side) * Math.cos((Math.PI * (2 * t + 1) * u) / (2 * side))
      ;(weights[t] as Float64Array).forEach((w, k) => {
        rows[u * n + (first[t] as number) + k] = (rows[u * n + (first[t] as number) + k] as number) + c * w
      })
    }
  return rows
}

/** count x n: means of n numbers by area. */
function meanRows(n: number, count: number): Float64Array {
  const { first, weights } = axis(n, count)
  const rows = new Float64Array(count * n)
  weights.forEach((list, t) => {
    rows.set(list, t * n + (first[t] as number))
  })
  return rows
}

/** left x plane x right^T for a plane of height x width. */
function sandwich(
  height: number,
  width: number,
  left: Float64Array,
  right: Float64Array,
): (plane: Float64Array, into: Float64Array) => void {
  const rows = left.length / height
  const columns = right.length / width
  const half = new Float64Array(rows * width)
  return (plane, into) => {
    half.fill(0)
    for (let r = 0; r < rows; r++)
      for (let y = 0; y < height; y++) {
        const c = left[r * height + y] as number
        if (c === 0) continue
        const from = y * width
        const to = r * width
        for (let x = 0; x < width; x++) half[to + x] = (half[to + x] as number) + c * (plane[from + x] as number)
      }
    for (let r = 0; r < rows; r++)
      for (let k = 0; k < columns; k++) {
        let sum = 0
        for (let x = 0; x < width; x++) sum += (half[r * width + x] as number) * (right[k * width + x] as number)
        into[r * columns + k] = sum
      }
  }
}

/** Rows x columns from height x width by area; both row-major. */
export const resizer = (
  height: number,
  width: number,
  rows: number,
  columns: number,
): ((plane: Float64Array, into: Float64Array) => void) => sandwich(height, width, meanRows(height, rows), meanRows(width, columns))

/** Bytes of an image's hash. */
export const hashBytes = 16

export interface ImageHasher {
  /** Luma, height x width, of row i of `pixels`; valid until the next call. */
  luma(pixels: Uint8Array, at: number): Float64Array
  /** Two perceptual hashes of a luma picture, 8 bytes each: signs of low frequencies against their median (pHash), and of differences of neighbours (dHash). */
  hash(luma: Float64Array, into: Uint8Array, at: number): void
}

/**
 * Hashes of pictures of one size that stay the same under re-encoding, small noise, and changes of size and brightness (Zauner 2010).
 * @param shape of the pixels, 0..255, interleaved; three channels are RGB
 */
export function imageHasher({ height, width, channels }: { height: number; width: number; channels: number }): ImageHasher {
  const cells = height * width
  const plane = new Float64Array(cells)
  const low = new Float64Array(frequencies * frequencies)
  const toLow = sandwich(height, width, lowRows(height), lowRows(width))
  const steps = new Float64Array(8 * 9)
  const toSteps = sandwich(height, width, meanRows(height, 8), meanRows(width, 9))
  return {
    luma(pixels, at) {
      if (channels === 1) for (let i = 0; i < cells; i++) plane[i] = pixels[at + i] as number
      else
        for (let i = 0, j = at; i < cells; i++, j += 3)
          plane[i] = (299 * (pixels[j] as number) + 587 * (pixels[j + 1] as number) + 114 * (pixels[j + 2] as number)) / 1000
      return plane
    },
    hash(luma, into, at) {
      toLow(luma, low)
      const sorted = low.slice(1).sort()
      const median = sorted[sorted.length >> 1] as number
      for (let b = 0; b < 8; b++) {
        let byte = 0
        for (let k = 0; k < 8; k++) if (b + k > 0 && (low[8 * b + k] as number) > median + rounding) byte |= 1 << k
        into[at + b] = byte
      }
      toSteps(luma, steps)
      for (let y = 0; y < 8; y++) {
        let byte = 0
        for (let x = 0; x < 8; x++) if ((steps[9 * y + x] as number) + rounding < (steps[9 * y + x + 1] as number)) byte |= 1 << x
        into[at + 8 + y] = byte
      }
    },
  }
}
