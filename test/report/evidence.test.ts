import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Evidence, Passage, Picture } from '../../src/contracts/finding.ts'
import { pictureOf } from '../../src/math/picture.ts'
import { hiddenPieces } from '../../src/report/escape.ts'
import { boundEvidence, shownWords, showsRecords, withheld } from '../../src/report/evidence.ts'
import { boundAllPictures, boundPassage, limits } from '../../src/report/evidence-bounds.ts'
import { evidence as render } from '../../src/report/render/html/evidence.ts'
import { partsOf } from '../../src/report/render/html/passages.ts'

const passage = (text: string, marks: Passage['marks']): Passage => ({ where: 'r', label: null, text, marks })
const marked = (p: Passage): string[] => p.marks.map(([from, to]) => p.text.slice(from, to))
const noise = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => Math.floor(Math.abs((Math.sin(i + 1) * 1e5) % 1) * 256))
const picture = (side = 8, caption = 'one'): Picture =>
  pictureOf({ caption, data: noise(side * side * 3), height: side, width: side, channels: 3, outline: [1, 1, 2, 2] })
const pictures = (items: readonly Picture[], ofRecords = false): Evidence => ({ kind: 'pictures', title: 'some', ofRecords, items })

describe('passages', () => {
  test.each<[string, Passage, string, string[]]>([
    ['short text stays', passage('a b c', [[2, 3]]), 'a b c', ['b']],
    [
      'marks are sorted and joined',
      passage('abcdef', [
        [3, 5],
        [0, 1],
        [4, 6],
      ]),
      'abcdef',
      ['a', 'def'],
    ],
    [
      'marks outside are dropped',
      passage('abc', [
        [2, 99],
        [-5, 1],
        [7, 9],
        [1, 1],
        [0.5, 2],
      ]),
      'abc',
      ['a', 'c'],
    ],
    ['a mark takes whole characters', passage('a\u{1f600}b', [[2, 3]]), 'a\u{1f600}b', ['\u{1f600}']],
  ])('%s', (_, given, text, marks) => {
    const bounded = boundPassage(given)
    expect(bounded.text).toBe(text)
    expect(marked(bounded)).toEqual(marks)
  })

  test('a long text is cut around its first mark, and from its start where the mark lies there', () => {
    const far = boundPassage(
      passage(`${'x'.repeat(9_000)}needle${'y'.repeat(9_000)}needle`, [
        [9_000, 9_006],
        [18_006, 18_012],
      ]),
    )
    expect(far.text).toHaveLength(limits.excerpt)
    expect(far.text).toMatch(/^\u2026x+needley+\u2026$/)
    expect(marked(far)).toEqual(['needle'])
    const near = boundPassage(passage(`needle${'y'.repeat(9_000)}`, [[0, 6]]))
    expect(near.text).toMatch(/^needley+\u2026$/)
    const last = boundPassage(passage(`${'x'.repeat(9_000)}needle`, [[9_000, 9_006]]))
    expect(last.text).toMatch(/^\u2026x+needle$/)
    expect(last.text).toHaveLength(limits.excerpt)
    const whole = boundPassage(passage(`${'x'.repeat(500)}${'n'.repeat(5_000)}`, [[500, 5_500]]))
    expect(marked(whole)[0]).toMatch(/^n{1400,}$/)
  })

  test('whatever the text and the marks: bounded, in order, inside, never half a character', () => {
    const unit = fc.constantFrom('a', ' ', '\u{1f600}', '\u202e', '\n')
    const text = fc.array(unit, { maxLength: 60 }).map((u) => u.join('').repeat(120))
    const marks = fc.array(fc.tuple(fc.integer({ min: -5, max: 9_000 }), fc.integer({ min: -5, max: 9_000 })), { maxLength: 6 })
    fc.assert(
      fc.property(text, marks, (t, m) => {
        const bounded = boundPassage(passage(t, m))
        expect(bounded.text.length).toBeLessThanOrEqual(limits.excerpt)
        expect(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(bounded.text)).toBe(false)
        let at = 0
        for (const [from, to] of bounded.marks) {
          expect(from).toBeGreaterThanOrEqual(at)
          expect(to).toBeGreaterThan(from)
          expect(to).toBeLessThanOrEqual(bounded.text.length)
          at = to
        }
        const parts = partsOf(bounded)
        expect(parts.map((p) => p.text).join('')).toBe(bounded.text)
        if (bounded.marks.length > 0) expect(parts.some((p) => p.kind === 'marked')).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('what lies far from the marks is left out of the page', () => {
    const text = `${'start '.repeat(60)}KEY${' middle'.repeat(60)} KEY ${'end '.repeat(60)}`
    const at = [text.indexOf('KEY'), text.lastIndexOf('KEY')] as const
    const parts = partsOf({ text, marks: at.map((from): [number, number] => [from, from + 3]) })
    expect(parts.map((p) => p.kind)).toEqual(['gap', 'plain', 'marked', 'plain', 'gap', 'plain', 'marked', 'plain', 'gap'])
    expect(parts.filter((p) => p.kind === 'marked').map((p) => p.text)).toEqual(['KEY', 'KEY'])
    expect(partsOf({ text: 'word '.repeat(200), marks: [] }).map((p) => p.kind)).toEqual(['plain', 'gap'])
  })

  test('the page says what nobody sees, also inside a mark', async () => {
    const tags = [...'obey'].map((c) => String.fromCodePoint(0xe0000 + c.charCodeAt(0))).join('')
    const text = `pay${'\u200b'.repeat(9)}pal \u202e\u2066<b>${tags}`
    const e = boundEvidence({ kind: 'passages', title: 't', items: [passage(text, [[text.indexOf('<'), text.length]])] })
    const page = (await render(e)).html
    expect(page).toContain('\u27e8U+200B \u00d7 9\u27e9')
    expect(page).toContain('<i class="hidden">\u27e8U+202E\u27e9\u27e8U+2066\u27e9</i>')
    expect(page).toContain('<mark>&lt;b&gt;<i class="hidden">\u27e84 tag characters: obey\u27e9</i></mark>')
    expect(page).toMatch(/<blockquote><bdi>.*<\/bdi><\/blockquote>/s)
  })

  test('hidden characters are runs of their own, and spelling stays', () => {
    expect(hiddenPieces('a\u200b\u200bb\n\u0007')).toEqual([{ text: 'a' }, { codes: [0x200b, 0x200b] }, { text: 'b\n' }, { codes: [7] }])
    expect(hiddenPieces('\u0645\u06cc\u200c\u062e')).toEqual([{ text: '\u0645\u06cc\u200c\u062e' }])
  })
})

describe('pictures', () => {
  test('only PNG made here, within limits; an outline lies inside the picture', () => {
    const svg = { ...picture(), png: 'data:image/svg+xml;base64,AAAA' }
    const outside = { ...picture(), outline: [6, -2, 50, 4] as const }
    const none = { ...picture(), outline: [9, 9, 2, 2] as const }
    const e = boundEvidence(pictures([svg, outside, none]))
    if (e.kind !== 'pictures') throw new Error('another kind')
    expect(e.items.map((i) => i.outline)).toEqual([[6, 0, 2, 2], null])
  })

  test('the first that fit are kept, and the title says of how many', () => {
    const many = boundEvidence(pictures(Array.from({ length: 30 }, () => picture())))
    expect(many).toMatchObject({ title: 'some (the first 24 of 30)', items: { length: 24 } })
    const large = picture(300)
    expect(large.png.length).toBeGreaterThan(limits.pictureLength / 4)
    const heavy = boundEvidence(pictures(Array.from({ length: 6 }, () => large)))
    expect(heavy.title).toMatch(/^some \(the first [12] of 6\)$/)
  })

  test('a report keeps so many, the first findings first', () => {
    const e = boundEvidence(pictures([picture(300), picture(300)]))
    const findings = Array.from({ length: 30 }, () => ({ evidence: [e] }))
    boundAllPictures(findings)
    const lengths = findings.flatMap((f) =>
      f.evidence.flatMap((one) => (one.kind === 'pictures' ? one.items.map((i) => i.png.length) : [])),
    )
    expect(lengths.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(limits.allPictures)
    expect(findings[0]?.evidence[0]?.title).toBe('some')
    expect(findings.at(-1)?.evidence[0]?.title).toBe('some (the first 0 of 2)')
  })

  test('small ones are enlarged by a whole factor with their native size beside them, large ones are scaled down', async () => {
    const small = (await render(boundEvidence(pictures([picture(20)])))).html
    expect(small).toMatch(/width="200" height="200"/)
    expect(small).toMatch(/alt="" width="20" height="20"/)
    expect(small).toContain('alt="20 by 20 pixels; outlined: 2 by 2 pixels, 1 from the left and 1 from the top"')
    expect(small).toContain('<rect class="s-mark" x="8" y="8" width="24" height="24"/>')
    const large = (await render(boundEvidence(pictures([picture(290)])))).html
    expect(large).toMatch(/class="shot reduced"><img [^>]* width="216" height="216"/)
    expect(large).not.toContain('alt=""')
  })
})

describe('scatter', () => {
  const cloud = (n: number): [number, number][] => Array.from({ length: n }, (_, i) => [Math.sin(i) * i, Math.cos(i * 1.7)])
  const scatter = (series: Extract<Evidence, { kind: 'scatter' }>['series']): Evidence => ({
    kind: 'scatter',
    title: 'map',
    xTitle: 'x',
    yTitle: 'y',
    series,
  })

  test('thousands of points are few elements; marked ones are drawn last and listed', async () => {
    const e = boundEvidence(
      scatter([
        { name: 'flagged', marked: true, points: cloud(60) },
        ...Array.from({ length: 9 }, (_, i) => ({ name: `class ${i}`, marked: false, points: cloud(5_000) })),
      ]),
    )
    if (e.kind !== 'scatter') throw new Error('another kind')
    expect(e.series).toHaveLength(limits.series)
    expect(Math.max(...e.series.map((s) => s.points.length))).toBe(limits.points)
    const page = (await render(e)).html
    expect(page.match(/<path/g)?.length).toBeLessThan(40)
    expect(page.length).toBeLessThan(700_000)
    expect(page.lastIndexOf('class="f-mark"')).toBeGreaterThan(page.lastIndexOf('class="s-series'))
    expect(page).toContain('The first 20 of 60 marked points')
  })

  test('a single point, no point and no series are drawn without a number that is none', async () => {
    for (const series of [[{ name: 'a', marked: true, points: [[3, 3]] as const }], [{ name: 'a', marked: false, points: [] }], []]) {
      const page = (await render(boundEvidence(scatter(series)))).html
      expect(page).toContain('<svg')
      expect(page).not.toMatch(/NaN|Infinity/)
    }
  })
})

test('what shows records needs excerpts; short formats say how much there is', () => {
  expect([pictures([]), pictures([], true), { kind: 'passages', title: '', items: [] } as const].map(showsRecords)).toEqual([
    false,
    true,
    true,
  ])
  expect(
    shownWords([
      boundEvidence(pictures([picture(), picture()])),
      boundEvidence({ kind: 'passages', title: '', items: [passage('a', [])] }),
    ]),
  ).toBe('2 pictures, 1 passage')
  expect(shownWords([])).toBe('')
})

test('what is withheld is counted', () => {
  expect(withheld(pictures([picture(), picture()], true))).toEqual({
    kind: 'numbers',
    title: 'some',
    items: [{ name: 'pictures, left out because the pipeline allows no excerpts', value: 2 }],
  })
})
