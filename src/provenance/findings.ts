import type { Conclusion } from '../contracts/detector.ts'
import type { Finding } from '../contracts/finding.ts'
import type { Coverage, Delivery, FileGrade, Manifest, ManifestProblem, TrustPolicy } from '../contracts/provenance.ts'
import { coverageFindings, fileFindings } from './findings/files.ts'
import { problemFindings, signatureFindings } from './findings/manifests.ts'

export interface Verified {
  readonly delivery: Delivery
  readonly manifests: readonly Manifest[]
}

export interface Graded {
  readonly files: readonly FileGrade[]
  readonly coverage: Coverage
  /** Of the delivery, of the manifests, and of the two together. */
  readonly problems: readonly ManifestProblem[]
}

/** What the manifests of a delivery, its files and the policy amount to. Facts, all of them: none rests on a test. */
export function manifestFindings({ manifests }: Verified, graded: Graded, trust: TrustPolicy): Conclusion {
  const findings: Finding[] = [
    ...fileFindings(graded.files, manifests, trust),
    ...problemFindings(graded.problems),
    ...signatureFindings(manifests, graded.files, trust),
    ...coverageFindings(graded.coverage, trust),
  ]
  const notes = manifests.map(
    (m) => `${m.title}: ${m.file} names ${m.entries.length} ${m.entries.length === 1 ? 'file' : 'files or parts of files'}.`,
  )
  return { findings, tests: [], notes: notes.slice(0, 100) }
}
