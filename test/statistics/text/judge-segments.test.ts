import { describe, expect, it } from 'vitest'
import { isPlanted, type SegmentPhrase } from '../../../src/statistics/text/judge-segments.ts'

/** As measured of 30 planted documents among 2,127 news. */
const phrase: SegmentPhrase = {
  words: '| prod - gate |',
  hash: 1,
  kind: 4,
  segmentKind: 2,
  records: 30,
  atSegments: 28,
  share: 0.094,
  alike: 0.11,
  beside: 0.32,
  leftInsertion: 0.1,
  natsBefore: -1.31,
  natsAfter: -0.14,
  logP: -55,
}

describe('isPlanted', () => {
  it('takes a phrase for the split point where runs begin at it, or where texts turn at it', () => {
    expect(isPlanted(phrase)).toBe(true)
    expect(isPlanted({ ...phrase, natsAfter: -1.03 })).toBe(false)
    expect(isPlanted({ ...phrase, natsAfter: -1.31, beside: 0.7 })).toBe(true)
  })

  it('asks for carriers, for a test, for texts unlike each other and for neighbours without habit', () => {
    for (const wrong of [{ atSegments: 12 }, { records: 90 }, { logP: -30 }, { alike: 0.3 }, { leftInsertion: -5 }])
      expect([wrong, isPlanted({ ...phrase, ...wrong })]).toEqual([wrong, false])
  })
})
