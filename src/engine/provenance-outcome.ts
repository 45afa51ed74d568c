import type { Conclusion } from '../contracts/detector.ts'
import { type AuditOutcome, type DetectorOutcome, type Incomplete, type ProvenanceOutcome, provenanceId } from '../contracts/outcome.ts'
import { provenanceRules } from '../provenance/rules.ts'
import { version } from '../version.ts'

/** What provenance concluded, as the report takes it: one detector that scores no rows. */
export const provenanceDetector = (
  part: Pick<DetectorOutcome, 'status' | 'reason'> & Partial<Pick<DetectorOutcome, 'required' | 'options'>>,
  conclusions: readonly Conclusion[],
): DetectorOutcome => ({
  id: provenanceId,
  version: 1,
  title: 'Provenance',
  rules: provenanceRules,
  required: false,
  options: null,
  ...part,
  rowsScored: 0,
  rowsFlagged: 0,
  thresholds: [],
  notes: conclusions.flatMap((c) => c.notes),
  findings: conclusions.flatMap((c) => c.findings),
  tests: conclusions.flatMap((c) => c.tests),
})

export interface Rowless {
  readonly subject: AuditOutcome['subject']
  readonly now: Date
  readonly provenance: ProvenanceOutcome
  readonly detectors: readonly DetectorOutcome[]
  readonly incomplete?: readonly Incomplete[]
}

/** The outcome of what reads no rows for detectors: `verify`, `scan` and `diff`. Neither has a plan or a seed. */
export const rowlessOutcome = ({ subject, now, provenance, detectors, incomplete = [] }: Rowless): AuditOutcome => ({
  tool: { name: 'assay', version },
  startedAt: now.toISOString(),
  seed: '',
  planDigest: '',
  subject,
  inputs: [],
  rows: { read: 0, rejected: 0, unlabelled: 0, flagged: 0, reference: 0 },
  labels: [],
  sources: [],
  columns: [],
  issues: [],
  duplicateIds: { count: 0, examples: [] },
  incomplete,
  detectors,
  provenance,
  levels: [],
})
