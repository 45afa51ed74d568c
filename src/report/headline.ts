import { type AuditOutcome, type ProvenanceOutcome, rowlessIds } from '../contracts/outcome.ts'
import type { Gate } from '../contracts/pipeline.ts'
import { type ChangeKind, changeKinds } from '../contracts/snapshot.ts'
import { clip } from './escape.ts'
import { formatCount, plural } from './format.ts'
import type { Reason, ReportFinding, Verdict } from './schema.ts'

const maxName = 80
const maxNames = 2

/** One sentence that answers the question the audit was asked. */
export function headlineOf(
  verdict: Verdict,
  reasons: readonly Reason[],
  findings: readonly ReportFinding[],
  gate: Gate,
  outcome: Pick<AuditOutcome, 'provenance' | 'rows'>,
): string {
  const gating = findings.filter((finding) => finding.gates).length
  const open = findings.filter((finding) => finding.status === 'open' && finding.severity !== 'review').length
  const waived = findings.filter((finding) => finding.status === 'waived').length
  const atLeast = gate['fail-on'] === 'critical' ? 'critical severity' : `severity ${gate['fail-on']} or above`
  const known = findings.filter((finding) => finding.status === 'known').length
  const failing = [
    ...(gating > 0 ? [`${plural(gating, 'finding')} of ${atLeast}`] : []),
    ...(reasons.some((r) => r.code === 'max-flagged') ? ['more flagged rows than allowed'] : []),
  ].join(' and ')
  const notes = [
    ...(waived > 0 ? [`${plural(waived, 'finding')} waived`] : []),
    ...(known > 0 ? [`${plural(known, 'finding')} known`] : []),
  ]
  const waivers = notes.length > 0 ? ` (${notes.join(', ')})` : ''
  const first = findings.find((finding) => finding.gates)
  const only = outcome.rows.read === 0 ? outcome.provenance : null
  switch (verdict) {
    case 'failed':
      if (only?.coverage) return `${refused(only, first)}${waivers && ` ${waivers.trim()}.`}`
      // What is certain is said at once; what a test says needs its count and its context.
      return first && rowlessIds.includes(first.detector)
        ? `The gate fails: ${telling(findings).message}`
        : `The gate fails: ${failing}${waivers}.`
    case 'incomplete':
      if (only)
        return `The check is incomplete, so there is no verdict${failing ? `; what was checked would fail: ${failing}` : ''}${waivers}.`
      return `The audit is incomplete, so this data has no verdict${failing ? `; what was audited would fail the gate: ${failing}` : ''}${waivers}.`
    case 'nothing-audited':
      return only ? 'Nothing was verified, so there is no verdict.' : 'Nothing was audited, so this data has no verdict.'
    case 'passed':
      if (only?.coverage)
        return `${accepted(only)}${open > 0 ? ` There ${open === 1 ? 'is' : 'are'} ${plural(open, 'finding')} below ${gate['fail-on']}.` : ''}`
      if (only?.changes) return `${changed(only.changes)}${open > 0 ? ` No finding is of ${atLeast}${waivers}.` : ''}`
      if (gate['fail-on'] === 'never')
        return `The gate passes: it fails on no finding, and there ${open === 1 ? 'is' : 'are'} ${plural(open, 'open finding')}${waivers}.`
      return `The gate passes: no open finding of ${atLeast}${open > 0 ? `, ${plural(open, 'finding')} below it` : ''}${waivers}.`
  }
}

/** That a digest differs is certain; which records are gone says more. */
const telling = (findings: readonly ReportFinding[]): ReportFinding => {
  const certain = findings.filter((f) => f.gates && rowlessIds.includes(f.detector))
  return (certain.find((f) => ['class', 'class-pair', 'source'].includes(f.scope.kind)) ?? certain[0]) as ReportFinding
}

const list = (words: readonly string[]): string =>
  words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`

function names(all: readonly string[]): string {
  const distinct = [...new Set(all)]
  const shown = distinct.slice(0, maxNames).map((text) => clip(text, maxName))
  return list(distinct.length > maxNames ? [...shown, `${formatCount(distinct.length - maxNames)} more`] : shown)
}

const manifestNames = (p: ProvenanceOutcome): string => names(p.manifests.map((m) => m.file)) || 'the manifest'

/** "The delivery is not what its publisher released: 1 of 4 files differs and 1 is missing." */
function refused(p: ProvenanceOutcome, first: ReportFinding | undefined): string {
  const { files, byGrade } = p.coverage as NonNullable<ProvenanceOutcome['coverage']>
  const differ = byGrade.mismatched.files
  const missing = byGrade.missing.files
  if (differ + missing === 0) return `The delivery is refused: ${first?.message ?? 'it does not meet the policy.'}`
  const parts = [
    ...(differ > 0
      ? [`${formatCount(differ)} of ${plural(files, 'file')} ${differ === 1 ? 'differs' : 'differ'} from ${manifestNames(p)}`]
      : []),
    ...(missing > 0 ? [`${plural(missing, 'file')} ${missing === 1 ? 'is' : 'are'} missing`] : []),
  ]
  return `The delivery is not what its publisher released: ${list(parts)}.`
}

/** A fingerprint by its first 16 digits: the line of the manifest shows all of it. */
const short = (signer: string): string => signer.replace(/\b([0-9a-f]{16})[0-9a-f]{48}\b/g, '$1…')

/** "Every file is the one that SHA256SUMS names, signed by ..." */
function accepted(p: ProvenanceOutcome): string {
  const c = p.coverage as NonNullable<ProvenanceOutcome['coverage']>
  const verified = c.byGrade.verified.files
  const which =
    verified === c.files
      ? `Every file is the one that ${manifestNames(p)} names`
      : verified === 0
        ? `No file has a sufficient digest in ${manifestNames(p)}`
        : `${formatCount(verified)} of ${plural(c.files, 'file')} ${verified === 1 ? 'is the one' : 'are the ones'} that ${manifestNames(p)} names`
  const signers = p.manifests.flatMap((m) => m.signatures.filter((s) => s.status === 'trusted').map((s) => short(s.signer ?? s.method)))
  if (c.files === 0)
    return signers.length > 0
      ? `${manifestNames(p)} is signed by ${names(signers)}, and no file was held against it.`
      : 'No file was held against a digest.'
  if (c.signedFiles === 0 || signers.length === 0) return `${which}, and nobody whom the policy trusts has signed it.`
  return `${which}, ${c.signedFiles < c.verifiedFiles ? 'some of it ' : ''}signed by ${names(signers)}.`
}

const said: readonly ChangeKind[] = ['removed', 'relabelled', 'edited', 'replaced', 'added']

/** "856 changes to the 4,708 records of vendor/2026-10: 826 removed and 30 relabelled." */
function changed(c: NonNullable<ProvenanceOutcome['changes']>): string {
  const kinds = said.filter((kind) => c.counts[kind] > 0)
  if (kinds.length === 0)
    return `Nothing changed: ${clip(c.after.name, maxName)} holds the ${plural(c.after.records, 'record')} of ${clip(c.before.name, maxName)}.`
  const total = changeKinds.reduce((sum, kind) => sum + c.counts[kind], 0)
  return `${plural(total, 'change')} to the ${plural(c.before.records, 'record')} of ${clip(c.before.name, maxName)}: ${list(kinds.map((kind) => `${formatCount(c.counts[kind])} ${kind}`))}.`
}
