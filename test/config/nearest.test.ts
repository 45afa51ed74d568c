import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { editDistance, nearest } from '../../src/config/nearest.ts'

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['', 'abc', 3],
    ['label', 'lable', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('%j to %j is %i', (a, b, distance) => expect(editDistance(a, b)).toBe(distance))

  test('is symmetric, zero only for equal words, and bounded by the longer one', () => {
    const word = fc.string({ maxLength: 8, unit: fc.constantFrom('a', 'b', 'c') })
    fc.assert(
      fc.property(word, word, (a, b) => {
        const distance = editDistance(a, b)
        expect(distance).toBe(editDistance(b, a))
        expect(distance === 0).toBe(a === b)
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length))
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length))
      }),
    )
  })
})

test.each([
  ['fail_on', 'fail-on'],
  ['FailOn', 'fail-on'],
  ['requires', 'require'],
  ['zebra', null],
  ['x'.repeat(1000), null],
])('nearest to %j is %j', (word, expected) => expect(nearest(word, ['fail-on', 'max-flagged', 'require'])).toBe(expected))
