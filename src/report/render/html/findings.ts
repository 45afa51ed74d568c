import { clip } from '../../escape.ts'
import { formatCount, pEquals, plural, typeset } from '../../format.ts'
import { unitOf } from '../../provenance-words.ts'
import type { Report, ReportFinding, ReportRecord } from '../../schema.ts'
import { evidence } from './evidence.ts'
import { badge, code, findingId, pairs } from './parts.ts'
import { html, nothing, type Safe } from './tag.ts'

const maxFindings = 200
const maxRecords = 50
const openRecords = 12
const maxLabel = 80

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

const units = { record: 'Records', file: 'Files', place: 'Places' } as const

async function finding(f: ReportFinding, index: number, report: Report): Promise<Safe> {
  const rule = report.rules.find((r) => r.id === f.rule)
  const waiver = f.status === 'waived' ? report.waivers.find((w) => w.fingerprint === f.fingerprint && w.state === 'applied') : undefined
  const known = report.known?.find((k) => k.fingerprint === f.fingerprint)
  const facts: (readonly [string, Safe | string])[] = [
    [units[unitOf(f)], formatCount(f.count)],
    ['Corrected p-value', f.test ? typeset(pEquals(f.test.adjusted).replace(/^p (= )?/, '')) : 'no test'],
    ['Confidence', f.confidence],
    ['Gate', f.gates ? 'fails it' : f.status !== 'open' ? f.status : 'does not fail it'],
  ]
  const shown = await Promise.all(f.evidence.map(evidence))
  return html`<article class="finding ${f.severity} ${f.status}" id="${findingId(index)}" aria-labelledby="${findingId(index)}-title">
<header>${badge(f.severity, f.severity)}${f.status !== 'open' && html` ${badge('low', f.status)}`}<span>${rule?.title ?? ''}</span>${code(f.rule)}</header>
<h3 id="${findingId(index)}-title">${f.message}</h3>
${pairs(facts, 'facts')}
${waiver ? html`<p class="action"><b>Waived</b> until ${waiver.expires}, for at most ${plural(waiver.maxCount, 'record')}: ${waiver.statement}</p>` : nothing}
${known !== undefined && html`<p class="action"><b>${known.state === 'grew' ? 'It has grown.' : 'Known.'}</b> Accepted on ${known.accepted} as ${known.severity} with ${plural(known.count, unitOf(f))}, and for at most ${formatCount(known.maxCount)}.</p>`}
${shown.length > 0 && html`<div class="evidence">${shown}</div>`}
<p class="action"><b>What to do.</b> ${f.action}</p>
<div class="fine">
${f.test && html`<div>Test: <bdi>${f.test.id}</bdi>, ${f.test.method}, ${typeset(pEquals(f.test.p))} before correction</div>`}
${f.taxa.length > 0 && html`<div>Evidence relevant to ${taxa(f, report)}</div>`}
<div>Fingerprint for a waiver or a list of known findings: ${code(f.fingerprint)}</div>
</div>
</article>`
}

/** Entries by taxonomy: "MITRE ATLAS AML.T0020, AML.T0059; NIST AI 100-2 NISTAML.013". */
const taxa = (f: ReportFinding, report: Report): readonly Safe[] =>
  report.taxonomies
    .map((t) => ({ t, entries: f.taxa.filter((x) => x.taxonomy === t.key) }))
    .filter(({ entries }) => entries.length > 0)
    .map(
      ({ t, entries }, i) =>
        html`${i > 0 && '; '}${t.name} ${entries.map((x, at) => html`${at > 0 && ', '}<span class="nowrap" title="${x.name}">${x.id}</span>`)}`,
    )

/** Every record that a finding shows, once, with the findings that name it. */
function records(report: Report): Safe {
  if (report.records.length === 0) return nothing
  const at = new Map(report.findings.map((f, i) => [f.fingerprint, i]))
  const strongest = [...report.records].sort((a, b) => b.score - a.score)
  const shown = strongest.slice(0, maxRecords)
  const pictures = shown.some((record) => record.thumbnail !== null)
  const sources = shown.some((record) => record.source !== null)
  const detectors = new Set(report.findings.map((f) => f.detector))
  const short = (rule: string): string => (detectors.size > 1 ? rule : rule.slice(rule.indexOf('/') + 1))
  const rows = shown.map((record) => {
    const parts = [...record.parts].sort((a, b) => b.score - a.score)
    const several = new Set(parts.map((p) => p.rule.slice(0, p.rule.indexOf('/')))).size > 1
    const smallest = parts.reduce<number | null>((least, p) => (p.pValue === null ? least : Math.min(least ?? 1, p.pValue)), null)
    return html`<tr>
${pictures && html`<td>${record.thumbnail !== null && html`<img src="${record.thumbnail}" alt="Record ${record.id ?? `row ${record.row}`}" width="56" height="56">`}</td>`}
<th scope="row"><bdi>${record.id ?? `row ${formatCount(record.row)}`}</bdi><span class="where"><bdi>${record.shard}</bdi>, row ${formatCount(record.row)}</span>${record.excerpt !== null && html`<span class="excerpt"><bdi>${record.excerpt}</bdi></span>`}</th>
<td data-label="Label">${change(record)}</td>
${sources && html`<td data-label="Source">${record.source !== null && html`<bdi>${record.source}</bdi>`}</td>`}
<td class="n" data-label="Score">${meter(record.score)}${smallest !== null && html`<span class="where">${typeset(pEquals(smallest))}</span>`}</td>
<td data-label="Flagged by">${parts.map((p, i) => html`${i > 0 && ', '}${link(p.rule, short(p.rule), at.get(p.fingerprint))}${several && html` <span class="muted">${p.score.toFixed(3)}</span>`}`)}</td>
</tr>
`
  })
  const columns = html`<thead><tr>${pictures && html`<th scope="col">Image</th>`}<th scope="col">Record</th><th scope="col">Given \u2192 suggested label</th>${sources && html`<th scope="col">Source</th>`}<th scope="col" class="n">Score</th><th scope="col">Flagged by</th></tr></thead>`
  const of = report.records.length > shown.length ? `, of ${plural(report.records.length, 'record')} shown in report.json` : ''
  const rest = rows.slice(openRecords)
  return html`<h3 id="records">Records to look at</h3>
<p class="muted small">Strongest first${of}. All flagged rows are in the flags file${report.provenance?.changesFile ? html`, all changed records in ${code(report.provenance.changesFile)}` : ''}.</p>
<table class="records"><caption class="spoken">Records to look at, strongest first</caption>${columns}<tbody>${rows.slice(0, openRecords)}</tbody></table>
${rest.length > 0 && html`<details><summary>${plural(rest.length, 'more record')}</summary><table class="records"><caption class="spoken">More records</caption>${columns}<tbody>${rest}</tbody></table></details>`}`
}

const link = (rule: string, shown: string, index: number | undefined): Safe =>
  index === undefined || index >= maxFindings
    ? html`<span>${shown}</span>`
    : html`<a href="#${findingId(index)}" title="${rule}">${shown}</a>`

function change(record: ReportRecord): Safe {
  const given =
    record.givenLabel === null
      ? html`<span class="muted">no label</span>`
      : html`<del><bdi>${clip(record.givenLabel, maxLabel)}</bdi></del>`
  if (record.suggestedLabel === null) return record.givenLabel === null ? given : html`<bdi>${clip(record.givenLabel, maxLabel)}</bdi>`
  return html`<span class="change">${given}<span aria-hidden="true">\u2192</span><ins><bdi>${clip(record.suggestedLabel, maxLabel)}</bdi></ins></span>`
}

const meter = (score: number): Safe =>
  html`<span class="score"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect class="f-line" width="100" height="10" rx="5"/><rect class="f-plain" width="${Math.round(score * 100)}" height="10" rx="5"/></svg>${score.toFixed(3)}</span>`
