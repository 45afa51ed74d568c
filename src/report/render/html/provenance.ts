import { formatBytes, formatCount, formatPercent, plural } from '../../format.ts'
import { whereOfPlace } from '../../gate.ts'
import type { ReportProvenance } from '../../provenance-schema.ts'
import { gradeOrder, gradeWords } from '../../provenance-words.ts'
import type { Report } from '../../schema.ts'
import { badge, code, moment, pairs, table } from './parts.ts'
import { bar, hatches } from './provenance-bar.ts'
import { changes } from './provenance-changes.ts'
import { html, nothing, type Safe } from './tag.ts'

type Grade = ReportProvenance['files'][number]['grade']
type Manifest = ReportProvenance['manifests'][number]

const openFiles = 12
const maxFiles = 200
const maxManifests = 20
const maxFacts = 100
const shortDigest = 12

/** Whether these files are the publisher's, whether they hold what was declared, and what changed since the baseline. */
export async function provenance(report: Report): Promise<Safe> {
  const p = report.provenance
  if (!p) return nothing
  return html`<section class="part" id="provenance" aria-labelledby="provenance-title">
${hatches}
<h2 id="provenance-title">Provenance</h2>
<p class="lead">${lead(p)}</p>
${p.manifests.length > 0 && manifests(p)}
${p.coverage && coverage(p.coverage)}
${p.files.length > 0 && files(p)}
${p.facts.length > 0 && facts(p)}
${p.changes && (await changes(p.changes, p.changesFile))}
${p.snapshot && snapshot(p.snapshot)}
</section>`
}

const lead = (p: ReportProvenance): string =>
  [
    p.manifests.length > 0 ? 'whether the files are those that the publisher named' : null,
    p.facts.length > 0 ? 'whether they hold what was declared' : null,
    p.changes ? 'what changed since the baseline' : null,
  ]
    .filter((part) => part !== null)
    .join(', and ')
    .replace(/^./, (c) => c.toUpperCase())
    .concat('.')
    .replace(/^\.$/, 'There was nothing to compare these files with.')

const statusWords = { trusted: 'trusted', untrusted: 'not trusted', invalid: 'does not hold', unchecked: 'not checked' } as const
const signStyles = { trusted: 'status-ran', untrusted: 'medium', invalid: 'high', unchecked: 'status-disabled' } as const

const signatures = (m: Manifest): Safe =>
  m.signatures.length === 0
    ? html`${badge('status-disabled', 'not signed')}<span class="where">Nobody vouches for it.</span>`
    : html`${m.signatures.map(
        (s) =>
          html`<div class="signature">${badge(signStyles[s.status], statusWords[s.status])}${s.signer !== null && html` <bdi>${s.signer}</bdi>`}<span class="where">${s.method}${s.signedAt !== null && html`, ${moment(s.signedAt)}`}. ${s.reason}</span></div>`,
      )}`

function manifests(p: ReportProvenance): Safe {
  const shown = p.manifests.slice(0, maxManifests)
  const more = p.manifestCount - shown.length
  const problems = p.manifests.flatMap((m) => m.problems.map((problem) => ({ m, problem })))
  return html`<h3>Manifests</h3>
${table(
  'Manifests and who signed them',
  [{ title: 'Manifest' }, { title: 'Names', numeric: true }, { title: 'Signature' }],
  shown.map((m) => [
    html`<bdi>${m.file}</bdi><span class="where">${m.title}${m.version !== null && ` ${m.version}`}${m.closed !== null && ', claims to be complete'}</span>`,
    plural(m.entries, 'file'),
    signatures(m),
  ]),
  'files',
  'spoken',
)}
${more > 0 && html`<p class="muted small">And ${plural(more, 'more manifest')}${p.manifestCount > p.manifests.length ? '' : ' in report.json'}.</p>`}
${
  problems.length > 0 &&
  html`<h4>Problems in manifests</h4><ul class="notes">${problems
    .slice(0, maxManifests)
    .map(
      ({ m, problem }) =>
        html`<li>${problem.message} <span class="muted">(<bdi>${whereOfPlace(problem.place) || m.file}</bdi>)</span></li>`,
    )}</ul>`
}`
}

function coverage(c: NonNullable<ReportProvenance['coverage']>): Safe {
  const present = gradeOrder.filter((grade) => c.byGrade[grade].files > 0)
  const segments = (of: 'files' | 'bytes') => present.map((grade) => ({ className: `g-${grade}`, n: c.byGrade[grade][of] }))
  const said = (of: 'files' | 'bytes', whole: number): string =>
    present.map((grade) => `${gradeWords[grade]} ${formatPercent(whole === 0 ? 0 : c.byGrade[grade][of] / whole)}`).join(', ')
  return html`<h3>Coverage</h3>
<div class="bars">
<div><span>${plural(c.files, 'file')}</span>${bar(segments('files'), c.files, `Files: ${said('files', c.files)}`)}</div>
<div><span>${formatBytes(c.bytes)}</span>${bar(segments('bytes'), c.bytes, `Bytes: ${said('bytes', c.bytes)}`)}</div>
</div>
${table(
  'Files and bytes by what is known of them',
  [
    { title: 'Files that are' },
    { title: 'Files', numeric: true },
    { title: '', numeric: true },
    { title: 'Bytes', numeric: true },
    { title: '', numeric: true },
  ],
  present.map((grade) => [
    html`<svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><rect class="g-${grade}" width="12" height="12" rx="3"/></svg>${gradeWords[grade]}`,
    formatCount(c.byGrade[grade].files),
    html`<span class="muted">${formatPercent(c.byGrade[grade].files / c.files)}</span>`,
    formatBytes(c.byGrade[grade].bytes),
    html`<span class="muted">${formatPercent(c.bytes === 0 ? 0 : c.byGrade[grade].bytes / c.bytes)}</span>`,
  ]),
  'compact',
  'spoken',
)}
<p class="small muted">${c.signedFiles > 0 ? `A trusted signature stands behind ${formatPercent(c.signedFiles)} of the files and ${formatPercent(c.signedBytes)} of the bytes.` : 'No trusted signature stands behind any of them.'}</p>`
}

const gradeStyles: { readonly [G in Grade]: string } = {
  verified: 'status-ran',
  mismatched: 'high',
  missing: 'high',
  unlisted: 'medium',
  'weak-digest': 'medium',
  'placeholder-digest': 'status-disabled',
  'no-digest': 'status-disabled',
}

/** Short on the screen, in full as a title and on paper. */
const digest = (algorithm: string | null, hex: string): Safe =>
  html`${algorithm !== null && html`<span class="muted">${algorithm}</span> `}<code class="digest" title="${hex}">${hex.slice(0, shortDigest)}<span class="rest">${hex.slice(shortDigest)}</span></code>`

function files(p: ReportProvenance): Safe {
  const rows = p.files.slice(0, maxFiles).map(
    (f) => html`<tr>
<th scope="row"><bdi>${f.path}</bdi><span class="where">${f.bytes !== null && formatBytes(f.bytes)}${f.manifests.length > 0 && html`${f.bytes !== null && ', '}named by ${f.manifests.map((m, i) => html`${i > 0 && ', '}<bdi>${m}</bdi>`)}`}</span></th>
<td data-label="Grade">${badge(gradeStyles[f.grade], f.grade.replace('-', ' '))}${f.signed && html`<span class="where">signed</span>`}</td>
<td data-label="Expected">${f.expected && digest(f.expected.algorithm, f.expected.hex)}</td>
<td data-label="Actual">${f.actual !== null && digest(null, f.actual)}</td>
</tr>
`,
  )
  const head = html`<thead><tr><th scope="col">File</th><th scope="col">Grade</th><th scope="col">Expected digest</th><th scope="col">Actual digest</th></tr></thead>`
  const rest = rows.slice(openFiles)
  const left = (p.coverage?.files ?? p.files.length) - rows.length
  return html`<h3>Files</h3>
<table class="records files"><caption class="spoken">Files, the gravest first</caption>${head}<tbody>${rows.slice(0, openFiles)}</tbody></table>
${rest.length > 0 && html`<details><summary>${plural(rest.length, 'more file')}</summary><table class="records files"><caption class="spoken">More files</caption>${head}<tbody>${rest}</tbody></table></details>`}
${left > 0 && html`<p class="muted small">And ${plural(left, 'more file')}, none graver.</p>`}`
}

const agreement = (agrees: boolean | null): Safe =>
  agrees === null ? badge('status-disabled', 'not checked') : agrees ? badge('status-ran', 'agrees') : badge('high', 'differs')

function facts(p: ReportProvenance): Safe {
  const shown = p.facts.slice(0, maxFacts)
  return html`<h3>Declared facts</h3>
${table(
  'Declared facts beside what was read',
  [{ title: 'Fact' }, { title: 'Declared', numeric: true }, { title: 'Read', numeric: true }, { title: '' }, { title: 'Declared by' }],
  shown.map((f) => [f.name, f.declared, f.read, agreement(f.agrees), f.by]),
  '',
  'spoken',
)}
${p.factCount > shown.length && html`<p class="muted small">And ${plural(p.factCount - shown.length, 'more fact')}; those that differ come first.</p>`}`
}

const snapshot = (s: NonNullable<ReportProvenance['snapshot']>): Safe => html`<h3>Snapshot of this data</h3>
${pairs([
  ['Root', code(s.root)],
  ['Records', formatCount(s.records)],
  ['Follows', s.previous === null ? 'nothing: the first of its chain' : code(s.previous)],
  ['Signature', s.signed ? 'signed' : 'not signed'],
])}`
