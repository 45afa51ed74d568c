import { type ChangeKind, changeKinds } from '../../../contracts/snapshot.ts'
import { formatCount, formatP, formatPercent, plural, typeset } from '../../format.ts'
import type { ReportProvenance } from '../../provenance-schema.ts'
import { kindTitles } from '../../provenance-words.ts'
import { evidence } from './evidence.ts'
import { badge, code, pairs, table } from './parts.ts'
import { bar, type Segment } from './provenance-bar.ts'
import { html, nothing, type Safe } from './tag.ts'

type Changes = NonNullable<ReportProvenance['changes']>
type Counts = Changes['counts']

const maxRows = 50
const orderOfKinds: readonly ChangeKind[] = ['removed', 'relabelled', 'edited', 'replaced', 'added']

/** What changed since the baseline, in which classes and sources, and whether it piles up somewhere. */
export async function changes(c: Changes, file: string | null): Promise<Safe> {
  const total = changeKinds.reduce((sum, kind) => sum + c.counts[kind], 0)
  const sides = pairs([
    [
      'Baseline',
      html`<bdi>${c.before.name}</bdi>, ${plural(c.before.records, 'record')}<span class="where">root ${code(c.before.root)}</span>`,
    ],
    [
      'This data',
      html`<bdi>${c.after.name}</bdi>, ${plural(c.after.records, 'record')}<span class="where">root ${code(c.after.root)}</span>`,
    ],
  ])
  if (total === 0)
    return html`<h3>Changes since the baseline</h3><p>None: every record is there, and is what it was.</p>${sides}${notes(c)}`
  return html`<h3>Changes since the baseline</h3>
<dl class="facts">${orderOfKinds.map((kind) => html`<div><dt>${kindTitles[kind]}</dt><dd${c.counts[kind] === 0 && html` class="muted"`}>${formatCount(c.counts[kind])}</dd></div>`)}</dl>
${sides}
${file !== null && html`<p class="small spaced">Every change is named in ${code(file)}, with id, shard and row.</p>`}
${groups(
  'Classes',
  'Class',
  c.classes.map((k) => ({ ...k, name: k.split === null ? k.name : `${k.name}, ${k.split}` })),
  c.classCount,
)}
${groups('Sources', 'Source', c.sources, c.sourceCount)}
${await transitions(c)}
${concentrations(c)}
${flood(c)}
${notes(c)}`
}

interface Group {
  readonly name: string
  readonly before: number
  readonly after: number
  readonly counts: Counts
}

/** What became of the records that were there, then what came. */
const segmentsOf = (g: Group): readonly Segment[] => {
  const gone = g.counts.removed
  const altered = g.counts.relabelled + g.counts.edited + g.counts.replaced
  return [
    { className: 'c-kept', n: Math.max(0, g.before - gone - altered) },
    { className: 'c-altered', n: Math.min(altered, g.before) },
    { className: 'c-removed', n: gone },
    { className: 'c-added', n: g.counts.added },
  ]
}

function groups(title: string, column: string, all: readonly Group[], count: number): Safe {
  if (all.length < 1 || (all.length === 1 && title === 'Sources')) return nothing
  const sizes = all.map((g) => segmentsOf(g).reduce((sum, s) => sum + s.n, 0))
  const largest = Math.max(1, ...sizes)
  const order = all.map((_, i) => i).sort((a, b) => touched(all[b] as Group) - touched(all[a] as Group) || a - b)
  const shown = order.slice(0, maxRows)
  const kinds = orderOfKinds.filter((kind) => all.some((g) => g.counts[kind] > 0))
  const more = count - shown.length
  const rows = shown.map((at) => {
    const g = all[at] as Group
    const said = orderOfKinds.filter((kind) => g.counts[kind] > 0).map((kind) => `${formatCount(g.counts[kind])} ${kind}`)
    const size = sizes[at] as number
    return [
      g.name,
      html`${bar(segmentsOf(g), size, `${g.name}: ${said.join(', ') || 'unchanged'}`, size / largest)}`,
      formatCount(g.before),
      formatCount(g.after),
      ...kinds.map((kind) =>
        g.counts[kind] === 0
          ? html`<span class="muted">0</span>`
          : html`${formatCount(g.counts[kind])}${kind !== 'added' && g.before > 0 && html`<span class="where">${formatPercent(g.counts[kind] / g.before)}</span>`}`,
      ),
    ]
  })
  return html`<h4>${title}</h4>
${table(
  `${title}: records before and after, and what happened to them`,
  [
    { title: column },
    { title: 'What became of them' },
    { title: 'Before', numeric: true },
    { title: 'After', numeric: true },
    ...kinds.map((kind) => ({ title: kindTitles[kind], numeric: true })),
  ],
  rows,
  'groups',
  'spoken',
)}
<ul class="legend">${legend(all).map(([className, text]) => html`<li><svg class="swatch" viewBox="0 0 12 12" aria-hidden="true"><rect class="${className}" width="12" height="12" rx="3"/></svg>${text}</li>`)}</ul>
${more > 0 && html`<p class="muted small">And ${formatCount(more)} more with fewer changes.</p>`}`
}

const touched = (g: Group): number => changeKinds.reduce((sum, kind) => sum + g.counts[kind], 0)

const legend = (all: readonly Group[]): readonly (readonly [string, string])[] =>
  (
    [
      ['c-kept', 'unchanged'],
      ['c-altered', 'relabelled, edited or replaced'],
      ['c-removed', 'removed'],
      ['c-added', 'added'],
    ] as const
  ).filter(([className]) => all.some((g) => segmentsOf(g).some((s) => s.className === className && s.n > 0)))

async function transitions(c: Changes): Promise<Safe> {
  const { labels, counts } = c.transitions
  if (!counts.some((row, i) => row.some((n, j) => i !== j && n > 0))) return nothing
  const piled = new Set(c.concentrations.filter((k) => k.concentrated && k.axis === 'class-pair').map((k) => k.cell))
  const isPiled = (i: number, j: number): boolean => piled.has(`${labels[i]} to ${labels[j]}`) || piled.has(`any to ${labels[j]}`)
  const marked = counts.flatMap((row, i) => row.flatMap((n, j): [number, number][] => (n > 0 && i !== j && isPiled(i, j) ? [[i, j]] : [])))
  const drawn = await evidence({
    kind: 'matrix',
    title: 'Label before against label now, of relabelled and replaced records',
    rowTitle: 'before',
    columnTitle: 'now',
    rows: labels,
    columns: labels,
    counts,
    marked,
  })
  return html`<div class="evidence">${drawn}</div>`
}

/** `log10P` is kept where the probability is too small for a number. */
const chance = (p: number, log10P: number): string => {
  if (log10P >= -300) return typeset(formatP(p))
  const exponent = Math.floor(log10P)
  return typeset(`${(10 ** (log10P - exponent)).toFixed(1)}e${exponent}`)
}

function concentrations(c: Changes): Safe {
  if (c.concentrations.length === 0) return nothing
  return html`<h4>Do the changes pile up?</h4>
<p class="muted small">Corrections fall where there is something to correct; an attack falls on what it aims at. Each line is the cell of one axis that random corrections would least explain.</p>
${table(
  'Concentration of the changes',
  [
    { title: 'Changes' },
    { title: 'Most concentrated in' },
    { title: 'Of its records', numeric: true },
    { title: 'Of all records', numeric: true },
    { title: 'p', numeric: true },
    { title: '' },
  ],
  c.concentrations
    .slice(0, maxRows)
    .map((k) => [
      html`${kindTitles[k.kind]}${k.within !== null && html`<span class="where">within <bdi>${k.within}</bdi></span>`}`,
      html`<bdi>${k.cell}</bdi><span class="where">${k.axis.replace('-', ' ')}</span>`,
      html`${formatCount(k.changed)} of ${formatCount(k.cellRecords)}`,
      html`${formatCount(k.allChanged)} of ${formatCount(k.allRecords)}`,
      chance(k.test.p, k.log10P),
      k.concentrated ? badge('high', 'concentrated') : html`<span class="muted">as by chance</span>`,
    ]),
  '',
  'spoken',
)}`
}

const flood = ({ flood: f }: Changes): Safe =>
  f === null || f.copies === 0
    ? nothing
    : html`<p>${plural(f.copies, 'added record')} of ${formatCount(f.added)} ${f.copies === 1 ? 'copies' : 'copy'} another one; in the baseline ${formatPercent(f.rate)} of the records do.${f.concentrated && html` ${badge('high', 'flooded')}`}</p>`

const notes = (c: Changes): Safe =>
  c.notes.length === 0 ? nothing : html`<ul class="notes">${c.notes.map((note) => html`<li>${note}</li>`)}</ul>`
