import { describe, expect, test } from 'vitest'
import type { Finding } from '../../src/contracts/finding.ts'
import type { AuditOutcome, ProvenanceOutcome } from '../../src/contracts/outcome.ts'
import type { Gate } from '../../src/contracts/pipeline.ts'
import { type FileGrade, type Grade, grades } from '../../src/contracts/provenance.ts'
import type { ChangeSummary } from '../../src/contracts/snapshot.ts'
import { provenanceDetector, rowlessOutcome } from '../../src/engine/provenance-outcome.ts'
import { buildReport, type Policy } from '../../src/report/build.ts'
import { renderMarkdown } from '../../src/report/render/markdown.ts'
import { renderSarif } from '../../src/report/render/sarif.ts'
import { parseReport } from '../../src/report/schema.ts'
import { renderTerminal } from '../../src/report/terminal.ts'
import { outcome as poisoned } from '../golden/cases/poisoned-tabular.ts'
import { labelFlip } from '../golden/parts.ts'

const now = new Date('2026-11-24T05:00:00Z')
const gate: Gate = { 'fail-on': 'high', 'max-flagged': 0.02, require: [], 'min-coverage': 0.99 }
const policyOf = (part: Partial<Gate> = {}): Policy => ({ gate: { ...gate, ...part }, waivers: [], now, excerpts: false })

const coverageOf = (byGrade: Partial<Record<Grade, number>>, signed = 0): NonNullable<ProvenanceOutcome['coverage']> => {
  const files = Object.values(byGrade).reduce((sum, n) => sum + n, 0)
  const verified = (byGrade.verified ?? 0) / files
  return {
    files,
    bytes: files * 1_000,
    byGrade: Object.fromEntries(grades.map((g) => [g, { files: byGrade[g] ?? 0, bytes: (byGrade[g] ?? 0) * 1_000 }])) as never,
    verifiedFiles: verified,
    verifiedBytes: verified,
    signedFiles: signed / files,
    signedBytes: signed / files,
  }
}
const manifest: ProvenanceOutcome['manifests'][number] = {
  kind: 'sums',
  title: 'SHA256SUMS',
  file: 'SHA256SUMS',
  version: null,
  entries: 2,
  closed: null,
  signatures: [],
  problems: [],
  facts: [],
}
const signature = {
  method: 'ed25519',
  file: 'SHA256SUMS.sig',
  status: 'trusted',
  signer: 'vendor.pub',
  reason: 'It holds.',
  signedAt: null,
} as const
const none: ProvenanceOutcome = {
  root: 'delivery',
  manifests: [],
  coverage: null,
  files: [],
  facts: [],
  changes: null,
  changesFile: null,
  snapshot: null,
}
const changes = (counts: Partial<ChangeSummary['counts']>): ChangeSummary => ({
  before: { name: 'october', root: 'a'.repeat(64), records: 4708 },
  after: { name: 'november', root: 'b'.repeat(64), records: 3882 },
  counts: { added: 0, removed: 0, edited: 0, relabelled: 0, replaced: 0, ...counts },
  classes: [],
  sources: [],
  transitions: { labels: [], counts: [] },
  duplicates: { before: 0, after: 0 },
  concentrations: [],
  flood: null,
  notes: [],
})
const finding = (part: Partial<Finding> = {}): Finding => ({
  rule: 'provenance/mismatch',
  severity: 'high',
  confidence: 'certain',
  scope: { kind: 'file', names: ['data.csv'] },
  message: 'data.csv is not the file that SHA256SUMS names.',
  count: 1,
  records: [],
  evidence: [],
  test: null,
  action: 'Fetch it again.',
  ...part,
})
const rowless = (provenance: Partial<ProvenanceOutcome>, findings: readonly Finding[] = [], status: 'ran' | 'not-applicable' = 'ran') =>
  rowlessOutcome({
    subject: { name: 'delivery', version: null },
    now,
    provenance: { ...none, ...provenance },
    detectors: [
      provenanceDetector({ status, reason: status === 'ran' ? '1 manifest' : 'no manifest was found in delivery' }, [
        { findings, tests: [], notes: [] },
      ]),
    ],
  })
const signed: Partial<ProvenanceOutcome> = {
  manifests: [{ ...manifest, signatures: [signature] }],
  coverage: coverageOf({ verified: 2 }, 2),
}

describe('the verdict on files without rows', () => {
  test.each<[string, AuditOutcome, number, RegExp]>([
    ['all verified and signed', rowless(signed), 0, /^Every file is the one that SHA256SUMS names, signed by vendor\.pub\.$/],
    [
      'verified, not signed',
      rowless({ manifests: [manifest], coverage: coverageOf({ verified: 2 }) }, [
        finding({ rule: 'provenance/unsigned', severity: 'medium' }),
      ]),
      0,
      /^Every file is the one that SHA256SUMS names, and nobody whom the policy trusts has signed it\. There is 1 finding below high\.$/,
    ],
    [
      'verified in part',
      rowless({ ...signed, coverage: coverageOf({ verified: 1, unlisted: 3 }, 1) }),
      0,
      /^1 of 4 files is the one that SHA256SUMS names, signed by/,
    ],
    [
      'a file differs',
      rowless({ manifests: [manifest], coverage: coverageOf({ verified: 1, mismatched: 1, missing: 2 }) }, [finding()]),
      1,
      /^The delivery is not what its publisher released: 1 of 4 files differs from SHA256SUMS and 2 files are missing\.$/,
    ],
    [
      'a policy is not met',
      rowless({ manifests: [manifest], coverage: coverageOf({ verified: 2 }) }, [
        finding({ rule: 'provenance/unsigned', message: 'Nobody signed it.' }),
      ]),
      1,
      /^The delivery is refused: Nobody signed it\.$/,
    ],
    ['no manifest', rowless({}, [], 'not-applicable'), 3, /^Nothing was verified/],
    [
      'nothing changed',
      rowless({ root: null, changes: changes({}) }),
      0,
      /^Nothing changed: november holds the 3,882 records of october\.$/,
    ],
    [
      'changes that point nowhere',
      rowless({ root: null, changes: changes({ removed: 4, relabelled: 30 }) }, [
        finding({ rule: 'provenance/relabelled', severity: 'medium' }),
      ]),
      0,
      /^34 changes to the 4,708 records of october: 4 removed and 30 relabelled\. No finding is of severity high or above\.$/,
    ],
    [
      'changes that do',
      rowless({ root: null, changes: changes({ removed: 826 }) }, [
        finding({ rule: 'provenance/class-selective-removal', message: '826 of 1,214 normal are gone.' }),
      ]),
      1,
      /^The gate fails: 826 of 1,214 normal are gone\.$/,
    ],
  ])('%s', (_, outcome, exitCode, headline) => {
    const report = buildReport(outcome, policyOf())
    expect(report.exitCode).toBe(exitCode)
    expect(report.headline).toMatch(headline)
    expect(parseReport(JSON.stringify(report))).toEqual(report)
    const terminal = renderTerminal(report, { color: false, width: 100 })
    for (const text of [terminal, renderMarkdown(report)]) expect(text).not.toMatch(/\b0 rows|0 of 0/)
  })

  test('a step that failed makes it incomplete, whatever was verified', () => {
    const outcome: AuditOutcome = {
      ...rowless(signed),
      incomplete: [{ code: 'unreadable', message: 'a.csv cannot be read', place: { file: 'a.csv' }, hint: null }],
    }
    const report = buildReport(outcome, policyOf())
    expect(report.exitCode).toBe(2)
    expect(report.headline).toMatch(/incomplete/)
  })

  test('says why there is nothing to verify', () => {
    const { reasons } = buildReport(rowless({}, [], 'not-applicable'), policyOf())
    expect(reasons).toEqual([expect.objectContaining({ code: 'nothing-audited', message: 'no manifest was found in delivery' })])
  })
})

describe('provenance beside detectors', () => {
  const ran = provenanceDetector({ status: 'ran', reason: '1 manifest' }, [])
  const beside = (part: Partial<AuditOutcome>): AuditOutcome => ({
    ...poisoned,
    rows: { read: 100, rejected: 0, unlabelled: 0, flagged: 0, reference: 0 },
    detectors: [labelFlip({ rowsScored: 100 }), ran],
    provenance: { ...none, ...signed },
    ...part,
  })

  test('scores no rows: no coverage, and the gate asks for none', () => {
    const report = buildReport(beside({}), policyOf())
    expect(report.exitCode).toBe(0)
    expect(report.detectors.map((d) => d.coverage)).toEqual([1, null])
  })

  test.each([
    ['ran', 0],
    ['not-applicable', 2],
  ] as const)('required and %s: exit %i', (status, exitCode) => {
    const outcome = beside({ detectors: [labelFlip({ rowsScored: 100 }), provenanceDetector({ status, reason: 'no manifest' }, [])] })
    expect(buildReport(outcome, policyOf({ require: ['provenance'] })).exitCode).toBe(exitCode)
  })

  test('files that verify do not make up for sources without rows', () => {
    const outcome = beside({ rows: { read: 0, rejected: 0, unlabelled: 0, flagged: 0, reference: 0 }, detectors: [labelFlip({}), ran] })
    expect(buildReport(outcome, policyOf()).exitCode).toBe(3)
    const failing = provenanceDetector({ status: 'ran', reason: '1 manifest' }, [{ findings: [finding()], tests: [], notes: [] }])
    expect(buildReport({ ...outcome, detectors: [labelFlip({}), failing] }, policyOf()).exitCode).toBe(1)
  })

  test('what names a class comes before the file, whatever its p-value', () => {
    const selective = finding({
      rule: 'provenance/class-selective-removal',
      scope: { kind: 'class', names: ['normal'] },
      message: '826 of 1,214.',
      test: 't',
    })
    const detector = provenanceDetector({ status: 'ran', reason: '' }, [
      { findings: [finding(), selective], tests: [{ id: 't', method: 'exact', p: 1e-9 }], notes: [] },
    ])
    expect(buildReport(beside({ detectors: [detector] }), policyOf()).findings.map((f) => f.message)).toEqual([
      '826 of 1,214.',
      finding().message,
    ])
    const critical = provenanceDetector({ status: 'ran', reason: '' }, [
      { findings: [finding({ severity: 'critical' }), selective], tests: [{ id: 't', method: 'exact', p: 1e-9 }], notes: [] },
    ])
    const report = buildReport(beside({ detectors: [critical] }), policyOf())
    expect(report.findings[0]?.severity).toBe('critical')
    expect(report.headline).toBe('The gate fails: 826 of 1,214.')
  })

  test('blind spots say what provenance lacked', () => {
    const titles = (part: Partial<ProvenanceOutcome>) =>
      buildReport(beside({ provenance: { ...none, ...part } }), policyOf())
        .blindSpots.filter((s) => s.family === 'data-provenance')
        .map((s) => s.title)
    expect(titles({})).toEqual(['No manifest of the publisher', 'No baseline'])
    expect(titles(signed)).toEqual(['No baseline', 'What was wrong from the start'])
    expect(titles({ manifests: [manifest], coverage: coverageOf({ 'weak-digest': 1 }), changes: changes({}) })).toEqual([
      'Manifests that nobody vouches for',
      'Weak digests',
      'What was wrong from the start',
    ])
    expect(buildReport(beside({ detectors: [labelFlip({})], provenance: null }), policyOf()).blindSpots.map((s) => s.title)).toContain(
      'Provenance',
    )
  })
})

describe('a hostile manifest', () => {
  const long = 'x'.repeat(10_000)
  const file: FileGrade = {
    path: long,
    bytes: Number.POSITIVE_INFINITY,
    grade: 'mismatched',
    manifests: Array.from({ length: 120 }, () => long),
    expected: { algorithm: 'sha256', hex: long },
    actual: long,
    signed: false,
    label: long,
    url: long,
  }
  const outcome = rowless({
    manifests: Array.from({ length: 500 }, () => ({
      ...manifest,
      file: long,
      signatures: Array.from({ length: 100 }, () => ({ ...signature, signer: long })),
      problems: Array.from({ length: 120 }, () => ({
        code: 'malformed' as const,
        message: long,
        place: { file: long, line: -1 },
        invalid: true,
      })),
    })),
    coverage: { ...coverageOf({ mismatched: 1 }), verifiedFiles: Number.NaN },
    files: Array.from({ length: 5_000 }, () => file),
    facts: Array.from({ length: 5_000 }, () => ({ by: long, name: long, declared: long, read: long, agrees: false })),
    changes: {
      ...changes({ removed: 1 }),
      classes: Array.from({ length: 5_000 }, (_, i) => ({
        name: long,
        split: null,
        before: 1,
        after: 1,
        counts: { ...changes({}).counts, removed: i },
      })),
      transitions: {
        labels: Array.from({ length: 500 }, (_, i) => `${i}`),
        counts: Array.from({ length: 500 }, () => new Array(500).fill(1)),
      },
      concentrations: [],
    },
  })

  test('makes a report of bounded size that reads back', { timeout: 120_000 }, () => {
    const report = buildReport(outcome, policyOf())
    const text = JSON.stringify(report)
    // As one text: `toEqual` walks these megabytes for ten seconds.
    expect(JSON.stringify(parseReport(text)) === text).toBe(true)
    expect(report.provenance?.files).toHaveLength(1_000)
    expect(report.provenance?.manifestCount).toBe(500)
    expect(report.provenance?.changes?.classes.map((c) => c.counts.removed)).toContain(4_999)
    expect(report.provenance?.changes?.transitions.labels).toHaveLength(40)
    expect(text).not.toContain('x'.repeat(2_001))
    expect(text.length).toBeLessThan(40_000_000)
  })
})

test('a report written before provenance reads as one without', async () => {
  const report = buildReport(poisoned, policyOf())
  const { provenance, ...older } = report
  expect(provenance).toBeNull()
  expect(parseReport(JSON.stringify(older))).toEqual(report)
  expect(await renderSarif(parseReport(JSON.stringify(older)))).toBe(await renderSarif(report))
})
