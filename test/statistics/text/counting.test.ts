import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../../src/contracts/batch.ts'
import { maxTokens, tokeniser, wordsOf } from '../../../src/math/tokens.ts'
import { tokensOf } from '../../../src/statistics/text/batch-tokens.ts'
import { addGrams, findGram, recordGrams, sealedGrams, startGrams, tallyGrams } from '../../../src/statistics/text/gram-table.ts'
import { eachGram, tokenSet } from '../../../src/statistics/text/grams.ts'
import { matcher } from '../../../src/statistics/text/matcher.ts'
import { seed } from '../../support/fit-detector.ts'

const hash = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }))

describe('tokens of a batch', () => {
  it('are those of its texts one by one, places and all', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'B', "'", '\u2019', ' ', '.', 'é', '\u200b', '爱', 'ไ', '😀', '\n'),
      maxLength: 20,
    })
    fc.assert(
      fc.property(fc.array(fc.option(text), { minLength: 1, maxLength: 8 }), (texts) => {
        const batch = makeBatch({ row: Uint32Array.from(texts, (_, i) => i), text: texts })
        const all = tokensOf(batch, 'text', seed)
        expect(tokensOf(batch, 'text', seed)).toBe(all)
        texts.forEach((t, i) => {
          const bytes = Buffer.from(t ?? '')
          const alone = tokeniser(seed).read(bytes, 0, bytes.length)
          const row = all?.row(i)
          expect([...(row?.hashes ?? [])]).toEqual([...alone.hashes.subarray(0, alone.count)])
          expect(row && wordsOf(row, 0, maxTokens)).toBe(wordsOf(alone, 0, maxTokens))
        })
      }),
    )
  })

  it('are of one seed', () => {
    const batch = makeBatch({ row: Uint32Array.of(0), text: ['word'] })
    expect(tokensOf(batch, 'text', seed)?.hashes[0]).not.toBe(tokensOf(batch, 'text', new Uint8Array(16))?.hashes[0])
    expect(tokensOf(batch, 'response', seed)).toBeNull()
  })
})

interface Gram {
  readonly hash: number
  readonly kind: number
  readonly left: number
  readonly right: number
}
const gram: fc.Arbitrary<Gram> = fc.record({
  hash,
  kind: fc.integer({ min: 1, max: 9 }),
  left: fc.integer({ min: -300, max: 300 }),
  right: fc.integer({ min: -300, max: 300 }),
})
const record = fc.record({ label: fc.integer({ min: -1, max: 1 }), grams: fc.array(gram, { maxLength: 40 }) })

describe('a table of grams', () => {
  const counted = (records: readonly { readonly label: number; readonly grams: readonly Gram[] }[], most: number) => {
    const growing = startGrams(2, most)
    for (const { label, grams } of records) {
      const own = recordGrams(grams.length)
      grams.forEach((g, i) => {
        own.hashes[i] = g.hash
        own.kinds[i] = g.kind
        own.left[i] = g.left
        own.right[i] = g.right
      })
      own.count = grams.length
      tallyGrams(growing, own, label)
    }
    return sealedGrams(growing)
  }

  it('holds the sums of those with the smallest hashes, in order', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), fc.constantFrom(4, 128, 2 ** 20), (records, most) => {
        const sums = new Map<string, number[]>()
        for (const { label, grams } of records) {
          for (const g of grams) {
            const row = sums.get(`${g.hash} ${g.kind}`) ?? [g.hash, g.kind, 0, 0, 0, 0, 0]
            sums.set(`${g.hash} ${g.kind}`, row)
            for (const [at, n] of [
              [2, 1],
              [3, g.left],
              [4, g.right],
              [5 + label, label < 0 ? 0 : 1],
            ] as const)
              row[at] = (row[at] as number) + n
          }
        }
        const expected = [...sums.values()].sort((a, b) => (a[0] as number) - (b[0] as number) || (a[1] as number) - (b[1] as number))
        const table = counted(records, most)
        const rows = Array.from(table.hashes, (h, i) => [
          h,
          table.kinds[i],
          table.counts[i],
          table.left[i],
          table.right[i],
          ...table.byLabel.subarray(2 * i, 2 * i + 2),
        ])
        expect(rows).toEqual(expected.slice(0, most))
        rows.forEach(([h, kind], i) => {
          expect(findGram(table, h as number, kind as number)).toBe(i)
        })
      }),
    )
  })

  it('is the same however the records are parted', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), fc.nat(20), fc.constantFrom(4, 2 ** 20), (records, at, most) => {
        const parts = addGrams(counted(records.slice(0, at), most), counted(records.slice(at), most), most)
        expect(parts).toEqual(counted(records, most))
      }),
    )
  })

  it('drops what is not among the smallest as it grows', () => {
    const grams = Array.from({ length: 5000 }, (_, i) => ({ hash: Math.imul(i, 0x9e3779b1), kind: 1, left: 1, right: 2 }))
    const table = counted(
      [
        { label: 0, grams },
        { label: 1, grams },
      ],
      128,
    )
    expect([...table.hashes]).toEqual([...new Int32Array(grams.map((g) => g.hash))].sort((a, b) => a - b).slice(0, 128))
    expect(new Set(table.counts)).toEqual(new Set([2]))
  })
})

it('a matcher finds what a look at every phrase finds', () => {
  const tokens = fc.array(fc.integer({ min: -2, max: 2 }), { maxLength: 30 }).map((list) => Int32Array.from(list))
  fc.assert(
    fc.property(tokens, fc.array(fc.tuple(fc.nat(29), fc.integer({ min: 1, max: 4 })), { maxLength: 6 }), (text, picks) => {
      const wanted = new Map<string, readonly [number, number]>()
      eachGram(text, text.length, 4, (h, kind, from) => {
        if (picks.some(([at, n]) => at === from && n === kind)) wanted.set(`${h} ${kind}`, [h, kind])
      })
      const all = [...wanted.values()]
      const candidates = {
        hashes: Int32Array.from(all, ([h]) => h),
        kinds: Uint8Array.from(all, ([, kind]) => kind),
        counts: new Uint32Array(all.length),
      }
      const found: unknown[] = []
      matcher(candidates, new Set())(text, text.length, (place, from, to) => found.push([place, from, to]))
      const expected: unknown[] = []
      eachGram(text, text.length, 4, (h, kind, from, to) => {
        const place = all.findIndex(([a, b]) => a === h && b === kind)
        if (place >= 0) expected.push([place, from, to])
      })
      expect(found).toEqual(expected)
    }),
  )
})

it('a set of tokens holds them and no other', () => {
  fc.assert(
    fc.property(fc.array(hash, { maxLength: 20 }), fc.array(hash, { maxLength: 20 }), (kept, asked) => {
      const set = tokenSet(kept)
      for (const token of [...kept, ...asked]) expect(set.has(token)).toBe(kept.includes(token))
    }),
  )
})
