import { describe, expect, test } from 'vitest'
import type { Night } from '../../src/contracts/history.ts'
import { concludeHistory } from '../../src/history/conclude.ts'
import { nightlyChanges } from '../../src/history/streams.ts'
import { keyed } from '../../src/math/rng.ts'

const classes = ['a', 'b', 'c'] as const
type Moves = readonly (readonly [from: string, to: string, count: number])[]

/** Nights of a store of three classes; `moves` says which labels are changed in one, `part` what else is different. */
function nightsOf(count: number, moves: (night: number) => Moves, part: (night: number) => Partial<Night> = () => ({})): Night[] {
  const sizes: Record<string, number> = { a: 1_000, b: 1_000, c: 1_000 }
  return Array.from({ length: count }, (_, i) => {
    const before = { ...sizes }
    const pairs = moves(i + 1).map(([from, to, n]) => ({ from, to, count: n }))
    for (const { from, to, count: n } of pairs) {
      sizes[from] = (sizes[from] as number) - n
      sizes[to] = (sizes[to] as number) + n
    }
    return {
      run: String(i),
      startedAt: new Date(Date.UTC(2026, 0, 1 + i)).toISOString(),
      whole: true,
      fresh: false,
      labels: classes.map((name) => ({ name, count: sizes[name] as number, flagged: 0 })),
      sources: [{ name: 's', count: 3_000, flagged: 30 }],
      changes: {
        before: `root-${i}`,
        after: `root-${i + 1}`,
        classes: classes.map((name) => ({
          name,
          before: before[name] as number,
          relabelled: pairs.filter((p) => p.from === name).reduce((sum, p) => sum + p.count, 0),
        })),
        sources: [{ name: 's', before: 3_000, relabelled: pairs.reduce((sum, p) => sum + p.count, 0) }],
        pairs,
      },
      ...part(i + 1),
    }
  })
}
const scopes = (nights: readonly Night[]) => concludeHistory(nights).findings.map((f) => `${f.rule} ${f.scope.names.join('>')}`)
const from40 = (night: number): Moves => (night >= 40 ? [['a', 'b', 1]] : [])

describe('history/label-drift', () => {
  test('one record in a thousand a night from night 40 is named by night 45, pair and first night', () => {
    const found = concludeHistory(nightsOf(45, from40)).findings[0]
    expect(found).toMatchObject({
      rule: 'history/label-drift',
      severity: 'high',
      scope: { kind: 'class-pair', names: ['a', 'b'] },
      count: 6,
    })
    expect(found?.message).toContain('since about 2026-02-09')
    expect(scopes(nightsOf(39, from40))).toEqual([])
  })

  test('one batch of corrections is no trend, however large', () => {
    const batch = (night: number): Moves => (night === 40 ? [['a', 'b', 80]] : [])
    for (let night = 40; night <= 50; night++)
      expect(scopes(nightsOf(night, batch)).filter((s) => s.includes('a>b') || s.includes('relabelled'))).toEqual([])
  })

  test('nor are two', () => {
    const batches = (night: number): Moves => (night === 38 || night === 42 ? [['a', 'b', 40]] : [])
    for (let night = 40; night <= 60; night++)
      expect(scopes(nightsOf(night, batches)).filter((s) => s.includes('a>b') || s.includes('relabelled'))).toEqual([])
  })

  test('what was always so is no trend, in weeks and in bursts', () => {
    const random = keyed(Buffer.from('bursts'), 'test')
    const weekly = (night: number): Moves =>
      night % 7 < 5
        ? [
            ['a', 'b', 4],
            ['b', 'a', 4],
          ]
        : []
    const bursts = (): Moves =>
      random.uniform() < 0.2
        ? [
            ['a', 'b', 1 + random.below(12)],
            ['b', 'a', 1 + random.below(12)],
          ]
        : []
    for (const moves of [weekly, bursts]) {
      const all = nightsOf(60, moves)
      for (let night = 13; night <= 60; night++) expect(scopes(all.slice(0, night))).toEqual([])
    }
  })

  test('a class that shrinks is named where no snapshot says why', () => {
    const all = nightsOf(
      50,
      (n) => (n >= 40 ? [['a', 'b', 4]] : []),
      () => ({ changes: null }),
    )
    expect(scopes(all)).toEqual(expect.arrayContaining(['history/label-drift a>shrinks', 'history/label-drift b>grows']))
  })

  test('audits without a verdict say nothing', () => {
    expect(scopes(nightsOf(45, from40, () => ({ whole: false })))).toEqual([])
  })

  test('audits against one baseline count a change once', () => {
    const chain = nightsOf(30, (n) => (n % 3 === 0 ? [['a', 'b', 1]] : []))
    let sum = 0
    const cumulative = chain.map((night): Night => {
      sum += night.changes?.pairs[0]?.count ?? 0
      const changes = night.changes && {
        ...night.changes,
        before: 'root-0',
        pairs: sum > 0 ? [{ from: 'a', to: 'b', count: sum }] : [],
        classes: night.changes.classes.map((c) => (c.name === 'a' ? { ...c, relabelled: sum } : c)),
      }
      return { ...night, changes }
    })
    const counts = (nights: readonly Night[]) =>
      nightlyChanges(nights).map((c) => c?.pairs.reduce((total, p) => total + p.count, 0) ?? null)
    expect(counts(cumulative)).toEqual(counts(chain))
    expect(scopes(cumulative)).toEqual([])
  })

  test('few audits: no finding, and the notes say from when on', () => {
    const { findings, notes } = concludeHistory(nightsOf(5, () => [['a', 'b', 9]]))
    expect(findings).toEqual([])
    expect(notes.join(' ')).toContain('from 13 audits')
    expect(concludeHistory([]).findings).toEqual([])
  })
})

describe('history/source-drift', () => {
  const flagged = (count: (night: number) => number) => (night: number) => ({
    sources: [
      { name: 's', count: 3_000, flagged: count(night) },
      { name: 't', count: 3_000, flagged: 30 },
    ],
  })

  test('a source that becomes worse is named, and the others are not', () => {
    expect(
      scopes(
        nightsOf(
          45,
          () => [],
          flagged((n) => (n >= 40 ? 150 : 30)),
        ),
      ),
    ).toEqual(['history/source-drift s'])
  })

  test('one bad night and slow ordinary movement are no trend', () => {
    expect(
      scopes(
        nightsOf(
          45,
          () => [],
          flagged((n) => (n === 44 ? 600 : 30)),
        ),
      ),
    ).toEqual([])
    expect(
      scopes(
        nightsOf(
          100,
          () => [],
          flagged((n) => 30 + Math.round(6 * Math.sin(n / 12))),
        ),
      ),
    ).toEqual([])
  })
})
