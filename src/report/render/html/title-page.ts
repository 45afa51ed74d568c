import { formatCount, plural } from '../../format.ts'
import type { Report } from '../../schema.ts'
import { code, moment, pairs } from './parts.ts'
import { html, type Safe } from './tag.ts'

const maxInputs = 8

/** "2 of 3 manifests are signed by a trusted key: Example Hospital". */
function signatures({ provenance }: Report): string {
  if (!provenance) return 'not looked for'
  const trusted = provenance.manifests.filter((m) => m.signatures.some((s) => s.status === 'trusted'))
  const signers = new Set(
    trusted.flatMap((m) => m.signatures.flatMap((s) => (s.status === 'trusted' && s.signer !== null ? [s.signer] : []))),
  )
  const who = signers.size > 0 ? `: ${[...signers].join(', ')}` : ''
  return `${trusted.length} of ${plural(provenance.manifests.length, 'manifest')} signed by a trusted key${who}`
}

/** The first page on paper: what was audited, by which bytes, with which verdict, and where people sign. */
export function titlePage(report: Report, title: string, verdict: Safe): Safe {
  const inputs = report.inputs.filter((i) => i.over === 'subject')
  const more = inputs.length - maxInputs
  const digests = html`${inputs.slice(0, maxInputs).map((i) => html`<div><bdi>${i.id}</bdi><br>${code(i.sha256)}</div>`)}${more > 0 && html`<div>and ${plural(more, 'more file')}, in the appendix</div>`}`
  return html`<section class="title-page ${report.verdict}" aria-label="Title page">
<p class="maker"><strong>Assay</strong> data audit</p>
<p class="name">${title}</p>
<p class="of"><bdi>${report.subject.name}</bdi>${report.subject.version !== null && html`, <bdi>${report.subject.version}</bdi>`}</p>
${verdict}
<p class="says">${report.headline}</p>
${pairs([
  ['Audited', moment(report.startedAt)],
  ['Rows read', formatCount(report.rows.read)],
  ...(inputs.length > 0 ? ([['SHA-256 of the data', digests]] as const) : []),
  ['Signatures', signatures(report)],
  ['Plan', code(report.plan.digest)],
  ['Seed', code(report.plan.seed)],
  ['Tool', `assay ${report.tool.version}`],
])}
<div class="signing"><div>Reviewed by, date</div><div>Signature</div><div>Approved by, date</div><div>Signature</div></div>
</section>`
}
