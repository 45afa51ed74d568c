import { severities } from '../contracts/finding.ts'
import type { DetectorOutcome } from '../contracts/outcome.ts'
import type { KnownFinding } from '../contracts/pipeline.ts'
import { clip } from './escape.ts'
import { limits } from './evidence-bounds.ts'
import type { Report, ReportFinding } from './schema.ts'

export type KnownRow = NonNullable<Report['known']>[number]

const graver = (a: ReportFinding['severity'], b: ReportFinding['severity']): boolean => severities.indexOf(a) < severities.indexOf(b)
const detectorOf = (rule: string): string => rule.slice(0, rule.indexOf('/'))

/** Findings that are as they were accepted become `known`; the rows say what became of each that was accepted. */
export function judgeKnown(
  accepted: readonly KnownFinding[],
  findings: readonly ReportFinding[],
  detectors: readonly Pick<DetectorOutcome, 'id' | 'status'>[],
): KnownRow[] {
  const ran = new Set(detectors.filter((d) => d.status === 'ran').map((d) => d.id))
  return accepted.map((entry) => {
    const found = findings.filter((finding) => finding.fingerprint === entry.fingerprint)
    const row = { ...entry, message: clip(entry.message, limits.message) }
    if (found.length === 0) return { ...row, state: ran.has(detectorOf(entry.rule)) ? 'stale' : 'not-tested' }
    if (found.some((f) => f.count > entry.maxCount || graver(f.severity, entry.severity))) return { ...row, state: 'grew' }
    for (const finding of found) if (finding.status === 'open') finding.status = 'known'
    return { ...row, state: 'known' }
  })
}

export interface Updated {
  readonly findings: readonly KnownFinding[]
  readonly added: number
  readonly changed: number
  readonly kept: number
}

const byRule = (a: KnownFinding, b: KnownFinding): number =>
  a.rule < b.rule ? -1 : a.rule > b.rule ? 1 : a.fingerprint < b.fingerprint ? -1 : 1

/**
 * Accepts every finding of a report as it is, on top of what was accepted before. `margin` (0 and more) is the share by which a
 * count may grow. What did not change keeps its date; what is no longer found stays until it is pruned.
 */
export function updateKnown(before: readonly KnownFinding[], report: Pick<Report, 'findings' | 'evaluatedAt'>, margin: number): Updated {
  const entries = new Map(before.map((entry) => [entry.fingerprint, entry]))
  let added = 0
  let changed = 0
  for (const f of report.findings) {
    const old = entries.get(f.fingerprint)
    const isHeld = old !== undefined && f.count <= old.maxCount && !graver(f.severity, old.severity)
    if (isHeld) continue
    if (old) changed++
    else added++
    entries.set(f.fingerprint, {
      fingerprint: f.fingerprint,
      rule: f.rule,
      severity: f.severity,
      message: f.message,
      count: f.count,
      maxCount: Math.ceil(f.count * (1 + margin)),
      accepted: report.evaluatedAt.slice(0, 10),
    })
  }
  return { findings: [...entries.values()].sort(byRule), added, changed, kept: entries.size - added - changed }
}

/** Without what the report's detectors looked for and no longer find. */
export function pruneKnown(
  before: readonly KnownFinding[],
  report: Pick<Report, 'findings' | 'detectors'>,
): { readonly findings: readonly KnownFinding[]; readonly stale: readonly KnownFinding[] } {
  const found = new Set(report.findings.map((f) => f.fingerprint))
  const ran = new Set(report.detectors.filter((d) => d.status === 'ran').map((d) => d.id))
  const isStale = (entry: KnownFinding): boolean => !found.has(entry.fingerprint) && ran.has(detectorOf(entry.rule))
  return { findings: before.filter((entry) => !isStale(entry)).sort(byRule), stale: before.filter(isStale) }
}
