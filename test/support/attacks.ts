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
  (side: number): Mark =>
  (picture, size) =>
    stamp(
      picture,
      size,
      keyed(new Uint8Array(16), 'random patch')
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

export const noise = (share: number): Mark => {
  const cells = keyed(new Uint8Array(16), 'noise pattern')
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

/** Marks `rate` of all records: of other classes, which get the label `target`; or of the target itself with `cleanLabel`. */
export function poison(clean: Pictures, mark: Mark, rate: number, target: number, name: string, cleanLabel = false): Poisoned {
  const random = keyed(new Uint8Array(16), `poison ${name}`)
  const rows = clean.labels.length
  const each = clean.height * clean.width * clean.channels
  const pixels = clean.pixels.slice()
  const labels = clean.labels.slice()
  const marked = new Uint8Array(rows)
  let left = Math.round(rate * rows)
  for (const row of random.permutation(rows)) {
    if (left === 0) break
    if ((clean.labels[row] === target) !== cleanLabel) continue
    left--
    marked[row] = 1
    labels[row] = target
    const picture = Float32Array.from(pixels.subarray(row * each, (row + 1) * each))
    mark(picture, clean, random.below)
    for (let i = 0; i < each; i++) pixels[row * each + i] = Math.min(255, Math.max(0, Math.round(picture[i] as number)))
  }
  return { ...clean, pixels, labels, poison: marked }
}
