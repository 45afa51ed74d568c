import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import Papa from 'papaparse'
import { describe, expect, test } from 'vitest'
import {
  clip,
  escapeCommandMessage,
  escapeCommandProperty,
  escapeCsv,
  escapeHtml,
  escapeMarkdown,
  escapeTerminal,
  escapeXml,
  markdownCode,
  visible,
} from '../../src/report/escape.ts'

const anyText = fc.string({
  unit: fc.oneof(
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    fc.constantFrom('\u001b', '\u202e', '\n', '<', '"', '`', '|', '::', '##[', '@', '\ud800'),
  ),
})

describe('visible', () => {
  test.each([
    ['plain text stays', 'naïve 日本語 العربية 3 → 8', 'naïve 日本語 العربية 3 → 8'],
    ['new lines and tabs', 'a\r\n\tb', 'a   b'],
    ['escape', '\u001b[31m', '⟨U+001B⟩[31m'],
    ['C1 control', 'a\u009bb', 'a⟨U+009B⟩b'],
    ['right-to-left override', 'a\u202eb', 'a⟨U+202E⟩b'],
    ['isolates', '\u2066x\u2069', '⟨U+2066⟩x⟨U+2069⟩'],
    ['zero width space', 'pay\u200bpal', 'pay⟨U+200B⟩pal'],
    ['byte order mark', '\ufeffid', '⟨U+FEFF⟩id'],
    ['tag characters', 'a\u{e0041}', 'a⟨U+E0041⟩'],
    ['lone surrogate', 'a\ud83d', 'a⟨U+D83D⟩'],
    ['joined emoji stay', '👩\u200d⚕\ufe0f', '👩\u200d⚕\ufe0f'],
    ['Persian non-joiner stays', 'می\u200cخواهم', 'می\u200cخواهم'],
    ['joiner between Latin letters', 'a\u200db', 'a⟨U+200D⟩b'],
    ['marks stack four high', `e${'\u0301'.repeat(50)}`, `e${'\u0301'.repeat(4)}`],
  ])('%s', (_, text, expected) => expect(visible(text)).toBe(expected))

  test('never lets a control, a direction change or half a character through', () => {
    fc.assert(fc.property(anyText, (text) => !/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u.test(visible(text))))
  })
})

describe('clip', () => {
  test.each([
    ['abc', 3, 'abc'],
    ['abcd', 3, 'ab…'],
    ['ab😀d', 4, 'ab…'],
  ])('%s to %i', (text, max, expected) => expect(clip(text, max)).toBe(expected))
})

describe('HTML and XML', () => {
  test.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['" onload=x', '&quot; onload=x'],
    ["' onload=x", '&#39; onload=x'],
    ['`', '&#96;'],
    ['&lt;', '&amp;lt;'],
  ])('%s', (text, expected) => expect(escapeHtml(text)).toBe(expected))

  test('no markup survives in text or in a quoted attribute', () => {
    fc.assert(fc.property(anyText, (text) => !/[<>"'`]|&(?!amp;|lt;|gt;|quot;|#39;|#96;)/.test(escapeHtml(text))))
    fc.assert(fc.property(anyText, (text) => !/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/.test(escapeXml(text))))
  })

  test('XML has only characters that XML 1.0 allows', () => {
    const allowed = /^[\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]*$/u
    fc.assert(fc.property(anyText, (text) => allowed.test(escapeXml(text))))
  })
})

describe('Markdown', () => {
  test.each([
    ['link', '[x](javascript:alert(1))', /\]\(/],
    ['image', '![](https://e.example/a.png)', /!\[|https:/],
    ['table cell', 'a | b', /(?<!\\)\|/],
    ['code', '`x`', /(?<!\\)`/],
    ['html', '<b>x</b>', /</],
    ['mention', '@team', /@t/],
    ['autolink', 'www.evil.example and https://evil.example', /www\.|https:/],
    ['heading', '# x', /^#/],
    ['list', '- x', /^-/],
    ['numbered list', '1. x', /^1\./],
    ['new line', 'a\n\n# b', /\n/],
    ['emoji and math', ':tada: $x$', /:tada|(?<!\\)\$/],
    ['comment', '<!-- x', /</],
  ])('%s', (_, text, forbidden) => expect(escapeMarkdown(text)).not.toMatch(forbidden))

  test('words stay words', () => expect(escapeMarkdown('3 -> 8, benign.')).toBe('3 -&gt; 8, benign.'))

  test('a code span cannot be left', () => {
    expect(markdownCode('a``b`')).toBe('``` a``b` ```')
    expect(markdownCode('a|b')).not.toContain('|')
    fc.assert(
      fc.property(anyText, (text) => {
        const span = markdownCode(text)
        const fence = (/^`+/.exec(span) as RegExpExecArray)[0]
        const inside = span.slice(fence.length, -fence.length)
        return !/[\n|]/.test(span) && !([...(inside.match(/`+/g) ?? [])] as string[]).includes(fence)
      }),
    )
  })
})

describe('terminal', () => {
  test.each([
    ['::error file=x::y', ': :error file=x::y'],
    ['label ::stop-commands::t', 'label : :stop-commands::t'],
    ['##[error]x', '# #[error]x'],
    ['##vso[task.complete]', '# #vso[task.complete]'],
    ['std::vector', 'std::vector'],
    ['\u001b]0;title\u0007', '⟨U+001B⟩]0;title⟨U+0007⟩'],
  ])('%s', (text, expected) => expect(escapeTerminal(text)).toBe(expected))

  test('no escape sequence, no new line, no workflow command at the start of a word', () => {
    fc.assert(fc.property(anyText, (text) => !/[\p{Cc}]|(^|\s)::\p{L}|##\[/u.test(escapeTerminal(text))))
  })
})

describe('CSV', () => {
  test.each([
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['a"b', '"a""b"'],
    ['a\r\nb', '"a\r\nb"'],
    ['=1+1', "'=1+1"],
    ['=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"'],
    ['@sum', "'@sum"],
    ['\tx', "'\tx"],
    ['-1', '-1'],
    ['+4.5e-3', '+4.5e-3'],
    ['-x', "'-x"],
    ['', ''],
  ])('%j', (text, expected) => expect(escapeCsv(text)).toBe(expected))

  test('a CSV reader gets one field back, and it is no formula', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const rows = Papa.parse<string[]>(`${escapeCsv(text)},end\n`, { delimiter: ',', newline: '\n' }).data
        const field = rows[0]?.[0] ?? ''
        return rows[0]?.[1] === 'end' && field.replace(/^'/, '') === text.replace(/^'/, '') && !/^[=@\t\r]/.test(field)
      }),
    )
  })
})

describe('workflow commands', () => {
  test.each([
    ['a\nb', 'a%0Ab'],
    ['a\r::error::b', 'a%0D::error::b'],
    ['50%0A', '50%250A'],
  ])('message %j', (text, expected) => expect(escapeCommandMessage(text)).toBe(expected))

  test('property', () => expect(escapeCommandProperty('a,b:c%')).toBe('a%2Cb%3Ac%25'))

  test('a message stays one line of a log', () => {
    const printed = spawnSync(process.execPath, [
      '-e',
      'process.stdout.write(process.argv[1])',
      `::error::${escapeCommandMessage('x\n::stop::')}`,
    ])
    expect(printed.stdout.toString().split('\n')).toHaveLength(1)
  })
})
