import { confidences, type Finding, type RecordRef, severities, type Test } from '../contracts/finding.ts'
import { type AuditOutcome, type DetectorOutcome, provenanceId } from '../contracts/outcome.ts'
import type { Gate, KnownFinding, Waiver } from '../contracts/pipeline.ts'
import { benjaminiHochberg } from '../math/tests.ts'
import { guidance, type TaxonomyKey, taxaOf, taxonomies } from '../taxonomy/taxonomies.ts'
import { blindSpotsOf } from './blind-spots.ts'
import { ReportError } from './errors.ts'
import { clip } from './escape.ts'
import { boundEvidence, showsRecords, withheld } from './evidence.ts'
import { boundAllPictures, isPng, limits, name } from './evidence-bounds.ts'
import { fingerprintOf } from './fingerprint.ts'
import { coverageOf, exitCodes, judge, nextOf, reaches, waiverState } from './gate.ts'
import { headlineOf } from './headline.ts'
import { judgeKnown } from './known.ts'
import { boundProvenance } from './provenance.ts'
import { type Report, type ReportFinding, type ReportRecord, reportSchema, reportSchemaId } from './schema.ts'
import { toReportSensitivity } from './sensitivity.ts'

export interface Policy {
  readonly gate: Gate
  readonly waivers: readonly Waiver[]
  /** Absent: no file of known findings is named. */
  readonly known?: readonly KnownFinding[]
  /** The injected clock: waivers are judged at this moment. */
  readonly now: Date
  /** False: texts and thumbnails of records stay out of the report. */
  readonly excerpts: boolean
}

/** A finding behind a test counts when its p-value, adjusted over every test of the run, is at most this. */
export const significanceLevel = 0.05

type CorrectedTest = Report['tests'][number]

/** One Benjamini-Hochberg correction (Benjamini & Hochberg 1995) over all tests of all detectors that ran. */
function correct(detectors: readonly DetectorOutcome[]): ReadonlyMap<string, CorrectedTest> {
  const all = detectors.flatMap((d) => d.tests.map((test) => ({ detector: d.id, test })))
  const adjusted = benjaminiHochberg(all.map(({ detector, test }) => validP(detector, test)))
  const tests = new Map<string, CorrectedTest>()
  all.forEach(({ detector, test }, i) => {
    const key = testKey(detector, test.id)
    if (tests.has(key)) throw ReportError.of('invalid-test', `${detector} reports the test "${clip(test.id, 200)}" twice`, 2)
    const q = Math.min(1, adjusted[i] as number)
    tests.set(key, { detector, id: name(test.id), method: name(test.method), p: test.p, adjusted: q, significant: q <= significanceLevel })
  })
  return tests
}

const testKey = (detector: string, id: string): string => `${detector}\u0000${id}`

function validP(detector: string, test: Test): number {
  if (test.p >= 0 && test.p <= 1) return test.p
  throw ReportError.of('invalid-test', `${detector} reports p = ${test.p} for the test "${clip(test.id, 200)}"; 0 to 1 was expected`, 2)
}

/** Records of all findings, each once, in the order in which findings name them. */
class Records {
  readonly list: ReportRecord[] = []
  readonly #at = new Map<string, number>()

  constructor(readonly excerpts: boolean) {}

  add(ref: RecordRef, finding: { readonly rule: string; readonly fingerprint: string }): number {
    const key = `${ref.row}\u0000${ref.shard}`
    let at = this.#at.get(key)
    if (at === undefined) {
      at = this.list.push(this.#record(ref)) - 1
      this.#at.set(key, at)
    }
    const record = this.list[at] as ReportRecord
    record.suggestedLabel ??= ref.suggestedLabel === null ? null : name(ref.suggestedLabel)
    record.parts.push({
      rule: finding.rule,
      fingerprint: finding.fingerprint,
      score: Number.isFinite(ref.score) ? Math.min(1, Math.max(0, ref.score)) : 0,
      pValue: ref.pValue !== null && ref.pValue >= 0 && ref.pValue <= 1 ? ref.pValue : null,
      suggestedLabel: ref.suggestedLabel === null ? null : name(ref.suggestedLabel),
      group: ref.group === null ? null : name(ref.group),
    })
    record.score = combinedScore(record.parts)
    return at
  }

  #record(ref: RecordRef): ReportRecord {
    const { excerpt, thumbnail } = this.excerpts ? ref : {}
    return {
      id: ref.id === null ? null : name(ref.id),
      shard: name(ref.shard),
      row: ref.row,
      source: ref.source === null ? null : name(ref.source),
      givenLabel: ref.givenLabel === null ? null : name(ref.givenLabel),
      suggestedLabel: null,
      excerpt: excerpt === undefined ? null : clip(excerpt, limits.excerpt),
      thumbnail: thumbnail !== undefined && isPng(thumbnail) ? thumbnail : null,
      score: 0,
      parts: [],
    }
  }
}

/**
 * 1 - product over detectors of (1 - strongest score of the detector). Detectors look at different things, so that agreement should
 * count; rules of one detector share their score, so that they count once.
 */
export function combinedScore(parts: readonly { readonly rule: string; readonly score: number }[]): number {
  const strongest = new Map<string, number>()
  for (const { rule, score } of parts) {
    const detector = rule.slice(0, rule.indexOf('/'))
    strongest.set(detector, Math.max(score, strongest.get(detector) ?? 0))
  }
  // A single detector's score as it is: 1 - (1 - s) would round it.
  const scores = [...strongest.values()]
  return scores.length === 1 ? (scores[0] as number) : 1 - scores.reduce((left, s) => left * (1 - s), 1)
}

function toReport(
  finding: Finding,
  detector: DetectorOutcome,
  tests: ReadonlyMap<string, CorrectedTest>,
  excerpts: boolean,
): ReportFinding {
  const rule = detector.rules.find((r) => r.id === finding.rule)
  if (!rule)
    throw ReportError.of('unknown-rule', `${detector.id} reports a finding of ${clip(finding.rule, 200)}, which is not one of its rules`, 2)
  const test = finding.test === null ? null : tests.get(testKey(detector.id, finding.test))
  if (test === undefined)
    throw ReportError.of(
      'unknown-test',
      `${finding.rule} cites the test "${clip(finding.test ?? '', 200)}", which ${detector.id} does not report`,
      2,
    )
  return {
    fingerprint: fingerprintOf(finding),
    detector: detector.id,
    rule: finding.rule,
    severity: finding.severity,
    confidence: finding.confidence,
    scope: { kind: finding.scope.kind, names: finding.scope.names.map(name) },
    message: clip(finding.message, limits.message),
    action: clip(finding.action, limits.message),
    count: finding.count,
    records: [],
    evidence: finding.evidence.map((e) => (excerpts || !showsRecords(e) ? boundEvidence(e) : withheld(e))),
    test: test === null ? null : { id: test.id, method: test.method, p: test.p, adjusted: test.adjusted },
    taxa: taxaOf(rule.family).map((taxon) => ({ ...taxon })),
    status: 'open',
    gates: false,
  }
}

/** What names a culprit comes before a file or the whole, those before lists of records. */
const scopeOrder = ({ scope: { kind } }: ReportFinding): number => (kind === 'records' ? 2 : kind === 'file' || kind === 'dataset' ? 1 : 0)

/** What is wrong with the files, before what follows from it. */
const firstRules = ['mismatch', 'missing'].map((rule) => `${provenanceId}/${rule}`)
const ruleOrder = (f: ReportFinding): number => {
  const at = firstRules.indexOf(f.rule)
  return at < 0 ? firstRules.length : at
}

/** What is new before what somebody accepted. */
const statuses: readonly ReportFinding['status'][] = ['open', 'known', 'waived']

/** Gravest first; then by scope, then the surest, then the largest. */
const byWeight = (a: ReportFinding, b: ReportFinding): number =>
  severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
  scopeOrder(a) - scopeOrder(b) ||
  ruleOrder(a) - ruleOrder(b) ||
  confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence) ||
  (a.test?.adjusted ?? 0) - (b.test?.adjusted ?? 0) ||
  (a.test?.p ?? 0) - (b.test?.p ?? 0) ||
  b.count - a.count ||
  (a.fingerprint < b.fingerprint ? -1 : 1)

/**
 * The report of an audit: correction, fingerprints, taxonomies, waivers, gate and verdict. Pure: equal arguments, equal report.
 * @throws {ReportError} `unknown-test`, `invalid-test`, `unknown-rule` when a detector contradicts itself; `invalid-report`
 */
export function buildReport(outcome: AuditOutcome, policy: Policy): Report {
  const { gate, now } = policy
  const tests = correct(outcome.detectors)
  const all = outcome.detectors
    .flatMap((d) => d.findings.map((source) => ({ source, finding: toReport(source, d, tests, policy.excerpts) })))
    .sort((a, b) => byWeight(a.finding, b.finding))
  const isSignificant = (f: ReportFinding): boolean => f.test === null || f.test.adjusted <= significanceLevel
  const reported = all.filter(({ finding }) => isSignificant(finding))
  const notSignificant = all.filter(({ finding }) => !isSignificant(finding)).map(({ finding }) => finding)

  const records = new Records(policy.excerpts)
  for (const { source, finding } of reported)
    finding.records = source.records.slice(0, limits.records).map((ref) => records.add(ref, finding))

  const findings = reported.map(({ finding }) => finding)
  const waivers = policy.waivers.map(({ fingerprint, statement, expires, maxCount }) => {
    const found = findings.filter((finding) => finding.fingerprint === fingerprint)
    const state = waiverState({ fingerprint, statement, expires, maxCount }, found, now)
    if (state === 'applied') for (const finding of found) finding.status = 'waived'
    return { fingerprint: name(fingerprint), statement: clip(statement, limits.message), expires, maxCount, state }
  })
  const known = policy.known ? judgeKnown(policy.known, findings, outcome.detectors) : null
  boundAllPictures([...findings, ...notSignificant])
  findings.sort((a, b) => statuses.indexOf(a.status) - statuses.indexOf(b.status))
  for (const finding of findings) finding.gates = finding.status === 'open' && reaches(finding.severity, gate['fail-on'])

  const { verdict, reasons } = judge(outcome, gate, findings)
  const rules = outcome.detectors.flatMap((d) =>
    d.rules.map((r) => ({
      id: r.id,
      title: r.title,
      family: r.family,
      detector: d.id,
      page: `docs/rules/${r.id}.md`,
      taxa: taxaOf(r.family).map((t) => ({ ...t })),
    })),
  )
  const used = new Set<TaxonomyKey>(rules.flatMap((r) => r.taxa.map((t) => t.taxonomy)))
  const { read, rejected, unlabelled, flagged, reference } = outcome.rows
  const report: Report = {
    $schema: reportSchemaId,
    schemaVersion: 1,
    tool: { ...outcome.tool },
    startedAt: outcome.startedAt,
    evaluatedAt: now.toISOString(),
    subject: { name: name(outcome.subject.name), version: outcome.subject.version === null ? null : name(outcome.subject.version) },
    verdict,
    exitCode: exitCodes[verdict],
    headline: headlineOf(verdict, reasons, findings, gate, outcome),
    reasons: reasons.map((r) => ({ ...r, message: clip(r.message, limits.message) })),
    next: [],
    gate: { failOn: gate['fail-on'], maxFlagged: gate['max-flagged'], require: [...gate.require], minCoverage: gate['min-coverage'] },
    rows: { read, rejected, unlabelled, flagged, flaggedFraction: read === 0 ? 0 : Math.min(1, flagged / read), reference },
    findings,
    notSignificant,
    records: records.list,
    waivers,
    known,
    detectors: outcome.detectors.map((d) => detectorRow(d, read)),
    rules,
    blindSpots: blindSpotsOf(outcome).map((spot) => ({ ...spot })),
    issues: outcome.issues.map((issue) => ({
      ...issue,
      shard: name(issue.shard),
      column: issue.column === null ? null : name(issue.column),
      examples: issue.examples.map((e) => ({ ...e, detail: e.detail === null ? null : name(e.detail) })),
    })),
    duplicateIds: { count: outcome.duplicateIds.count, examples: outcome.duplicateIds.examples.slice(0, 20).map(name) },
    labels: outcome.labels.map((l) => ({ ...l, name: name(l.name) })),
    sources: outcome.sources.map((s) => ({ ...s, name: name(s.name) })),
    columns: outcome.columns.map((c) => ({ name: name(c.name), type: name(c.type), role: c.role })),
    tests: [...tests.values()].sort((a, b) => a.adjusted - b.adjusted || a.p - b.p),
    correction: { method: 'Benjamini-Hochberg', level: significanceLevel, tests: tests.size },
    plan: {
      digest: outcome.planDigest,
      seed: outcome.seed,
      levels: outcome.levels.map((l) => ({ name: l.name, statistics: [...l.statistics] })),
    },
    inputs: outcome.inputs.map((i) => ({ ...i, id: name(i.id) })),
    provenance: outcome.provenance && boundProvenance(outcome.provenance),
    sensitivity: outcome.sensitivity ? toReportSensitivity(outcome.sensitivity) : null,
    taxonomies: taxonomies
      .filter((t) => used.has(t.key))
      .map(({ key, name, version, organization, url }) => ({ key, name, version, organization, url })),
    guidance: used.size > 0 ? [...guidance] : [],
    excerpts: policy.excerpts,
  }
  report.next = nextOf(report)
  return canonical(report)
}

/** Keys in the order of the schema, so that a report reads back byte for byte. */
function canonical(report: Report): Report {
  const parsed = reportSchema.safeParse(report)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw ReportError.of('invalid-report', `the outcome makes no valid report: ${issue?.path.join('.')}: ${issue?.message}`, 2)
}

const detectorRow = (d: DetectorOutcome, rowsRead: number): Report['detectors'][number] => ({
  id: d.id,
  version: d.version,
  title: d.title,
  status: d.status,
  reason: clip(d.reason, limits.message),
  required: d.required,
  options: structuredClone(d.options) as Report['detectors'][number]['options'],
  rowsScored: d.rowsScored,
  rowsFlagged: d.rowsFlagged,
  coverage: coverageOf(d, rowsRead),
  thresholds: d.thresholds.map((t) => ({
    rule: t.rule,
    group: t.group === null ? null : name(t.group),
    atLeast: Number.isFinite(t.atLeast) ? t.atLeast : null,
  })),
  notes: d.notes.map((note) => clip(note, limits.message)),
})
