import type { Severity } from '../contracts/finding.ts'
import { severities } from '../contracts/finding.ts'
import { type AuditOutcome, type DetectorOutcome, historyId, provenanceId, rowlessIds } from '../contracts/outcome.ts'
import type { Gate, Waiver } from '../contracts/pipeline.ts'
import { formatCount, formatPercent, plural } from './format.ts'
import type { Reason, Report, ReportFinding, Verdict } from './schema.ts'

const none = { hint: null, fingerprint: null, place: null } as const

/** Does a finding of this severity fail a gate? `review` never does: it has no null hypothesis behind it. */
export const reaches = (severity: Severity, failOn: Gate['fail-on']): boolean =>
  severity !== 'review' && failOn !== 'never' && severities.indexOf(severity) <= severities.indexOf(failOn)

export type WaiverState = Report['waivers'][number]['state']

/** A waiver no longer holds on the day it names; one without a readable date never holds. */
export function waiverState(waiver: Waiver, found: readonly { readonly count: number }[], now: Date): WaiverState {
  if (found.length === 0) return 'unused'
  const readable = /^\d{4}-\d{2}-\d{2}/.test(waiver.expires) && !Number.isNaN(Date.parse(waiver.expires))
  if (!readable || now.toISOString().slice(0, 10) >= waiver.expires.slice(0, 10)) return 'expired'
  return found.some((finding) => finding.count > waiver.maxCount) ? 'exceeded' : 'applied'
}

/** Rows scored / rows read; 1 where there was nothing to read, null for what scores no rows: provenance, a base model, and what did not run. */
export const coverageOf = (d: DetectorOutcome, rowsRead: number): number | null => {
  if (d.status !== 'ran' || rowlessIds.includes(d.id)) return null
  return rowsRead === 0 ? 1 : Math.min(1, d.rowsScored / rowsRead)
}

function incompleteReasons(outcome: AuditOutcome, gate: Gate): Reason[] {
  const of = (code: Reason['code'], message: string, hint: string | null): Reason => ({
    ...none,
    verdict: 'incomplete',
    code,
    message,
    hint,
  })
  const reasons: Reason[] = outcome.incomplete.map(({ message, place, hint }) => ({
    ...of('input-incomplete', message, hint),
    place: {
      file: place.file ?? null,
      line: place.line ?? null,
      column: place.column ?? null,
      row: place.row ?? null,
      offset: place.offset ?? null,
    },
  }))
  for (const d of outcome.detectors)
    if (d.status === 'failed')
      reasons.push(
        of(
          'detector-failed',
          `${d.id === provenanceId ? 'the check of provenance' : `the detector ${d.id}`} failed: ${d.reason}`,
          rowlessIds.includes(d.id)
            ? 'Correct what could not be read, then audit again.'
            : `Correct the input or the options of ${d.id} and audit again, or switch it off in the pipeline file.`,
        ),
      )
  const required = new Set([...gate.require, ...outcome.detectors.filter((d) => d.required).map((d) => d.id)])
  for (const id of required) {
    const d = outcome.detectors.find((one) => one.id === id)
    if (d?.status === 'ran' || d?.status === 'failed') continue
    const hint = `Give ${id} what it needs, or take it off gate.require.`
    reasons.push(of('required-detector', `the required detector ${id} did not run: ${d ? d.reason : 'no detector has this name'}`, hint))
  }
  for (const d of outcome.detectors) {
    const coverage = coverageOf(d, outcome.rows.read)
    if (coverage === null || coverage >= gate['min-coverage']) continue
    reasons.push(
      of(
        'min-coverage',
        `${d.id} could score only ${formatPercent(coverage)} of ${plural(outcome.rows.read, 'row')}, and the gate asks for ${formatPercent(gate['min-coverage'])}`,
        'Correct the rows under row issues, or lower gate.min-coverage if rows that cannot be scored are expected.',
      ),
    )
  }
  return reasons
}

/** Why the verdict is what it is, the gravest first; empty when the gate passes. */
export function judge(
  outcome: AuditOutcome,
  gate: Gate,
  findings: readonly ReportFinding[],
): { readonly verdict: Verdict; readonly reasons: readonly Reason[] } {
  // Past audits are no look at these data.
  const ran = outcome.detectors.filter((d) => d.status === 'ran' && d.id !== historyId)
  const broken = outcome.incomplete.length > 0 || outcome.detectors.some((d) => d.status === 'failed')
  // Files and snapshots have no rows; sources that hold none still pass no gate.
  const isRowless = (d: DetectorOutcome): boolean => rowlessIds.includes(d.id)
  const rowless = ran.some(isRowless) && (ran.every(isRowless) || findings.some((finding) => finding.gates))
  if (outcome.rows.read === 0 && !broken && !rowless) return { verdict: 'nothing-audited', reasons: [nothingRead(outcome)] }

  const incomplete = incompleteReasons(outcome, gate)
  const failed: Reason[] = findings
    .filter((finding) => finding.gates)
    .map((finding) => ({
      ...none,
      verdict: 'failed',
      code: 'finding',
      message: `${finding.rule} (${finding.severity}): ${finding.message}`,
      fingerprint: finding.fingerprint,
    }))
  const { read, flagged } = outcome.rows
  if (flagged > gate['max-flagged'] * read) {
    const allowed = formatPercent(gate['max-flagged'])
    failed.push({
      ...none,
      verdict: 'failed',
      code: 'max-flagged',
      message: `${formatCount(flagged)} of ${plural(read, 'row')} flagged (${formatPercent(flagged / read)}), and the gate allows ${allowed}`,
      hint: 'Review the flagged rows, strongest first: correct or remove what is wrong, then audit again.',
    })
  }
  const reasons = [...incomplete, ...failed]
  if (incomplete.length > 0) return { verdict: 'incomplete', reasons }
  if (ran.length === 0) {
    const why = outcome.detectors.map((d) => `${d.id}: ${d.reason}`).join('; ')
    return {
      verdict: 'nothing-audited',
      reasons: [
        nothing(`no detector ran${why ? ` (${why})` : ''}`, 'Name the columns that hold labels and content, or enable a detector.'),
      ],
    }
  }
  return { verdict: failed.length > 0 ? 'failed' : 'passed', reasons }
}

function nothingRead(outcome: AuditOutcome): Reason {
  const provenance = outcome.detectors.find((d) => d.id === provenanceId)
  if (provenance?.status === 'not-applicable' && outcome.detectors.length === 1)
    return nothing(provenance.reason, 'Ask the publisher for a manifest with digests and a signature, or compare with a trusted original.')
  return nothing('the sources hold no rows', 'Check the paths and the format of the sources.')
}

const nothing = (message: string, hint: string): Reason => ({ ...none, verdict: 'nothing-audited', code: 'nothing-audited', message, hint })

export const exitCodes = { passed: 0, failed: 1, incomplete: 2, 'nothing-audited': 3 } as const

/** What to do, in order; at most seven steps. */
export function nextOf(
  report: Pick<Report, 'verdict' | 'reasons' | 'findings' | 'waivers' | 'known' | 'rows' | 'blindSpots' | 'columns'>,
): string[] {
  const steps = new Set<string>()
  for (const reason of report.reasons) if (reason.hint && reason.verdict !== 'failed') steps.add(reason.hint)
  for (const finding of report.findings) if (finding.gates) steps.add(finding.action)
  for (const reason of report.reasons) if (reason.hint) steps.add(reason.hint)
  if (report.verdict === 'failed' || report.verdict === 'passed')
    for (const finding of report.findings) if (finding.status === 'open' && !finding.gates) steps.add(finding.action)
  if (report.waivers.some((w) => w.state === 'expired' || w.state === 'exceeded'))
    steps.add('Renew or remove the waivers that no longer hold.')
  if (report.waivers.some((w) => w.state === 'unused')) steps.add('Remove the waivers that match no finding.')
  if (report.known?.some((k) => k.state === 'stale')) steps.add('Prune the known findings that are no longer found: assay baseline prune.')
  const first = [...steps].slice(0, 5).map((step) => step.slice(0, 1).toUpperCase() + step.slice(1))
  if (report.verdict === 'passed' && mayHaveLabels(report.columns))
    first.push('No column was taken for the label: where one is, name it and audit again, because most detectors compare labels.')
  if (report.verdict === 'passed' && report.blindSpots.length > 0)
    first.push('Before relying on this result, read what this audit cannot see.')
  return first
}

/** Of data without a label nobody can tell from outside whether they have none, as long as a column is left that could be it. */
export const mayHaveLabels = (columns: readonly Pick<Report['columns'][number], 'role'>[]): boolean =>
  !columns.some((c) => c.role === 'label') && columns.some((c) => c.role === null || c.role === 'features' || c.role === 'categories')

type Placed = NonNullable<Reason['place']>

/** "part-1.csv, line 3" */
export const whereOfPlace = ({ file, line, column, row }: Placed): string =>
  [file, line === null ? null : `line ${line}`, column === null ? null : `column ${column}`, row === null ? null : `row ${row}`]
    .filter((part) => part !== null)
    .join(', ')

/** Where in the input a reason arose, for people; empty where its message says so already. */
export const whereOf = ({ place, message }: Reason): string =>
  place === null ? '' : whereOfPlace({ ...place, file: place.file !== null && message.includes(place.file) ? null : place.file })
