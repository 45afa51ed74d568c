import { describe, expect, it } from 'vitest'
import { marked } from '../../src/review/marks.ts'

const text = (t: string, needles: readonly string[]) =>
  marked(t, needles)
    .pieces.map((p) => (p.kind === 'text' ? p.text : `[${p.kind} ${p.text}]`))
    .join('')

describe('a text of a record', () => {
  it.each([
    ['cf James Bond is cf', ['james bond'], 'cf [mark James Bond] is cf'],
    ['aaaa', ['aaa', 'aa'], '[mark aaa]a'],
    ['one two three', ['two three', 'one two'], '[mark one two] three'],
    ['short needles mark nothing: cf', ['cf'], 'short needles mark nothing: cf'],
    ['pay\u200b\u200bpal', [], 'pay[hidden U+200B \u00d7 2]pal'],
    ['a\u202eb', ['a\u202eb'], '[mark a][hidden U+202E][mark b]'],
    ['two\r\nlines\nand\ttab', [], 'two\nlines\nand tab'],
    ['\u0000\u001b[31m', [], '[hidden U+0000 U+001B][31m'],
    // Lower case is longer: nothing is marked at a wrong place.
    ['\u0130stanbul trigger', ['trigger'], '\u0130stanbul [mark trigger]'],
  ])('%j', (t, needles, expected) => {
    expect(text(t, needles)).toBe(expected)
  })

  it('is cut where it is long, and says by how much', () => {
    const { pieces, left } = marked('x'.repeat(1_000_000), ['xxx'])
    expect(pieces.reduce((n, p) => n + p.text.length, 0)).toBeLessThanOrEqual(20_000)
    expect(left).toBe(980_000)
  })
})
