import { describe, expect, it } from 'vitest'
import { addCounts, dense, packed } from '../../src/math/counts.ts'
import { maxTokens, seen, tokeniser, wordsOf } from '../../src/math/tokens.ts'
import { seed } from '../support/fit-detector.ts'

const read = (text: string) => {
  const bytes = Buffer.from(text)
  return tokeniser(seed).read(bytes, 0, bytes.length)
}
const words = (text: string) => wordsOf(read(text), 0, maxTokens)

describe('tokeniser', () => {
  it.each([
    ["Don't stop: n't 3.5mg _a <SUDO>", "don't stop : n't 3 . 5mg _a < sudo >"],
    ['Ｆｕｌｌ ﬁne CAFÉ’s', "full fine café's"],
    ['b\u200bad \u00adx', 'bad x'],
    ['我爱北京天安门 abc', '我 爱 北京 天安门 abc'],
    ['สวัสดีครับโลก', 'สวัสดี ครับ โลก'],
    ['a\u0301 = á', 'á = á'],
    ['  \n\t ', ''],
    ['', ''],
  ])('splits %j', (text, expected) => {
    expect(words(text)).toBe(expected)
  })

  it('gives equal tokens equal hashes, however they are written', () => {
    const [a, b] = [read('Café sudo'), read('CAFE\u0301 SU\u200bDO')]
    expect([...a.hashes.slice(0, 2)]).toEqual([...b.hashes.slice(0, 2)])
  })

  it('keys its hashes by the seed', () => {
    const bytes = Buffer.from('word')
    const other = tokeniser(new Uint8Array(16)).read(bytes, 0, 4).hashes[0]
    expect(read('word').hashes[0]).not.toBe(other)
  })

  it('reads a bounded number of tokens, and says when there are more', () => {
    expect(read('a '.repeat(10)).cut).toBe(false)
    const long = read('a '.repeat(maxTokens + 10))
    expect(long.cut).toBe(true)
    expect(long.count).toBeLessThanOrEqual(maxTokens)
  })

  it('survives bytes that are not UTF-8', () => {
    const bytes = Uint8Array.from([0x61, 0xff, 0xfe, 0x20, 0xe2, 0x82])
    expect(tokeniser(seed).read(bytes, 0, bytes.length).count).toBeGreaterThan(0)
  })
})

it('a set that is emptied forgets, and one that grows remembers', () => {
  const set = seen()
  for (let i = 0; i < 5000; i++) expect(set.add(i * 7919)).toBe(true)
  expect(set.add(7919)).toBe(false)
  set.clear()
  expect(set.add(7919)).toBe(true)
})

it('counters add up and saturate, dense or sparse', () => {
  const some = (n: number, value: number) => packed(4, new Uint8Array(16).fill(value, 0, n))
  const sum = addCounts(some(2, 200), some(12, 100))
  expect([...dense(sum)]).toEqual([255, 255, ...Array(10).fill(100), 0, 0, 0, 0])
  expect(addCounts(some(12, 100), some(2, 200))).toEqual(sum)
})
