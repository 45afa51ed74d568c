import { changeKinds } from '../../contracts/snapshot.ts'
import { clip, escapeMarkdown, markdownCode } from '../escape.ts'
import { shownWords } from '../evidence.ts'
import { formatCount, formatPercent, pEquals, plural } from '../format.ts'
import { whereOf } from '../gate.ts'
import { changeWords, coverageWords, unitOf } from '../provenance-words.ts'
import type { Report, ReportFinding, Verdict } from '../schema.ts'
import { type ReportSensitivity, recallWords, smallestWords, triedWords } from '../sensitivity.ts'

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
  f.status !== 'open' ? `${f.severity} (${f.status})` : f.gates ? `**${f.severity}**` : f.severity,
  code(f.rule),
  text(f.message),
  unitOf(f) === 'record' ? formatCount(f.count) : plural(f.count, unitOf(f)),
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
  const { coverage = null, changes = null } = report.provenance ?? {}
  if (coverage) block(`${text(coverageWords(coverage))}.`)
  if (changes) block(`${text(changeWords(changes))}.`)
  if (rows.read > 0 || report.provenance === null)
    block(
      `${plural(rows.read, 'row')} read, ${formatCount(rows.flagged)} flagged (${formatPercent(rows.flaggedFraction)}), ${formatCount(rows.rejected)} rejected, ${formatCount(rows.unlabelled)} without label.`,
    )
  const reasons = report.reasons.filter((r) => r.code !== 'finding')
  if (reasons.length > 0)
    block(...reasons.slice(0, 20).map((r) => `- ${whereOf(r) === '' ? '' : `${code(whereOf(r))}: `}${text(r.message)}`))

  if (report.findings.length > 0) {
    block('### Findings')
    block(...table(['severity', 'rule', 'finding', 'records', 'corrected p'], report.findings.slice(0, 20).map(findingRow)))
    const shown = report.findings.slice(0, 20).filter((f) => shownWords(f.evidence) !== '')
    if (shown.length > 0) block(...shown.map((f) => `- ${code(f.rule)}: ${shownWords(f.evidence)} in the report.`))
    if (report.findings.length > 20) block(`And ${plural(report.findings.length - 20, 'more finding')} in the report.`)
  }
  if (report.next.length > 0) {
    block('### Next')
    block(...report.next.map((step, i) => `${i + 1}. ${text(step)}`))
  }
  if (report.provenance) provenance(report.provenance, block)
  if (report.sensitivity) sensitivity(report.sensitivity, block)
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
        d.coverage === null ? '' : formatCount(d.rowsFlagged),
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
  if (report.known && report.known.length > 0) {
    block('<details><summary>Known findings</summary>')
    block(
      ...table(
        ['fingerprint', 'state', 'rule', 'accepted', 'at most', 'as it was'],
        report.known
          .slice(0, maxRows)
          .map((k) => [code(k.fingerprint), k.state, code(k.rule), text(k.accepted), formatCount(k.maxCount), text(k.message)]),
      ),
    )
    if (report.known.length > maxRows) block(`And ${formatCount(report.known.length - maxRows)} more.`)
    block('</details>')
  }
  block(
    `<sub>assay ${code(report.tool.version)}, ${code(report.startedAt)}, plan ${code(report.plan.digest.slice(0, 16))}, exit code ${report.exitCode}</sub>`,
  )
  return `${out.join('\n').trimEnd()}\n`
}

const maxRows = 20

/** What known attacks would have left. */
function sensitivity(tried: ReportSensitivity, block: (...lines: readonly string[]) => void): void {
  block('### What this audit would have found')
  block(`Known attacks, tried ${text(triedWords(tried))}. Share of the attacked records that was flagged:`)
  const rates = [...new Set(tried.attacks.flatMap((a) => a.rates.map((r) => r.rate)))].sort((a, b) => a - b)
  const cell = (a: ReportSensitivity['attacks'][number], rate: number): string => {
    const found = a.rates.find((r) => r.rate === rate)
    return found ? text(recallWords(found)) : ''
  }
  block(
    ...table(
      ['attack', ...rates.map((rate) => `at ${formatPercent(rate)}`), 'found from'],
      tried.attacks.map((a) => [text(a.title), ...rates.map((rate) => cell(a, rate)), text(smallestWords(a))]),
    ),
  )
}

/** Manifests with their signatures, the gravest files, and facts that disagree. */
function provenance(p: NonNullable<Report['provenance']>, block: (...lines: readonly string[]) => void): void {
  block('### Provenance')
  if (p.manifests.length > 0)
    block(
      ...table(
        ['manifest', 'kind', 'names', 'signature'],
        p.manifests
          .slice(0, maxRows)
          .map((m) => [
            code(m.file),
            text(m.title),
            formatCount(m.entries),
            m.signatures.map((s) => `${s.status}${s.signer === null ? '' : `: ${text(s.signer)}`}`).join('; ') || 'not signed',
          ]),
      ),
    )
  const files = p.files.filter((f) => f.grade !== 'verified').slice(0, maxRows)
  if (files.length > 0)
    block(
      ...table(
        ['file', 'grade', 'expected', 'actual'],
        files.map((f) => [
          code(f.path),
          f.grade,
          f.expected ? code(`${f.expected.algorithm}:${f.expected.hex}`) : '',
          f.actual === null ? '' : code(f.actual),
        ]),
      ),
    )
  const facts = p.facts.filter((f) => f.agrees === false).slice(0, maxRows)
  if (facts.length > 0)
    block(
      ...table(
        ['declared fact', 'declared', 'read', 'by'],
        facts.map((f) => [text(f.name), text(f.declared), text(f.read ?? ''), text(f.by)]),
      ),
    )
  const classes = (p.changes?.classes ?? []).filter((c) => changeKinds.some((kind) => c.counts[kind] > 0)).slice(0, maxRows)
  if (classes.length > 0)
    block(
      ...table(
        ['class', 'before', 'after', ...changeKinds],
        classes.map((c) => [
          text(c.split === null ? c.name : `${c.name} (${c.split})`),
          formatCount(c.before),
          formatCount(c.after),
          ...changeKinds.map((kind) => formatCount(c.counts[kind])),
        ]),
      ),
    )
  if (p.changesFile !== null) block(`Every change is named in ${code(p.changesFile)}.`)
}
