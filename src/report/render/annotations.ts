import { clip, escapeCommandMessage, escapeCommandProperty, visible } from '../escape.ts'
import { whereOf } from '../gate.ts'
import type { Report, ReportFinding } from '../schema.ts'

/** As many as GitHub shows of one step. */
const maxEach = 10

const command = (level: 'error' | 'warning' | 'notice', title: string, message: string): string =>
  `::${level} title=${escapeCommandProperty(visible(clip(title, 200)))}::${escapeCommandMessage(visible(clip(message, 1_000)))}`

const words = (f: ReportFinding): string => `${f.message} ${f.action}`

/**
 * Workflow commands of GitHub Actions: an error for what fails the gate or leaves the audit without a verdict, a warning for
 * other new findings with a test, and a notice with the verdict. At most ten of each.
 */
export function renderAnnotations(report: Report): string {
  const lost = report.reasons.filter((r) => r.code !== 'finding')
  const errors = [
    ...lost.map((r) =>
      command('error', `assay: ${r.code}`, [whereOf(r), r.message, r.hint ?? ''].filter((part) => part !== '').join(': ')),
    ),
    ...report.findings.filter((f) => f.gates).map((f) => command('error', f.rule, words(f))),
  ]
  const warnings = report.findings
    .filter((f) => f.status === 'open' && !f.gates && f.severity !== 'review')
    .map((f) => command('warning', f.rule, words(f)))
  const lines = [
    ...errors.slice(0, maxEach),
    ...warnings.slice(0, maxEach),
    command('notice', `assay: ${report.verdict}`, `${report.subject.name}: ${report.headline}`),
  ]
  return `${lines.join('\n')}\n`
}
