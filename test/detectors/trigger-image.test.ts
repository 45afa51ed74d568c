import { describe, expect, test } from 'vitest'
import type { Setup } from '../../src/contracts/detector.ts'
import { triggerImage } from '../../src/detectors/trigger-image.ts'
import type { TriggerSearch } from '../../src/statistics/trigger-search.ts'
import { blend, checker, type Mark, type Pictures, type Poisoned, poison, sinusoid, wandering, white } from '../support/attacks.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { pictureBatches, textures, waves } from '../support/pictures.ts'

const setupOf = ({ height, width, channels }: Pictures, subject: Setup['subject'] = ['image', 'label', 'pixels']): Setup => ({
  subject,
  reference: null,
  classes: null,
  shape: { rows: null, dims: 0, classes: 3, sources: 0, pixels: { height, width, channels } },
})

const run = (p: Pictures) => fitDetector(triggerImage, {}, setupOf(p), pictureBatches(p))

function quality(p: Poisoned, flagged: readonly boolean[]) {
  const total = p.poison.reduce((a, b) => a + b, 0)
  const hits = flagged.filter((f, i) => f && p.poison[i]).length
  return { total, recall: hits / total, precision: hits / Math.max(1, flagged.filter(Boolean).length) }
}

describe('trigger-image/pattern', () => {
  const grey = waves('trigger image', 260, 2, 9)
  const textured = textures('textures', 700, 16)

  test.each<[string, Pictures, Mark, boolean, number?]>([
    ['a mark in a corner, labels changed', grey, checker(3), false],
    ['a picture mixed in', grey, blend(0.3), false],
    ['stripes on images with the right label', grey, sinusoid(30, 3), true],
    ['stripes fainter than what images vary by at every frequency', textured, sinusoid(5, 5), true, 0.08],
    ['a mark on colour images', waves('colour', 160, 2, 8, 3), checker(3), false, 0.22],
    ['a mark on more than half of the images of its class', waves('half', 900, 3, 9), checker(3), true, 0.171],
    ['a mark on images larger than the planes', waves('large', 150, 2, 36), checker(5), false, 0.27],
  ])(
    '%s: found, named and flagged',
    async (name, clean, mark, cleanLabel, rate = 0.18) => {
      const p = poison(clean, mark, rate, 1, name, cleanLabel)
      const { conclusion, flagged, scores } = await run(p)
      const [finding] = conclusion.findings
      expect(conclusion.findings.length).toBe(1)
      expect(finding).toMatchObject({
        rule: 'trigger-image/pattern',
        severity: 'high',
        scope: { kind: 'pattern', names: ['class 1', '1'] },
      })
      expect(finding?.test).toBe('trigger-image/pattern: class class 1')
      const found = conclusion.tests.find((t) => t.id === finding?.test)
      expect(found?.p).toBeLessThan(5e-3)
      const { recall, precision } = quality(p, flagged)
      expect(recall).toBeGreaterThan(0.9)
      expect(precision).toBeGreaterThan(0.9)
      expect(scores.every((s) => s >= 0 && s <= 1)).toBe(true)
    },
    60_000,
  )

  test('evidence: the trigger with its place, examples, shares by label, what the labels would have been, the test', async () => {
    const bright = grey.pixels.map((v, i) => Math.min(255, v + (i % 9 === 3 * (grey.labels[Math.floor(i / 81)] as number) ? 60 : 0)))
    const p = poison({ ...grey, pixels: bright }, checker(3), 0.18, 1, 'evidence')
    const { conclusion, flagged, scored } = await run(p)
    const evidence = conclusion.findings[0]?.evidence ?? []
    expect(evidence.map((e) => e.kind)).toEqual(['pictures', 'pictures', 'intervals', 'table', 'numbers', 'numbers'])
    const [trigger, examples, shares, looks, unlike] = evidence
    if (trigger?.kind !== 'pictures' || examples?.kind !== 'pictures' || shares?.kind !== 'intervals' || looks?.kind !== 'table')
      return expect.unreachable()
    expect([trigger.ofRecords, examples.ofRecords]).toEqual([false, true])
    expect(trigger.items.map((i) => i.outline)).toEqual(new Array(4).fill([5, 5, 3, 3]))
    expect(examples.items.length).toBe(12)
    expect(examples.items[0]?.caption).toMatch(/^image \d+$/)
    expect(shares.items[0]).toMatchObject({ name: 'class 1', marked: true })
    expect(shares.items.reduce((sum, i) => sum + i.total, 0)).toBe(260)
    // The marked pictures were of the other class, and look like it.
    expect(looks.columns).toEqual(['label', 'carriers that look like it', 'share', 'share among other records labelled "class 1"'])
    const [first, second] = looks.rows
    expect(first?.[0]).toBe('class 0')
    expect((first?.[1] as number) + (second?.[1] as number)).toBe(flagged.filter(Boolean).length)
    expect(first?.[1]).toBeGreaterThan(0.8 * flagged.filter(Boolean).length)
    const exponent = /^10\^(-?[\d.]+)$/.exec(`${unlike?.kind === 'numbers' ? unlike.items[2]?.value : ''}`)?.[1]
    expect(Number(exponent)).toBeLessThan(-6)
    const suggested = scored.flatMap((s) => Array.from(s.score, (_, i) => s.suggested?.values[s.suggested.codes[i] as number]))
    expect(suggested.filter((s) => s === 'class 0').length).toBe(first?.[1])
    expect(suggested.filter((s, i) => s !== undefined && !flagged[i])).toEqual([])
  })

  test('two triggers on one class are two findings', async () => {
    const corner: Mark = (picture, size) => {
      for (let y = 1; y < 4; y++) for (let x = 1; x < 4; x++) picture[y * size.width + x] = (x + y) % 2 ? 250 : 5
    }
    const once = poison(grey, checker(3), 0.16, 1, 'first')
    const twice = poison(once, corner, 0.16, 1, 'second')
    const { conclusion } = await run(twice)
    expect(conclusion.findings.map((f) => f.scope.names)).toEqual([
      ['class 1', '1'],
      ['class 1', '2'],
    ])
  })

  test('patterns that one test found, as carriers of several kinds, cite that test', async () => {
    const p = poison(grey, checker(3), 0.18, 1, 'kinds')
    const summaries = new Map<string, unknown>()
    await fitDetector(triggerImage, {}, setupOf(p), pictureBatches(p), [], summaries)
    const [id, search] = [...summaries].find(([key]) => key.startsWith('trigger-search/')) as [string, TriggerSearch]
    summaries.set(id, { ...search, found: [...search.found, ...search.found] })
    const { conclusion } = await fitDetector(triggerImage, {}, setupOf(p), pictureBatches(p), [], summaries)
    const test = 'trigger-image/pattern: class class 1'
    expect(conclusion.findings.map((f) => [f.scope.names[1], f.test])).toEqual([
      ['1', test],
      ['2', test],
    ])
    expect(conclusion.tests.map((t) => t.id)).toContain(test)
  })

  test('clean images: no finding, no flag, a test a class', async () => {
    const { conclusion, flagged } = await run(grey)
    expect(conclusion.findings).toEqual([])
    expect(flagged.some(Boolean)).toBe(false)
    expect(conclusion.tests.map((t) => t.id).sort()).toEqual([
      'trigger-image/patch: a fixed place',
      'trigger-image/patch: any place',
      ...[0, 1].map((k) => `trigger-image/pattern: class class ${k}`),
    ])
    expect(Math.min(...conclusion.tests.map((t) => t.p))).toBeGreaterThan(0.01)
  })

  test('copies of one image are no trigger', async () => {
    const each = 9 * 9
    const pixels = grey.pixels.slice()
    const labels = grey.labels.slice()
    for (let r = 0; r < 40; r++) {
      pixels.set(
        pixels.subarray(250 * each, 251 * each).map((v) => v + (r % 3)),
        r * each,
      )
      labels[r] = 1
    }
    expect((await run({ ...grey, pixels, labels })).conclusion.findings).toEqual([])
  })

  test('classes that are too small or alone are not searched, and it says so', async () => {
    const few = { ...grey, pixels: grey.pixels.slice(0, 80 * 81), labels: grey.labels.slice(0, 80) }
    const { conclusion } = await run(few)
    expect(conclusion.findings).toEqual([])
    expect(conclusion.tests.map((t) => t.id)).toEqual(['trigger-image/patch: any place', 'trigger-image/patch: a fixed place'])
    expect(conclusion.notes.join(' ')).toContain('fewer than 60')
    const alone = await run({ ...grey, labels: new Int32Array(260) })
    expect(alone.conclusion.tests.map((t) => t.id)).toEqual(['trigger-image/patch: any place', 'trigger-image/patch: a fixed place'])
  })
})

describe('trigger-image/patch', () => {
  const clean = waves('patches', 300, 3, 12)
  const p = poison(clean, wandering(3), 0.14, 2, 'patch')

  test('a mark at any place: found, named, flagged, outlined where it lies', async () => {
    const { conclusion, flagged } = await run(p)
    expect(conclusion.findings.length).toBe(1)
    const [finding] = conclusion.findings
    expect(finding).toMatchObject({ rule: 'trigger-image/patch', severity: 'high', count: 42, test: 'trigger-image/patch: any place' })
    expect(conclusion.tests.find((t) => t.id === finding?.test)?.p).toBeLessThan(1e-6)
    expect(quality(p, flagged)).toMatchObject({ recall: 1, precision: 1 })
    const [mark, examples] = finding?.evidence ?? []
    if (mark?.kind !== 'pictures' || examples?.kind !== 'pictures') return expect.unreachable()
    expect(mark.items[0]?.outline?.slice(2)).toEqual([3, 3])
    expect(new Set(examples.items.map((i) => String(i.outline))).size).toBeGreaterThan(5)
  })

  test('a mark at one place, in classes that are too small for patterns: named by its place, outlined there', async () => {
    const small = poison(waves('small classes', 150, 3, 12), white(3), 0.16, 1, 'small')
    const { conclusion, flagged } = await run(small)
    const [finding] = conclusion.findings
    expect(conclusion.findings.length).toBe(1)
    expect(finding).toMatchObject({ rule: 'trigger-image/patch', severity: 'high', count: 24, test: 'trigger-image/patch: a fixed place' })
    expect(finding?.message).toContain('3 x 3 pixels at (8, 8), against 0 images of all other classes')
    expect(conclusion.tests.find((t) => t.id === finding?.test)?.p).toBeLessThan(1e-4)
    expect(quality(small, flagged)).toMatchObject({ recall: 1, precision: 1 })
    const examples = finding?.evidence[1]
    if (examples?.kind !== 'pictures') return expect.unreachable()
    expect(new Set(examples.items.map((i) => String(i.outline)))).toEqual(new Set(['8,8,3,3']))
    const unlabelled = await fitDetector(triggerImage, {}, setupOf(small, ['image', 'pixels']), pictureBatches(small, false))
    expect(unlabelled.conclusion.findings.map((f) => [f.severity, f.test, f.count])).toEqual([['review', null, 24]])
  })

  test('without labels it is for review', async () => {
    const { conclusion, flagged } = await fitDetector(triggerImage, {}, setupOf(p, ['image', 'pixels']), pictureBatches(p, false))
    expect(conclusion.findings.map((f) => [f.rule, f.severity, f.test, f.count])).toEqual([['trigger-image/patch', 'review', null, 42]])
    expect(conclusion.tests).toEqual([])
    expect(quality(p, flagged)).toMatchObject({ recall: 1, precision: 1 })
    const none = await fitDetector(triggerImage, {}, setupOf(clean, ['image', 'pixels']), pictureBatches(clean, false))
    expect(none.conclusion.findings).toEqual([])
  })
})

test('says what it needs', () => {
  const grey = waves('needs', 1, 1, 4)
  expect(triggerImage.missing(setupOf(grey))).toBeNull()
  expect(triggerImage.missing(setupOf(grey, ['label', 'text']))).toBe('no column has the role image')
  expect(triggerImage.missing(setupOf(grey, ['image', 'pixels']))).toBeNull()
  expect(triggerImage.reads({ sample: 100 }, setupOf(grey, ['image', 'pixels']))).toEqual(['pixels'])
  expect(() => triggerImage.options.parse({ sample: 3 })).toThrow()
})
