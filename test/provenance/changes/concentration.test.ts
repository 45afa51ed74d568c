import { describe, expect, test } from 'vitest'
import type { ChangeKind } from '../../../src/contracts/snapshot.ts'
import { axisCounts } from '../../../src/provenance/changes/axes.ts'
import { type Coded, countChange, divide, openCensus } from '../../../src/provenance/changes/census.ts'
import { type AxisCounts, correctAll, testAxis } from '../../../src/provenance/changes/concentration.ts'
import { type Compared, summarise } from '../../../src/provenance/changes/summary.ts'
import { countInto, openTally } from '../../../src/provenance/changes/tally.ts'
import { generator } from '../../e2e/records.ts'

const axis = (cells: readonly (readonly [string, number, number])[]): AxisCounts => ({
  kind: 'removed',
  axis: 'class',
  within: 'train',
  allChanged: cells.reduce((n, [, changed]) => n + changed, 0),
  allRecords: cells.reduce((n, [, , records]) => n + records, 0),
  cells: cells.map(([name, changed, records]) => ({ name, changed, records })),
})

describe('one axis', () => {
  test('the vendor copy: 826 of 1,214 and 0 of 3,494', () => {
    const found = testAxis(
      axis([
        ['normal', 826, 1214],
        ['pneumonia', 0, 3494],
      ]),
    )
    // exact: 10 ** -619.02, times two cells
    expect(found?.log10P).toBeCloseTo(-619.019937332937 + Math.log10(2), 8)
    expect(found).toMatchObject({
      cell: 'normal',
      changed: 826,
      cellRecords: 1214,
      test: { p: 0, id: 'provenance/removed: by class, in train' },
    })
  })

  test('nothing to compare is no test', () => {
    expect(testAxis(axis([['only', 5, 10]]))).toBeNull()
    expect(
      testAxis(
        axis([
          ['a', 0, 10],
          ['b', 0, 10],
        ]),
      ),
    ).toBeNull()
  })

  test('all records changed are not concentrated anywhere', () => {
    expect(
      testAxis(
        axis([
          ['a', 10, 10],
          ['b', 90, 90],
        ]),
      )?.test.p,
    ).toBe(1)
  })
})

describe('the correction', () => {
  test('gives what changed and where the same share of false alarms', () => {
    const test = (axis: 'class' | 'time' | 'position', log10P: number, changed = 10) => ({ axis, log10P, changed })
    const corrected = correctAll([test('class', -4), test('time', -4), test('position', -4)])
    expect(corrected.map((c) => c.adjusted)).toEqual([2e-4, 4e-4, 4e-4].map((p) => expect.closeTo(p, 12)))
    expect(correctAll([test('class', -3.31), test('time', 0), test('position', 0)])[0]).toMatchObject({ concentrated: true })
    expect(correctAll([test('class', -3.29), test('time', 0), test('position', 0)])[0]).toMatchObject({ concentrated: false })
  })
  test('needs a handful of records', () => {
    expect(correctAll([{ axis: 'class', log10P: -9, changed: 4 }])[0]?.concentrated).toBe(false)
    expect(correctAll([{ axis: 'class', log10P: -9, changed: 5 }])[0]?.concentrated).toBe(true)
  })
})

/** A baseline of records with a class, a source and a time each, and changes that fall on given rows. */
interface World {
  readonly classes: readonly number[]
  readonly sources: number
  readonly splits: readonly string[]
}

function simulate(world: World, seed: number) {
  const { uniform } = generator(seed)
  const labels = world.classes.map((count, i) => ({ name: `class ${i}`, count }))
  const sources = Array.from({ length: world.sources }, (_, i) => ({ name: `source ${i}`, count: 0 }))
  const total = world.classes.reduce((a, b) => a + b, 0)
  const pick = (counts: readonly number[], u: number): number => {
    let left = u * counts.reduce((a, b) => a + b, 0)
    return counts.findIndex((n) => {
      left -= n
      return left < 0
    })
  }
  const records: Coded[] = Array.from({ length: total }, (_, row) => ({
    shard: Math.floor((row * world.splits.length) / total),
    row,
    label: pick(world.classes, uniform()),
    source: Math.floor(uniform() ** 2 * world.sources),
    time: 1.7e12 + Math.floor(uniform() * 1000) * 3_600_000,
  }))
  const shards = world.splits.map((id, i) => ({
    id,
    rows: records.filter((r) => r.shard === i).length,
    rejected: 0,
  }))
  const header = { shards, labels, sources }
  const division = divide(
    header,
    header,
    records.map((r) => r.time),
  )
  const margins = openCensus(division.layout)
  for (const r of records) countChange(division.layout, margins, division.before, r)
  const side = { name: 'a', root: '', records: total }
  const run = (changes: readonly { readonly kind: ChangeKind; readonly record: Coded; readonly label?: number }[]) => {
    const tally = openTally(division)
    for (const { kind, record, label } of changes)
      countInto(tally, division, kind, record, kind === 'removed' ? null : { ...record, label: label ?? record.label })
    const compared: Compared = {
      before: side,
      after: side,
      division,
      tally,
      records: { before: margins, after: margins },
      duplicates: null,
      copies: null,
      notes: [],
    }
    return { summary: summarise(compared), axes: axisCounts(division, tally, margins, margins) }
  }
  const draw = (n: number): Coded[] => {
    const chosen = new Set<number>()
    while (chosen.size < n) chosen.add(Math.floor(uniform() * total))
    return [...chosen].map((i) => records[i] as Coded)
  }
  return { records, run, draw, uniform }
}

const worlds: readonly (readonly [string, World])[] = [
  ['two classes, one in four', { classes: [1214, 3494], sources: 1, splits: ['x.npz#train'] }],
  [
    'ten classes, uneven, three splits, sources',
    { classes: [900, 700, 500, 400, 300, 200, 100, 80, 40, 20], sources: 12, splits: ['train.csv', 'val.csv', 'test.csv'] },
  ],
]

describe('random corrections', () => {
  test.each(worlds)('%s: hardly ever called concentrated', (_, world) => {
    const { run, draw, uniform } = simulate(world, 7)
    const k = world.classes.length
    let [runs, alarms, nominal] = [0, 0, 0]
    for (let i = 0; i < 1000; i++) {
      const n = [10, 30, 100, 300][i % 4] as number
      const habit = i % 3
      const changes = draw(n).map((record, j) => {
        const other = Math.floor(uniform() * (k - 1))
        const common = Math.floor(uniform() ** 2 * (k - 1))
        const shift = 1 + (habit === 0 ? other : common)
        const label = (record.label + shift) % k
        const kind = (habit === 2 ? (['relabelled', 'removed', 'edited'] as const)[j % 3] : 'relabelled') as ChangeKind
        return { kind, record, label }
      })
      const { concentrations } = run(changes).summary
      runs++
      if (concentrations.some((c) => c.concentrated)) alarms++
      if (concentrations.some((c) => c.adjusted <= 0.05)) nominal++
    }
    expect(runs).toBe(1000)
    expect(alarms / runs).toBeLessThanOrEqual(0.002)
    expect(nominal / runs).toBeLessThanOrEqual(0.06)
  })
})

describe('an attack of 30 records', () => {
  const power = (
    world: World,
    choose: (w: ReturnType<typeof simulate>) => { kind: ChangeKind; record: Coded; label?: number }[],
    axis: string,
  ) => {
    let found = 0
    for (let seed = 0; seed < 20; seed++) {
      const w = simulate(world, seed)
      if (w.run(choose(w)).summary.concentrations.some((c) => c.concentrated && c.axis === axis)) found++
    }
    return found / 20
  }
  const only = (w: ReturnType<typeof simulate>, of: (r: Coded) => boolean) =>
    w
      .draw(w.records.length - 1)
      .filter(of)
      .slice(0, 30)

  test.each([
    [0, 'one in four'],
    [1, 'three in four'],
  ])('relabelled in one class: class %i, %s', (label) => {
    const [, world] = worlds[0] as (typeof worlds)[number]
    expect(
      power(world, (w) => only(w, (r) => r.label === label).map((record) => ({ kind: 'relabelled', record, label: 1 - label })), 'class'),
    ).toBe(1)
  })

  test.each([
    ['class', (r: Coded) => r.label === 2],
    ['source', (r: Coded) => r.source === 7],
    ['time', (r: Coded) => r.time < 1.7e12 + 20 * 3_600_000],
    ['position', (r: Coded) => r.row > 500 && r.row < 560],
  ] as const)('edited in one %s', (axis, of) => {
    const [, world] = worlds[1] as (typeof worlds)[number]
    const one: World = { ...world, splits: ['all.csv'] }
    expect(power(one, (w) => only(w, of).map((record) => ({ kind: 'edited', record })), axis)).toBe(1)
  })

  test('all of them given the same label', () => {
    const [, world] = worlds[1] as (typeof worlds)[number]
    const one: World = { ...world, splits: ['all.csv'] }
    expect(power(one, (w) => only(w, (r) => r.label !== 5).map((record) => ({ kind: 'relabelled', record, label: 5 })), 'class-pair')).toBe(
      1,
    )
  })
})
