import type { ColumnInfo, Json, RowIssueCode } from './data.ts'
import type { RuleMeta, Threshold } from './detector.ts'
import type { Place } from './errors.ts'
import type { Finding, Test } from './finding.ts'
import type { Coverage, FactCheck, FileGrade, Manifest } from './provenance.ts'
import type { SensitivityOutcome } from './sensitivity.ts'
import type { ChangeSummary } from './snapshot.ts'

export interface DetectorOutcome {
  readonly id: string
  readonly version: number
  readonly title: string
  /** As in its `Detector`: what its findings cite, also when it did not run. */
  readonly rules: readonly RuleMeta[]
  readonly status: 'ran' | 'not-applicable' | 'disabled' | 'failed'
  /** Why it did not run, or the mode in which it did. */
  readonly reason: string
  readonly required: boolean
  readonly options: Json
  readonly rowsScored: number
  readonly rowsFlagged: number
  readonly thresholds: readonly Threshold[]
  readonly notes: readonly string[]
  readonly findings: readonly Finding[]
  readonly tests: readonly Test[]
}

export interface InputFile {
  readonly id: string
  readonly bytes: number
  readonly sha256: string
  readonly over: 'subject' | 'reference'
}

/** Rows with a problem, counted by code and column, with the first few places. */
export interface IssueCount {
  readonly code: RowIssueCode
  readonly shard: string
  readonly column: string | null
  readonly rejected: boolean
  readonly count: number
  readonly examples: readonly { readonly row: number; readonly line: number | null; readonly detail: string | null }[]
}

/** Why an audit is incomplete: each is exit 2. */
export interface Incomplete {
  readonly code: string
  readonly message: string
  readonly place: Place
  readonly hint: string | null
}

/** The detector that provenance findings belong to. It scores no rows. */
export const provenanceId = 'provenance'

/** The detector that findings about files of a base model belong to. It scores no rows either. */
export const baseModelId = 'base-model'

/** The detector that findings about what would not have been found belong to. */
export const coverageId = 'coverage'

/** The detector that trends over past audits belong to. It reads no data at all. */
export const historyId = 'history'

/** Detectors that score no rows. */
export const rowlessIds: readonly string[] = [baseModelId, coverageId, historyId, provenanceId]

/** What provenance found besides its findings; they are those of the detector `provenance`. */
export interface ProvenanceOutcome {
  /** The folder that was verified, as the user wrote it; null where there were no manifests to verify. */
  readonly root: string | null
  readonly manifests: readonly (Omit<Manifest, 'entries' | 'own' | 'ignored'> & { readonly entries: number })[]
  readonly coverage: Coverage | null
  /** The gravest first, verified ones last; at most 1,000 of `coverage.files`. */
  readonly files: readonly FileGrade[]
  readonly facts: readonly FactCheck[]
  readonly changes: ChangeSummary | null
  /** File in the run directory that names every change; null without a baseline. */
  readonly changesFile: string | null
  readonly snapshot: { readonly root: string; readonly records: number; readonly previous: string | null; readonly signed: boolean } | null
}

/** All that an audit found, before correction, waivers and gate. The report is a pure function of it. */
export interface AuditOutcome {
  readonly tool: { readonly name: 'assay'; readonly version: string }
  /** ISO 8601, from the injected clock. */
  readonly startedAt: string
  readonly seed: string
  readonly planDigest: string
  readonly subject: { readonly name: string; readonly version: string | null }
  readonly inputs: readonly InputFile[]
  readonly rows: {
    /** Rows of the subject, rejected and unlabelled ones included: the whole of which coverage and flagged are parts. */
    readonly read: number
    readonly rejected: number
    readonly unlabelled: number
    /** Distinct rows, however many detectors flag each. */
    readonly flagged: number
    readonly reference: number
  }
  readonly labels: readonly { readonly name: string; readonly count: number; readonly flagged: number }[]
  readonly sources: readonly { readonly name: string; readonly count: number; readonly flagged: number }[]
  readonly columns: readonly ColumnInfo[]
  readonly issues: readonly IssueCount[]
  readonly duplicateIds: { readonly count: number; readonly examples: readonly string[] }
  readonly incomplete: readonly Incomplete[]
  readonly detectors: readonly DetectorOutcome[]
  /** Null where the pipeline asks for none. */
  readonly provenance: ProvenanceOutcome | null
  /** Absent where no attack was tried. */
  readonly sensitivity?: SensitivityOutcome
  readonly levels: readonly { readonly name: string; readonly statistics: readonly string[] }[]
}
