import { column, matrix, rowsOf, withColumns } from '../contracts/batch.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { takeRows } from '../contracts/take-rows.ts'
import { decodeWithin } from './decode.ts'
import { FeatureError } from './errors.ts'
import { hashedText } from './hashed-text.ts'
import { eachEncoded, rawImages } from './image-column.ts'
import { keep, type Maker, rowsWithout } from './maker.ts'
import { type ModelLimits, modelLimits } from './model-limits.ts'
import { openImageModel, openTextModel } from './models.ts'
import { openPixelRows } from './open-pixel-rows.ts'
import type { PixelPlan } from './pixel-row.ts'
import { pixelVector } from './pixel-vector.ts'
import type { FeaturePlan, HashedTextPlan, ImagePixelsPlan } from './plan.ts'

export interface Features {
  /** Of `embedding`; 0 where none is made. */
  readonly dims: number
  /**
   * The batch with the column `embedding` (FixedSizeList<Float32>), `pixels` (FixedSizeList<Uint8>) or both, without the rows that have
   * none. Calls may not overlap.
   * @throws FeatureError
   */
  apply(batch: Batch): Promise<Batch>
  close(): Promise<void>
}

/**
 * Opens what `plan` and `pixels` ask for; an image is decoded once for both, but where a model of the user's reads encoded images. The
 * result depends on the plans, the seed and each row alone: not on batches, their order or the number of workers (the user's own
 * models: up to float32 rounding).
 *
 * @param seed 16 bytes
 * @throws FeatureError
 */
export async function openFeatures(
  plan: FeaturePlan | null,
  seed: Uint8Array,
  issue: IssueSink,
  limits: ModelLimits = modelLimits,
  pixels: PixelPlan | null = null,
): Promise<Features> {
  const maker = plan && (await openMaker(plan, seed, limits))
  const pixelRows = pixels && openPixelRows(pixels)
  return {
    dims: maker?.dims ?? 0,
    async apply(batch) {
      for (const from of [plan?.from, pixels ? ('image' as const) : undefined])
        if (from && !column(batch, from)) throw new FeatureError('batch', `there is no column with the role ${from}`)
      const seen = maker?.decodes ? pixelRows?.start(batch) : undefined
      let result = batch
      if (maker) {
        const { data, kept } = await maker.vectors(batch, issue, seen?.see)
        const rows = kept ? takeRows(batch, kept) : batch
        result = withColumns(
          rows,
          { embedding: matrix({ data, rows: rows.numRows, dims: maker.dims }) },
          { embedding: { made: plan.kind } },
        )
        if (seen) return seen.addTo(result, kept)
      }
      return pixelRows ? pixelRows.addTo(result, issue) : result
    },
    async close() {
      await maker?.close()
    },
  }
}

function openMaker(plan: FeaturePlan, seed: Uint8Array, limits: ModelLimits): Maker | Promise<Maker> {
  switch (plan.kind) {
    case 'hashed-text':
      return openHashedText(plan, seed)
    case 'image-pixels':
      return openPixels(plan)
    case 'text-model':
      return openTextModel(plan, limits)
    case 'image-model':
      return openImageModel(plan, limits)
  }
}

const nothing = async (): Promise<void> => {}

function openHashedText(plan: HashedTextPlan, seed: Uint8Array): Maker {
  const hashed = hashedText(plan, seed)
  return {
    dims: plan.dims,
    decodes: false,
    async vectors(batch, issue) {
      const texts = column(batch, 'text')
      const data = new Float32Array(batch.numRows * plan.dims)
      for (let i = 0; i < batch.numRows; i++) {
        const text = texts?.get(i) as string | null
        if (!text) continue
        const cut = hashed.write(text, data.subarray(i * plan.dims, (i + 1) * plan.dims))
        if (cut)
          issue({
            code: 'too-long',
            row: rowsOf(batch)[i] as number,
            column: 'text',
            detail: `only the first ${plan.maxLength} characters are compared`,
            rejected: false,
          })
      }
      return { data, kept: null }
    },
    close: nothing,
  }
}

/** Decoded sides beyond this many target cells a cell are scaled down while decoding. */
const oversampling = 8

function openPixels(plan: ImagePixelsPlan): Maker {
  const { dims } = plan
  const maxSide = oversampling * Math.max(plan.height, plan.width)
  const place = (data: Float32Array, i: number): Float32Array => data.subarray(i * dims, (i + 1) * dims)
  return {
    dims,
    decodes: true,
    async vectors(batch, issue, see) {
      const data = new Float32Array(batch.numRows * dims)
      const raw = rawImages(batch)
      if (raw) {
        for (let i = 0; i < batch.numRows; i++) pixelVector(plan, { ...raw(i), max: 255 }, place(data, i))
        return { data, kept: null }
      }
      const rejected = await eachEncoded(batch, issue, 0, batch.numRows, async (bytes, i) => {
        const image = await decodeWithin(bytes, maxSide)
        pixelVector(plan, image, place(data, i))
        see?.(image, i)
      })
      if (rejected.length === 0) return { data, kept: null }
      const kept = rowsWithout(batch.numRows, rejected)
      return { data: keep(data, dims, kept), kept }
    },
    close: nothing,
  }
}
