import { createHash } from 'node:crypto'
import { AssayError } from '../contracts/errors.ts'
import type { HistorySpec, Night, NightChanges } from '../contracts/history.ts'
import { type AuditOutcome, type DetectorOutcome, historyId, type Incomplete } from '../contracts/outcome.ts'
import type { ChangeSummary } from '../contracts/snapshot.ts'
import { concludeHistory } from '../history/conclude.ts'
import { historyRules } from '../history/rules.ts'
import { type HistoryStore, openHistory, type RecordedRun } from '../history/store.ts'
import type { Report } from '../report/schema.ts'

interface Part {
  readonly status: DetectorOutcome['status']
  readonly reason: string
}

const detectorOf = (part: Part, required: boolean, conclusion: ReturnType<typeof concludeHistory> | null): DetectorOutcome => ({
  id: historyId,
  version: 1,
  title: 'Trends over past audits',
  rules: historyRules,
  required,
  options: null,
  rowsScored: 0,
  rowsFlagged: 0,
  thresholds: [],
  notes: conclusion?.notes ?? [],
  findings: conclusion?.findings ?? [],
  tests: conclusion?.tests ?? [],
  ...part,
})

/** The same for every attempt at one run, another for every other. */
export const runIdOf = ({ planDigest, seed, startedAt, subject }: AuditOutcome): string =>
  createHash('sha256')
    .update(JSON.stringify([planDigest, seed, startedAt, subject.name]))
    .digest('hex')
    .slice(0, 32)

function changesOf(changes: ChangeSummary | null | undefined): NightChanges | null {
  if (!changes) return null
  const classes = new Map<string, { before: number; relabelled: number }>()
  for (const { name, before, counts } of changes.classes) {
    const row = classes.get(name) ?? { before: 0, relabelled: 0 }
    row.before += before
    row.relabelled += counts.relabelled + counts.replaced
    classes.set(name, row)
  }
  const { labels, counts } = changes.transitions
  return {
    before: changes.before.root,
    after: changes.after.root,
    classes: [...classes].map(([name, row]) => ({ name, ...row })),
    sources: changes.sources.map((s) => ({ name: s.name, before: s.before, relabelled: s.counts.relabelled + s.counts.replaced })),
    pairs: labels.flatMap((from, i) =>
      labels.flatMap((to, j) => {
        const count = counts[i]?.[j] ?? 0
        return count > 0 && i !== j ? [{ from, to, count }] : []
      }),
    ),
  }
}

function nightOf(outcome: AuditOutcome, fresh: boolean): Night {
  const { labels, sources, incomplete, detectors, provenance, startedAt, rows } = outcome
  return {
    run: runIdOf(outcome),
    startedAt,
    whole: (rows.read > 0 || fresh) && incomplete.length === 0 && detectors.every((d) => d.status !== 'failed'),
    fresh,
    labels,
    sources,
    changes: changesOf(provenance?.changes),
  }
}

function recordOf(outcome: AuditOutcome, night: Night, report: Report): RecordedRun {
  const findings = report.findings.map((f) => ({
    fingerprint: f.fingerprint,
    rule: f.rule,
    severity: f.severity,
    status: f.status,
    scope: JSON.stringify([f.scope.kind, ...f.scope.names]),
    records: f.count,
    message: f.message,
    p: f.test?.adjusted ?? null,
  }))
  const { sensitivity } = report as { readonly sensitivity?: unknown }
  const rest = {
    subject: outcome.subject.name,
    verdict: report.verdict,
    exitCode: report.exitCode,
    rows: report.rows.read,
    flagged: report.rows.flagged,
    tool: report.tool.version,
    plan: report.plan.digest,
    findings,
    sensitivity: sensitivity === undefined || sensitivity === null ? null : JSON.stringify(sensitivity),
  }
  return {
    night,
    digest: createHash('sha256')
      .update(JSON.stringify([night, rest]))
      .digest('hex'),
    ...rest,
  }
}

const failed = (outcome: AuditOutcome, error: unknown, required: boolean): AuditOutcome => {
  const message = (error as Error).message
  const incomplete: Incomplete = {
    code: error instanceof AssayError ? error.code : 'internal',
    message: `the history could not be kept: ${message}`,
    place: {},
    hint: error instanceof AssayError ? (error.hint ?? null) : null,
  }
  return {
    ...outcome,
    incomplete: [...outcome.incomplete, incomplete],
    detectors: [...outcome.detectors, detectorOf({ status: 'failed', reason: message }, required, null)],
  }
}

async function judged(store: HistoryStore, outcome: AuditOutcome, night: Night, required: boolean): Promise<AuditOutcome> {
  const past = await store.nights(outcome.subject.name, night.run)
  const before = past.filter((n) => n.startedAt <= night.startedAt)
  const part: Part =
    outcome.rows.read === 0 && !night.fresh
      ? { status: 'not-applicable', reason: 'no records were read' }
      : { status: 'ran', reason: before.length === 0 ? 'the first audit of this history' : `${before.length} audits before this one` }
  const conclusion = part.status === 'ran' ? concludeHistory([...before, night]) : null
  return { ...outcome, detectors: [...outcome.detectors, detectorOf(part, required, conclusion)] }
}

export interface Keeping {
  readonly spec: HistorySpec
  readonly required: boolean
  /** Only records that are new since a snapshot were audited. */
  readonly fresh: boolean
}

/**
 * The report with what past audits say, recorded in the history. A history that cannot be read or written makes the audit
 * incomplete and takes nothing from its result.
 */
export async function withHistory(
  outcome: AuditOutcome,
  { spec, required, fresh }: Keeping,
  build: (outcome: AuditOutcome) => Report,
): Promise<{ readonly outcome: AuditOutcome; readonly report: Report }> {
  let store: HistoryStore | null = null
  try {
    store = await openHistory(spec, process.env)
    const night = nightOf(outcome, fresh)
    const whole = await judged(store, outcome, night, required)
    const report = build(whole)
    await store.record(recordOf(outcome, night, report))
    return { outcome: whole, report }
  } catch (error) {
    const without = failed(outcome, error, required)
    return { outcome: without, report: build(without) }
  } finally {
    await store?.close()
  }
}
