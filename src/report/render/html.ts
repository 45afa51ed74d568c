import { createHash } from 'node:crypto'
import { notLookedFor } from '../blind-spots.ts'
import { formatCount, formatPercent, plural } from '../format.ts'
import { whereOf } from '../gate.ts'
import { changeWords, coverageWords } from '../provenance-words.ts'
import type { Report, Verdict } from '../schema.ts'
import { appendix, coverage } from './html/coverage.ts'
import { findings } from './html/findings.ts'
import { hazardAnalysis, regulation } from './html/medical-device.ts'
import { method } from './html/method.ts'
import { findingId, moment } from './html/parts.ts'
import { provenance } from './html/provenance.ts'
import { sensitivity } from './html/sensitivity.ts'
import { style } from './html/style.ts'
import { html, nothing, type Safe, trusted } from './html/tag.ts'
import { titlePage } from './html/title-page.ts'
import type { Template } from './templates.ts'

const words: { readonly [V in Verdict]: string } = {
  passed: 'Passed',
  failed: 'Failed',
  incomplete: 'Incomplete',
  'nothing-audited': 'Nothing audited',
}
const maxReasons = 8
const longHeadline = 120

/** Shape as well as colour tells the verdict. */
const signs: { readonly [V in Verdict]: string } = {
  passed:
    '<path d="M7 12.5l3.2 3.2L17 9" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round"/>',
  failed: '<path d="M8.5 8.5l7 7M15.5 8.5l-7 7" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>',
  incomplete: '<path d="M12 7v6.2M12 16.6v.1" fill="none" stroke="currentColor" stroke-width="2.4" stroke-linecap="round"/>',
  'nothing-audited': '<path d="M7.5 12h9" fill="none" stroke="currentColor" stroke-width="2.2" stroke-linecap="round"/>',
}
const sign = (verdict: Verdict): Safe =>
  trusted(
    `<svg viewBox="0 0 24 24" aria-hidden="true"><circle cx="12" cy="12" r="10.5" fill="none" stroke="currentColor" stroke-width="2"/>${signs[verdict]}</svg>`,
  )

/** Styles are allowed by the digest of the one style element; scripts, fonts, frames, forms and every address not at all. */
export const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; img-src data:; base-uri 'none'; form-action 'none'`

const titles: { readonly [T in Template]: string } = {
  standard: 'Data audit report',
  'medical-device': 'Poisoned training data: evidence for the risk management file',
}
const stamp = (verdict: Verdict): Safe => html`<p class="stamp">${sign(verdict)}<span>${words[verdict]}</span></p>`

/** `report.html`: one file that opens offline; the first screen is the answer. On paper it is a document. */
export async function renderHtml(report: Report, template: Template = 'standard'): Promise<string> {
  const subject = html`<bdi>${report.subject.name}</bdi>${report.subject.version !== null && html`, <bdi>${report.subject.version}</bdi>`}`
  const medical = template === 'medical-device'
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="assay ${report.tool.version}">
<title>${words[report.verdict]}: ${report.subject.name} \u2013 Assay report</title>
<style>${trusted(style)}</style>
</head>
<body>
<a class="skip" href="#findings">Skip to the findings</a>
<div class="page">
<header class="masthead"><div><strong>Assay</strong> data audit</div><div>${moment(report.startedAt)}</div></header>
<main>
${titlePage(report, titles[template], stamp(report.verdict))}
${verdict(report, subject)}
${contents(report, medical)}
${medical && hazardAnalysis(report)}
${await findings(report)}
${await provenance(report)}
${sensitivity(report)}
${coverage(report)}
${await method(report)}
${medical && regulation(report)}
${appendix(report)}
</main>
<footer>Written by assay ${report.tool.version} from report.json, which holds everything above for machines. ${report.excerpts ? 'Excerpts of records are included.' : 'No content of records is included, only their ids and labels.'}</footer>
</div>
</body>
</html>
`
  return page.html
}

function verdict(report: Report, subject: Safe): Safe {
  const { rows } = report
  const ran = report.detectors.filter((d) => d.status === 'ran').length
  const read: readonly Figure[] = [
    ['Rows read', formatCount(rows.read), rows.rejected > 0 ? `${formatCount(rows.rejected)} rejected` : ''],
    ['Rows flagged', formatCount(rows.flagged), formatPercent(rows.flaggedFraction)],
  ]
  const figures: readonly Figure[] = [
    ...(rows.read > 0 || report.provenance === null ? read : []),
    ...(report.provenance ? provenanceFigures(report.provenance, rows.read > 0) : []),
    ['Findings', formatCount(report.findings.length), gating(report)],
    ...(report.provenance === null ? ([['Detectors that ran', formatCount(ran), `of ${report.detectors.length}`]] as const) : []),
  ]
  const why = reasons(report)
  const next = report.next.length > 0 && html`<div><h2>What to do</h2><ol>${report.next.map((step) => html`<li>${step}</li>`)}</ol></div>`
  return html`<section class="verdict ${report.verdict}" aria-labelledby="verdict-title">
${stamp(report.verdict)}
<h1 id="verdict-title"${report.headline.length > longHeadline && html` class="long"`}>${report.headline}</h1>
<p class="subject">${subject}</p>
<dl class="figures">${figures.map(([term, value, more]) => html`<div><dt>${term}</dt><dd>${value}${more !== '' && html` <small>${more}</small>`}</dd></div>`)}</dl>
<div class="answers${next ? '' : ' single'}"><div><h2>Why</h2>${why}</div>${next}</div>
</section>`
}

/** Term, value, what qualifies it. */
type Figure = readonly [string, string, string]

/** What answers best: files verified, and records changed; beside rows, one of the two. */
function provenanceFigures({ coverage, changes, manifests }: NonNullable<Report['provenance']>, brief: boolean): readonly Figure[] {
  const out: Figure[] = []
  if (coverage) {
    out.push(['Files verified', formatCount(coverage.byGrade.verified.files), `of ${formatCount(coverage.files)}`])
    const signed = manifests.filter((m) => m.signatures.some((s) => s.status === 'trusted')).length
    if (!brief) out.push(['Manifests signed', formatCount(signed), `of ${formatCount(manifests.length)}`])
  }
  if (changes) {
    const total = Object.values(changes.counts).reduce((sum, n) => sum + n, 0)
    out.push(['Records changed', formatCount(total), `of ${formatCount(changes.before.records)}`])
  }
  return out
}

function gating(report: Report): string {
  const fail = report.findings.filter((f) => f.gates).length
  if (fail > 0) return `${fail === 1 ? '1 fails' : `${formatCount(fail)} fail`} the gate`
  return report.findings.length > 0 ? 'none fails the gate' : ''
}

function reasons(report: Report): Safe {
  if (report.reasons.length === 0) {
    const { failOn, maxFlagged, minCoverage } = report.gate
    const tests = report.correction.tests
    const files = report.provenance?.coverage
    const missed = notLookedFor(report.blindSpots)
    if (report.rows.read === 0)
      return html`<ul>
<li>${failOn === 'never' ? 'This gate fails on no finding.' : `No open finding reaches the severity that fails this gate (${failOn}).`}</li>
${files ? html`<li>${coverageWords(files)}.</li>` : nothing}
${report.provenance?.changes ? html`<li>${changeWords(report.provenance.changes)}.</li>` : nothing}
</ul>`
    return html`<ul>
<li>${failOn === 'never' ? 'This gate fails on no finding.' : `No open finding reaches the severity that fails this gate (${failOn}).`}</li>
<li>${formatPercent(report.rows.flaggedFraction)} of rows are flagged; the gate allows ${formatPercent(maxFlagged)}.</li>
<li>Every detector that ran scored at least ${formatPercent(minCoverage)} of the rows${tests > 0 ? `; ${plural(tests, 'test')} were corrected together` : ''}.</li>
${missed.length > 0 ? html`<li>Not looked for: <a href="#blind">${missed.join(', ')}</a>.</li>` : nothing}
</ul>`
  }
  const shown = report.reasons.slice(0, maxReasons)
  const more = report.reasons.length - shown.length
  return html`<ul>${shown.map((r) => reason(r, report))}${more > 0 && html`<li>${plural(more, 'more reason')} in report.json</li>`}</ul>`
}

function reason(r: Report['reasons'][number], report: Report): Safe {
  const index = report.findings.findIndex((f) => f.gates && f.fingerprint === r.fingerprint)
  if (index >= 0) {
    const f = report.findings[index] as Report['findings'][number]
    return html`<li><a href="#${findingId(index)}">${f.message}</a></li>`
  }
  const where = whereOf(r)
  return html`<li>${capital(r, report).replace(/[.]$/, '')}.${where !== '' && html`<span class="where"><bdi>${where}</bdi></span>`}</li>`
}

/** A sentence starts with a capital, unless it starts with the id of a detector. */
const capital = (r: Report['reasons'][number], report: Report): string =>
  report.detectors.some((d) => r.message.startsWith(d.id)) ? r.message : r.message.slice(0, 1).toUpperCase() + r.message.slice(1)

const contents = (report: Report, medical: boolean): Safe => html`<nav aria-label="Contents"><ul>
${medical ? html`<li><a href="#hazards">Hazards</a></li>` : nothing}
<li><a href="#findings">Findings</a></li>
${report.records.length > 0 ? html`<li><a href="#records">Records to look at</a></li>` : nothing}
${report.provenance !== null ? html`<li><a href="#provenance">Provenance</a></li>` : nothing}
${report.sensitivity !== null ? html`<li><a href="#sensitivity">What would have been found</a></li>` : nothing}
<li><a href="#coverage">Coverage</a></li>
${report.blindSpots.length > 0 ? html`<li><a href="#blind">What this audit cannot see</a></li>` : nothing}
${report.detectors.some((d) => d.status === 'ran') ? html`<li><a href="#method">Method</a></li>` : nothing}
${medical ? html`<li><a href="#regulation">Evidence relevant to</a></li>` : nothing}
<li><a href="#appendix">Appendix</a></li>
</ul></nav>`
