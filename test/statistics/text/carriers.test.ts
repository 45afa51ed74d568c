import { describe, expect, test } from 'vitest'
import { type Occurrence, overlap } from '../../../src/statistics/text/carriers.ts'

const at = (...passages: number[]): Occurrence[] => passages.map((passage) => ({ passage, from: 0, to: 1 }))
const every = (step: number, count: number): Occurrence[] => at(...Array.from({ length: count }, (_, i) => step * i))

describe('overlap', () => {
  test('is the share of the rarer one that has both', () => {
    expect(overlap(at(1, 2, 3, 4), at(3, 4, 5))).toBeCloseTo(2 / 3)
    expect(overlap(at(1, 2), at(3))).toBe(0)
    expect(overlap(at(), at(3))).toBe(0)
  })

  test('leaves out the passages of which only one is known, because the other has too many occurrences', () => {
    expect(overlap(every(1, 1024), every(8, 300))).toBe(1)
    expect(overlap(every(8, 300), every(1, 1024))).toBe(1)
  })
})
