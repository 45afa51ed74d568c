import { formatBytes, formatCount, formatNumber, formatP, formatPercent, plural, typeset } from '../../format.ts'
import type { Report } from '../../schema.ts'
import { badge, code, moment, pairs, table } from './parts.ts'
import { html, nothing, type Safe } from './tag.ts'

const maxRows = 200

/** What ran, on how much, what was wrong with rows, and what this audit cannot see. */
export function coverage(report: Report): Safe {
  const notes = report.detectors.filter((d) => d.notes.length > 0)
  return html`<section class="part" id="coverage" aria-labelledby="coverage-title">
<h2 id="coverage-title">Coverage</h2>
<p class="lead">${report.rows.read === 0 && report.provenance !== null ? 'What was looked for, and how.' : `What was looked for, how, and on how many of the ${plural(report.rows.read, 'row')}.`}</p>
${table(
  'Detectors',
  [
    { title: 'Detector' },
    { title: 'Status' },
    { title: 'How, or why not' },
    { title: 'Rows scored', numeric: true },
    { title: 'Flagged', numeric: true },
  ],
  report.detectors.map((d) => [
    html`<bdi>${d.title}</bdi> ${code(d.id)}`,
    html`${badge(`status-${d.status}`, d.status.replace('-', ' '))}${d.required && html` <span class="muted small nowrap">required</span>`}`,
    d.reason,
    d.coverage === null ? null : html`${formatCount(d.rowsScored)} <span class="muted">(${formatPercent(d.coverage)})</span>`,
    d.coverage === null ? null : formatCount(d.rowsFlagged),
  ]),
  '',
  'spoken',
)}
${notes.map((d) => html`<h3>Notes of <bdi>${d.id}</bdi></h3><ul class="notes">${d.notes.map((note) => html`<li>${note}</li>`)}</ul>`)}
${report.rows.read > 0 || report.provenance === null ? issues(report) : nothing}
</section>
${blindSpots(report)}`
}

function issues(report: Report): Safe {
  const { count, examples } = report.duplicateIds
  if (report.issues.length === 0 && count === 0)
    return html`<h3>Row issues</h3><p class="muted">None: every row could be read, and no id occurs twice.</p>`
  const rows = report.issues.slice(0, maxRows).map((i) => [
    code(i.code),
    html`<bdi>${i.shard}</bdi>${i.column !== null && html`, column <bdi>${i.column}</bdi>`}`,
    formatCount(i.count),
    i.rejected ? 'left out' : 'kept, field missing',
    i.examples
      .slice(0, 3)
      .map(
        (e) =>
          `${e.line === null ? `row ${formatCount(e.row)}` : `line ${formatCount(e.line)}`}${e.detail === null ? '' : ` (${e.detail})`}`,
      )
      .join('; '),
  ])
  return html`<h3>Row issues</h3>
${rows.length > 0 && table('Rows with a problem', [{ title: 'Issue' }, { title: 'Where' }, { title: 'Rows', numeric: true }, { title: 'Row was' }, { title: 'Examples' }], rows, '', 'spoken')}
${report.issues.length > maxRows && html`<p class="muted">${plural(report.issues.length - maxRows, 'more line')} in report.json.</p>`}
${count > 0 && html`<p>${plural(count, 'row')} ${count === 1 ? 'repeats' : 'repeat'} an id that another row has${examples.length > 0 && html`, for example ${examples.slice(0, 5).map((id, i) => html`${i > 0 && ', '}<bdi>${id}</bdi>`)}`}.</p>`}`
}

function blindSpots(report: Report): Safe {
  if (report.blindSpots.length === 0) return nothing
  return html`<section class="part" id="blind" aria-labelledby="blind-title">
<h2 id="blind-title">What this audit cannot see</h2>
<p class="lead">A verdict covers what was looked for. These attacks could be in the data and would not have been found.</p>
<ul class="blind">${report.blindSpots.map((s) => html`<li><b>${s.title}</b><span>${s.sentence}</span></li>`)}</ul>
</section>`
}

/** Everything that an auditor needs to repeat the run or to check a number. */
export function appendix(report: Report): Safe {
  const { plan } = report
  return html`<section class="part" id="appendix" aria-labelledby="appendix-title">
<h2 id="appendix-title">Appendix</h2>
<h3>Run</h3>
${pairs([
  ['Tool', html`assay ${report.tool.version}`],
  ['Started', moment(report.startedAt)],
  ['Waivers judged', moment(report.evaluatedAt)],
  ['Seed', code(plan.seed)],
  ['Plan', code(plan.digest)],
  [
    'Gate',
    html`fails on ${report.gate.failOn}, at most ${formatPercent(report.gate.maxFlagged)} of rows flagged, at least ${formatPercent(report.gate.minCoverage)} scored${report.gate.require.length > 0 && html`, requires ${report.gate.require.join(', ')}`}`,
  ],
  ['Exit code', String(report.exitCode)],
])}
${
  report.inputs.length > 0 &&
  html`<h3>Inputs</h3>${table(
    'Files that were read',
    [{ title: 'File' }, { title: 'Part' }, { title: 'Size', numeric: true }, { title: 'SHA-256' }],
    report.inputs.slice(0, maxRows).map((i) => [i.id, i.over, formatBytes(i.bytes), code(i.sha256)]),
    '',
    'spoken',
  )}${report.inputs.length > maxRows && html`<p class="muted">${plural(report.inputs.length - maxRows, 'more file')} in report.json.</p>`}`
}
<div class="grid">
${
  report.columns.length > 0 &&
  html`<div><h3>Columns</h3>${table(
    'Columns and the roles they were given',
    [{ title: 'Column' }, { title: 'Type' }, { title: 'Role' }],
    report.columns.slice(0, maxRows).map((c) => [c.name, c.type, c.role ?? html`<span class="muted">not used</span>`]),
    'compact',
    'spoken',
  )}</div>`
}
${counts('Labels', 'Label', report.labels)}
${counts('Sources', 'Source', report.sources)}
${
  plan.levels.length > 0 &&
  html`<div><h3>Plan</h3>${table(
    'Reads of the data before scores',
    [{ title: 'Level' }, { title: 'Statistics' }],
    plan.levels.map((l) => [l.name, l.statistics.join(', ')]),
    'compact',
    'spoken',
  )}</div>`
}
</div>
${tests(report)}
${
  report.notSignificant.length > 0 &&
  html`<h3>Tested, not significant</h3><p class="muted small">Suspicions that chance explains once every test of the run is counted. They never fail a gate.</p>${table(
    'Suspicions that are not significant',
    [{ title: 'Rule' }, { title: 'Suspicion' }, { title: 'Corrected p', numeric: true }],
    report.notSignificant.slice(0, maxRows).map((f) => [code(f.rule), f.message, f.test ? typeset(formatP(f.test.adjusted)) : null]),
    '',
    'spoken',
  )}`
}
${
  report.waivers.length > 0 &&
  html`<h3>Waivers</h3>${table(
    'Waivers and whether they hold',
    [{ title: 'State' }, { title: 'Statement' }, { title: 'Expires' }, { title: 'At most', numeric: true }, { title: 'Fingerprint' }],
    report.waivers.map((w) => [w.state, w.statement, w.expires, w.maxCount, code(w.fingerprint)]),
    '',
    'spoken',
  )}`
}
${
  report.known !== null &&
  report.known.length > 0 &&
  html`<h3>Known findings</h3>${table(
    'Findings that were accepted as they were, and what became of them',
    [{ title: 'State' }, { title: 'Rule' }, { title: 'As it was' }, { title: 'Accepted' }, { title: 'At most', numeric: true }],
    report.known.slice(0, maxRows).map((k) => [k.state, code(k.rule), k.message, k.accepted, k.maxCount]),
    '',
    'spoken',
  )}`
}
${taxonomies(report)}
</section>`
}

function counts(title: string, column: string, items: Report['labels']): Safe {
  if (items.length === 0) return nothing
  const rows = [...items].sort((a, b) => b.count - a.count).slice(0, maxRows)
  const more = items.length - rows.length
  return html`<div><h3>${title}</h3>${table(
    `${title}: rows and flagged rows${more > 0 ? `, the ${maxRows} largest of ${formatCount(items.length)}` : ''}`,
    [{ title: column }, { title: 'Rows', numeric: true }, { title: 'Flagged', numeric: true }, { title: 'Fraction', numeric: true }],
    rows.map((r) => [r.name, formatCount(r.count), formatCount(r.flagged), r.count === 0 ? null : formatPercent(r.flagged / r.count)]),
    'compact',
    more > 0 ? 'shown' : 'spoken',
  )}</div>`
}

function tests(report: Report): Safe {
  if (report.tests.length === 0) return nothing
  const shown = report.tests.slice(0, maxRows)
  return html`<h3>Tests</h3>${table(
    `${plural(report.tests.length, 'test')}, corrected together by ${report.correction.method}; significant at ${formatNumber(report.correction.level)}${shown.length < report.tests.length ? `; the ${maxRows} smallest` : ''}`,
    [
      { title: 'Test' },
      { title: 'Method' },
      { title: 'p', numeric: true },
      { title: 'Corrected p', numeric: true },
      { title: 'Significant' },
    ],
    shown.map((t) => [
      t.id,
      t.method,
      typeset(formatP(t.p)),
      typeset(formatP(t.adjusted)),
      t.significant ? html`<strong>yes</strong>` : 'no',
    ]),
  )}`
}

function taxonomies(report: Report): Safe {
  const rules = report.rules.filter((r) => r.taxa.length > 0)
  if (rules.length === 0) return nothing
  return html`<h3>Taxonomies</h3>
<p class="muted small">What each rule is evidence relevant to. It is evidence, and no statement of conformity.</p>
${table(
  'Rules and the entries they are evidence relevant to',
  [{ title: 'Rule' }, ...report.taxonomies.map((t) => ({ title: `${t.name} ${t.version}` }))],
  rules.map((r) => [
    code(r.id),
    ...report.taxonomies.map(
      (t) => html`${r.taxa.filter((x) => x.taxonomy === t.key).map((x) => html`<div title="${x.name}">${x.id}</div>`)}`,
    ),
  ]),
  'compact',
  'spoken',
)}
${report.guidance.length > 0 && html`<p class="small">Also relevant to:</p><ul class="notes">${report.guidance.map((g) => html`<li>${g}</li>`)}</ul>`}`
}
