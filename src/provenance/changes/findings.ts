import type { Conclusion } from '../../contracts/detector.ts'
import type { Evidence, Finding, RecordRef } from '../../contracts/finding.ts'
import type { ChangeKind, ChangeSummary, Concentration, Flood } from '../../contracts/snapshot.ts'
import { falseAlarmRate, leastChanged } from './concentration.ts'
import { bySource, shares, testTable, transitionMatrix } from './evidence.ts'
import { chance, happened, inSplit, number, ofCell, ofClass, percent, records } from './words.ts'

/** Changed records by kind, a few of each. A removed record is one of the baseline. */
export type Examples = ReadonlyMap<string, readonly RecordRef[]>

const maxRecords = 50

type Rule = 'added' | 'edited' | 'relabelled' | 'removed'
const kinds: Readonly<Record<Rule, readonly ChangeKind[]>> = {
  removed: ['removed'],
  relabelled: ['relabelled'],
  edited: ['edited', 'replaced'],
  added: ['added'],
}

const actions: Readonly<Record<Rule, string>> = {
  removed:
    'Match the list of removed records with the reasons on record (withdrawals, duplicates, retention); ask the supplier for the others.',
  relabelled: 'Have a reader who knows neither label read the listed records, and ask who changed the labels, and why.',
  edited: 'Open some of the listed records beside their originals: the same small thing in each of them is what a trigger looks like.',
  added: 'Ask where the added records come from, and audit them by themselves before they are trained on.',
}

const selectiveAction = (cell: string): string =>
  `Ask the supplier why records ${ofClass(cell)} are missing, with the list of changes, and do not train on this copy until they are back.`

/** A purpose that is known makes the same pattern as an attack: the reader is told so, and what would settle it. */
const orCampaign = 'A correction of this part on purpose looks the same: it has a record.'

/** "0 of 3,494 of class pneumonia", or of all others together. */
function others(summary: ChangeSummary, c: Concentration): string {
  const rest = c.allRecords - c.cellRecords
  const changed = c.allChanged - c.changed
  const classes = summary.classes.filter(
    (row) => row.split === c.within && row.name !== c.cell && (c.kind === 'added' ? row.after : row.before) > 0,
  )
  const [only] = classes
  const named = c.axis === 'class' && classes.length === 1 && only ? ofClass(only.name) : 'of all others'
  return `${number(changed)} of ${number(rest)} ${named}`
}

function sentence(summary: ChangeSummary, c: Concentration): string {
  if (c.axis === 'class-pair')
    return `${number(c.changed)} of ${number(c.allChanged)} changed labels${inSplit(c.within)} go from ${c.cell}; by chance ${chance(c.log10P)}.`
  const part = `${number(c.changed)} of ${records(c.cellRecords)} ${ofCell(c)} (${percent(c.changed, c.cellRecords)}) ${happened(c.kind, c.changed)}`
  return `${part} and ${others(summary, c)}${inSplit(c.within)}; by chance ${chance(c.log10P)}.`
}

const alsoAlong = (more: readonly Concentration[]): string =>
  more.length === 0
    ? ''
    : ` Also by ${more.map((c) => `${c.axis}: ${number(c.changed)} of ${number(c.allChanged)} ${ofCell(c)} (${chance(c.log10P)})`).join('; ')}.`

function scopeOf(c: Concentration): Finding['scope'] {
  const within = c.within === null ? [] : [c.within]
  switch (c.axis) {
    case 'class':
      return { kind: 'class', names: [c.cell, ...within] }
    case 'class-pair':
      return { kind: 'class-pair', names: [...c.cell.split(' to '), ...within] }
    case 'source':
      return { kind: 'source', names: [c.cell, ...within] }
    default:
      // where in time or in a file is a position, which a fingerprint leaves out
      return { kind: 'dataset', names: [c.axis, ...within] }
  }
}

/** Those of the cell first. */
function chosen(examples: Examples, of: readonly ChangeKind[], c: Concentration | null): RecordRef[] {
  const all = of.flatMap((kind) => examples.get(kind) ?? [])
  const isIn = (ref: RecordRef): boolean =>
    c?.axis === 'class' ? (ref.suggestedLabel ?? ref.givenLabel) === c.cell : c?.axis === 'source' ? ref.source === c.cell : true
  return [...all.filter(isIn), ...all.filter((ref) => !isIn(ref))].slice(0, maxRecords)
}

const evidenceFor = (summary: ChangeSummary, kind: ChangeKind, c: Concentration | null): Evidence[] => [
  shares(summary, kind, (row) => c?.axis === 'class' && row.name === c.cell && row.split === c.within),
  ...(kind === 'relabelled' || kind === 'replaced' ? transitionMatrix(summary) : []),
  ...bySource(summary, kind),
  ...testTable(summary.concentrations.filter((t) => t.kind === kind)),
]

/** The least likely first: where one source sends one class, the axis that explains more is told. */
const byWeight = (a: Concentration, b: Concentration): number => a.log10P - b.log10P

function concentratedFinding(summary: ChangeSummary, rule: Rule, found: readonly Concentration[], examples: Examples): Finding {
  const [first, ...more] = [...found].sort(byWeight) as [Concentration, ...Concentration[]]
  const selective = first.kind === 'removed' && first.axis === 'class'
  // A store that grows by a new site adds the records of one source.
  const growth = first.kind === 'added' && found.every((c) => c.axis === 'source')
  return {
    rule: selective ? 'provenance/class-selective-removal' : `provenance/${rule}`,
    severity: growth ? 'medium' : 'high',
    confidence: 'high',
    scope: scopeOf(first),
    message: `${sentence(summary, first)}${alsoAlong(more)}`,
    count: first.allChanged,
    records: chosen(examples, [first.kind], first),
    evidence: evidenceFor(summary, first.kind, first),
    test: first.test.id,
    action: selective ? selectiveAction(first.cell) : `${actions[rule]} ${orCampaign}`,
  }
}

/** "7 of class a, 5 of class b" */
function byClass(summary: ChangeSummary, of: readonly ChangeKind[]): string {
  const counts = new Map<string, number>()
  for (const { name, counts: own } of summary.classes) {
    const n = of.reduce((sum, kind) => sum + own[kind], 0)
    if (n > 0) counts.set(name, (counts.get(name) ?? 0) + n)
  }
  const sorted = [...counts].sort((a, b) => b[1] - a[1])
  const named = sorted.slice(0, 5).map(([name, n]) => `${number(n)} ${ofClass(name)}`)
  const rest = sorted.slice(5).reduce((sum, [, n]) => sum + n, 0)
  return [...named, ...(rest > 0 ? [`${number(rest)} of ${number(sorted.length - 5)} other classes`] : [])].join(', ')
}

function plainFinding(summary: ChangeSummary, rule: Rule, count: number, examples: Examples): Finding {
  const of = kinds[rule]
  const { replaced } = summary.counts
  const total = rule === 'added' ? summary.after.records : summary.before.records
  const what: Readonly<Record<Rule, string>> = {
    removed: `${records(count)} of the baseline ${happened('removed', count)}`,
    added: `${records(count)} ${happened('added', count)}`,
    edited: `${records(count)} ${happened('edited', count)}${replaced > 0 ? `, ${number(replaced)} of them another label as well` : ''}`,
    relabelled: `${records(count)} ${happened('relabelled', count)}`,
  }
  const tested = summary.concentrations.filter((c) => of.includes(c.kind))
  const isSpread = tested.length > 0 && !tested.some((c) => c.concentrated)
  const spread = isSpread
    ? ` They are spread as random corrections would be: nothing stands out after correction (smallest corrected ${chance(Math.log10(Math.min(...tested.map((c) => c.adjusted))))}).`
    : ''
  return {
    rule: `provenance/${rule}`,
    severity: 'medium',
    confidence: 'certain',
    scope: { kind: 'dataset', names: [] },
    message: `${what[rule]} (${percent(count, total)} of ${number(total)}): ${byClass(summary, of)}.${spread}`,
    count,
    records: chosen(examples, of, null),
    evidence: evidenceFor(
      summary,
      of.reduce((a, b) => (summary.counts[b] > summary.counts[a] ? b : a)),
      null,
    ),
    test: null,
    action: actions[rule],
  }
}

/** One finding for each split in which a kind of change is concentrated; the plain fact where some is not. */
function ruleFindings(summary: ChangeSummary, rule: Rule, examples: Examples): Finding[] {
  const of = kinds[rule]
  const count = of.reduce((sum, kind) => sum + summary.counts[kind], 0)
  if (count === 0) return []
  const groups = new Map<string, Concentration[]>()
  for (const c of summary.concentrations) {
    if (!c.concentrated || !of.includes(c.kind)) continue
    const key = JSON.stringify([c.kind, c.within])
    groups.set(key, [...(groups.get(key) ?? []), c])
  }
  const findings = [...groups.values()].map((found) => concentratedFinding(summary, rule, found, examples))
  const covered = findings.reduce((sum, f) => sum + f.count, 0)
  return covered < count ? [...findings, plainFinding(summary, rule, count, examples)] : findings
}

function floodFinding(flood: Flood, examples: Examples): Finding {
  const { added, copies, rate, largest, log10P, test } = flood
  const most =
    largest === null
      ? ''
      : ` The content copied most often came ${number(largest.copies)} times, as row ${largest.record.row} of ${largest.record.shard}.`
  return {
    rule: 'provenance/flooded',
    severity: 'high',
    confidence: 'high',
    scope: { kind: 'dataset', names: [] },
    message: `${number(copies)} of ${records(added)} that were added copy the content of another one; in the baseline ${percent(rate, 1)} do: by chance ${chance(log10P)}.${most}`,
    count: copies,
    records: (examples.get('added') ?? []).slice(0, maxRecords),
    evidence: [
      {
        kind: 'numbers',
        title: 'Copies',
        items: [
          { name: 'added records', value: added },
          { name: 'of these copies of another record', value: copies },
          { name: 'copies among the records of the baseline', value: rate },
          { name: 'copies of the content that came most often', value: largest?.copies ?? 0 },
        ],
      },
    ],
    test: test.id,
    action: 'Look at the content that was copied most often, remove the copies, and ask who added them.',
  }
}

function notesOf(summary: ChangeSummary): string[] {
  const tests = summary.concentrations.length + Number(summary.flood !== null)
  if (tests === 0) return [...summary.notes]
  return [
    ...summary.notes,
    `${number(tests)} tests asked whether changes pile up more than corrections that fall on records at random; they are called concentrated at a corrected p of at most ${falseAlarmRate} and ${leastChanged} records. Real corrections follow the errors of annotators and favour classes that are easily confused: a concentration says where to look, and not why.`,
  ]
}

/** Findings, tests and notes of a comparison: what is concentrated carries its test, what is not is a plain fact. */
export function changeFindings(summary: ChangeSummary, examples: Examples): Conclusion {
  const { concentrations, flood } = summary
  const rules: readonly Rule[] = ['removed', 'relabelled', 'edited', 'added']
  return {
    findings: [
      ...rules.flatMap((rule) => ruleFindings(summary, rule, examples)),
      ...(flood?.concentrated ? [floodFinding(flood, examples)] : []),
    ],
    tests: [...concentrations.map((c) => c.test), ...(flood ? [flood.test] : [])],
    notes: notesOf(summary),
  }
}
