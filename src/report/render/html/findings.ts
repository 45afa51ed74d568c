import { formatCount, formatNumber, pEquals, plural } from '../../format.ts'
import type { Report, ReportFinding, ReportRecord } from '../../schema.ts'
import { evidence } from './evidence.ts'
import { badge, code, findingId, pairs } from './parts.ts'
import { html, nothing, type Safe } from './tag.ts'

const maxFindings = 200
const maxRecords = 50

export async function findings(report: Report): Promise<Safe> {
  if (report.findings.length === 0)
    return html`<section class="part" id="findings" aria-labelledby="findings-title"><h2 id="findings-title">Findings</h2><p class="lead">${report.verdict === 'nothing-audited' ? 'No detector ran, so there is nothing to report.' : 'No detector that ran found anything to report.'}</p></section>`
  const shown = await Promise.all(report.findings.slice(0, maxFindings).map((f, i) => finding(f, i, report)))
  const more = report.findings.length - shown.length
  const lead =
    report.correction.tests > 0
      ? `A finding behind a test is listed when its p-value, corrected over ${plural(report.correction.tests, 'test')} of this run, is at most ${report.correction.level}. Findings for review have no test behind them and never fail the gate.`
      : 'None of these has a statistical test behind it.'
  return html`<section class="part" id="findings" aria-labelledby="findings-title">
<h2 id="findings-title">Findings</h2>
<p class="lead">${lead}</p>
${shown}
${more > 0 && html`<p>${plural(more, 'more finding')} in report.json.</p>`}
${records(report)}
</section>`
}

async function finding(f: ReportFinding, index: number, report: Report): Promise<Safe> {
  const rule = report.rules.find((r) => r.id === f.rule)
  const waiver = f.status === 'waived' ? report.waivers.find((w) => w.fingerprint === f.fingerprint && w.state === 'applied') : undefined
  const facts: (readonly [string, Safe | string])[] = [
    ['Records', formatCount(f.count)],
    ['Corrected p-value', f.test ? pEquals(f.test.adjusted).replace('p = ', '') : 'no test'],
    ['Confidence', f.confidence],
    ['Gate', f.gates ? 'fails it' : f.status === 'waived' ? 'waived' : 'does not fail it'],
  ]
  const shown = await Promise.all(f.evidence.map(evidence))
  return html`<article class="finding ${f.severity} ${f.status}" id="${findingId(index)}" aria-labelledby="${findingId(index)}-title">
<header>${badge(f.severity, f.severity)}${f.status === 'waived' && html` ${badge('low', 'waived')}`}<span>${rule?.title ?? ''}</span>${code(f.rule)}</header>
<h3 id="${findingId(index)}-title">${f.message}</h3>
${pairs(facts, 'facts')}
${waiver ? html`<p class="action"><b>Waived</b> until ${waiver.expires}, for at most ${plural(waiver.maxCount, 'record')}: ${waiver.statement}</p>` : nothing}
${shown.length > 0 && html`<div class="evidence">${shown}</div>`}
<p class="action"><b>What to do.</b> ${f.action}</p>
<div class="fine">
${f.test && html`<div>Test: <bdi>${f.test.id}</bdi>, ${f.test.method}, p = ${f.test.p.toExponential(2)} before correction</div>`}
${f.taxa.length > 0 && html`<div>Evidence relevant to: ${f.taxa.map((t, i) => html`${i > 0 && ', '}<span title="${t.name}">${t.id}</span>`)}</div>`}
<div>Fingerprint for a waiver: ${code(f.fingerprint)}</div>
</div>
</article>`
}

const strength = (r: ReportRecord): number => Math.max(0, ...r.parts.map((p) => p.score))

/** Every record that a finding shows, once, with the findings that name it. */
function records(report: Report): Safe {
  if (report.records.length === 0) return nothing
  const at = new Map(report.findings.map((f, i) => [f.fingerprint, i]))
  const strongest = report.records.map((record) => ({ record, score: strength(record) })).sort((a, b) => b.score - a.score)
  const shown = strongest.slice(0, maxRecords)
  const pictures = shown.some(({ record }) => record.thumbnail !== null)
  const sources = shown.some(({ record }) => record.source !== null)
  const rows = shown.map(({ record, score }) => {
    const parts = [...record.parts].sort((a, b) => b.score - a.score)
    return html`<tr>
${pictures && html`<td>${record.thumbnail !== null && html`<img src="${record.thumbnail}" alt="Record ${record.id ?? `row ${record.row}`}" width="56" height="56">`}</td>`}
<th scope="row"><bdi>${record.id ?? `row ${formatCount(record.row)}`}</bdi><span class="where"><bdi>${record.shard}</bdi>, row ${formatCount(record.row)}</span>${record.excerpt !== null && html`<span class="excerpt"><bdi>${record.excerpt}</bdi></span>`}</th>
<td data-label="Label">${change(record)}</td>
${sources && html`<td data-label="Source">${record.source !== null && html`<bdi>${record.source}</bdi>`}</td>`}
<td class="n" data-label="Score">${meter(score)}</td>
<td data-label="Flagged by"><ul class="by">${parts.map((p) => html`<li>${link(p.rule, at.get(p.fingerprint))}${p.pValue !== null && html` <span class="muted">${pEquals(p.pValue)}</span>`}</li>`)}</ul></td>
</tr>
`
  })
  const caption = `The ${shown.length < report.records.length ? `${shown.length} strongest of ${formatCount(report.records.length)} shown in the report` : plural(shown.length, 'record')}, strongest first. All flagged rows are in the flags file.`
  return html`<h3 id="records">Records to look at</h3>
<table class="records"><caption>${caption}</caption>
<thead><tr>${pictures && html`<th scope="col">Image</th>`}<th scope="col">Record</th><th scope="col">Given \u2192 suggested label</th>${sources && html`<th scope="col">Source</th>`}<th scope="col" class="n">Score</th><th scope="col">Flagged by</th></tr></thead>
<tbody>${rows}</tbody></table>`
}

const link = (rule: string, index: number | undefined): Safe => (index === undefined || index >= maxFindings ? html`<span>${rule}</span>` : html`<a href="#${findingId(index)}">${rule}</a>`)

function change(record: ReportRecord): Safe {
  const given = record.givenLabel === null ? html`<span class="muted">no label</span>` : html`<del><bdi>${record.givenLabel}</bdi></del>`
  if (record.suggestedLabel === null) return record.givenLabel === null ? given : html`<bdi>${record.givenLabel}</bdi>`
  return html`<span class="change">${given}<span aria-hidden="true">\u2192</span><ins><bdi>${record.suggestedLabel}</bdi></ins></span>`
}

const meter = (score: number): Safe =>
  html`<span class="score"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="f-line" width="100" height="10" rx="5"/><rect class="f-plain" width="${Math.round(score * 100)}" height="10" rx="5"/></svg>${formatNumber(Number(score.toFixed(3)))}</span>`
