import { describe, expect, it } from 'vitest'
import { meanWithInterval } from '../../../src/engine/sensitivity/interval.ts'

describe('the mean over seeds', () => {
  it('has no interval with one seed', () => expect(meanWithInterval([0.4])).toEqual({ recall: 0.4, low: null, high: null }))

  it('has the interval of Student, cut to shares', () => {
    const { recall, low, high } = meanWithInterval([0.2, 0.4, 0.6])
    expect(recall).toBeCloseTo(0.4, 12)
    // t(.975, 2) = 4.303, standard error .2 / sqrt 3
    expect(low).toBe(0)
    expect(high).toBeCloseTo(0.4 + (4.303 * 0.2) / Math.sqrt(3), 6)
    expect(meanWithInterval([1, 1, 1])).toEqual({ recall: 1, low: 1, high: 1 })
    // t(.975, 15) = 2.131
    const many = meanWithInterval(Array.from({ length: 16 }, (_, i) => 0.4 + 0.2 * (i % 2)))
    expect((many.high as number) - many.recall).toBeCloseTo((2.131 * Math.sqrt(0.16 / 15)) / 4, 3)
  })
})
