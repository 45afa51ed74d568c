import type { ProvenanceOutcome } from '../contracts/outcome.ts'
import { grades } from '../contracts/provenance.ts'
import { type ChangeSummary, type Concentration, changeKinds, type RecordLocation } from '../contracts/snapshot.ts'
import { clip } from './escape.ts'
import { limits, name } from './evidence-bounds.ts'
import type { ReportProvenance } from './provenance-schema.ts'

/** Bounds of what a report keeps of provenance: manifests are hostile, and a report must open. */
const most = {
  manifests: 200,
  signatures: 20,
  problems: 50,
  files: 1_000,
  manifestsOfFile: 10,
  facts: 500,
  cells: 200,
  tests: 200,
  notes: 50,
} as const

const whole = (n: number): number => (Number.isFinite(n) ? Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(n))) : 0)
const unit = (n: number): number => (Number.isFinite(n) ? Math.min(1, Math.max(0, n)) : 0)
const nameOrNull = (text: string | null): string | null => (text === null ? null : name(text))
const sentence = (text: string): string => clip(text, limits.message)

type Manifest = ProvenanceOutcome['manifests'][number]

const boundManifest = (m: Manifest): ReportProvenance['manifests'][number] => ({
  kind: m.kind,
  title: name(m.title),
  file: name(m.file),
  version: nameOrNull(m.version),
  entries: whole(m.entries),
  closed: nameOrNull(m.closed),
  signatures: m.signatures.slice(0, most.signatures).map((s) => ({
    method: name(s.method),
    file: name(s.file),
    status: s.status,
    signer: nameOrNull(s.signer),
    reason: sentence(s.reason),
    signedAt: nameOrNull(s.signedAt),
  })),
  problems: m.problems.slice(0, most.problems).map((p) => ({
    code: p.code,
    message: sentence(p.message),
    place: {
      file: nameOrNull(p.place.file ?? null),
      line: p.place.line === undefined ? null : whole(p.place.line),
      column: nameOrNull(p.place.column ?? null),
      row: p.place.row === undefined ? null : whole(p.place.row),
      offset: p.place.offset === undefined ? null : whole(p.place.offset),
    },
    invalid: p.invalid,
  })),
})

type Counts = ChangeSummary['counts']

const boundCounts = (counts: Counts): Record<keyof Counts, number> =>
  Object.fromEntries(changeKinds.map((kind) => [kind, whole(counts[kind])])) as Record<keyof Counts, number>
const changed = (counts: Counts): number => changeKinds.reduce((sum, kind) => sum + counts[kind], 0)

/** Those with the most changes, in their own order. */
function mostChanged<T extends { readonly counts: Counts }>(cells: readonly T[]): readonly T[] {
  if (cells.length <= most.cells) return cells
  const order = cells.map((cell, at) => ({ at, n: changed(cell.counts) })).sort((a, b) => b.n - a.n || a.at - b.at)
  const kept = new Set(order.slice(0, most.cells).map(({ at }) => at))
  return cells.filter((_, at) => kept.has(at))
}

/** The labels between which most records moved; the whole matrix is in the evidence of a finding, bounded in the same way. */
function boundTransitions({ labels, counts }: ChangeSummary['transitions']): { labels: string[]; counts: number[][] } {
  const moved = labels.map((_, i) => labels.reduce((sum, _, j) => sum + (i === j ? 0 : (counts[i]?.[j] ?? 0) + (counts[j]?.[i] ?? 0)), 0))
  const order = labels.map((_, i) => i).sort((a, b) => (moved[b] as number) - (moved[a] as number) || a - b)
  const kept = order.slice(0, limits.matrix).sort((a, b) => a - b)
  return { labels: kept.map((i) => name(labels[i] as string)), counts: kept.map((i) => kept.map((j) => whole(counts[i]?.[j] ?? 0))) }
}

const boundTest = (t: Pick<Concentration, 'test' | 'log10P' | 'adjusted' | 'concentrated'>) => ({
  test: { id: name(t.test.id), method: name(t.test.method), p: unit(t.test.p) },
  log10P: Number.isFinite(t.log10P) ? t.log10P : -Number.MAX_VALUE,
  adjusted: unit(t.adjusted),
  concentrated: t.concentrated,
})

const boundLocation = (r: RecordLocation) => ({
  id: nameOrNull(r.id),
  shard: name(r.shard),
  row: whole(r.row),
  label: nameOrNull(r.label),
  source: nameOrNull(r.source),
  time: r.time !== null && Number.isFinite(r.time) ? r.time : null,
})

function boundChanges(c: ChangeSummary): NonNullable<ReportProvenance['changes']> {
  const side = (s: ChangeSummary['before']) => ({ name: name(s.name), root: name(s.root), records: whole(s.records) })
  return {
    before: side(c.before),
    after: side(c.after),
    counts: boundCounts(c.counts),
    classes: mostChanged(c.classes).map((k) => ({
      name: name(k.name),
      split: nameOrNull(k.split),
      before: whole(k.before),
      after: whole(k.after),
      counts: boundCounts(k.counts),
    })),
    classCount: c.classes.length,
    sources: mostChanged(c.sources).map((s) => ({
      name: name(s.name),
      before: whole(s.before),
      after: whole(s.after),
      counts: boundCounts(s.counts),
    })),
    sourceCount: c.sources.length,
    transitions: boundTransitions(c.transitions),
    duplicates: c.duplicates && { before: whole(c.duplicates.before), after: whole(c.duplicates.after) },
    concentrations: [...c.concentrations]
      .sort((a, b) => a.log10P - b.log10P)
      .slice(0, most.tests)
      .map((k) => ({
        kind: k.kind,
        axis: k.axis,
        within: nameOrNull(k.within),
        cell: name(k.cell),
        changed: whole(k.changed),
        cellRecords: whole(k.cellRecords),
        allChanged: whole(k.allChanged),
        allRecords: whole(k.allRecords),
        ...boundTest(k),
      })),
    flood: c.flood && {
      added: whole(c.flood.added),
      copies: whole(c.flood.copies),
      rate: unit(c.flood.rate),
      largest: c.flood.largest && { copies: whole(c.flood.largest.copies), record: boundLocation(c.flood.largest.record) },
      ...boundTest(c.flood),
    },
    notes: c.notes.slice(0, most.notes).map(sentence),
  }
}

function boundCoverage(c: NonNullable<ProvenanceOutcome['coverage']>): NonNullable<ReportProvenance['coverage']> {
  const byGrade = Object.fromEntries(
    grades.map((grade) => [grade, { files: whole(c.byGrade[grade].files), bytes: whole(c.byGrade[grade].bytes) }]),
  ) as NonNullable<ReportProvenance['coverage']>['byGrade']
  return {
    files: whole(c.files),
    bytes: whole(c.bytes),
    byGrade,
    verifiedFiles: unit(c.verifiedFiles),
    verifiedBytes: unit(c.verifiedBytes),
    signedFiles: unit(c.signedFiles),
    signedBytes: unit(c.signedBytes),
  }
}

/** Provenance as the report keeps it: bounded, every text clipped, numbers finite. */
export function boundProvenance(p: ProvenanceOutcome): ReportProvenance {
  return {
    root: nameOrNull(p.root),
    manifests: p.manifests.slice(0, most.manifests).map(boundManifest),
    manifestCount: p.manifests.length,
    coverage: p.coverage && boundCoverage(p.coverage),
    files: p.files.slice(0, most.files).map((f) => ({
      path: name(f.path),
      bytes: f.bytes === null ? null : whole(f.bytes),
      grade: f.grade,
      manifests: f.manifests.slice(0, most.manifestsOfFile).map(name),
      expected: f.expected && { algorithm: f.expected.algorithm, hex: name(f.expected.hex) },
      actual: nameOrNull(f.actual),
      signed: f.signed,
      label: nameOrNull(f.label),
      url: nameOrNull(f.url),
    })),
    // What disagrees first: the others may be many.
    facts: [...p.facts]
      .sort((a, b) => Number(a.agrees !== false) - Number(b.agrees !== false))
      .slice(0, most.facts)
      .map((f) => ({ by: name(f.by), name: name(f.name), declared: name(f.declared), read: nameOrNull(f.read), agrees: f.agrees })),
    factCount: p.facts.length,
    changes: p.changes && boundChanges(p.changes),
    changesFile: nameOrNull(p.changesFile),
    snapshot: p.snapshot && {
      root: p.snapshot.root,
      records: whole(p.snapshot.records),
      previous: nameOrNull(p.snapshot.previous),
      signed: p.snapshot.signed,
    },
  }
}
