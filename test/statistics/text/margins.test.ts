import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { marginEvidence } from '../../../src/statistics/text/margins.ts'

const margins = fc.array(fc.double({ min: -20, max: 20, noNaN: true }), { minLength: 8, maxLength: 60 })

describe('evidence of margins', () => {
  it('tells records of other labels from those of the label, and says nothing without enough of both', () => {
    const [own, other] = [Array.from({ length: 100 }, (_, i) => 1 + i / 20), Array.from({ length: 100 }, (_, i) => -1 - i / 20)]
    const evidence = marginEvidence(own, other, 1)
    expect(evidence(3)).toBeLessThan(-1)
    expect(evidence(-3)).toBeGreaterThan(1)
    expect(marginEvidence([1], [-1], 1)(-1)).toBe(0)
  })

  it('is bounded, and the less so in favour of the label the more of the records may be its own', () => {
    fc.assert(
      fc.property(margins, margins, fc.double({ min: -20, max: 20, noNaN: true }), (own, other, margin) => {
        const [whole, part] = [marginEvidence(own, other, 1)(margin), marginEvidence(own, other, 0.5)(margin)]
        expect(Math.abs(whole)).toBeLessThanOrEqual(Math.log(20) + 1e-9)
        expect(Math.abs(part)).toBeLessThanOrEqual(Math.abs(whole) + 1e-9)
      }),
    )
  })
})
