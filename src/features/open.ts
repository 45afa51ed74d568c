import { column, matrix, rowsOf, takeRows, withColumns } from '../contracts/batch.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { decodePixels, loadSharp, startDecoding } from './decode.ts'
import { FeatureError } from './errors.ts'
import { hashedText } from './hashed-text.ts'
import { eachEncoded, rawImages } from './image-column.ts'
import { keep, type Maker } from './maker.ts'
import { type ModelLimits, modelLimits } from './model-limits.ts'
import { openImageModel, openTextModel } from './models.ts'
import { pixelVector } from './pixel-vector.ts'
import type { FeaturePlan, HashedTextPlan, ImagePixelsPlan } from './plan.ts'

export interface Features {
  readonly dims: number
  /**
   * The batch with the column `embedding` (FixedSizeList<Float32>), without the rows that have none. Calls may not overlap.
   * @throws FeatureError
   */
  apply(batch: Batch): Promise<Batch>
  close(): Promise<void>
}

/**
 * Opens what `plan` asks for. The result depends on the plan, the seed and each row alone: not on batches, their order or the number of
 * workers (the user's own models: up to float32 rounding).
 *
 * @param seed 16 bytes
 * @throws FeatureError
 */
export async function openFeatures(
  plan: FeaturePlan,
  seed: Uint8Array,
  issue: IssueSink,
  limits: ModelLimits = modelLimits,
): Promise<Features> {
  const maker = await openMaker(plan, seed, limits)
  return {
    dims: maker.dims,
    async apply(batch) {
      if (!column(batch, plan.from)) throw new FeatureError('batch', `there is no column with the role ${plan.from}`)
      const { data, kept } = await maker.vectors(batch, issue)
      const rows = kept ? takeRows(batch, kept) : batch
      return withColumns(rows, { embedding: matrix({ data, rows: rows.numRows, dims: maker.dims }) })
    },
    close: maker.close,
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
  const fit = (width: number, height: number) => [Math.min(width, maxSide), Math.min(height, maxSide)] as const
  const place = (data: Float32Array, i: number): Float32Array => data.subarray(i * dims, (i + 1) * dims)
  return {
    dims,
    async vectors(batch, issue) {
      const data = new Float32Array(batch.numRows * dims)
      const raw = rawImages(batch)
      if (raw) {
        for (let i = 0; i < batch.numRows; i++) pixelVector(plan, { ...raw(i), max: 255 }, place(data, i))
        return { data, kept: null }
      }
      const sharp = await loadSharp()
      const rejected = new Set(
        await eachEncoded(batch, issue, 0, batch.numRows, async (bytes, i) =>
          pixelVector(plan, await decodePixels(() => startDecoding(sharp, bytes), fit), place(data, i)),
        ),
      )
      if (rejected.size === 0) return { data, kept: null }
      const kept = Int32Array.from({ length: batch.numRows }, (_, i) => i).filter((i) => !rejected.has(i))
      return { data: keep(data, dims, kept), kept }
    },
    close: nothing,
  }
}
