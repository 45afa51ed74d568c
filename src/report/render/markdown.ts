import { clip, escapeMarkdown, markdownCode } from '../escape.ts'
import { formatCount, formatPercent, pEquals, plural } from '../format.ts'
import { whereOf } from '../gate.ts'
import type { Report, ReportFinding, Verdict } from '../schema.ts'

const marks: { readonly [V in Verdict]: string } = {
  passed: '✅ Passed',
  failed: '❌ Failed',
  incomplete: '⚠️ Incomplete',
  'nothing-audited': '⚠️ Nothing audited',
}
const text = (value: string): string => escapeMarkdown(clip(value, 600))
const code = (value: string): string => markdownCode(clip(value, 120))

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${head.join(' | ')} |`,
  `|${head.map(() => ' --- |').join('')}`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
]

const findingRow = (f: ReportFinding): string[] => [
  f.status === 'waived' ? `${f.severity} (waived)` : f.gates ? `**${f.severity}**` : f.severity,
  code(f.rule),
  text(f.message),
  formatCount(f.count),
  f.test ? pEquals(f.test.adjusted) : 'no test',
]

/** The summary of a CI job: verdict, reasons, findings, what ran and what was not looked for. GitHub-flavoured. */
export function renderMarkdown(report: Report): string {
  const { rows } = report
  const out: string[] = []
  const block = (...lines: readonly string[]): void => {
    out.push(...lines, '')
  }
  const version = report.subject.version ? ` ${text(report.subject.version)}` : ''
  block(`## ${marks[report.verdict]}: ${text(report.subject.name)}${version}`)
  block(text(report.headline))
  block(
    `${plural(rows.read, 'row')} read, ${formatCount(rows.flagged)} flagged (${formatPercent(rows.flaggedFraction)}), ${formatCount(rows.rejected)} rejected, ${formatCount(rows.unlabelled)} without label.`,
  )
  const reasons = report.reasons.filter((r) => r.code !== 'finding')
  if (reasons.length > 0)
    block(...reasons.slice(0, 20).map((r) => `- ${whereOf(r) === '' ? '' : `${code(whereOf(r))}: `}${text(r.message)}`))

  if (report.findings.length > 0) {
    block('### Findings')
    block(...table(['severity', 'rule', 'finding', 'records', 'corrected p'], report.findings.slice(0, 20).map(findingRow)))
    if (report.findings.length > 20) block(`And ${plural(report.findings.length - 20, 'more finding')} in the report.`)
  }
  if (report.next.length > 0) {
    block('### Next')
    block(...report.next.map((step, i) => `${i + 1}. ${text(step)}`))
  }
  block('### Coverage')
  const state = { ran: 'ran', failed: '**failed**', 'not-applicable': 'not applicable', disabled: 'disabled' } as const
  block(
    ...table(
      ['detector', 'status', 'how or why', 'rows scored', 'flagged'],
      report.detectors.map((d) => [
        code(d.id),
        state[d.status],
        text(d.reason),
        d.coverage === null ? '' : `${formatCount(d.rowsScored)} (${formatPercent(d.coverage)})`,
        d.status === 'ran' ? formatCount(d.rowsFlagged) : '',
      ]),
    ),
  )
  if (report.issues.length > 0)
    block(
      ...table(
        ['row issue', 'file', 'column', 'rows', ''],
        report.issues
          .slice(0, 20)
          .map((i) => [
            code(i.code),
            code(i.shard),
            i.column === null ? '' : code(i.column),
            formatCount(i.count),
            i.rejected ? 'rejected' : 'kept',
          ]),
      ),
    )
  if (report.blindSpots.length > 0) {
    block('<details><summary>What this audit cannot see</summary>')
    block(...report.blindSpots.map((s) => `- **${text(s.title)}.** ${text(s.sentence)}`))
    block('</details>')
  }
  if (report.waivers.length > 0) {
    block('<details><summary>Waivers</summary>')
    block(
      ...table(
        ['fingerprint', 'state', 'expires', 'at most', 'statement'],
        report.waivers.map((w) => [code(w.fingerprint), w.state, text(w.expires), formatCount(w.maxCount), text(w.statement)]),
      ),
    )
    block('</details>')
  }
  block(
    `<sub>assay ${code(report.tool.version)}, ${code(report.startedAt)}, plan ${code(report.plan.digest.slice(0, 16))}, exit code ${report.exitCode}</sub>`,
  )
  return `${out.join('\n').trimEnd()}\n`
}
