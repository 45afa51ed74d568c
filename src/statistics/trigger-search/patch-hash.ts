import type { PixelShape } from '../../contracts/statistic.ts'

/** How patches are compared: so many bits of each value, so many pixels a side. */
export interface Rung {
  readonly bits: number
  readonly side: number
}

/** Patches of one picture. Arrays are used again by the next picture. */
export interface Patches {
  /** Of every patch with enough contrast: its hash, 52 bits (with 32, rare patches would share the hash of frequent ones), and its top left corner as y x width + x. */
  readonly hashes: Float64Array
  readonly corners: Int32Array
  readonly count: number
}

/** Flat patches are everywhere. */
const leastContrast = 64

/** Murmur's finaliser. */
export const scramble = (h: number): number => {
  let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}

const step = (h: number, value: number): number => (Math.imul(h ^ value, 0x01000193) + 0x9e3779b9) | 0
const step2 = (h: number, value: number): number => (Math.imul(h ^ Math.imul(value, 0x27d4eb2f), 0x165667b1) + 0x7f4a7c15) | 0
const joined = (a: number, b: number): number => scramble(a) * 2 ** 20 + (scramble(b) >>> 12)

export interface PatchReader {
  /** Patches of a picture, at most. */
  readonly most: number
  read(picture: Uint8Array): Patches
  /** Hash of one patch, side x side x channels. */
  hashOf(patch: Uint8Array): number
}

/**
 * @param key 32 bits that nobody knows who makes the pictures
 * @param contrast least range of values of one channel within a patch, in grey levels; with 0 every patch is read, in the order of its corner
 */
export function patchReader(
  { height, width, channels }: PixelShape,
  { bits, side }: Rung,
  key: number,
  contrast: number = leastContrast,
): PatchReader {
  const shift = 8 - bits
  const rows = height - side + 1
  const columns = width - side + 1
  const cells = new Int32Array(height * width)
  const runs = new Int32Array(height * columns)
  const runs2 = new Int32Array(height * columns)
  const low = new Uint8Array(height * columns * channels)
  const high = new Uint8Array(height * columns * channels)
  const hashes = new Float64Array(Math.max(0, rows * columns))
  const corners = new Int32Array(hashes.length)
  const cellOf = (at: number, pixels: Uint8Array): number => {
    let h = key
    for (let c = 0; c < channels; c++) h = step(h, (pixels[at + c] as number) >> shift)
    return scramble(h) | 0
  }
  const contrastAt = (y: number, x: number): boolean => {
    for (let c = 0; c < channels; c++) {
      let least = 255
      let most = 0
      for (let i = 0; i < side; i++) {
        const at = ((y + i) * columns + x) * channels + c
        least = Math.min(least, low[at] as number)
        most = Math.max(most, high[at] as number)
      }
      if (most - least >= contrast) return true
    }
    return false
  }
  const greys = Int32Array.from({ length: 256 }, (_, v) => (channels === 1 ? cellOf(0, Uint8Array.of(v)) : 0))
  return {
    most: hashes.length,
    read(picture) {
      if (channels === 1) for (let i = 0; i < cells.length; i++) cells[i] = greys[picture[i] as number] as number
      else for (let i = 0; i < cells.length; i++) cells[i] = cellOf(i * channels, picture)
      for (let y = 0; y < height; y++)
        for (let x = 0; x < columns; x++) {
          let h = 0
          let h2 = 0
          for (let i = 0; i < side; i++) {
            const cell = cells[y * width + x + i] as number
            h = step(h, cell)
            h2 = step2(h2, cell)
          }
          runs[y * columns + x] = h
          runs2[y * columns + x] = h2
          if (contrast === 0) continue
          for (let c = 0; c < channels; c++) {
            let least = 255
            let most = 0
            for (let i = 0; i < side; i++) {
              const v = picture[(y * width + x + i) * channels + c] as number
              if (v < least) least = v
              if (v > most) most = v
            }
            low[(y * columns + x) * channels + c] = least
            high[(y * columns + x) * channels + c] = most
          }
        }
      let count = 0
      for (let y = 0; y < rows; y++)
        for (let x = 0; x < columns; x++) {
          if (contrast > 0 && !contrastAt(y, x)) continue
          let h = 0
          let h2 = 0
          for (let i = 0; i < side; i++) {
            h = step(h, runs[(y + i) * columns + x] as number)
            h2 = step2(h2, runs2[(y + i) * columns + x] as number)
          }
          hashes[count] = joined(h, h2)
          corners[count++] = y * width + x
        }
      return { hashes, corners, count }
    },
    hashOf(patch) {
      let h = 0
      let h2 = 0
      for (let y = 0; y < side; y++) {
        let run = 0
        let run2 = 0
        for (let x = 0; x < side; x++) {
          const cell = cellOf((y * side + x) * channels, patch)
          run = step(run, cell)
          run2 = step2(run2, cell)
        }
        h = step(h, run)
        h2 = step2(h2, run2)
      }
      return joined(h, h2)
    },
  }
}

/** @param corner top left corner, y x width + x */
export function patchAt(picture: Uint8Array, { width, channels }: PixelShape, side: number, corner: number): Uint8Array {
  const out = new Uint8Array(side ** 2 * channels)
  for (let i = 0; i < side; i++) {
    const from = (corner + i * width) * channels
    out.set(picture.subarray(from, from + side * channels), i * side * channels)
  }
  return out
}

/** A patch mirrored left to right, top to bottom, and both. */
export const mirrorsOf = (patch: Uint8Array, side: number, channels: number): Uint8Array[] => copiesOf(patch, side, channels).slice(0, 3)

/** A patch mirrored, turned, inverted, and with its channels exchanged: as frequent in pictures as the patch itself, up to a small factor. */
export function copiesOf(patch: Uint8Array, side: number, channels: number): Uint8Array[] {
  const moved = (from: (y: number, x: number, c: number) => readonly [number, number, number], invert = false): Uint8Array =>
    Uint8Array.from(patch, (_, i) => {
      const c = i % channels
      const x = Math.floor(i / channels) % side
      const y = Math.floor(i / channels / side)
      const [v, u, k] = from(y, x, c)
      const value = patch[(v * side + u) * channels + k] as number
      return invert ? 255 - value : value
    })
  const last = side - 1
  return [
    moved((y, x, c) => [y, last - x, c]),
    moved((y, x, c) => [last - y, x, c]),
    moved((y, x, c) => [last - y, last - x, c]),
    moved((y, x, c) => [x, y, c]),
    moved((y, x, c) => [last - x, y, c]),
    moved((y, x, c) => [x, last - y, c]),
    moved((y, x, c) => [y, x, c], true),
    ...(channels === 3
      ? [moved((y, x, c) => [y, x, (c + 1) % 3]), moved((y, x, c) => [y, x, (c + 2) % 3]), moved((y, x, c) => [y, x, 2 - c])]
      : []),
  ]
}
