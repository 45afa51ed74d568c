import type { FeatureErrorCode } from './errors.ts'
import type { ModelLimits } from './model-limits.ts'

/** What the process of a model is asked, in order, one at a time. All of it survives the structured clone. */
export type ModelRequest =
  | {
      readonly kind: 'open-text'
      readonly model: string
      readonly tokenizer: string
      readonly pooling: 'mean' | 'cls'
      readonly maxTokens: number
      readonly limits: ModelLimits
    }
  | {
      readonly kind: 'open-image'
      readonly model: string
      readonly layer: string | null
      readonly size: number | null
      readonly channels: 1 | 3 | null
      readonly limits: ModelLimits
    }
  | { readonly kind: 'text'; readonly texts: readonly string[] }
  /** Rows of channels x height x width or height x width x channels, as `ImageInput` says. */
  | { readonly kind: 'image'; readonly pixels: Float32Array }

export interface ImageInput {
  readonly height: number
  readonly width: number
  readonly channels: 1 | 3
  readonly channelsFirst: boolean
}

export interface Opened {
  readonly dims: number
  /** For image models. */
  readonly input: ImageInput | null
}

export interface Answered {
  /** rows x dims */
  readonly data: Float32Array
  /** Rows whose text was cut to the model's number of tokens. */
  readonly cut: readonly number[]
}

export interface ModelFailure {
  readonly code: FeatureErrorCode
  readonly message: string
  readonly hint: string | null
}

export type ModelReply = { readonly ok: Opened | Answered } | { readonly failure: ModelFailure }

/** The process writes it to stderr before it ends itself. */
export const memoryMark = 'assay: memory limit reached'
