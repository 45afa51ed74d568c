import { clip, escapeXml } from '../escape.ts'
import { formatPercent, pEquals, plural } from '../format.ts'
import { whereOf } from '../gate.ts'
import { unitOf } from '../provenance-words.ts'
import type { Reason, Report, ReportFinding } from '../schema.ts'

const maxFindings = 50

/** `token` of XML Schema: no space at its ends, none twice in a row. */
const token = (text: string): string => escapeXml(clip(text, 200)).replace(/ +/g, ' ').trim() || '-'
const attribute = (text: string): string => escapeXml(clip(text, 1_000))

type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'skipped' }
  | { readonly kind: 'failure' | 'error'; readonly type: string; readonly message: string; readonly lines: readonly string[] }

interface Case {
  readonly name: string
  readonly outcome: Outcome
}

const wordsOf = (f: ReportFinding): readonly string[] => [
  `${f.rule} (${f.severity}, ${plural(f.count, unitOf(f))}, ${f.test ? `${pEquals(f.test.adjusted)} after correction` : 'no test'}): ${f.message}`,
  `  ${f.action}`,
  `  fingerprint ${f.fingerprint}`,
]

const reasonWords = (r: Reason): string =>
  [whereOf(r) === '' ? r.message : `${whereOf(r)}: ${r.message}`, ...(r.hint === null ? [] : [r.hint])].join('. ')

const errorOf = (reasons: readonly Reason[], more: readonly string[] = []): Outcome => ({
  kind: 'error',
  type: reasons[0]?.code ?? 'incomplete',
  message: reasons[0]?.message ?? 'incomplete',
  lines: [...reasons.map(reasonWords), ...more],
})

function failureOf(findings: readonly ReportFinding[]): Outcome {
  const [first] = findings as [ReportFinding]
  const left = findings.length - maxFindings
  return {
    kind: 'failure',
    type: first.rule,
    message: findings.length === 1 ? first.message : `${plural(findings.length, 'finding')} fail the gate. ${first.message}`,
    lines: [...findings.slice(0, maxFindings).flatMap(wordsOf), ...(left > 0 ? [`and ${plural(left, 'more finding')} in the report`] : [])],
  }
}

/** What a reason is about: the detector that its message names at the start, as the gate words it. */
const isAbout = (id: string, { code, message }: Reason): boolean =>
  (code === 'required-detector' && message.startsWith(`the required detector ${id} `)) ||
  (code === 'min-coverage' && message.startsWith(`${id} could score only `))

function caseOf(detector: Report['detectors'][number], report: Report): Case {
  const { id, status, reason } = detector
  const findings = report.findings.filter((f) => f.detector === id && f.gates)
  const own = report.reasons.filter((r) => isAbout(id, r))
  const outcome: Outcome =
    status === 'failed'
      ? { kind: 'error', type: 'detector-failed', message: reason, lines: [reason] }
      : own.length > 0
        ? errorOf(own, findings.slice(0, maxFindings).flatMap(wordsOf))
        : findings.length > 0
          ? failureOf(findings)
          : { kind: status === 'ran' ? 'passed' : 'skipped' }
  return { name: id, outcome }
}

/** What no single detector says: whether all of the data was read, and how much of it is flagged. */
function generalCases(report: Report): readonly Case[] {
  const ids = report.detectors.map((d) => d.id)
  const lost = report.reasons.filter((r) => r.verdict !== 'failed' && r.code !== 'detector-failed' && !ids.some((id) => isAbout(id, r)))
  const flagged = report.reasons.filter((r) => r.code === 'max-flagged')
  return [
    { name: 'input', outcome: lost.length > 0 ? errorOf(lost) : { kind: 'passed' } },
    {
      name: 'flagged records',
      outcome:
        flagged.length > 0
          ? { kind: 'failure', type: 'max-flagged', message: flagged[0]?.message ?? '', lines: flagged.map(reasonWords) }
          : { kind: 'passed' },
    },
  ]
}

function render({ name, outcome }: Case, subject: string): string {
  const open = `    <testcase name="${token(name)}" classname="${token(subject)}" time="0"`
  if (outcome.kind === 'passed') return `${open}/>`
  if (outcome.kind === 'skipped') return `${open}><skipped/></testcase>`
  const { kind, type, message, lines } = outcome
  const body = lines.map((line) => escapeXml(clip(line, 4_000))).join('\n')
  return `${open}>\n      <${kind} type="${attribute(type)}" message="${attribute(message)}">${body}</${kind}>\n    </testcase>`
}

/**
 * JUnit XML as Ant, Jenkins and GitLab read it: a suite for the data set, a case a detector and two for the run as a whole.
 * A failure is what fails the gate; an error, what makes the audit incomplete. Known and waived findings fail nothing.
 */
export function renderJunit(report: Report): string {
  const { name, version } = report.subject
  const subject = version === null ? name : `${name} ${version}`
  const cases = [...generalCases(report), ...report.detectors.map((d) => caseOf(d, report))]
  const count = (kind: Outcome['kind']): number => cases.filter((c) => c.outcome.kind === kind).length
  const properties = [
    ['verdict', report.verdict],
    ['exit-code', String(report.exitCode)],
    ['rows', String(report.rows.read)],
    ['flagged', formatPercent(report.rows.flaggedFraction)],
    ['plan', report.plan.digest],
    ['seed', report.plan.seed],
    ['assay', report.tool.version],
  ] as const
  const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}/.exec(report.startedAt)?.[0] ?? '1970-01-01T00:00:00'
  return `${[
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<testsuites>',
    `  <testsuite name="${token(subject)}" package="assay" id="0" timestamp="${time}" hostname="localhost" tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}" time="0">`,
    '    <properties>',
    ...properties.map(([key, value]) => `      <property name="${key}" value="${attribute(value)}"/>`),
    '    </properties>',
    ...cases.map((c) => render(c, subject)),
    `    <system-out>${escapeXml(clip(report.headline, 4_000))}</system-out>`,
    '    <system-err></system-err>',
    '  </testsuite>',
    '</testsuites>',
  ].join('\n')}\n`
}
