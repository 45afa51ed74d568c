import { noiseParts } from '../contracts/noise.ts'
import { dct2 } from '../math/dct.ts'
import type { Pixels } from './pixel-vector.ts'

/** Side of the tiles whose energies are taken, and tiles a side of the picture at most: its middle. */
const maxTile = 32
const maxTiles = 4
/** Square grey levels: what rounding leaves in a picture. */
const floor = 0.02
/** Side of the cells whose high-pass energies are compared within a picture. */
const cell = 4
/** The share of cells that are quieter. */
const quiet = 0.1

/**
 * Logarithms of the energy of high frequencies in a picture of its own size, in square grey levels of 0..255:
 * - `high`: DCT coefficients with u + v at least 1.25 times the tile's side, `middle`: from .5 to 1 times
 * - `quiet`: second differences in the quietest tenth of the cells of 4 x 4 pixels: noise that is everywhere shows there, texture does not
 * - `chroma`: as `high`, of the two colour differences
 *
 * @param codeOf says which pictures may be compared; a picture without any colour is grey, however it is stored
 * @param into `noiseParts.length` floats
 */
export function noiseOf(pixels: Pixels, codeOf: (colour: boolean) => number, into: Float32Array): void {
  const { height, width, channels, data, max } = pixels
  const scale = 255 / max
  const colour = channels === 3 || channels === 4
  const n = Math.min(maxTile, height, width)
  const down = Math.min(maxTiles, Math.floor(height / n))
  const across = Math.min(maxTiles, Math.floor(width / n))
  const top = Math.floor((height - down * n) / 16) * 8
  const left = Math.floor((width - across * n) / 16) * 8
  const [rows, columns] = [down * n, across * n]
  const luma = new Float64Array(rows * columns)
  const blue = colour ? new Float64Array(rows * columns) : null
  const red = colour ? new Float64Array(rows * columns) : null
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const at = ((top + y) * width + left + x) * channels
      const i = y * columns + x
      if (blue && red) {
        const [r, g, b] = [data[at] as number, data[at + 1] as number, data[at + 2] as number]
        const grey = (299 * r + 587 * g + 114 * b) / 1000
        luma[i] = grey * scale
        blue[i] = ((b - grey) * scale) / 1.772
        red[i] = ((r - grey) * scale) / 1.402
      } else luma[i] = (data[at] as number) * scale
    }
  const own = energies(luma, columns, n)
  const hasColour = blue !== null && red !== null && (blue.some((v) => v !== 0) || red.some((v) => v !== 0))
  const chroma = hasColour ? (energies(blue, columns, n).high + energies(red, columns, n).high) / 2 : 0
  const values = { high: own.high, middle: own.middle, quiet: quietest(luma, rows, columns), chroma }
  noiseParts.forEach((name, k) => {
    into[k] = name === 'code' ? codeOf(hasColour) : Math.log(values[name] + floor)
  })
}

function energies(plane: Float64Array, columns: number, n: number): { readonly high: number; readonly middle: number } {
  const block = new Float64Array(n * n)
  const spectrum = new Float64Array(n * n)
  const half = new Float64Array(n * n)
  const rows = plane.length / columns
  const sums = { high: 0, middle: 0 }
  const counts = { high: 0, middle: 0 }
  for (let y = 0; y + n <= rows; y += n)
    for (let x = 0; x + n <= columns; x += n) {
      for (let r = 0; r < n; r++) block.set(plane.subarray((y + r) * columns + x, (y + r) * columns + x + n), r * n)
      dct2(block, n, spectrum, half)
      for (let u = 0; u < n; u++)
        for (let v = 0; v < n; v++) {
          const band = u + v >= 1.25 * n ? 'high' : u + v >= 0.5 * n && u + v < n ? 'middle' : null
          if (!band) continue
          sums[band] += (spectrum[u * n + v] as number) ** 2
          counts[band]++
        }
    }
  return { high: sums.high / Math.max(counts.high, 1), middle: sums.middle / Math.max(counts.middle, 1) }
}

/** Immerkaer's (1996) operator, in cells: it is zero on planes and straight edges. */
function quietest(plane: Float64Array, rows: number, columns: number): number {
  const cells: number[] = []
  const at = (y: number, x: number): number => plane[y * columns + x] as number
  for (let y0 = 1; y0 + cell < rows; y0 += cell)
    for (let x0 = 1; x0 + cell < columns; x0 += cell) {
      let sum = 0
      for (let y = y0; y < y0 + cell; y++)
        for (let x = x0; x < x0 + cell; x++) {
          const corners = at(y - 1, x - 1) + at(y - 1, x + 1) + at(y + 1, x - 1) + at(y + 1, x + 1)
          const sides = at(y - 1, x) + at(y + 1, x) + at(y, x - 1) + at(y, x + 1)
          sum += (corners - 2 * sides + 4 * at(y, x)) ** 2
        }
      cells.push(sum / (36 * cell * cell))
    }
  if (cells.length === 0) return 0
  cells.sort((a, b) => a - b)
  const place = quiet * (cells.length - 1)
  const low = cells[Math.floor(place)] as number
  return low + (place - Math.floor(place)) * ((cells[Math.ceil(place)] as number) - low)
}
