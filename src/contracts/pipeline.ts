import type { Json, SourceSpec } from './data.ts'
import type { Severity } from './finding.ts'

export const reportFormats = ['html', 'json', 'sarif', 'markdown'] as const
export type ReportFormat = (typeof reportFormats)[number]
export const flagFormats = ['parquet', 'csv', 'jsonl'] as const
export type FlagFormat = (typeof flagFormats)[number]

export interface FeatureSpec {
  readonly text?: {
    readonly model?: string
    readonly tokenizer?: string
    readonly dims?: number
    readonly pooling?: 'mean' | 'cls'
    readonly maxTokens?: number
  }
  readonly image?: {
    readonly model?: string
    readonly layer?: string
    readonly size?: number
    readonly mean?: readonly number[]
    readonly std?: readonly number[]
    readonly channels?: 1 | 3
  }
}

export interface Gate {
  readonly 'fail-on': Exclude<Severity, 'review'> | 'never'
  /** Fraction of rows read, 0..1. */
  readonly 'max-flagged': number
  readonly require: readonly string[]
  readonly 'min-coverage': number
}

export interface Waiver {
  readonly fingerprint: string
  readonly statement: string
  /** ISO date; it no longer holds on that day. */
  readonly expires: string
  readonly maxCount: number
}

/** The pipeline file after `extends`, defaults and path resolution: what the plan is made from. */
export interface Pipeline {
  readonly version: 1
  readonly subject: { readonly name: string; readonly version: string | null }
  readonly sources: readonly SourceSpec[]
  readonly reference: readonly SourceSpec[]
  readonly features: FeatureSpec
  /** Options by detector id; `false` switches one off; absent: on when its roles are present. */
  readonly detectors: { readonly [id: string]: false | { readonly [option: string]: Json } }
  readonly gate: Gate
  readonly waivers: readonly Waiver[]
  readonly report: {
    readonly formats: readonly ReportFormat[]
    readonly excerpts: boolean
    readonly flags: FlagFormat
    readonly scores: FlagFormat | null
  }
}
