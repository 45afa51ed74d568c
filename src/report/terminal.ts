import { notLookedFor } from './blind-spots.ts'
import { clip, escapeTerminal } from './escape.ts'
import { shownWords } from './evidence.ts'
import { formatCount, formatPercent, pEquals, plural } from './format.ts'
import { whereOf } from './gate.ts'
import { changeWords, coverageWords, manifestWords, unitOf } from './provenance-words.ts'
import type { Report, ReportFinding, Verdict } from './schema.ts'

export interface TerminalOptions {
  readonly color: boolean
  /** Columns; lines are wrapped to it, between 40 and 120. */
  readonly width: number
  /** Files that were written, shown last. */
  readonly files?: readonly { readonly title: string; readonly path: string }[]
}

type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'onRed' | 'onGreen' | 'onYellow'
const codes: { readonly [S in Style]: readonly [string, string] } = {
  bold: ['1', '22'],
  dim: ['2', '22'],
  red: ['31', '39'],
  green: ['32', '39'],
  yellow: ['33', '39'],
  cyan: ['36', '39'],
  onRed: ['1;97;41', '0'],
  onGreen: ['1;97;42', '0'],
  onYellow: ['1;30;43', '0'],
}

const verdictWords: { readonly [V in Verdict]: readonly [string, Style] } = {
  passed: ['PASSED', 'onGreen'],
  failed: ['FAILED', 'onRed'],
  incomplete: ['INCOMPLETE', 'onYellow'],
  'nothing-audited': ['NOTHING AUDITED', 'onYellow'],
}

const severityStyle: { readonly [S in ReportFinding['severity']]: Style } = {
  critical: 'red',
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
  review: 'cyan',
}

/** Columns that a terminal gives to the text: two for East Asian wide characters and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  let width = 0
  for (const c of text) {
    if (/\p{M}|\u200c|\u200d|\ufe0f/u.test(c)) continue
    width +=
      /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u.test(
        c,
      )
        ? 2
        : 1
  }
  return width
}

/** Breaks between words, and inside a word that is longer than a line. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  let used = 0
  const flush = (): void => {
    lines.push(line)
    line = ''
    used = 0
  }
  for (const word of text.split(' ').filter((w) => w !== '')) {
    const size = displayWidth(word)
    if (used > 0 && used + 1 + size > width) flush()
    if (size <= width) {
      line += used > 0 ? ` ${word}` : word
      used += size + (used > 0 ? 1 : 0)
      continue
    }
    for (const c of word) {
      const w = displayWidth(c)
      if (used + w > width) flush()
      line += c
      used += w
    }
  }
  if (used > 0 || lines.length === 0) flush()
  return lines
}

/**
 * The summary that an audit prints: verdict and why, what was found, what ran, what to do and where to look.
 * Every string of the report is escaped; the only escape sequences are the colours, and only when `color` is true.
 */
export function renderTerminal(report: Report, options: TerminalOptions): string {
  const width = Math.min(120, Math.max(40, options.width))
  const paint = (text: string, ...styles: readonly Style[]): string =>
    options.color ? styles.reduce((inner, s) => `\u001b[${codes[s][0]}m${inner}\u001b[${codes[s][1]}m`, text) : text
  const out: string[] = []
  const say = (text: string, indent: string, first = indent, style?: Style): void => {
    const clean = escapeTerminal(clip(text, 1_000))
    wrap(clean, width - displayWidth(indent)).forEach((line, i) => {
      out.push((i === 0 ? first : indent) + (style ? paint(line, style) : line))
    })
  }
  const heading = (text: string): void => {
    out.push('', paint(text, 'bold'))
  }

  const [word, style] = verdictWords[report.verdict]
  const version = report.subject.version ? ` ${report.subject.version}` : ''
  const subject = clip(escapeTerminal(`${report.subject.name}${version}`), width - word.length - 5)
  out.push(`${options.color ? paint(` ${word} `, style) : `[${word}]`}  ${paint(subject, 'bold')}`)
  say(report.headline, '')
  const { read, flagged, rejected, unlabelled, reference } = report.rows
  const parts = [
    ...(read > 0 || report.provenance === null
      ? [`${plural(read, 'row')} read`, `${formatCount(flagged)} flagged (${formatPercent(report.rows.flaggedFraction)})`]
      : []),
    ...(rejected > 0 ? [`${formatCount(rejected)} rejected`] : []),
    ...(unlabelled > 0 ? [`${formatCount(unlabelled)} without label`] : []),
    ...(report.duplicateIds.count > 0 ? [`${plural(report.duplicateIds.count, 'duplicate id')}`] : []),
    ...(reference > 0 ? [`${plural(reference, 'reference row')}`] : []),
  ]
  if (parts.length > 0) say(parts.join(', '), '', '', 'dim')
  const { coverage = null, changes = null, manifests = [], manifestCount = 0, snapshot = null } = report.provenance ?? {}
  if (coverage) say(coverageWords(coverage), '', '', 'dim')
  if (changes) say(changeWords(changes), '', '', 'dim')
  for (const m of manifests.slice(0, 3)) say(manifestWords(m), '  ', '', 'dim')
  if (manifestCount > 3) say(`and ${plural(manifestCount - 3, 'more manifest')}`, '', '', 'dim')
  if (snapshot) say(`snapshot ${snapshot.root.slice(0, 16)} of ${plural(snapshot.records, 'record')}`, '', '', 'dim')

  const reasons = report.reasons.filter((r) => r.code !== 'finding')
  if (reasons.length > 0) {
    heading('Why')
    for (const reason of reasons.slice(0, 8)) {
      const where = whereOf(reason)
      say(`${where ? `${where}: ` : ''}${reason.message}`, '    ', `  ${paint('\u2717', reason.verdict === 'failed' ? 'red' : 'yellow')} `)
    }
    if (reasons.length > 8) out.push(`    and ${plural(reasons.length - 8, 'more reason')}`)
  }

  if (report.findings.length > 0) {
    heading('Findings')
    for (const finding of report.findings.slice(0, 10)) sayFinding(finding)
    if (report.findings.length > 10) out.push(`  and ${plural(report.findings.length - 10, 'more finding')} in the report`)
  }

  heading('Detectors')
  // Of a few it is said why; many are named in one line.
  const idle = (status: 'not-applicable' | 'disabled') => report.detectors.filter((d) => d.status === status && !d.required)
  const named = [['not for these columns', idle('not-applicable')] as const, ['switched off', idle('disabled')] as const]
  const many = named.filter(([, list]) => list.length > 3)
  const listed = report.detectors.filter((d) => !many.some(([, list]) => list.includes(d)))
  for (const d of listed) {
    const mark = {
      ran: paint('\u2713', 'green'),
      failed: paint('\u2717', 'red'),
      'not-applicable': paint('\u2013', 'dim'),
      disabled: paint('\u2013', 'dim'),
    }[d.status]
    const state = { ran: '', failed: 'failed: ', 'not-applicable': 'not applicable: ', disabled: 'disabled: ' }[d.status]
    const scored =
      d.coverage !== null ? `; ${formatCount(d.rowsScored)} of ${plural(read, 'row')} scored, ${formatCount(d.rowsFlagged)} flagged` : ''
    say(`${d.id}: ${state}${d.reason}${scored}`, '    ', `  ${mark} `)
  }
  for (const [words, list] of many) say(`${words}: ${list.map((d) => d.id).join(', ')}`, '    ', `  ${paint('\u2013', 'dim')} `)
  if (report.notSignificant.length > 0 || report.correction.tests > 0)
    say(
      `${plural(report.correction.tests, 'test')} corrected together; ${plural(report.notSignificant.length, 'suspicion')} not significant`,
      '    ',
      '    ',
      'dim',
    )
  const missed = notLookedFor(report.blindSpots)
  if (missed.length > 0) say(`Not looked for: ${missed.join(', ')}.`, '    ', '    ', 'dim')

  const stale = report.waivers.filter((w) => w.state !== 'applied')
  if (stale.length > 0) {
    heading('Waivers')
    for (const w of stale.slice(0, 5))
      say(`${w.fingerprint.slice(0, 12)} ${w.state}: ${w.statement} (until ${w.expires})`, '    ', `  ${paint('!', 'yellow')} `)
  }

  const moved = (report.known ?? []).filter((k) => k.state === 'grew' || k.state === 'stale')
  if (moved.length > 0) {
    heading('Known findings')
    for (const k of moved.slice(0, 5))
      say(`${k.fingerprint.slice(0, 12)} ${k.state}: ${k.message} (accepted ${k.accepted})`, '    ', `  ${paint('!', 'yellow')} `)
  }

  if (report.next.length > 0) {
    heading('Next')
    report.next.forEach((step, i) => {
      say(step, '     ', `  ${i + 1}. `)
    })
  }
  const files = options.files ?? []
  if (files.length > 0) {
    out.push('')
    const longest = Math.max(...files.map((f) => f.title.length))
    for (const file of files) out.push(`${paint(file.title.padEnd(longest), 'dim')}  ${escapeTerminal(file.path)}`)
  }
  return `${out.join('\n')}\n`

  function sayFinding(finding: ReportFinding): void {
    const isAccepted = finding.status !== 'open'
    const label = (isAccepted ? finding.status : finding.severity).padEnd(8)
    const facts = [
      finding.rule,
      plural(finding.count, unitOf(finding)),
      finding.test ? pEquals(finding.test.adjusted) : 'no test',
      `${finding.confidence} confidence`,
      ...[shownWords(finding.evidence)].filter((words) => words !== ''),
    ]
    const first = `  ${isAccepted ? paint(label, 'dim') : paint(label, 'bold', severityStyle[finding.severity])}  `
    say(finding.message, '            ', first)
    say(facts.join(' \u00b7 '), '            ', '            ', 'dim')
  }
}
