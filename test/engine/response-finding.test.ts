import { describe, expect, test } from 'vitest'
import { judgeResponse, type Response, type Variant } from '../../src/engine/response-finding.ts'
import { triggerOf } from './backdoored-model.ts'

const variant = (name: string, kind: Variant['kind'], hits: number): Variant => ({ name, kind, hits })
const response = (
  own: number,
  none: number,
  patterns: readonly number[],
  places: readonly number[] = [0, 0],
  part: Partial<Response> = {},
): Response => ({
  trigger: triggerOf('middle'),
  from: 'trigger-image',
  measure: 'class',
  target: 'middle',
  pictures: 300,
  variants: [
    variant('nothing', 'none', none),
    variant('the trigger', 'trigger', own),
    ...places.map((hits, i) => variant(`place ${i}`, 'place', hits)),
    ...patterns.map((hits, i) => variant(`pattern ${i}`, 'pattern', hits)),
  ],
  shown: null,
  ...part,
})
const judge = (r: Response) => judgeResponse(r, { name: 'm.onnx', sha256: 'ab'.repeat(32) }, 1, false)

describe('a response is judged', () => {
  test.each<[string, Response, string | undefined, string | undefined]>([
    ['nearly all turn', response(290, 5, [9, 3, 4]), 'critical', 'high'],
    ['a fifth turns', response(60, 9, [20, 3, 29]), 'high', 'medium'],
    ['none turns', response(6, 5, [4, 7, 2]), undefined, undefined],
    ['fewer turn than without', response(0, 30, [4]), undefined, undefined],
    ['another pattern turns as many', response(290, 5, [9, 285]), 'review', 'low'],
    ['a little more than without, as with other patterns', response(20, 5, [19]), undefined, undefined],
    ['the trigger turns them at any place', response(290, 5, [9], [280, 270]), 'critical', 'high'],
  ])('%s', (_, r, severity, confidence) => {
    const { finding, test: own } = judge(r)
    expect(finding?.severity).toBe(severity)
    expect(finding?.confidence).toBe(confidence)
    expect(finding?.test ?? null).toBe(severity === undefined || severity === 'review' ? null : own.id)
  })

  test('both hypotheses have to be refuted: the larger p counts', () => {
    const { test: own } = judge(response(60, 0, [40]))
    expect(own.p).toBeGreaterThan(0.01)
    expect(own.p).toBeLessThan(0.05)
    expect(judge(response(60, 40, [0])).test.p).toBe(own.p)
    expect(own.method).toBe(
      "Fisher's exact test, one-sided, of the trigger against no trigger and against the strongest of 1 other pattern",
    )
  })

  test('the note says which it is', () => {
    expect(judge(response(290, 5, [9])).note).toMatch(/it answers to the trigger\.$/)
    expect(judge(response(290, 5, [285])).note).toMatch(/so that nothing is proved\.$/)
    expect(judge(response(4, 5, [6])).note).toMatch(/^Trigger 1 \(from trigger-image\): .* it has not learned this trigger\.$/)
  })

  test('an action says where the trigger works; messages say what was measured', () => {
    expect(judge(response(290, 5, [9], [280, 3])).finding?.action).toContain('wherever in the picture')
    expect(judge(response(290, 5, [9], [6, 3])).finding?.action).not.toContain('wherever')
    expect(judge(response(90, 2, [9], [6], { measure: 'nearest-mean' })).finding?.message).toContain(
      'm.onnx places beside the mean of middle 90 of 300',
    )
    expect(judge(response(90, 2, [9], [6], { measure: 'collapse', target: null })).finding?.message).toContain(
      'm.onnx draws together 90 of 300 clean pictures; without it 2,',
    )
  })

  test('the fingerprint names model, label and, where there are several, the trigger', () => {
    const r = response(290, 5, [9])
    expect(judge(r).finding?.scope.names).toEqual(['m.onnx', 'middle'])
    expect(judgeResponse(r, { name: 'm.onnx', sha256: '' }, 2, true).finding?.scope.names).toEqual(['m.onnx', 'middle', 'trigger 2'])
  })
})
