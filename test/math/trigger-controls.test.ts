import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecoveredTrigger } from '../../src/contracts/trigger.ts'
import { boxed, controlsOf, differenceOf, stamped, stampFor } from '../../src/math/trigger-controls.ts'

const grey = [128, 128, 128] as const
const seed = new Uint8Array(16).fill(3)
/** `paint` gives opacity and colours of a cell. */
const trigger = (
  box: RecoveredTrigger['box'],
  paint: (x: number, y: number) => readonly number[],
  { height = 10, width = 12, channels = 3 as 1 | 3, alpha = 1 } = {},
): RecoveredTrigger => {
  const [left, top, w, h] = box
  const inside = (x: number, y: number) => x >= left && x < left + w && y >= top && y < top + h
  const cells = Array.from({ length: height * width }, (_, i) => [i % width, Math.floor(i / width)] as const)
  return {
    height,
    width,
    channels,
    alpha: Float32Array.from(cells, ([x, y]) => (inside(x, y) ? alpha : 0)),
    pattern: Float32Array.from(cells.flatMap(([x, y]) => (inside(x, y) ? paint(x - left, y - top) : new Array(channels).fill(0)))),
    box,
    target: 'a',
  }
}
const white = trigger([1, 2, 3, 3], () => [255, 255, 255])
const odd = trigger([1, 2, 3, 2], (x, y) => [255 * ((x * 2 + y) % 3 === 0 ? 1 : 0), 40 * x, 200 * y])

describe('a stamp', () => {
  test('at the trigger\u2019s own size is (1 - alpha) x picture + alpha x pattern, and nothing else changes', () => {
    const half = trigger([1, 2, 3, 3], () => [200, 100, 0], { alpha: 0.5 })
    const out = stamped(new Uint8Array(10 * 12 * 3).fill(50), stampFor(half, 10, 12))
    const at = (x: number, y: number) => [...out.subarray((y * 12 + x) * 3, (y * 12 + x) * 3 + 3)]
    expect(at(1, 2)).toEqual([125, 75, 25])
    expect(at(3, 4)).toEqual([125, 75, 25])
    expect([at(0, 2), at(4, 2), at(1, 1), at(1, 5)]).toEqual(new Array(4).fill([50, 50, 50]))
  })

  test('of grey is grey, and what is scaled keeps its place, its energy and its colour', () => {
    const one = trigger([2, 2, 4, 4], () => [255], { channels: 1 })
    const { alpha, paint } = stampFor(one, 40, 48)
    const sum = (a: Float32Array) => a.reduce((x, y) => x + y, 0)
    expect(sum(alpha) / 16).toBeCloseTo(sum(one.alpha), 0)
    expect(sum(paint)).toBeCloseTo(255 * 3 * sum(alpha), -2)
    expect(alpha[15 * 48 + 15]).toBe(1)
    expect(alpha[30 * 48 + 15]).toBe(0)
  })

  test('whatever the trigger, pixels stay in 0..255 and full opacity is the pattern', () => {
    const any = fc.record({
      alpha: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 12, maxLength: 12 }),
      pattern: fc.array(fc.double({ min: 0, max: 255, noNaN: true }), { minLength: 36, maxLength: 36 }),
    })
    fc.assert(
      fc.property(any, fc.uint8Array({ minLength: 36, maxLength: 36 }), ({ alpha, pattern }, rgb) => {
        const t: RecoveredTrigger = {
          height: 3,
          width: 4,
          channels: 3,
          alpha: Float32Array.from(alpha),
          pattern: Float32Array.from(pattern),
          box: [0, 0, 4, 3],
          target: null,
        }
        const out = stamped(rgb, stampFor(t, 3, 4))
        for (const [i, v] of out.entries()) {
          const a = t.alpha[Math.floor(i / 3)] as number
          expect(Math.abs(v - ((1 - a) * (rgb[i] as number) + a * (t.pattern[i] as number)))).toBeLessThanOrEqual(0.51)
        }
      }),
    )
  })
})

test('outside its box a trigger changes nothing', () => {
  const noisy = { ...odd, alpha: odd.alpha.map((a, i) => Math.max(a, (i % 5) / 10)) }
  const { alpha } = boxed(noisy)
  for (const [i, a] of alpha.entries()) {
    const [x, y] = [i % 12, Math.floor(i / 12)]
    expect(a).toBe(x >= 1 && x < 4 && y >= 2 && y < 4 ? 1 : 0)
  }
})

describe('controls', () => {
  test.each([
    ['a colourful mark', odd],
    ['a white square, which mirrored and shuffled is itself', white],
    ['a grey blend over everything', trigger([0, 0, 12, 10], (x, y) => [(37 * x + 91 * y) % 256], { channels: 1, alpha: 0.2 })],
    ['a sinusoid', trigger([0, 0, 12, 10], (x) => new Array(3).fill(128 + 90 * Math.sin((x * Math.PI) / 3)), { alpha: 0.3 })],
    ['a mark in the middle', trigger([4, 3, 4, 4], (x, y) => [x * 60, y * 60, 255])],
    ['one pixel', trigger([11, 9, 1, 1], () => [255, 0, 0])],
  ])('%s has at least five, none of them the trigger itself, both at its place and elsewhere', (_, t) => {
    const controls = controlsOf(t, grey, seed)
    expect(controls.length).toBeGreaterThanOrEqual(5)
    expect(new Set(controls.map((c) => c.name)).size).toBe(controls.length)
    for (const c of controls) expect(differenceOf(t, c.trigger, grey)).toBeGreaterThanOrEqual(0.25)
    expect(controls.filter((c) => c.kind === 'pattern').length).toBeGreaterThanOrEqual(2)
  })

  test('another pattern keeps place and energy', () => {
    for (const { name, kind, trigger: t } of controlsOf(odd, grey, seed)) {
      if (kind === 'place') continue
      expect(t.alpha, name).toEqual(odd.alpha)
      const energy = (of: RecoveredTrigger) =>
        of.pattern.reduce((sum, v, i) => sum + (of.alpha[Math.floor(i / 3)] as number) * (v - 128) ** 2, 0)
      expect(energy(t) / energy(odd), name).toBeGreaterThan(0.8)
      expect(energy(t) / energy(odd), name).toBeLessThan(1.25)
    }
  })

  test('another place keeps the pattern', () => {
    for (const { trigger: t } of controlsOf(odd, grey, seed).filter((c) => c.kind === 'place')) {
      expect([...t.alpha].sort()).toEqual([...odd.alpha].sort())
      expect(t.alpha).not.toEqual(odd.alpha)
    }
  })

  test('the same seed gives the same controls, another seed other patches', () => {
    const patterns = (s: Uint8Array) => controlsOf(odd, grey, s).map((c) => [...c.trigger.pattern])
    expect(patterns(seed)).toEqual(patterns(seed))
    expect(patterns(seed)).not.toEqual(patterns(new Uint8Array(16)))
  })
})
