import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldName, hostileName, safePath } from '../../src/provenance/paths.ts'

describe('safePath', () => {
  it.each([
    ['data.csv', '', 'data.csv'],
    ['./data.csv', '', 'data.csv'],
    ['a//b/./c', '', 'a/b/c'],
    ['train/0.png', 'v1/images', 'v1/images/train/0.png'],
    ['name with spaces (1).txt', '', 'name with spaces (1).txt'],
    ['..hidden', '', '..hidden'],
    ['a/...', '', 'a/...'],
    ['backup~', '', 'backup~'],
    ['a/~b', '', 'a/~b'],
    ['100%25.txt', '', '100%25.txt'],
    ['%2e%2e/x', '', '%2e%2e/x'],
    ['é/日本/🙂.txt', '', 'é/日本/🙂.txt'],
    ['time 12:30.csv', '', 'time 12:30.csv'],
  ])('%j in %j is %j', (raw, base, path) => {
    expect(safePath(raw, base)).toEqual({ path })
  })

  it.each([
    ['', /empty/],
    ['/etc/passwd', /absolute/],
    ['//server/share/x', /network/],
    ['\\\\server\\share', /backslash/],
    ['..\\x', /backslash/],
    ['../x', /climbs/],
    ['a/../../x', /climbs/],
    ['a/..', /climbs/],
    ['~/x', /home/],
    ['~root/x', /home/],
    ['C:/x', /drive/],
    ['c:x', /drive/],
    ['./~/x', /home/],
    ['./C:x', /drive/],
    ['file:///etc/passwd', /address/],
    ['https://example.org/x', /address/],
    ['a\u0000b', /NUL/],
    ['a\nb', /control/],
    ['a\u007f', /control/],
    ['a\u0085b', /control/],
    ['a\u202etxt.exe', /another order/],
    ['a\ud800', /Unicode/],
    ['a/', /folder/],
    ['.', /folder/],
    ['a/.', /folder/],
    ['././', /folder/],
    ['x'.repeat(256), /longer than 255/],
    ['é'.repeat(128), /longer than 255/],
    [`${'x/'.repeat(200)}y`, /deep/],
    ['x'.repeat(5000), /longer than 4096/],
  ])('refuses %j', (raw, why) => {
    const result = safePath(raw, '')
    expect(result).toHaveProperty('hostile')
    expect((result as { hostile: string }).hostile).toMatch(why)
  })

  it('bounds the path with its base', () => {
    const base = Array.from({ length: 20 }, () => 'x'.repeat(200)).join('/')
    expect(safePath('y'.repeat(80), base)).toHaveProperty('hostile')
  })

  it('never leaves the base, whatever the text', () => {
    const nasty = fc
      .array(fc.oneof(fc.constantFrom('..', '.', '/', '\\', '~', 'C:', '\u0000', '%2e', '//', ' '), fc.string({ unit: 'binary' })))
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(nasty, fc.constantFrom('', 'a', 'a/b'), (raw, base) => {
        const result = safePath(raw, base)
        if ('hostile' in result) return
        const parts = result.path.split('/')
        expect(parts.some((part) => part === '' || part === '.' || part === '..')).toBe(false)
        expect(result.path.startsWith(base === '' ? '' : `${base}/`)).toBe(true)
        expect(hostileName(result.path)).toBeNull()
        expect(safePath(result.path, '')).toEqual(result)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('foldName', () => {
  it.each([
    ['README', 'readme'],
    ['é', 'e\u0301'],
    ['STRASSE', 'straße'],
    ['Å', 'a\u030a'],
    ['ﬁle', 'FILE'],
  ])('%j and %j are one name', (a, b) => {
    expect(foldName(a)).toBe(foldName(b))
  })

  it('keeps different names apart', () => {
    expect(foldName('a')).not.toBe(foldName('b'))
    expect(foldName('e')).not.toBe(foldName('é'))
  })
})
