import { hash } from 'node:crypto'
import type { PixelShape } from '../../contracts/statistic.ts'
import { gemm32, matrix32 } from '../../math/gemm32.ts'
import type { LabelledPictures } from './patches.ts'
import { planeLength, planeShape, toPlanes } from './planes.ts'

/** Root mean square difference of two pictures, in grey levels, below which they are one picture. */
const sameLevels = 4
const blockRows = 512

/**
 * Rows that are no copies of an earlier one. Copies of a picture would stand apart from the others as carriers of a trigger do.
 *
 * @param pixels [rows, height x width x channels]
 */
export async function withoutCopies(pixels: Uint8Array, rows: number, shape: PixelShape): Promise<Int32Array> {
  const length = planeLength(planeShape(shape))
  const planes = toPlanes(pixels, rows, shape)
  const norms = new Float64Array(rows)
  for (let r = 0; r < rows; r++) {
    let sum = 0
    for (let j = 0; j < length; j++) sum += (planes[r * length + j] as number) ** 2
    norms[r] = sum
  }
  const limit = length * sameLevels ** 2
  const copy = new Uint8Array(rows)
  for (let from = 0; from < rows; from += blockRows) {
    const count = Math.min(blockRows, rows - from)
    const block = matrix32(planes.subarray(from * length, (from + count) * length), count, length)
    const upTo = from + count
    const { data } = await gemm32(block, matrix32(planes.subarray(0, upTo * length), upTo, length), { transB: true })
    for (let i = 0; i < count; i++) {
      const r = from + i
      for (let s = 0; s < r && !copy[r]; s++)
        if (!copy[s] && (norms[r] as number) + (norms[s] as number) - 2 * (data[i * upTo + s] as number) < limit) copy[r] = 1
    }
  }
  return Int32Array.from({ length: rows }, (_, r) => r).filter((r) => !copy[r])
}

/** The first of equal pictures: where there are too many to compare each with each. */
export function withoutEqual({ name, rows, pixels }: LabelledPictures): LabelledPictures {
  const each = pixels.length / Math.max(1, rows)
  const seen = new Set<string>()
  const kept: number[] = []
  for (let r = 0; r < rows; r++) {
    const digest = hash('sha256', pixels.subarray(r * each, (r + 1) * each), 'base64')
    if (seen.has(digest)) continue
    seen.add(digest)
    kept.push(r)
  }
  if (kept.length === rows) return { name, rows, pixels }
  const out = new Uint8Array(kept.length * each)
  kept.forEach((r, i) => {
    out.set(pixels.subarray(r * each, (r + 1) * each), i * each)
  })
  return { name, rows: kept.length, pixels: out }
}
