import { matrix, withColumns } from '../contracts/batch.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { decodeWithin } from './decode.ts'
import { eachEncoded, rawImages } from './image-column.ts'
import { keep, rowsWithout } from './maker.ts'
import { type PixelPlan, pixelRow, rowLength } from './pixel-row.ts'
import type { Pixels } from './pixel-vector.ts'

/** Sides beyond this many cells a cell of the target are scaled down while decoding. */
const oversampling = 8

/** Rows of `pixels` that are filled while something else decodes the images of a batch. */
interface Filling {
  readonly see: (image: Pixels, i: number) => void
  /** `batch` without the rows that were left out; `kept` are those that remain, null for all. */
  addTo(batch: Batch, kept: Int32Array | null): Batch
}

export interface PixelRowMaker {
  /** Undefined for raw images: they need no decoding. */
  start(batch: Batch): Filling | undefined
  /** Decodes by itself; rows without a picture are reported and left out. */
  addTo(batch: Batch, issue: IssueSink): Promise<Batch>
}

export function openPixelRows(p: PixelPlan): PixelRowMaker {
  const length = rowLength(p)
  const { height, width, channels } = p
  const added = (batch: Batch, data: Uint8Array): Batch =>
    withColumns(batch, { pixels: matrix({ data, rows: batch.numRows, dims: length }) }, { pixels: { height, width, channels } })
  const fill = (rows: number) => {
    const data = new Uint8Array(rows * length)
    const see = (image: Pixels, i: number): void => pixelRow(p, image, data.subarray(i * length, (i + 1) * length))
    return { data, see }
  }
  return {
    start(batch) {
      if (rawImages(batch)) return undefined
      const { data, see } = fill(batch.numRows)
      return { see, addTo: (result, kept) => added(result, kept ? keep(data, length, kept) : data) }
    },
    async addTo(batch, issue) {
      const { data, see } = fill(batch.numRows)
      const raw = rawImages(batch)
      if (raw) {
        for (let i = 0; i < batch.numRows; i++) see({ ...raw(i), max: 255 }, i)
        return added(batch, data)
      }
      const maxSide = oversampling * Math.max(height, width)
      const rejected = await eachEncoded(batch, issue, 0, batch.numRows, async (bytes, i) => see(await decodeWithin(bytes, maxSide), i))
      if (rejected.length === 0) return added(batch, data)
      const kept = rowsWithout(batch.numRows, rejected)
      return added(takeRows(batch, kept), keep(data, length, kept))
    },
  }
}
