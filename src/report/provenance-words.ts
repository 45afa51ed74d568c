import { baseModelId, provenanceId } from '../contracts/outcome.ts'
import { type Grade, grades } from '../contracts/provenance.ts'
import { type ChangeKind, changeKinds } from '../contracts/snapshot.ts'
import { formatBytes, formatCount, formatPercent, plural } from './format.ts'
import type { ReportProvenance } from './provenance-schema.ts'
import type { ReportFinding } from './schema.ts'

export const gradeWords: { readonly [G in Grade]: string } = {
  verified: 'verified',
  mismatched: 'mismatched',
  missing: 'missing',
  unlisted: 'unlisted',
  'weak-digest': 'with a weak digest',
  'placeholder-digest': 'with a placeholder for a digest',
  'no-digest': 'without a digest',
}

/** What is gravest first, as people read a list. */
export const gradeOrder: readonly Grade[] = [...grades.filter((g) => g !== 'verified'), 'verified']

const ofRecords = new Set(
  ['added', 'class-selective-removal', 'declared-facts', 'edited', 'flooded', 'relabelled', 'removed'].map((r) => `${provenanceId}/${r}`),
)

/** What the count of a finding counts. */
export const unitOf = (f: Pick<ReportFinding, 'detector' | 'rule'>): 'record' | 'file' | 'place' =>
  f.detector === baseModelId && f.rule !== `${baseModelId}/trigger-response`
    ? 'place'
    : f.detector === provenanceId && !ofRecords.has(f.rule)
      ? 'file'
      : 'record'

/** "4 files, 2.1 kB: 1 mismatched, 3 verified (75 % of files)" */
export function coverageWords({ files, bytes, byGrade }: NonNullable<ReportProvenance['coverage']>): string {
  const parts = gradeOrder.flatMap((grade) => {
    const n = byGrade[grade].files
    return n === 0
      ? []
      : [`${formatCount(n)} ${gradeWords[grade]}${grade === 'verified' && n < files ? ` (${formatPercent(n / files)})` : ''}`]
  })
  return `${plural(files, 'file')}, ${formatBytes(bytes)}${parts.length > 0 ? `: ${parts.join(', ')}` : ''}`
}

/** "4,708 records before, 3,882 after: 826 removed" */
export function changeWords({ before, after, counts }: NonNullable<ReportProvenance['changes']>): string {
  const parts = changeKinds.filter((kind) => counts[kind] > 0).map((kind) => `${formatCount(counts[kind])} ${kind}`)
  return `${plural(before.records, 'record')} before, ${formatCount(after.records)} after: ${parts.join(', ') || 'nothing changed'}`
}

export const kindTitles: { readonly [K in ChangeKind]: string } = {
  added: 'Added',
  removed: 'Removed',
  edited: 'Edited',
  relabelled: 'Relabelled',
  replaced: 'Replaced',
}

/** "SHA256SUMS, signed by vendor.pub (trusted)"; of a signature that does not hold, so. */
export function manifestWords(m: ReportProvenance['manifests'][number]): string {
  const signatures = m.signatures.map((s) =>
    s.status === 'invalid'
      ? 'with a signature that does not hold'
      : s.status === 'unchecked' && s.signer === null
        ? 'with a signature that was not checked'
        : `signed by ${s.signer ?? 'an unknown signer'} (${s.status})`,
  )
  return `${m.file.endsWith(m.title) ? m.file : `${m.file} (${m.title})`}, ${signatures.join(', ') || 'not signed'}`
}
