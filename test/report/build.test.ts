import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Finding, Severity } from '../../src/contracts/finding.ts'
import type { AuditOutcome, DetectorOutcome } from '../../src/contracts/outcome.ts'
import type { Gate, Waiver } from '../../src/contracts/pipeline.ts'
import { buildReport, combinedScore, type Policy } from '../../src/report/build.ts'
import { fingerprintOf } from '../../src/report/fingerprint.ts'
import { parseReport } from '../../src/report/schema.ts'
import { outcome as poisoned } from '../golden/cases/poisoned-tabular.ts'
import { labelFlip, notApplicable, record, source } from '../golden/parts.ts'

const gate: Gate = { 'fail-on': 'high', 'max-flagged': 0.1, require: [], 'min-coverage': 0.9 }
const policyOf = (part: Partial<Omit<Policy, 'gate'>> & { gate?: Partial<Gate> } = {}): Policy => ({
  waivers: [],
  now: new Date('2026-11-23T12:00:00Z'),
  excerpts: false,
  ...part,
  gate: { ...gate, ...part.gate },
})
const found = (part: Partial<Finding> = {}): Finding => ({
  rule: source.id,
  severity: 'high',
  confidence: 'high',
  scope: { kind: 'source', names: ['B', '3', '8'] },
  message: 'Source B relabels 3.',
  count: 5,
  records: [],
  evidence: [],
  test: null,
  action: 'Look.',
  ...part,
})
const outcomeOf = (detector: Partial<DetectorOutcome>, part: Partial<AuditOutcome> = {}): AuditOutcome => ({
  ...poisoned,
  rows: { read: 100, rejected: 0, unlabelled: 0, flagged: 5, reference: 0 },
  detectors: [labelFlip({ rowsScored: 100, rowsFlagged: 5, required: false, ...detector })],
  ...part,
})
const waiver = (part: Partial<Waiver> = {}): Waiver => ({
  fingerprint: fingerprintOf(found()),
  statement: 'known',
  expires: '2026-12-01',
  maxCount: 5,
  ...part,
})

describe('verdict and exit code', () => {
  const lost = { code: 'truncated', message: 'ends early', place: { file: 'a.csv' }, hint: null }
  test.each<[string, AuditOutcome, Policy, string, number, string[]]>([
    ['no finding', outcomeOf({}), policyOf(), 'passed', 0, []],
    ['a finding at the threshold', outcomeOf({ findings: [found()] }), policyOf(), 'failed', 1, ['finding']],
    ['a finding below it', outcomeOf({ findings: [found({ severity: 'medium' })] }), policyOf(), 'passed', 0, []],
    [
      'fail-on never',
      outcomeOf({ findings: [found({ severity: 'critical' })] }),
      policyOf({ gate: { 'fail-on': 'never' } }),
      'passed',
      0,
      [],
    ],
    [
      'review never fails',
      outcomeOf({ findings: [found({ severity: 'review' })] }),
      policyOf({ gate: { 'fail-on': 'low' } }),
      'passed',
      0,
      [],
    ],
    ['too many flagged', outcomeOf({}), policyOf({ gate: { 'max-flagged': 0.049 } }), 'failed', 1, ['max-flagged']],
    ['exactly as many flagged as allowed', outcomeOf({}), policyOf({ gate: { 'max-flagged': 0.05 } }), 'passed', 0, []],
    ['input incomplete', outcomeOf({}, { incomplete: [lost] }), policyOf(), 'incomplete', 2, ['input-incomplete']],
    [
      'incomplete outranks failed',
      outcomeOf({ findings: [found()] }, { incomplete: [lost] }),
      policyOf(),
      'incomplete',
      2,
      ['input-incomplete', 'finding'],
    ],
    ['a detector failed', outcomeOf({ status: 'failed', reason: 'boom' }), policyOf(), 'incomplete', 2, ['detector-failed']],
    [
      'a required detector did not run',
      outcomeOf({}, { detectors: [labelFlip({ rowsScored: 100 }), notApplicable('trigger-image', 'T', 'no image')] }),
      policyOf({ gate: { require: ['trigger-image'] } }),
      'incomplete',
      2,
      ['required-detector'],
    ],
    ['a required detector is unknown', outcomeOf({}), policyOf({ gate: { require: ['magic'] } }), 'incomplete', 2, ['required-detector']],
    [
      'required by the outcome',
      outcomeOf({ status: 'disabled', reason: 'off', required: true }),
      policyOf(),
      'incomplete',
      2,
      ['required-detector'],
    ],
    ['too little coverage', outcomeOf({ rowsScored: 89 }), policyOf(), 'incomplete', 2, ['min-coverage']],
    ['just enough coverage', outcomeOf({ rowsScored: 90 }), policyOf(), 'passed', 0, []],
    ['no detector ran', outcomeOf({ status: 'not-applicable', reason: 'no label' }), policyOf(), 'nothing-audited', 3, ['nothing-audited']],
    [
      'no rows',
      outcomeOf({ rowsScored: 0, required: true }, { rows: { read: 0, rejected: 0, unlabelled: 0, flagged: 0, reference: 0 } }),
      policyOf(),
      'nothing-audited',
      3,
      ['nothing-audited'],
    ],
    [
      'no rows because the file broke off',
      outcomeOf({ rowsScored: 0 }, { rows: { read: 0, rejected: 0, unlabelled: 0, flagged: 0, reference: 0 }, incomplete: [lost] }),
      policyOf(),
      'incomplete',
      2,
      ['input-incomplete'],
    ],
  ])('%s', (_, outcome, policy, verdict, exitCode, codes) => {
    const report = buildReport(outcome, policy)
    expect({ verdict: report.verdict, exitCode: report.exitCode, codes: report.reasons.map((r) => r.code) }).toEqual({
      verdict,
      exitCode,
      codes,
    })
    expect(parseReport(JSON.stringify(report))).toEqual(report)
  })

  test('a finding gates exactly when its severity reaches fail-on', () => {
    const order: readonly Severity[] = ['critical', 'high', 'medium', 'low']
    for (const [i, failOn] of order.entries())
      for (const [j, severity] of order.entries()) {
        const report = buildReport(
          outcomeOf({ findings: [found({ severity })] }),
          policyOf({ gate: { 'fail-on': failOn as Gate['fail-on'] } }),
        )
        expect(report.findings[0]?.gates).toBe(j <= i)
      }
  })
})

describe('one correction over all tests of all detectors', () => {
  const suspicion = (p: number, others: readonly number[]): AuditOutcome =>
    outcomeOf(
      {},
      {
        detectors: [
          labelFlip({ rowsScored: 100, findings: [found({ test: 'mine' })], tests: [{ id: 'mine', method: 'exact', p }] }),
          labelFlip({ id: 'other', rules: [], rowsScored: 100, tests: others.map((q, i) => ({ id: `t${i}`, method: 'exact', p: q })) }),
        ],
      },
    )

  test.each([
    ['alone', 0.04, [], true],
    ['among tests of another detector', 0.04, [0.5, 0.6, 0.7], false],
    ['small enough for them', 0.012, [0.5, 0.6, 0.7], true],
    ['carried by smaller ones', 0.04, [0.001, 0.002, 0.003], true],
    ['at the level', 0.05, [], true],
  ])('%s', (_, p, others, significant) => {
    const report = buildReport(suspicion(p, others), policyOf())
    expect(report.findings).toHaveLength(significant ? 1 : 0)
    expect(report.notSignificant).toHaveLength(significant ? 0 : 1)
    expect(report.exitCode).toBe(significant ? 1 : 0)
    expect(report.correction.tests).toBe(others.length + 1)
  })

  test('a suspicion that is not significant shows no records', () => {
    const shown = { id: 'a', shard: 's', row: 1, score: 1, pValue: null, givenLabel: null, suggestedLabel: null, source: null, group: null }
    const report = buildReport(
      outcomeOf({ findings: [found({ test: 't', records: [shown] })], tests: [{ id: 't', method: 'exact', p: 0.5 }] }),
      policyOf(),
    )
    expect(report.records).toEqual([])
    expect(report.notSignificant[0]?.records).toEqual([])
  })

  test.each<[string, Partial<DetectorOutcome>, string]>([
    ['a test that was not reported', { findings: [found({ test: 'gone' })] }, 'unknown-test'],
    ['a p-value above 1', { tests: [{ id: 't', method: 'm', p: 1.2 }] }, 'invalid-test'],
    ['a p-value that is no number', { tests: [{ id: 't', method: 'm', p: Number.NaN }] }, 'invalid-test'],
    [
      'a test twice',
      {
        tests: [
          { id: 't', method: 'm', p: 0.1 },
          { id: 't', method: 'm', p: 0.2 },
        ],
      },
      'invalid-test',
    ],
    ['a foreign rule', { findings: [found({ rule: 'other/rule' })] }, 'unknown-rule'],
  ])('refuses %s', (_, detector, code) => {
    expect(() => buildReport(outcomeOf(detector), policyOf())).toThrow(expect.objectContaining({ code, exit: 2 }))
  })
})

describe('fingerprint', () => {
  test('is SHA-256 over rule, scope kind and names', () => {
    const expected = createHash('sha256').update('["label-flip/source","source","B","3","8"]').digest('hex')
    expect(fingerprintOf(found())).toBe(expected)
  })

  test('does not depend on numbers, positions or order of detection', () => {
    const other = found({ message: 'else', count: 99, severity: 'low', action: 'x', test: null })
    expect(fingerprintOf(other)).toBe(fingerprintOf(found()))
  })

  test('keeps direction, and names apart', () => {
    const of = (names: readonly string[]) => fingerprintOf(found({ scope: { kind: 'class-pair', names } }))
    expect(of(['3', '8'])).not.toBe(of(['8', '3']))
    expect(of(['a","b'])).not.toBe(of(['a', 'b']))
    expect(of(['e\u0301'])).toBe(of(['\u00e9']))
    fc.assert(
      fc.property(fc.array(fc.string()), fc.array(fc.string()), (a, b) => JSON.stringify(a) === JSON.stringify(b) || of(a) !== of(b)),
    )
  })
})

describe('waivers', () => {
  test.each<[string, Partial<Waiver>, string, number]>([
    ['holds', {}, 'applied', 0],
    ['holds until the day before', { expires: '2026-11-24' }, 'applied', 0],
    ['no longer on its day', { expires: '2026-11-23' }, 'expired', 1],
    ['with a time of day', { expires: '2026-11-24T08:00:00Z' }, 'applied', 0],
    ['not without a readable date', { expires: 'never' }, 'expired', 1],
    ['not with an impossible date', { expires: '2026-99-99' }, 'expired', 1],
    ['not beyond its count', { maxCount: 4 }, 'exceeded', 1],
    ['unused', { fingerprint: 'a'.repeat(64) }, 'unused', 1],
  ])('%s', (_, part, state, exitCode) => {
    const report = buildReport(outcomeOf({ findings: [found()] }), policyOf({ waivers: [waiver(part)] }))
    expect(report.waivers[0]?.state).toBe(state)
    expect(report.exitCode).toBe(exitCode)
    expect(report.findings).toHaveLength(1)
    expect(report.findings[0]?.status).toBe(state === 'applied' ? 'waived' : 'open')
  })

  test('does not waive the flagged fraction', () => {
    const report = buildReport(outcomeOf({ findings: [found()] }), policyOf({ waivers: [waiver()], gate: { 'max-flagged': 0.01 } }))
    expect(report.reasons.map((r) => r.code)).toEqual(['max-flagged'])
  })
})

describe('records', () => {
  const ref = { id: 'a', shard: 's.csv', row: 3, score: 0.5, pValue: null, givenLabel: '3', suggestedLabel: '8', source: 'B', group: null }
  const twice = outcomeOf({
    findings: [
      found({ records: [{ ...ref, excerpt: 'private', thumbnail: 'data:image/png;base64,AAAA' }] }),
      found({
        rule: record.id,
        severity: 'review',
        scope: { kind: 'records', names: [] },
        records: [
          { ...ref, score: 0.9 },
          { ...ref, row: 4 },
        ],
      }),
    ],
  })

  test('appear once, with a part for each finding', () => {
    const report = buildReport(twice, policyOf())
    expect(report.records.map((r) => [r.row, r.parts.map((p) => [p.rule, p.score])])).toEqual([
      [
        3,
        [
          [source.id, 0.5],
          [record.id, 0.9],
        ],
      ],
      [4, [[record.id, 0.5]]],
    ])
    expect(report.findings.map((f) => f.records)).toEqual([[0], [0, 1]])
  })

  test('carry content only when the policy allows it', () => {
    expect(JSON.stringify(buildReport(twice, policyOf()))).not.toMatch(/private|base64/)
    const shown = buildReport(twice, policyOf({ excerpts: true })).records[0]
    expect([shown?.excerpt, shown?.thumbnail]).toEqual(['private', 'data:image/png;base64,AAAA'])
  })

  test.each([
    'data:image/svg+xml,<svg>',
    'https://evil.example/x.png',
    'data:image/png;base64,"><script>',
    `data:image/png;base64,${'A'.repeat(500_000)}`,
  ])('leave out the thumbnail %#', (thumbnail) => {
    const outcome = outcomeOf({ findings: [found({ records: [{ ...ref, thumbnail }] })] })
    expect(buildReport(outcome, policyOf({ excerpts: true })).records[0]?.thumbnail).toBeNull()
  })
})

describe('what the report keeps', () => {
  test('is bounded, finite and valid for any evidence', () => {
    const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY))
    const item = fc.record({
      name: fc.string(),
      count: number,
      total: number,
      estimate: number,
      low: number,
      high: number,
      marked: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(item, { maxLength: 300 }), fc.array(number), fc.double({ noNaN: false }), (items, edges, threshold) => {
        const evidence: Finding['evidence'] = [
          { kind: 'intervals', title: 't', level: 0.95, expected: threshold, items },
          { kind: 'histogram', title: 't', xTitle: 'x', edges, series: [{ name: 's', counts: edges }], threshold },
          { kind: 'table', title: 't', columns: ['a'], rows: edges.map((e) => [e]) },
        ]
        const report = buildReport(outcomeOf({ findings: [found({ evidence })] }), policyOf())
        expect(() => parseReport(JSON.stringify(report))).not.toThrow()
      }),
      { numRuns: 50 },
    )
  })

  test('a matrix of a thousand classes keeps the marked cells', () => {
    const classes = Array.from({ length: 1000 }, (_, i) => `c${i}`)
    const counts = classes.map((_, i) => classes.map((__, j) => (i === j ? 50 : i === 700 && j === 13 ? 40 : 0)))
    const evidence: Finding['evidence'] = [
      {
        kind: 'matrix',
        title: 'flips',
        rowTitle: 'given',
        columnTitle: 'suggested',
        rows: classes,
        columns: classes,
        counts,
        marked: [[700, 13]],
      },
    ]
    const kept = buildReport(outcomeOf({ findings: [found({ evidence })] }), policyOf()).findings[0]?.evidence[0]
    if (kept?.kind !== 'matrix') throw new Error('no matrix')
    expect(kept.rows.length).toBe(40)
    const [[i, j]] = kept.marked as [[number, number]]
    expect([kept.rows[i], kept.columns[j], kept.counts[i]?.[j]]).toEqual(['c700', 'c13', 40])
  })

  test('gravest finding first, waived last', () => {
    const findings = [
      found({ severity: 'low', scope: { kind: 'class', names: ['l'] } }),
      found({ severity: 'critical', scope: { kind: 'class', names: ['c'] } }),
      found(),
    ]
    const shown = buildReport(outcomeOf({ findings }), policyOf({ waivers: [waiver()] })).findings
    expect(shown.map((f) => [f.severity, f.status])).toEqual([
      ['critical', 'open'],
      ['low', 'open'],
      ['high', 'waived'],
    ])
  })

  test('equal input, equal bytes', () => {
    const once = JSON.stringify(buildReport(poisoned, policyOf()))
    expect(JSON.stringify(buildReport(structuredClone(poisoned), policyOf()))).toBe(once)
  })
})

describe('what the audit cannot see', () => {
  const spots = (outcome: AuditOutcome) => buildReport(outcome, policyOf()).blindSpots.map((s) => `${s.kind}: ${s.title}`)

  test('names what no detector that ran covers', () => {
    expect(spots(outcomeOf({ status: 'not-applicable', reason: 'no label' }))).toContain('not-covered: Label flips')
    expect(spots(outcomeOf({}))).not.toContain('not-covered: Label flips')
  })

  test('speaks of text and images only where there are some', () => {
    const text = outcomeOf({}, { columns: [{ name: 'note', type: 'text', role: 'text' }] })
    expect(spots(text)).toContain('not-covered: Hidden text and instructions')
    expect(spots(outcomeOf({}))).not.toContain('not-covered: Hidden text and instructions')
  })

  test('a reference set lifts the limit that it lifts', () => {
    const limit = 'limit: A whole subpopulation flipped'
    expect(spots(outcomeOf({}))).toContain(limit)
    expect(spots(outcomeOf({}, { rows: { read: 100, rejected: 0, unlabelled: 0, flagged: 5, reference: 600 } }))).not.toContain(limit)
  })
})

describe('the combined score of a record', () => {
  const part = (rule: string, score: number) => ({ rule, score })
  test('is that of a single detector, however many of its rules name the record', () => {
    expect(combinedScore([part('a/x', 0.3), part('a/y', 0.1)])).toBe(0.3)
    expect(combinedScore([])).toBe(0)
  })
  test('rises where detectors agree, and stays in 0..1', () => {
    expect(combinedScore([part('a/x', 0.5), part('b/x', 0.5)])).toBe(0.75)
    expect(combinedScore([part('a/x', 1), part('b/x', 0.2)])).toBe(1)
    expect(combinedScore([part('a/x', 0), part('b/x', 0.2)])).toBeCloseTo(0.2, 12)
  })
})
