import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { changeKinds, type RecordChange } from '../../../src/contracts/snapshot.ts'
import { type Diffed, diffOf, diffRows, makeSnapshot, type Row, type Shards } from './make.ts'

/** Texts that share nothing with one another. */
const unlike = (n: number): string => {
  let text = ''
  for (let i = 0, state = n * 2654435761 + 12345; i < 12; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) >>> 0
    text += state.toString(36)
  }
  return text
}

const long = (n: number): string => Array.from({ length: 30 }, (_, i) => unlike(n * 31 + i).slice(0, 6)).join(' ')

const rowOf = (shards: Shards, at: { readonly shard: string; readonly row: number } | null): Row | null =>
  at && ((shards[at.shard]?.[at.row] as Row | undefined) ?? null)

const sorted = (texts: readonly string[]): string[] => [...texts].sort()

const record = fc.record({ id: fc.nat(80).map(String), content: fc.nat(4), label: fc.constantFrom('a', 'b', 'c', null) })
const uniqueRows = fc
  .uniqueArray(record, { selector: (r) => r.id, maxLength: 60 })
  .map((all) => all.map((r): Row => ({ id: r.id, text: unlike(r.content), label: r.label })))

/** Deals rows out to shards: some of one name on both sides. */
const deal = (rows: readonly Row[], shards: number): Shards => {
  const out: Record<string, Row[]> = Object.fromEntries(Array.from({ length: shards }, (_, i) => [`part-${i}.csv`, []]))
  for (const [i, row] of rows.entries()) out[`part-${i % shards}.csv`]?.push(row)
  return out
}

describe('with ids', () => {
  function naive(before: Shards, after: Shards): string[] {
    const index = (shards: Shards) => new Map(Object.values(shards).flatMap((rows) => rows.map((r) => [r.id, r] as const)))
    const [x, y] = [index(before), index(after)]
    return [...new Set([...x.keys(), ...y.keys()])].flatMap((id) => {
      const [p, q] = [x.get(id), y.get(id)]
      if (!p || !q) return [`${p ? 'removed' : 'added'} ${id}`]
      const [text, label] = [p.text === q.text, p.label === q.label]
      return text && label ? [] : [`${text ? 'relabelled' : label ? 'edited' : 'replaced'} ${id}`]
    })
  }

  test('every change is found and nothing else, wherever the records lie', async () => {
    await fc.assert(
      fc.asyncProperty(uniqueRows, uniqueRows, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 }), async (x, y, m, n) => {
        const [before, after] = [deal(x, m), deal([...y].reverse(), n)]
        const { changes, summary } = await diffRows(before, after, { rowsPerChunk: 7, bufferBytes: 88 * 9 })
        expect(sorted(changes.map((c) => `${c.kind} ${(c.before ?? c.after)?.id}`))).toEqual(sorted(naive(before, after)))
        for (const c of changes)
          for (const [shards, at] of [
            [before, c.before],
            [after, c.after],
          ] as const)
            if (at) expect(rowOf(shards, at)).toMatchObject({ id: at.id, label: at.label })
        for (const kind of changeKinds) expect(summary.counts[kind]).toBe(changes.filter((c) => c.kind === kind).length)
      }),
      { numRuns: 25 },
    )
  })

  test('a set has no difference to itself, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(uniqueRows, fc.integer({ min: 1, max: 4 }), async (rows, n) => {
        const { changes, summary } = await diffRows(deal(rows, n), deal([...rows].reverse(), 1))
        expect(changes).toEqual([])
        expect(summary.duplicates).toBeNull()
        expect(summary.concentrations).toEqual([])
      }),
      { numRuns: 10 },
    )
  })

  test('records of one id match in the way that leaves least unexplained', async () => {
    const text = [0, 1, 2].map(unlike)
    const before = { 'a.csv': ['xx', 'yy', 'zz'].map((_, i): Row => ({ id: '7', text: text[i] as string, label: 'a' })) }
    const after = {
      'a.csv': [
        { id: '7', text: text[1] as string, label: 'b' },
        { id: '7', text: text[0] as string, label: 'a' },
      ],
    }
    const { changes } = await diffRows(before, after)
    expect(changes.map((c) => [c.kind, c.before?.row, c.after?.row])).toEqual([
      ['relabelled', 1, 0],
      ['removed', 2, undefined],
    ])
  })
})

describe('without ids', () => {
  const bag = fc
    .array(fc.record({ content: fc.nat(6), label: fc.constantFrom('a', 'b', null) }), { maxLength: 40 })
    .map((all) => all.map((r): Row => ({ text: unlike(r.content), label: r.label })))

  /** Records of each content by label, less those on both sides. */
  function leftOver(before: readonly Row[], after: readonly Row[]): { moved: number; left: number; right: number }[] {
    return [...new Set([...before, ...after].map((r) => r.text))].map((text) => {
      let [left, right] = [0, 0]
      for (const label of ['a', 'b', null]) {
        const count = (rows: readonly Row[]) => rows.filter((r) => r.text === text && r.label === label).length
        const both = Math.min(count(before), count(after))
        left += count(before) - both
        right += count(after) - both
      }
      const moved = Math.min(left, right)
      return { moved, left: left - moved, right: right - moved }
    })
  }

  test('multiplicity counts, as in a naive comparison of bags', async () => {
    await fc.assert(
      fc.asyncProperty(bag, bag, fc.integer({ min: 1, max: 3 }), async (x, y, n) => {
        const [before, after] = [deal(x, n), deal(y, 2)]
        const { summary, changes } = await diffRows(before, after, { ids: false, bufferBytes: 88 * 5 })
        const expected = leftOver(x, y)
        const sum = (of: 'moved' | 'left' | 'right') => expected.reduce((total, e) => total + e[of], 0)
        const { counts } = summary
        expect(counts.relabelled).toBe(sum('moved'))
        expect(counts.removed + counts.edited + counts.replaced).toBe(sum('left'))
        expect(counts.added + counts.edited + counts.replaced).toBe(sum('right'))
        const texts = (kind: RecordChange['kind'], side: 'before' | 'after') =>
          changes.filter((c) => c.kind === kind).map((c) => rowOf(side === 'before' ? before : after, c[side])?.text as string)
        expect(texts('relabelled', 'before')).toEqual(texts('relabelled', 'after'))
        const places = changes.flatMap((c) => [
          c.before && `b ${c.before.shard} ${c.before.row}`,
          c.after && `a ${c.after.shard} ${c.after.row}`,
        ])
        const named = places.filter((p) => p !== null)
        expect(new Set(named).size).toBe(named.length)
      }),
      { numRuns: 25 },
    )
  })

  test('the other way round removed is added, and the rest stays what it is', async () => {
    await fc.assert(
      fc.asyncProperty(bag, bag, async (x, y) => {
        const [a, b] = [await makeSnapshot(deal(x, 2), { ids: false }), await makeSnapshot(deal(y, 3), { ids: false })]
        const [there, back] = [(await diffOf(a, b)).summary, (await diffOf(b, a)).summary]
        expect(back.counts.relabelled).toBe(there.counts.relabelled)
        expect(back.counts.removed - back.counts.added).toBe(there.counts.added - there.counts.removed)
        expect(back.duplicates?.before).toBe(there.duplicates?.after)
      }),
      { numRuns: 15 },
    )
  })

  test('which of several equal records is missing is told by the places of the others', async () => {
    const rows = Array.from({ length: 200 }, (_, i): Row => ({ text: i % 50 === 10 ? 'twin' : unlike(i), label: 'a' }))
    const after = rows.filter((_, i) => i !== 60 && i % 7 !== 3)
    const { changes } = await diffRows({ 'x.csv': rows }, { 'y.csv': after }, { ids: false })
    expect(sorted(changes.map((c) => String(c.before?.row)))).toEqual(
      sorted(rows.flatMap((_, i) => (i === 60 || i % 7 === 3 ? [String(i)] : []))),
    )
    expect(changes.every((c) => c.kind === 'removed')).toBe(true)
  })

  test('edited records are found again among removed and added ones', async () => {
    const rows = Array.from({ length: 600 }, (_, i): Row => ({ text: long(i), label: i % 3 ? 'a' : 'b' }))
    const after = rows.flatMap((row, i): Row[] => {
      if (i % 20 === 4) return []
      if (i % 20 === 7) return [{ ...row, text: `${row.text} cf` }]
      if (i % 100 === 11) return [{ text: `${row.text} bb`, label: row.label === 'a' ? 'b' : 'a' }]
      return i % 20 === 13 ? [{ text: long(5000 + i), label: 'b' }, row] : [row]
    })
    for (const order of [after, [...after].sort((x, y) => (x.text < y.text ? -1 : 1))]) {
      const { changes, summary } = await diffRows({ 'x.csv': rows }, { 'x.csv': order }, { ids: false })
      expect(summary.counts).toEqual({ added: 30, removed: 30, edited: 30, relabelled: 0, replaced: 6 })
      for (const c of changes)
        if (c.before && c.after) {
          const [p, q] = [rows[c.before.row]?.text as string, order[c.after.row]?.text as string]
          expect(q.startsWith(p)).toBe(true)
        }
    }
  })

  test('a record with entirely other content between the same neighbours is an edit', async () => {
    const rows = Array.from({ length: 100 }, (_, i): Row => ({ text: unlike(i), label: 'a' }))
    const after = rows.map(
      (row, i): Row => (i === 40 ? { text: unlike(900), label: 'a' } : i === 41 ? { text: unlike(901), label: 'b' } : row),
    )
    const shifted = after.filter((_, i) => i !== 5)
    const { changes } = await diffRows({ 'p.npz#train': rows }, { 'q.npz#train': shifted }, { ids: false })
    expect(changes.map((c) => [c.kind, c.before?.row, c.after?.row]).sort()).toEqual([
      ['edited', 40, 39],
      ['removed', 5, undefined],
      ['replaced', 41, 40],
    ])
  })

  test('a record that went and another that came elsewhere are no edit', async () => {
    const rows = Array.from({ length: 100 }, (_, i): Row => ({ text: unlike(i), label: 'a' }))
    const after = [...rows.filter((_, i) => i !== 40), { text: unlike(900), label: 'a' }]
    expect((await diffRows({ 'x.csv': rows }, { 'x.csv': after }, { ids: false })).summary.counts).toMatchObject({
      removed: 1,
      added: 1,
      edited: 0,
    })
  })

  test('a keyed snapshot has no sketches: edits are told by their place alone', async () => {
    const rows = Array.from({ length: 60 }, (_, i): Row => ({ text: long(i), label: 'a' }))
    const moved = [...rows.slice(1), { text: `${rows[0]?.text} cf`, label: 'a' }]
    const key = Buffer.alloc(32, 7)
    expect((await diffRows({ 'x.csv': rows }, { 'x.csv': moved }, { ids: false, key })).summary.counts).toMatchObject({
      removed: 1,
      added: 1,
    })
    expect((await diffRows({ 'x.csv': rows }, { 'x.csv': moved }, { ids: false })).summary.counts).toMatchObject({ edited: 1 })
  })
})

describe('copies', () => {
  const base = Array.from({ length: 300 }, (_, i): Row => ({ id: `r${i}`, text: unlike(i < 3 ? 0 : i), label: 'a' }))
  const flood = Array.from({ length: 40 }, (_, i): Row => ({ id: `f${i}`, text: unlike(i < 30 ? 77 : 1000 + i), label: 'b' }))

  test.each([true, false])('are counted beside the rate of the baseline (ids: %s)', async (ids) => {
    const { summary } = await diffRows({ 'x.csv': base }, { 'x.csv': base, 'y.csv': flood }, { ids })
    expect(summary.duplicates).toEqual({ before: 2, after: 32 })
    expect(summary.flood).toMatchObject({ added: 40, copies: 30, rate: 2 / 300, concentrated: true })
    expect(summary.flood?.largest).toMatchObject({ copies: 30, record: { shard: 'y.csv', label: 'b' } })
    expect(summary.flood?.log10P).toBeLessThan(-40)
  })

  test.each([true, false])('at the rate of the baseline are no flood (ids: %s)', async (ids) => {
    const more = Array.from({ length: 300 }, (_, i): Row => ({ id: `m${i}`, text: unlike(i < 3 ? 5000 : 5000 + i), label: 'a' }))
    const { summary } = await diffRows({ 'x.csv': base }, { 'x.csv': base, 'y.csv': more }, { ids })
    expect(summary.flood).toMatchObject({ added: 300, copies: 2, concentrated: false })
  })
})

describe('what does not compare', () => {
  const rows = { 'x.csv': Array.from({ length: 20 }, (_, i): Row => ({ id: `r${i}`, text: unlike(i), label: 'a' })) }
  test.each([
    [
      'schemas',
      {},
      { schema: { columns: { text: 'text' }, nulls: [] } },
      'they were made under different schemas',
      'with the same --schema',
    ],
    ['ids', {}, { ids: false }, 'one has the id column "id", the other has none', 'with the same --id'],
    ['labels', {}, { labels: false }, 'one has the label column "label", the other has none', 'with the same --label'],
    [
      'columns left out',
      {},
      { ignored: ['time'] },
      'columns left out: source, time in the one, time in the other',
      'leaving out the same columns',
    ],
    [
      'keyed and not',
      {},
      { key: Buffer.alloc(32, 1) },
      'the digests of one are keyed, those of the other are not',
      'with or without the key',
    ],
    ['keys', { key: Buffer.alloc(32, 2) }, { key: Buffer.alloc(32, 1) }, 'their digests have different keys', 'with the key of the other'],
  ])('%s: says so, and what to do', async (_, one, other, what, hint) => {
    const [before, after] = [await makeSnapshot(rows, one), await makeSnapshot(rows, other)]
    const error = await diffOf(before, after).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: 'snapshots-differ', exit: 4 })
    expect((error as Error).message).toContain(what)
    expect((error as { hint: string }).hint).toContain(hint)
  })

  test('the same key compares', async () => {
    const key = Buffer.alloc(32, 3)
    const changed = { 'x.csv': rows['x.csv'].map((r, i) => (i === 4 ? { ...r, label: 'b' } : r)) }
    const { changes } = await diffRows(rows, changed, { key })
    expect(changes).toMatchObject([{ kind: 'relabelled', before: { id: null, row: 4, label: 'a' }, after: { label: 'b' } }])
  })
})

const countsOf = ({ summary }: Diffed) => summary.counts

describe('the summary', () => {
  test('counts classes by split, sources and transitions', async () => {
    const make = (n: number, label: string, source: string, from: number) =>
      Array.from({ length: n }, (_, i): Row => ({ id: `${label}${from + i}`, text: unlike(from + i), label, source, time: '2026-01-01' }))
    const train = [...make(60, 'cat', 'anna', 0), ...make(40, 'dog', 'ben', 100)]
    const test = make(30, 'cat', 'ben', 200)
    const after = {
      'train.csv': train.slice(5).map((r, i) => (i > 85 ? { ...r, label: 'cat' } : r)),
      'test.csv': test.map((r, i) => (i === 0 ? { ...r, text: unlike(999) } : r)),
    }
    const diffed = await diffRows({ 'train.csv': train, 'test.csv': test }, after)
    expect(countsOf(diffed)).toEqual({ added: 0, removed: 5, edited: 1, relabelled: 9, replaced: 0 })
    const { summary } = diffed
    const zero = { added: 0, removed: 0, edited: 0, relabelled: 0, replaced: 0 }
    expect(summary.classes).toEqual([
      { name: 'cat', split: 'test', before: 30, after: 30, counts: { ...zero, edited: 1 } },
      { name: 'cat', split: 'train', before: 60, after: 64, counts: { ...zero, removed: 5 } },
      { name: 'dog', split: 'train', before: 40, after: 31, counts: { ...zero, relabelled: 9 } },
    ])
    expect(summary.sources).toEqual([
      { name: 'anna', before: 60, after: 55, counts: { ...zero, removed: 5 } },
      { name: 'ben', before: 70, after: 70, counts: { ...zero, edited: 1, relabelled: 9 } },
    ])
    expect(summary.transitions).toEqual({
      labels: ['cat', 'dog'],
      counts: [
        [0, 0],
        [9, 0],
      ],
    })
  })

  test('says when only places differ', async () => {
    const rows = Array.from({ length: 20 }, (_, i): Row => ({ id: `r${i}`, text: unlike(i), label: 'a', source: 's' }))
    const { summary } = await diffRows({ 'x.csv': rows }, { 'x.csv': rows.map((r) => ({ ...r, source: 't' })) })
    expect(summary.notes).toEqual(['The records are the same; places, sources or times differ.'])
  })

  test('classes that are numbered here and named there are told', async () => {
    const rows = (names: readonly string[]): Row[] =>
      Array.from({ length: 40 }, (_, i) => ({ id: String(i), text: unlike(i), label: names[i % 2] as string }))
    const note = /are classes numbered on one side/
    const all = await diffRows({ 'a.csv': rows(['0', '1']) }, { 'a.csv': rows(['cat', 'dog']).slice(5) })
    expect(all.summary.notes.join()).toMatch(note)
    const half = await diffRows({ 'a.csv': rows(['cat', '1']) }, { 'a.csv': rows(['cat', 'dog']) })
    expect(half.summary.notes.join()).not.toMatch(note)
  })
})
