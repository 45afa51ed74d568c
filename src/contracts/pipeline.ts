import type { BaseModelSpec } from './base-model.ts'
import type { Json, SourceSpec } from './data.ts'
import type { Severity } from './finding.ts'
import type { HistorySpec } from './history.ts'
import type { DigestAlgorithm } from './provenance.ts'
import type { SensitivitySpec } from './sensitivity.ts'
import type { RecordSchema } from './snapshot.ts'

export const reportFormats = ['html', 'json', 'sarif', 'markdown', 'junit', 'annotations'] as const
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

/** A finding that was accepted as it was. It stays visible, fails no gate, and comes back where it grows. */
export interface KnownFinding {
  readonly fingerprint: string
  readonly rule: string
  /** A graver finding of this fingerprint comes back. */
  readonly severity: Severity
  /** As it was accepted. */
  readonly message: string
  readonly count: number
  /** A finding about more records comes back. */
  readonly maxCount: number
  /** ISO date. */
  readonly accepted: string
}

/** One entry of `notify:`. Addresses and secrets come from the environment alone. */
export interface NotifySpec {
  readonly webhook: { readonly env: string }
  /** Absent: the body is not signed. */
  readonly secret?: { readonly env: string }
  /** `fail`: every verdict but passed. */
  readonly on: 'fail' | 'always'
}

/** What the pipeline itself says that the data hold. */
export interface Declared {
  readonly rows?: number
  readonly classes?: Readonly<Record<string, number>>
  readonly columns?: readonly string[]
  /** Bytes by file, relative to `provenance.root`. */
  readonly files?: Readonly<Record<string, number>>
}

/** `provenance:` of the pipeline file. Paths are absolute once the configuration is resolved. */
export interface ProvenanceSpec {
  /** Folder that the manifests speak of; null: the folder that holds all files of the sources. */
  readonly root: string | null
  /** Null: found by looking. A list: these must be there, and only these count. Relative to the root. False: none. */
  readonly manifests: readonly string[] | false | null
  readonly trust: {
    /** Files of public keys. */
    readonly keys: readonly string[]
    readonly certificates: readonly string[]
    readonly identities: readonly { readonly identity: string; readonly issuer: string }[]
    readonly trustedRoot: string | null
  }
  readonly weakestDigest: DigestAlgorithm
  /** 0..1 */
  readonly coverage: number
  readonly unlisted: 'allow' | 'report' | 'fail'
  readonly requireSignature: boolean
  /** A snapshot folder, or a trusted original as data. */
  readonly baseline: string | SourceSpec | null
  readonly schema: RecordSchema | null
  /** Where to leave this run's snapshot, besides the run directory; chained to the baseline where that is one. */
  readonly snapshot: string | null
  /** Name of the environment variable with the HMAC key of snapshots. */
  readonly snapshotKey: string | null
}

/** `artifacts:` of the pipeline file: files of the base model that training starts from. Paths are absolute once the configuration is resolved. */
export interface ArtifactsSpec {
  /** A folder, or one file. */
  readonly path: string
  /** The pinned base model that it must come from: a folder, one file, or a sums file or another manifest of it. */
  readonly base?: string
  /** Names of publishers that are allowed. */
  readonly publishers?: readonly string[]
}

/** The pipeline file after `extends`, defaults and path resolution: what the plan is made from. */
export interface Pipeline {
  readonly version: 1
  readonly subject: { readonly name: string; readonly version: string | null; readonly declared?: Declared }
  readonly sources: readonly SourceSpec[]
  readonly reference: readonly SourceSpec[]
  /** A snapshot folder: only what is new or changed since then is the subject, and the rest is its reference. Absent: all is the subject. */
  readonly since?: string
  readonly features: FeatureSpec
  /** Options by detector id; `false` switches one off; absent: on when its roles are present. */
  readonly detectors: { readonly [id: string]: false | { readonly [option: string]: Json } }
  /** Null: no provenance is checked. */
  readonly provenance: ProvenanceSpec | null
  /** Absent: no model is asked about triggers. */
  readonly baseModel?: BaseModelSpec
  /** Absent: no base model is looked into. */
  readonly artifacts?: ArtifactsSpec
  /** Absent: no attack is tried. */
  readonly sensitivity?: SensitivitySpec
  readonly gate: Gate
  /** Absent: no history is kept. */
  readonly history?: HistorySpec
  readonly notify?: readonly NotifySpec[]
  readonly waivers: readonly Waiver[]
  /** Absent: no file of known findings is named. */
  readonly known?: readonly KnownFinding[]
  readonly report: {
    readonly formats: readonly ReportFormat[]
    readonly excerpts: boolean
    readonly flags: FlagFormat
    readonly scores: FlagFormat | null
  }
}
