import { type Hazard, hazards, references } from '../../../taxonomy/medical-device.ts'
import { formatPercent, plural } from '../../format.ts'
import type { Report, ReportFinding } from '../../schema.ts'
import { findingId, table } from './parts.ts'
import { html, nothing, type Safe } from './tag.ts'

const familyOf = (report: Report, rule: string): string => report.rules.find((r) => r.id === rule)?.family ?? ''
const has = ({ families }: Hazard, family: string): boolean => families.some((f) => f === family)

const finding = (f: ReportFinding, index: number): Safe =>
  html`<li><a href="#${findingId(index)}">${f.message}</a> <span class="muted">(${f.severity}${f.status === 'waived' && ', waived'})</span></li>`

function evidenceOf(report: Report, hazard: Hazard): Safe {
  const found = report.findings.flatMap((f, i) => (has(hazard, familyOf(report, f.rule)) ? [finding(f, i)] : []))
  const rules = report.rules.filter((r) => has(hazard, r.family))
  const ran = report.detectors.filter((d) => d.status === 'ran' && rules.some((r) => r.detector === d.id))
  const least = ran.reduce<number | null>((low, d) => (d.coverage === null ? low : Math.min(low ?? 1, d.coverage)), null)
  const looked =
    ran.length === 0
      ? html`<p>Not looked for: no detector of this hazard ran.</p>`
      : html`<p>Looked for by ${ran.map((d) => d.id).join(', ')}${least !== null && html`, on at least ${formatPercent(least)} of the rows`}${found.length === 0 && ': nothing found'}.</p>`
  return html`${looked}${found.length > 0 ? html`<ul class="notes">${found}</ul>` : nothing}`
}

function residual(report: Report, hazard: Hazard): Safe {
  const limits = report.blindSpots.filter((s) => has(hazard, s.family))
  return limits.length === 0
    ? html`<p>No limit of the audit is known for this hazard.</p>`
    : html`<ul class="notes">${limits.map((s) => html`<li><b>${s.title}.</b> ${s.sentence}</li>`)}</ul>`
}

/** Hazards of poisoned training data, what this audit is evidence of, and what remains. */
export const hazardAnalysis = (report: Report): Safe => html`<section class="part" id="hazards" aria-labelledby="hazards-title">
<h2 id="hazards-title">Hazards, evidence and residual risk</h2>
<p class="lead">Arranged for a risk management file. Harm, severity and probability of harm depend on the intended use of the device and are the manufacturer's to state; this is evidence relevant to them, and no statement of conformity.</p>
${hazards.map(
  (h) => html`<article class="hazard"><h3>${h.hazard}</h3>
${table(
  h.hazard,
  [{ title: 'Step' }, { title: 'What is known' }],
  [
    ['Foreseeable sequence of events', h.sequence],
    ['Hazardous situation', h.situation],
    ['Harm, severity, probability', html`<span class="muted">to be stated by the manufacturer</span>`],
    ['Evidence in this audit', evidenceOf(report, h)],
    ['Limits: what may remain', residual(report, h)],
  ],
  '',
  'spoken',
)}</article>`,
)}
</section>`

/** Places in standards, guidance and regulation that parts of the report are evidence relevant to. */
export function regulation(report: Report): Safe {
  const documents = [...new Set(references.map((r) => r.document))]
  return html`<section class="part" id="regulation" aria-labelledby="regulation-title">
<h2 id="regulation-title">Evidence relevant to</h2>
<p class="lead">${plural(references.length, 'place')} in ${plural(documents.length, 'document')} that parts of this report are evidence relevant to. Whether a requirement is met is for the manufacturer to show and for the assessor to judge.</p>
${table(
  'Documents, places and evidence',
  [{ title: 'Document' }, { title: 'Place' }, { title: 'Evidence in this report' }],
  references.map((r) => [r.document, r.place, r.evidence]),
  '',
  'spoken',
)}
<p class="small">Verdict of the gate: ${report.verdict.replace('-', ' ')}.</p>
</section>`
}
