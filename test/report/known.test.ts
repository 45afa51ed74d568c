import { describe, expect, test } from 'vitest'
import type { KnownFinding } from '../../src/contracts/pipeline.ts'
import { buildReport } from '../../src/report/build.ts'
import { pruneKnown, updateKnown } from '../../src/report/known.ts'
import { renderSarif } from '../../src/report/render/sarif.ts'
import { outcome, policy } from '../golden/cases/known-findings.ts'

const report = buildReport(outcome, policy)
const known = policy.known as readonly KnownFinding[]

describe('known findings', () => {
  test('stay in the report, and only what is new or has grown fails the gate', () => {
    expect(report.known?.map((k) => k.state)).toEqual(['known', 'grew', 'stale', 'not-tested'])
    expect(report.findings.map((f) => [f.rule, f.status, f.gates])).toEqual([
      ['label-flip/class-pair', 'open', true],
      ['label-flip/record', 'open', false],
      ['label-flip/source', 'known', false],
    ])
    expect([report.verdict, report.headline]).toEqual([
      'failed',
      'The gate fails: 1 finding of severity high or above and more flagged rows than allowed (1 finding known).',
    ])
  })

  test('with every finding known the gate passes; a graver one comes back', () => {
    const all = updateKnown([], report, 0).findings
    const again = buildReport(outcome, { ...policy, gate: { ...policy.gate, 'max-flagged': 1 }, known: all })
    expect([again.verdict, again.findings.every((f) => f.status === 'known')]).toEqual(['passed', true])
    const milder = all.map((k) => (k.rule === 'label-flip/source' ? { ...k, severity: 'low' as const } : k))
    expect(
      buildReport(outcome, { ...policy, known: milder })
        .findings.filter((f) => f.gates)
        .map((f) => f.rule),
    ).toEqual(['label-flip/source'])
  })

  test('an update keeps the date of what is held, adds what is new, and takes over what grew, with a margin', () => {
    const next = updateKnown(known, { ...report, evaluatedAt: '2026-12-24T01:00:00Z' }, 0.1)
    expect([next.added, next.changed, next.kept]).toEqual([1, 1, 3])
    const grown = next.findings.find((k) => k.rule === 'label-flip/class-pair')
    const count = report.findings.find((f) => f.rule === 'label-flip/class-pair')?.count as number
    expect(grown).toMatchObject({ count, maxCount: Math.ceil(count * 1.1), accepted: '2026-12-24' })
    expect(next.findings.find((k) => k.fingerprint === known[0]?.fingerprint)).toEqual(known[0])
  })

  test('pruning drops what was looked for and not found, and nothing else', () => {
    const { findings, stale } = pruneKnown(known, report)
    expect(stale.map((k) => k.fingerprint)).toEqual(['ab'.repeat(32)])
    expect(findings.map((k) => k.fingerprint).sort()).toEqual(
      known
        .map((k) => k.fingerprint)
        .filter((f) => f !== 'ab'.repeat(32))
        .sort(),
    )
  })

  test('SARIF says what is new, grown, unchanged and absent', async () => {
    const { results } = JSON.parse(await renderSarif(report)).runs[0] as { results: { ruleId: string; baselineState?: string }[] }
    expect(results.map((r) => [r.ruleId, r.baselineState])).toEqual([
      ['label-flip/class-pair', 'updated'],
      ['label-flip/record', 'new'],
      ['label-flip/source', 'unchanged'],
      ['label-flip/source', 'absent'],
    ])
    const { known: _, ...without } = policy
    const plain = JSON.parse(await renderSarif(buildReport(outcome, without))).runs[0] as { results: { baselineState?: string }[] }
    expect(plain.results.every((r) => r.baselineState === undefined)).toBe(true)
  })
})
