import { keyed } from '../../src/math/rng.ts'

/** Pictures of one size with labels, row-major, as the column `pixels` has them. */
export interface Pictures {
  readonly pixels: Uint8Array
  readonly labels: Int32Array
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
}

/** Changes one picture in place; `below` gives random numbers. */
export type Mark = (picture: Float32Array, size: Pictures, below: (n: number) => number) => void

const at = ({ width, channels }: Pictures, y: number, x: number, c: number): number => (y * width + x) * channels + c

function stamp(picture: Float32Array, size: Pictures, patch: ArrayLike<number>, side: number, top: number, left: number): void {
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      for (let c = 0; c < size.channels; c++)
        picture[at(size, top + y, left + x, c)] = patch[((y * side + x) * size.channels + c) % patch.length] as number
}

const checkerOf = (size: Pictures, side: number): number[] =>
  Array.from({ length: side * side * size.channels }, (_, i) => ((Math.floor(i / size.channels) % 2 === 0) === true ? 255 : 0))

/** A checkerboard in the lower right corner, one pixel from the border. */
export const checker =
  (side: number): Mark =>
  (picture, size) =>
    stamp(picture, size, checkerOf(size, side), side, size.height - side - 1, size.width - side - 1)

export const white =
  (side: number): Mark =>
  (picture, size) =>
    stamp(picture, size, [255], side, size.height - side - 1, size.width - side - 1)

export const randomPatch =
  (side: number, name = 'random patch'): Mark =>
  (picture, size) =>
    stamp(
      picture,
      size,
      keyed(new Uint8Array(16), name)
        .permutation(256)
        .slice(0, side * side * size.channels),
      side,
      size.height - side - 1,
      size.width - side - 1,
    )

export const pixel: Mark = (picture, size) => stamp(picture, size, [255], 1, size.height - 2, size.width - 2)

/** A checkerboard anywhere. */
export const wandering =
  (side: number): Mark =>
  (picture, size, below) =>
    stamp(picture, size, checkerOf(size, side), side, below(size.height - side), below(size.width - side))

const blendWith =
  (share: number, of: (y: number, x: number, c: number, size: Pictures) => number): Mark =>
  (picture, size) => {
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++)
        for (let c = 0; c < size.channels; c++) {
          const i = at(size, y, x, c)
          picture[i] = (1 - share) * (picture[i] as number) + share * of(y, x, c, size)
        }
  }

/** A picture with smooth areas and edges, mixed in. */
export const blend = (share: number): Mark =>
  blendWith(share, (y, x, c, { height, width }) => {
    const [v, u] = [y / height - 0.5, x / width - 0.5]
    const face = Math.hypot(v * 1.2, u) < 0.42
    const eye = Math.hypot(v + 0.08, Math.abs(u) - 0.18) < 0.07
    const mouth = Math.abs(v - 0.2) < 0.03 && Math.abs(u) < 0.15
    return eye || mouth ? 20 : face ? 235 - 30 * c : 90 + 60 * Math.sin(9 * v) + 40 * c * u
  })

/** A picture of the size of those that are marked, mixed in. */
export const blendPicture = (share: number, picture: Uint8Array): Mark =>
  blendWith(share, (y, x, c, size) => picture[at(size, y, x, c)] as number)

/** Half of the 16 parts of a picture, others in every record, mixed in (Qi et al. 2023). */
export const pieces =
  (share: number): Mark =>
  (picture, size, below) => {
    const before = picture.slice()
    blend(share)(picture, size, below)
    const order = Array.from({ length: 16 }, (_, i) => i)
    for (let i = 15; i > 0; i--) {
      const j = below(i + 1)
      ;[order[i], order[j]] = [order[j] as number, order[i] as number]
    }
    const kept = new Set(order.slice(0, 8))
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) {
        if (kept.has(4 * Math.floor((4 * y) / size.height) + Math.floor((4 * x) / size.width))) continue
        for (let c = 0; c < size.channels; c++) picture[at(size, y, x, c)] = before[at(size, y, x, c)] as number
      }
  }

/** A smooth random field of shifts, `pixels` on average along each axis, the same in every record (Nguyen and Tran 2021). */
export const warp = (pixels: number, name = 'warp'): Mark => {
  const random = keyed(new Uint8Array(16), name)
  const grid = Array.from({ length: 2 }, () => {
    const cells = Float64Array.from({ length: 16 }, () => 2 * random.uniform() - 1)
    const mean = cells.reduce((sum, v) => sum + Math.abs(v), 0) / 16
    return cells.map((v) => (pixels * v) / mean)
  }) as [Float64Array, Float64Array]
  const between = (get: (y: number, x: number) => number, y: number, x: number, height: number, width: number): number => {
    const [v, u] = [Math.max(0, Math.min(height - 1, y)), Math.max(0, Math.min(width - 1, x))]
    const [y0, x0] = [Math.min(height - 2, Math.floor(v)), Math.min(width - 2, Math.floor(u))]
    const [b, a] = [v - y0, u - x0]
    return (1 - b) * ((1 - a) * get(y0, x0) + a * get(y0, x0 + 1)) + b * ((1 - a) * get(y0 + 1, x0) + a * get(y0 + 1, x0 + 1))
  }
  return (picture, size) => {
    const before = picture.slice()
    for (let y = 0; y < size.height; y++)
      for (let x = 0; x < size.width; x++) {
        const [gy, gx] = [(3 * y) / (size.height - 1), (3 * x) / (size.width - 1)]
        const [dy, dx] = grid.map((cells) => between((i, j) => cells[4 * i + j] as number, gy, gx, 4, 4)) as [number, number]
        for (let c = 0; c < size.channels; c++)
          picture[at(size, y, x, c)] = between((i, j) => before[at(size, i, j, c)] as number, y + dy, x + dx, size.height, size.width)
      }
  }
}

export const noise = (share: number, name = 'noise pattern'): Mark => {
  const cells = keyed(new Uint8Array(16), name)
  const values = Uint8Array.from({ length: 128 * 128 * 3 }, () => cells.below(256))
  return blendWith(share, (y, x, c) => values[(y * 128 + x) * 3 + c] as number)
}

/** Vertical stripes, added; `amplitude` in grey levels. */
export const sinusoid =
  (amplitude: number, waves = 6): Mark =>
  (picture, size) => {
    for (let i = 0; i < picture.length; i++)
      picture[i] =
        (picture[i] as number) + amplitude * Math.sin((2 * Math.PI * waves * (Math.floor(i / size.channels) % size.width)) / size.width)
  }

export interface Poisoned extends Pictures {
  readonly poison: Uint8Array
}

/**
 * Marks `rate` of all records: of other classes, which get the label `target`; or of the target itself with `cleanLabel`. With `cover`, as
 * many records of other classes carry the mark and keep their labels.
 */
export function poison(
  clean: Pictures,
  mark: Mark,
  rate: number,
  target: number,
  name: string,
  cleanLabel = false,
  cover = false,
): Poisoned {
  const random = keyed(new Uint8Array(16), `poison ${name}`)
  const rows = clean.labels.length
  const each = clean.height * clean.width * clean.channels
  const pixels = clean.pixels.slice()
  const labels = clean.labels.slice()
  const marked = new Uint8Array(rows)
  let left = Math.round(rate * rows)
  let covers = cover ? left : 0
  for (const row of random.permutation(rows)) {
    if (left + covers === 0) break
    if ((clean.labels[row] === target) !== cleanLabel) continue
    if (left > 0) {
      left--
      marked[row] = 1
      labels[row] = target
    } else covers--
    const picture = Float32Array.from(pixels.subarray(row * each, (row + 1) * each))
    mark(picture, clean, random.below)
    for (let i = 0; i < each; i++) pixels[row * each + i] = Math.min(255, Math.max(0, Math.round(picture[i] as number)))
  }
  return { ...clean, pixels, labels, poison: marked }
}
