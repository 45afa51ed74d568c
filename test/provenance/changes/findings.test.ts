import { describe, expect, test } from 'vitest'
import type { Conclusion } from '../../../src/contracts/detector.ts'
import { keepExamples } from '../../../src/provenance/changes/examples.ts'
import { changeFindings } from '../../../src/provenance/changes/findings.ts'
import { chance, percent } from '../../../src/provenance/changes/words.ts'
import { provenanceRules } from '../../../src/provenance/rules.ts'
import { generator } from '../../e2e/records.ts'
import { diffRows, type Making, type Row, type Shards } from '../snapshot/make.ts'

/** 400 records: one in four normal, from four sources, over 400 hours. */
const rows: readonly Row[] = Array.from({ length: 400 }, (_, i) => ({
  id: `r${i}`,
  text: `${(i * 2654435761) % 4294967296} ${i}`,
  label: i % 4 === 0 ? 'normal' : 'pneumonia',
  source: `ward ${Math.floor(i / 4) % 4}`,
  time: new Date(1.7e12 + ((i * 37) % 400) * 3_600_000).toISOString(),
}))

async function conclude(before: Shards, after: Shards, how: Making = {}): Promise<Conclusion> {
  const { summary, changes } = await diffRows(before, after, how)
  const { add, examples } = keepExamples()
  for (const change of changes) add(change)
  return changeFindings(summary, examples)
}

const one = async (after: readonly Row[], how: Making = {}) => conclude({ 'x.csv': rows }, { 'x.csv': after }, how)
const heads = ({ findings }: Conclusion) => findings.map((f) => [f.rule, f.severity, f.count])

describe('what is said of changes', () => {
  test('provenance/class-selective-removal: which class lost what, and how likely that is', async () => {
    const found = await one(rows.filter((r, i) => !(r.label === 'normal' && i % 3 === 0)))
    expect(heads(found)).toEqual([['provenance/class-selective-removal', 'high', 34]])
    const [finding] = found.findings
    // exactly: 2 C(100, 34) / C(400, 34)
    expect(finding?.message).toMatch(
      /^34 of 100 records of class normal \(34 %\) are missing and 0 of 300 of class pneumonia; by chance p = 4\.9e-23\.$/,
    )
    expect(finding?.scope).toEqual({ kind: 'class', names: ['normal'] })
    expect(finding?.records.every((r) => r.givenLabel === 'normal' && r.group === 'removed')).toBe(true)
    expect(finding?.records).toHaveLength(20)
    const shares = finding?.evidence.find((e) => e.kind === 'intervals')
    expect(shares?.items).toMatchObject([
      { name: 'normal', count: 34, total: 100, marked: true },
      { name: 'pneumonia', count: 0, total: 300, low: 0, marked: false },
    ])
    expect(found.tests.map((t) => t.id)).toContain(finding?.test)
  })

  test('names the split where the data have several', async () => {
    const lost = rows.filter((r, i) => !(r.label === 'normal' && i % 3 === 0))
    const others = rows.map((r) => ({ ...r, id: `v${r.id}` }))
    const found = await conclude({ 'train.csv': rows, 'val.csv': others }, { 'train.csv': lost, 'val.csv': others })
    expect(found.findings[0]?.message).toContain('0 of 300 of class pneumonia in train; by chance')
    expect(found.findings[0]?.scope.names).toEqual(['normal', 'train'])
  })

  test('provenance/removed: one source, one stretch of a file, one time', async () => {
    expect((await one(rows.filter((r) => r.source !== 'ward 2'))).findings[0]).toMatchObject({
      rule: 'provenance/removed',
      severity: 'high',
      scope: { kind: 'source', names: ['ward 2'] },
      message: expect.stringMatching(
        /^100 of 100 records of source ward 2 \(100 %\) are missing and 0 of 300 of all others; by chance p = /,
      ),
    })
    const [stretch] = (await one(rows.filter((_, i) => i < 100 || i >= 140))).findings
    expect(stretch).toMatchObject({ rule: 'provenance/removed', severity: 'high', scope: { kind: 'dataset', names: ['position'] } })
    expect(stretch?.message).toMatch(
      /^20 of 20 records at rows 1[02]0 to 1[13]9 of x\.csv \(100 %\) are missing and 20 of 380 of all others/,
    )
    const from = Date.parse('2023-11-20T00:00:00Z')
    const [night] = (await one(rows.filter((r) => Math.abs(Date.parse(r.time ?? '') - from) > 36 * 3_600_000))).findings
    expect(night).toMatchObject({ rule: 'provenance/removed', scope: { names: ['time'] } })
    expect(night?.message).toMatch(/records from 2023-11-\d\dT\d\d:13:20Z to before 2023-11-\d\dT/)
  })

  test('provenance/relabelled: one class, and the table of transitions', async () => {
    const found = await one(
      rows.map((r, i) => (r.label === 'normal' && (r.source === 'ward 0' || i < 80) ? { ...r, label: 'pneumonia' } : r)),
    )
    expect(heads(found)).toEqual([['provenance/relabelled', 'high', 40]])
    const [finding] = found.findings
    expect(finding?.message).toMatch(
      /^40 of 100 records of class normal \(40 %\) have another label and 0 of 300 of class pneumonia; by chance/,
    )
    expect(finding?.message).toContain(' Also by source: 25 of 40 of source ward 0 (p = ')
    expect(finding?.evidence.find((e) => e.kind === 'matrix')).toMatchObject({
      rows: ['normal', 'pneumonia'],
      counts: [
        [0, 40],
        [0, 0],
      ],
    })
    expect(finding?.records[0]).toMatchObject({ givenLabel: 'pneumonia', suggestedLabel: 'normal', group: 'relabelled' })
  })

  test('provenance/edited: replaced records are counted with them', async () => {
    const found = await one(
      rows.map((r, i) => (i % 40 === 3 + (i % 3) ? { ...r, text: 'other' } : i % 100 === 7 ? { ...r, text: 'new', label: 'normal' } : r)),
    )
    expect(heads(found)).toEqual([['provenance/edited', 'medium', 16]])
    expect(found.findings[0]?.message).toMatch(
      /^16 records have other content, 4 of them another label as well \(4 % of 400\): 12 of class pneumonia, 4 of class normal\. They are spread as random corrections would be/,
    )
    expect(found.findings[0]?.test).toBeNull()
  })

  test('provenance/added and provenance/flooded', async () => {
    const more = (n: number, of: (i: number) => Partial<Row>) =>
      Array.from(
        { length: n },
        (_, i): Row => ({
          id: `n${i}`,
          text: `new ${i * 7919}`,
          label: i % 4 ? 'pneumonia' : 'normal',
          source: `ward ${i % 4}`,
          time: null,
          ...of(i),
        }),
      )
    const grown = await one([...rows, ...more(40, () => ({}))])
    expect(heads(grown)).toEqual([['provenance/added', 'medium', 40]])
    const oneClass = await one([...rows, ...more(40, () => ({ label: 'normal' }))])
    expect(heads(oneClass)).toEqual([['provenance/added', 'high', 40]])
    expect(oneClass.findings[0]?.message).toContain('40 of 140 records of class normal (29 %) are new and 0 of 300 of class pneumonia')
    const oneSource = await one([...rows, ...more(40, () => ({ source: 'new site' }))])
    expect(heads(oneSource)).toEqual([['provenance/added', 'medium', 40]])
    expect(oneSource.findings[0]?.test).not.toBeNull()
    const flood = await one([...rows, ...more(40, (i) => (i < 35 ? { text: rows[9]?.text as string } : {}))])
    expect(heads(flood)).toEqual([
      ['provenance/added', 'medium', 40],
      ['provenance/flooded', 'high', 35],
    ])
    expect(flood.findings[1]?.message).toMatch(
      /^35 of 40 records that were added copy the content of another one; in the baseline 0 % do: by chance p = \d\.\de-\d+\. The content copied most often came 35 times, as row \d+ of x\.csv\.$/,
    )
  })

  test('nothing changed is nothing found', async () => {
    expect(await one([...rows].reverse())).toEqual({ findings: [], tests: [], notes: expect.anything() })
  })

  test('cites its own rules and tests, each test once', async () => {
    const { uniform } = generator(5)
    const after = rows.flatMap((r) => {
      const u = uniform()
      return u < 0.2 && r.label === 'normal' ? [] : u < 0.4 ? [{ ...r, text: 'x' }] : u < 0.5 ? [{ ...r, label: 'third' }] : [r]
    })
    for (const ids of [true, false]) {
      const found = await one(after, { ids })
      const known = new Set(provenanceRules.map((r) => r.id))
      expect(found.findings.filter((f) => !known.has(f.rule))).toEqual([])
      expect(new Set(found.tests.map((t) => t.id)).size).toBe(found.tests.length)
      for (const f of found.findings) if (f.test !== null) expect(found.tests.map((t) => t.id)).toContain(f.test)
      expect(found.findings.some((f) => f.test !== null)).toBe(true)
      expect(found.tests.every((t) => t.p >= 0 && t.p <= 1)).toBe(true)
    }
  })
})

describe('words', () => {
  test.each([
    [-618.7, 'p < 1e-300'],
    [-300, 'p = 1.0e-300'],
    [-3.9, 'p = 1.3e-4'],
    [-1, 'p = 0.1'],
    [0, 'p = 1'],
  ])('10 ** %d is %s', (log10P, words) => {
    expect(chance(log10P)).toBe(words)
  })
  test.each([
    [826, 1214, '68 %'],
    [0, 5, '0 %'],
    [5, 5, '100 %'],
    [1, 3000, '<0.1 %'],
    [35, 1000, '3.5 %'],
    [999, 1000, '99.9 %'],
    [99_999, 100_000, '99.9 %'],
  ])('%d of %d is %s', (part, whole, words) => {
    expect(percent(part, whole)).toBe(words)
  })
})
