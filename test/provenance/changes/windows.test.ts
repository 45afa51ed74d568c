import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cellIn, positionWindows, type Span, timeWindows } from '../../../src/provenance/changes/windows.ts'

const at = ({ spans }: ReturnType<typeof positionWindows>, shard: string, row: number) => cellIn(spans.get(shard) as Span, row)

const bump = (counts: Float64Array, cell: number): void => {
  counts[cell] = (counts[cell] as number) + 1
}

describe('windows of positions', () => {
  it('cover every row of every file, each window named once and none empty', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 90 }), (rows) => {
        const windows = positionWindows(rows.map((n, i) => ({ id: `${i}.csv`, rows: n })))
        const counts = new Float64Array(windows.names.length)
        for (const [i, n] of rows.entries()) for (let r = 0; r < n; r++) bump(counts, at(windows, `${i}.csv`, r))
        expect(new Set(windows.names).size).toBe(windows.names.length)
        expect(windows.names.length).toBeLessThanOrEqual(96)
        expect([...counts].every((n) => n > 0)).toBe(true)
        expect(counts.reduce((a, b) => a + b, 0)).toBe(rows.reduce((a, b) => a + b, 0))
      }),
      { numRuns: 50 },
    )
  })

  it('names rows of a file', () => {
    const windows = positionWindows([{ id: 'a.csv', rows: 60 }])
    expect(windows.names).toEqual(['rows 0 to 19 of a.csv', 'rows 20 to 39 of a.csv', 'rows 40 to 59 of a.csv'])
    expect([0, 19, 20, 59, 60, 1000].map((row) => at(windows, 'a.csv', row))).toEqual([0, 0, 1, 2, 2, 2])
    expect(windows.spans.has('b.csv')).toBe(false)
  })

  it('takes parts of a file together and small files together', () => {
    const whole = positionWindows([{ id: 'a.parquet', rows: 1000 }])
    const parts = positionWindows([
      { id: 'a.parquet#0+600', rows: 600 },
      { id: 'a.parquet#600+400', rows: 400 },
    ])
    expect(parts.names).toEqual(whole.names)
    expect(at(parts, 'a.parquet#600+400', 700)).toBe(at(whole, 'a.parquet', 700))
    const small = positionWindows(Array.from({ length: 40 }, (_, i) => ({ id: `${String(i).padStart(2, '0')}.csv`, rows: 10 })))
    expect(small.names[0]).toBe('00.csv to 01.csv')
    expect(small.names).toHaveLength(20)
  })

  it('are one where records are few', () => {
    expect(positionWindows([{ id: 'a.csv', rows: 30 }]).names).toEqual(['a.csv'])
    expect(positionWindows([]).names).toEqual([])
  })
})

describe('windows of time', () => {
  it('hold equally many records where times differ', () => {
    const times = Array.from({ length: 3200 }, (_, i) => 1_600_000_000_000 + ((i * 7919) % 3200) * 60_000)
    const { names, cellOf } = timeWindows(times)
    const counts = new Float64Array(names.length)
    for (const t of times) bump(counts, cellOf(t))
    expect(names).toHaveLength(32)
    expect(new Set(counts)).toEqual(new Set([100]))
    expect(names[0]).toBe('before 2020-09-13T14:06:40Z')
    expect(names[1]).toBe('from 2020-09-13T14:06:40Z to before 2020-09-13T15:46:40Z')
  })

  it('never divide equal times, and say nothing of records without one', () => {
    const { names, cellOf } = timeWindows([...Array<number>(500).fill(0), ...Array<number>(500).fill(1000)])
    expect(names).toEqual(['before 1970-01-01T00:00:01Z', 'from 1970-01-01T00:00:01Z'])
    expect([cellOf(0), cellOf(999), cellOf(1000), cellOf(5e12), cellOf(Number.NaN)]).toEqual([0, 0, 1, 1, -1])
    expect(timeWindows([]).cellOf(5)).toBe(-1)
    expect(timeWindows(Array<number>(100).fill(7)).names).toEqual(['all times'])
  })
})
