import { describe, expect, it } from 'vitest'
import { parseJson, parseYaml, property, wholeNumber } from '../../../src/provenance/manifests/structured.ts'

describe('JSON and YAML from outside', () => {
  it('say in which line they break', async () => {
    expect(parseJson('{\n"a": 1,\n}', 'f.json')).toEqual({
      code: 'malformed',
      message: 'f.json is not JSON.',
      place: { file: 'f.json', line: 3 },
    })
    expect(await parseYaml('a: 1\nb: [\n', 'f.yaml')).toMatchObject({ code: 'malformed', place: { file: 'f.yaml', line: 3 } })
  })

  it('are what they say', async () => {
    expect(parseJson('\ufeff{"a": [1, null]}', 'f')).toEqual({ value: { a: [1, null] } })
    expect(await parseYaml('a: [1, null]\nb: &x {c: 1}\nd: *x\n', 'f')).toEqual({ value: { a: [1, null], b: { c: 1 }, d: { c: 1 } } })
  })

  it.each([['['], ['{a: '], ['- '], ['? '], ['a: &a ['], ['!!x '], ['&a '], ['[{"a": ']])('never nest without bound: %j', async (piece) => {
    for (const count of [1_000, 60_000]) {
      const text = piece.repeat(count).slice(0, 400_000)
      expect(await parseYaml(text, 'f')).toMatchObject({ code: 'too-large' })
    }
  })

  it('have bounds of depth, values and length', async () => {
    const limits = { maxDepth: 3, maxNodes: 6 }
    expect(parseJson('[[[1]]]', 'f', limits)).toEqual({ value: [[[1]]] })
    expect(parseJson('[[[[1]]]]', 'f', limits)).toMatchObject({ code: 'too-large' })
    expect(parseJson('[1, 2, 3, 4, 5]', 'f', limits)).toEqual({ value: [1, 2, 3, 4, 5] })
    expect(parseJson('[1, 2, 3, 4, 5, 6]', 'f', limits)).toMatchObject({ code: 'too-large' })
    expect(await parseYaml(' '.repeat(600_000), 'f')).toMatchObject({ code: 'too-large' })
  })

  it('have no property but their own', () => {
    const tree = parseJson('{"__proto__": {"polluted": 1}, "own": 2}', 'f')
    const value = 'value' in tree ? tree.value : null
    expect([
      property(value, 'own'),
      property(value, 'polluted'),
      property(value, 'toString'),
      property(null, 'a'),
      property([1], 'length'),
    ]).toEqual([2, undefined, undefined, undefined, undefined])
  })

  it('count in whole numbers', () => {
    expect(['12', 12, 0, -1, 1.5, '1.5', '1e3', Number.NaN, 2 ** 60, '', null, [3]].map(wholeNumber)).toEqual([
      12,
      12,
      0,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
      null,
    ])
  })
})
