import type { Role } from '../contracts/data.ts'
import type { FeatureSpec } from '../contracts/pipeline.ts'
import { FeatureError } from './errors.ts'
import type { HashedTextParameters } from './hashed-text.ts'
import { type PixelParameters, pixelDims } from './pixel-vector.ts'

interface Described {
  /** One sentence for the dry run and the report's coverage page. */
  readonly description: string
}

export interface HashedTextPlan extends HashedTextParameters, Described {
  readonly kind: 'hashed-text'
  readonly from: 'text'
}

export interface TextModelPlan extends Described {
  readonly kind: 'text-model'
  readonly from: 'text'
  /** Known once the model is open. */
  readonly dims: null
  readonly model: string
  /** Folder that holds tokenizer.json and tokenizer_config.json. */
  readonly tokenizer: string
  readonly pooling: 'mean' | 'cls'
  readonly maxTokens: number
}

export interface ImageModelPlan extends Described {
  readonly kind: 'image-model'
  readonly from: 'image'
  readonly dims: null
  readonly model: string
  /** Name of an output or of an inner value of the graph; null: the first output. */
  readonly layer: string | null
  /** Null: as the model declares, else 224. */
  readonly size: number | null
  /** Null: as the model declares, else 3. */
  readonly channels: 1 | 3 | null
  /** Of pixels in 0..1, one or one a channel; null: ImageNet's for colour, .5 for grey. */
  readonly mean: readonly number[] | null
  readonly std: readonly number[] | null
}

export interface ImagePixelsPlan extends PixelParameters, Described {
  readonly kind: 'image-pixels'
  readonly from: 'image'
  readonly dims: number
}

/** Plain JSON: it is part of the run's plan and of its digest. */
export type FeaturePlan = HashedTextPlan | TextModelPlan | ImageModelPlan | ImagePixelsPlan

/** Height, width and channels of raw pixels, where every shard declares the same. */
export interface ImageShape {
  readonly height: number
  readonly width: number
  readonly channels: number
}

/**
 * What becomes the role `embedding`. Null when there is nothing to do: a ready `embedding`, numeric `features`, or neither text nor
 * image. Text comes before images, unless the pipeline file names a model for the images and says nothing of the text.
 * @throws FeatureError `model-options`
 */
export function planFeatures(roles: readonly Role[], spec: FeatureSpec, shape: ImageShape | null = null): FeaturePlan | null {
  if (roles.includes('embedding') || roles.includes('features')) return null
  const images = roles.includes('image')
  if (roles.includes('text') && !(images && spec.image?.model && !spec.text)) return planText(spec.text ?? {})
  return images ? planImage(spec.image ?? {}, shape) : null
}

function planText(spec: NonNullable<FeatureSpec['text']>): FeaturePlan {
  if (spec.model !== undefined) {
    const pooling = spec.pooling ?? 'mean'
    const maxTokens = spec.maxTokens ?? 256
    return {
      kind: 'text-model',
      from: 'text',
      dims: null,
      model: spec.model,
      tokenizer: spec.tokenizer ?? folderOf(spec.model),
      pooling,
      maxTokens,
      description: `text by your model ${nameOf(spec.model)}: up to ${maxTokens} tokens, ${pooling} pooling, scaled to length 1`,
    }
  }
  const dims = spec.dims ?? 512
  return {
    kind: 'hashed-text',
    from: 'text',
    dims,
    charGrams: [3, 5],
    charWeight: 3,
    pairWeight: 0.25,
    nonZeros: 2,
    maxLength: 65_536,
    normalisation: 'NFKC',
    description: `text by hashed n-grams: words, pairs of words and 3 to 5 characters within a word (NFKC, lower case), seeded projection to ${dims} dimensions`,
  }
}

function planImage(spec: NonNullable<FeatureSpec['image']>, shape: ImageShape | null): FeaturePlan {
  if (spec.model !== undefined) {
    checkStatistics(spec)
    const layer = spec.layer ?? null
    return {
      kind: 'image-model',
      from: 'image',
      dims: null,
      model: spec.model,
      layer,
      size: spec.size ?? null,
      channels: spec.channels ?? null,
      mean: spec.mean ?? null,
      std: spec.std ?? null,
      description: `images by your model ${nameOf(spec.model)}, ${layer === null ? 'its first output' : `layer ${layer}`}`,
    }
  }
  const native = shape !== null && shape.height <= 32 && shape.width <= 32 && (shape.channels === 1 || shape.height * shape.width <= 784)
  const parameters: PixelParameters = {
    height: native ? shape.height : 28,
    width: native ? shape.width : 28,
    chroma: shape?.channels === 1 ? 0 : 7,
  }
  const colour = parameters.chroma ? ` and ${parameters.chroma} x ${parameters.chroma} colour` : ''
  return {
    kind: 'image-pixels',
    from: 'image',
    dims: pixelDims(parameters),
    ...parameters,
    description: `images by their pixels, ${parameters.height} x ${parameters.width} grey${colour}: no model was given`,
  }
}

function checkStatistics(spec: NonNullable<FeatureSpec['image']>): void {
  for (const name of ['mean', 'std'] as const) {
    const length = spec[name]?.length
    if (length !== undefined && length !== 1 && length !== (spec.channels ?? 3))
      throw new FeatureError(
        'model-options',
        `features.image.${name}: ${length} numbers for ${spec.channels} channel`,
        {},
        'give one number, or one a channel',
      )
  }
  if (spec.std?.some((v) => !(v > 0))) throw new FeatureError('model-options', 'features.image.std: every number has to be above 0')
}

const cutAt = (path: string): number => Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'))
const nameOf = (path: string): string => path.slice(cutAt(path) + 1)
const folderOf = (path: string): string => path.slice(0, Math.max(cutAt(path), 0)) || '.'
