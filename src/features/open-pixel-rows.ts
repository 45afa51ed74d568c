import { column, matrix, withColumns } from '../contracts/batch.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { noiseParts } from '../contracts/noise.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { codecCode } from './codec.ts'
import { decodeCentre, decodeWithin } from './decode.ts'
import { eachEncoded, rawImages } from './image-column.ts'
import { keep, rowsWithout } from './maker.ts'
import { noiseOf } from './noise.ts'
import { type PixelPlan, pixelRow, rowLength } from './pixel-row.ts'
import type { Pixels } from './pixel-vector.ts'

/** Sides beyond this many cells a cell of the target are scaled down while decoding. */
const oversampling = 8

/** Side of the middle of a picture whose noise is measured where it is larger than what is decoded. */
const noiseSide = 256

/** Rows of `pixels` that are filled while something else decodes the images of a batch. */
interface Filling {
  readonly see: (image: Pixels, i: number) => void
  /** `batch` without the rows that were left out; `kept` are those that remain, null for all. */
  addTo(batch: Batch, kept: Int32Array | null): Promise<Batch>
}

export interface PixelRowMaker {
  /** Undefined for raw images: they need no decoding. */
  start(batch: Batch): Filling | undefined
  /** Decodes by itself; rows without a picture are reported and left out. */
  addTo(batch: Batch, issue: IssueSink): Promise<Batch>
}

/** Makes `pixels`, and `noise` where the plan asks for it. */
export function openPixelRows(p: PixelPlan): PixelRowMaker {
  const length = rowLength(p)
  const { height, width, channels } = p
  const parts = noiseParts.length
  const begin = (batch: Batch): Filling => {
    const rows = batch.numRows
    const data = new Uint8Array(rows * length)
    const noise = p.noise ? new Float32Array(rows * parts) : null
    const images = rawImages(batch) ? null : column(batch, 'image')
    const bytesOf = (i: number): Uint8Array | null => (images?.get(i) as Uint8Array | null | undefined) ?? null
    const scaled: number[] = []
    const measure = (image: Pixels, i: number, side: number): void => {
      if (noise) noiseOf(image, (colour) => codecCode(bytesOf(i), side, colour), noise.subarray(i * parts, (i + 1) * parts))
    }
    return {
      see(image, i) {
        pixelRow(p, image, data.subarray(i * length, (i + 1) * length))
        if (image.scaled) scaled.push(i)
        else measure(image, i, Math.min(image.height, image.width))
      },
      async addTo(result, kept) {
        const left = new Set(kept ?? [])
        for (const i of noise ? scaled.sort((a, b) => a - b) : []) {
          if (kept && !left.has(i)) continue
          const image = await decodeCentre(bytesOf(i) as Uint8Array, noiseSide)
          measure(image, i, noiseSide)
        }
        const of = <T extends Float32Array | Uint8Array>(all: T, dims: number): T => (kept ? keep(all, dims, kept) : all)
        return withColumns(
          result,
          {
            pixels: matrix({ data: of(data, length), rows: result.numRows, dims: length }),
            ...(noise ? { noise: matrix({ data: of(noise, parts), rows: result.numRows, dims: parts }) } : {}),
          },
          { pixels: { height, width, channels } },
        )
      },
    }
  }
  return {
    start: (batch) => (rawImages(batch) ? undefined : begin(batch)),
    async addTo(batch, issue) {
      const filling = begin(batch)
      const raw = rawImages(batch)
      if (raw) {
        for (let i = 0; i < batch.numRows; i++) filling.see({ ...raw(i), max: 255 }, i)
        return filling.addTo(batch, null)
      }
      const maxSide = oversampling * Math.max(height, width)
      const rejected = await eachEncoded(batch, issue, 0, batch.numRows, async (bytes, i) =>
        filling.see(await decodeWithin(bytes, maxSide), i),
      )
      if (rejected.length === 0) return filling.addTo(batch, null)
      const kept = rowsWithout(batch.numRows, rejected)
      return filling.addTo(takeRows(batch, kept), kept)
    },
  }
}
