import type { Evidence, Finding, RecordRef } from '../../contracts/finding.ts'
import { pictureOf } from '../../math/picture.ts'
import type { Copies } from './evidence.ts'
import type { Cluster, Share, SourceConflicts, Suspect, Verdict } from './judge.ts'

const shownClusters = 12
const shownShares = 10

const percent = (part: number, all: number): string => `${((100 * part) / Math.max(all, 1)).toFixed(1)} %`
const list = (all: readonly Share[]): string =>
  all
    .slice(0, 3)
    .map((s) => `"${s.name}" ${s.count}`)
    .join(', ') + (all.length > 3 ? `, ${all.length - 3} more` : '')

const recordsOf = (top: readonly RecordRef[], names: ReadonlySet<string>): RecordRef[] =>
  top.filter((r) => r.group !== null && names.has(r.group)).slice(0, 20)

/** Pictures of records: the copies of one cluster, or the first two of each of several. */
function picturesOf(copies: Copies, names: readonly string[], each: number): Evidence[] {
  const items = names.flatMap((name) =>
    copies.copies
      .filter((c) => c.group === name)
      .slice(0, each)
      .map((c) =>
        pictureOf({
          caption: [
            c.id ?? `row ${c.row}`,
            ...(c.label === null ? [] : [`labelled ${c.label}`]),
            ...(c.source === null ? [] : [c.source]),
          ].join(', '),
          data: c.data,
          height: copies.height,
          width: copies.width,
          channels: copies.channels,
        }),
      ),
  )
  return items.length > 0 ? [{ kind: 'pictures', title: 'Copies', ofRecords: true, items: items.slice(0, 24) }] : []
}

const shareTable = (title: string, column: string, all: readonly Share[], total: number): Evidence[] =>
  all.length === 0
    ? []
    : [
        {
          kind: 'table',
          title,
          columns: [column, 'copies', 'share'],
          rows: all.slice(0, shownShares).map((s) => [s.name, s.count, percent(s.count, total)]),
        },
      ]

const clusterTable = (title: string, clusters: readonly Cluster[]): Evidence => ({
  kind: 'table',
  title,
  columns: ['picture', 'records', 'with the same pixels', 'labels', 'sources'],
  rows: clusters.slice(0, shownClusters).map((c) => [c.name, c.records, c.exact, list(c.labels), list(c.sources)]),
})

export function floodFinding({ of: c, test }: Suspect<Cluster>, v: Verdict, copies: Copies, top: readonly RecordRef[]): Finding {
  const next = v.clusters.find((o) => !o.blank && o.records < c.records)?.records ?? 1
  const labels = c.labels.length > 0 ? ` Labels: ${list(c.labels)}.` : ''
  return {
    rule: 'near-duplicate-image/flood',
    severity: 'high',
    confidence: 'high',
    scope: { kind: 'pattern', names: [c.name] },
    message: `One picture occurs ${c.records} times, in ${c.exact < 2 ? 'as many variations' : `${c.exact} of them with the same pixels`}; the next most frequent occurs ${next === 1 ? 'once' : `${next} times`}.${labels}`,
    count: c.records,
    records: recordsOf(top, new Set([c.name])),
    evidence: [
      ...picturesOf(copies, [c.name], 12),
      ...shareTable('Labels of the copies', 'label', c.labels, c.records),
      ...shareTable('Sources of the copies', 'source', c.sources, c.records),
      clusterTable('Pictures with most copies', v.clusters),
    ],
    test: test.id,
    action: 'Keep one copy of the picture and set the others aside; ask the sources in the table how the copies came in.',
  }
}

/** Uniform pictures have no content that could be copied: many of them are a fault of an export more often than an attack. */
export function blankFinding(c: Cluster, flood: number): Finding | null {
  if (c.records < flood) return null
  return {
    rule: 'near-duplicate-image/flood',
    severity: 'review',
    confidence: 'low',
    scope: { kind: 'pattern', names: [c.name] },
    message: `${c.records} records are pictures of one shade.`,
    count: c.records,
    records: [],
    evidence: [
      ...shareTable('Labels of the blank pictures', 'label', c.labels, c.records),
      ...shareTable('Sources of the blank pictures', 'source', c.sources, c.records),
    ],
    test: null,
    action: 'Look at a few of them: drop what shows nothing.',
  }
}

const conflictEvidence = (clusters: readonly Cluster[], copies: Copies): Evidence[] => [
  ...picturesOf(
    copies,
    clusters.map((c) => c.name),
    clusters.length === 1 ? 12 : 2,
  ),
  clusterTable('Copied pictures with more than one label', clusters),
]

export function conflictFindings(v: Verdict, copies: Copies, top: readonly RecordRef[]): Finding[] {
  const conflicted = v.clusters.filter((c) => !c.blank && c.conflicts > 0).sort((a, b) => b.conflicts - a.conflicts)
  const base = { rule: 'near-duplicate-image/label-conflict', severity: 'high', confidence: 'high' } as const
  const found = (clusters: readonly Cluster[]) => ({
    count: clusters.reduce((sum, c) => sum + c.records, 0),
    records: recordsOf(top, new Set(clusters.map((c) => c.name))),
    evidence: conflictEvidence(clusters, copies),
  })
  const findings: Finding[] = v.conflicted.map(({ of: c, test }) => ({
    ...base,
    ...found([c]),
    scope: { kind: 'pattern', names: [c.name] },
    message: `Of ${c.links + 1} copies of one picture ${c.conflicts} have another label than the rest: ${list(c.labels)}.`,
    test: test.id,
    action: 'Have a second reader label the picture once, and give that label to all copies or keep only one.',
  }))
  for (const { of: s, test } of v.sources)
    findings.push({
      ...base,
      ...found(conflicted.filter((c) => c.sources.some((x) => x.name === s.source))),
      scope: { kind: 'source', names: [s.source] },
      message: sourceMessage(s),
      test: test.id,
      action: `Compare the labels that source "${s.source}" gave with those of the same pictures from elsewhere, and ask it how its pictures were obtained.`,
    })
  if (v.overall) {
    const { of: o, test } = v.overall
    findings.push({
      ...base,
      ...found(conflicted),
      scope: { kind: 'dataset', names: [] },
      message: `${o.conflicted} of ${o.clusters} pictures that occur more than once have more than one label (${percent(o.conflicted, o.clusters)}, where ${(100 * o.expected).toFixed(1)} % are tolerated).`,
      test: test.id,
      action: 'Have a second reader label these pictures once; find out which copy came first, and where the others come from.',
    })
  }
  return findings
}

const sourceMessage = (s: SourceConflicts): string =>
  `Of ${s.clusters} copied pictures that source "${s.source}" holds, ${s.conflicted} have more than one label (${percent(s.conflicted, s.clusters)}); of the ${s.allClusters - s.clusters} others ${s.allConflicted - s.conflicted} have.`
