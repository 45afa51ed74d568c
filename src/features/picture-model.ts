import { column } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import { decodePixels, loadSharp, type RawImage, startDecoding, startRaw } from './decode.ts'
import { FeatureError } from './errors.ts'
import { rawImages } from './image-column.ts'
import type { ModelLimits } from './model-limits.ts'
import type { ImageInput } from './model-messages.ts'
import { start, statistics, toTensor } from './models.ts'
import type { Pixels } from './pixel-vector.ts'
import type { ImageModelPlan } from './plan.ts'

const picturesAtOnce = 32

/** A user's image model that is asked about pictures one by one, and not about a column. */
export interface PictureModel {
  readonly dims: number
  /** The pictures scaled to what the model reads. Pictures x dims. @throws FeatureError, also where a value is no finite number */
  answers(pictures: readonly RawImage[]): Promise<Float32Array>
  close(): Promise<void>
}

export type PictureModelPlan = Pick<ImageModelPlan, 'model' | 'layer' | 'size' | 'channels' | 'mean' | 'std'>

/** The checks of models name the settings of features; here they stand under `base-model`. */
function renamed(error: unknown): unknown {
  if (!(error instanceof FeatureError)) return error
  const own = (text: string): string => text.replaceAll('features.image.', 'base-model.')
  return new FeatureError(error.code, own(error.message), error.place, error.hint && own(error.hint))
}

/**
 * Statically checked, then run in a process of its own under the limits, like every model of the user.
 * @throws FeatureError
 */
export async function openPictureModel(plan: PictureModelPlan, limits: ModelLimits): Promise<PictureModel> {
  const { model, layer, size, channels } = plan
  try {
    const process = await start({ kind: 'open-image', model, layer, size, channels, limits })
    const input = process.opened.input as ImageInput
    const { dims } = process.opened
    const length = input.channels * input.height * input.width
    const sharp = await loadSharp()
    const [mean, std] = statistics(plan, input.channels)
    const scaledTo = async (picture: RawImage): Promise<Pixels> =>
      picture.height === input.height && picture.width === input.width && picture.channels === 3
        ? { ...picture, max: 255 }
        : decodePixels(
            () => startRaw(sharp, picture),
            () => [input.width, input.height],
          )
    return {
      dims,
      async answers(pictures) {
        const out = new Float32Array(pictures.length * dims)
        for (let first = 0; first < pictures.length; first += picturesAtOnce) {
          const part = pictures.slice(first, first + picturesAtOnce)
          const pixels = new Float32Array(part.length * length)
          for (const [i, picture] of part.entries()) {
            toTensor(await scaledTo(picture), input, mean, std, pixels.subarray(i * length, (i + 1) * length))
          }
          const answer = await process.ask({ kind: 'image', pixels })
          if (!answer.data.every(Number.isFinite))
            throw new FeatureError('model-output', 'the model answers a picture with a value that is no number', { file: model })
          out.set(answer.data, first * dims)
        }
        return out
      },
      close: process.close,
    }
  } catch (error) {
    throw renamed(error)
  }
}

/** Row i of the column `image` as RGB of 8 bits, a side longer than `maxSide` scaled down to it; null where it cannot be decoded. */
export async function rgbPicture(batch: Batch, i: number, maxSide: number): Promise<RawImage | null> {
  const sharp = await loadSharp()
  const raw = rawImages(batch)
  const bytes = raw ? null : (column(batch, 'image')?.get(i) as Uint8Array | null | undefined)
  if (!raw && !bytes) return null
  try {
    const pixels = await decodePixels(
      () => (raw ? startRaw(sharp, raw(i)) : startDecoding(sharp, bytes as Uint8Array)),
      (width, height) => [Math.min(width, maxSide), Math.min(height, maxSide)],
    )
    return { data: to8Bits(pixels.data), height: pixels.height, width: pixels.width, channels: 3 }
  } catch {
    return null
  }
}

const to8Bits = (data: Uint8Array | Uint16Array): Uint8Array =>
  data instanceof Uint16Array ? Uint8Array.from(data, (v) => Math.round(v / 257)) : data
