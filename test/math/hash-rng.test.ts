import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson, compareDigests, digest16, digester, foldOf, shortDigest, sortKey, sortKey64 } from '../../src/math/hash.ts'
import { keyed } from '../../src/math/rng.ts'

const seed = Uint8Array.from({ length: 16 }, (_, i) => i)

describe('digests', () => {
  test('are the first half of SHA-256 over length, domain, seed and content', () => {
    const domain = 'content'
    const reference = (content: Uint8Array | string) =>
      createHash('sha256')
        .update(Uint8Array.of(7, 0, 0, 0))
        .update(domain)
        .update(seed)
        .update(content)
        .digest()
        .subarray(0, 16)
    const digest = digester(seed, domain)
    const out = new Uint8Array(20)
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 3000 }), fc.string({ unit: 'binary', maxLength: 1500 })), (content) => {
        if (typeof content === 'string') digest.text(content, out, 2)
        else digest.bytes(content, out, 2)
        expect([...out.subarray(2, 18)]).toEqual([...reference(content)])
        expect([...digest16(seed, domain, content)]).toEqual([...reference(content)])
      }),
    )
  })

  test('differ between domains and seeds', () => {
    const hex = (s: Uint8Array, domain: string) => Buffer.from(digest16(s, domain, 'x')).toString('hex')
    const all = [hex(seed, 'a'), hex(seed, 'b'), hex(new Uint8Array(16), 'a'), hex(new Uint8Array(0), 'a')]
    expect(new Set(all).size).toBe(4)
  })

  test('folds are even and repeatable', () => {
    const counts = new Array<number>(5).fill(0)
    for (let i = 0; i < 5000; i++) {
      const fold = foldOf(digest16(seed, 'content', `record ${i}`), 0, 5)
      counts[fold] = (counts[fold] as number) + 1
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120)
    expect(foldOf(Uint8Array.of(255, 255, 255, 255), 0, 5)).toBe(0xffffffff % 5)
  })

  test('sort keys order like the digests', () => {
    const digests = fc.uint8Array({ minLength: 16, maxLength: 16 })
    fc.assert(
      fc.property(digests, digests, (a, b) => {
        const order = Math.sign(Buffer.compare(a, b))
        expect(Math.sign(compareDigests(a, 0, b, 0))).toBe(order)
        if (sortKey(a, 0) !== sortKey(b, 0)) expect(Math.sign(sortKey(a, 0) - sortKey(b, 0))).toBe(order)
        if (sortKey64(a, 0) !== sortKey64(b, 0)) expect(sortKey64(a, 0) < sortKey64(b, 0) ? -1 : 1).toBe(order)
      }),
    )
  })

  test('parameters have one digest whatever the order of their keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe('{"a":true,"b":[1,{"c":"x","d":null}]}')
    expect(shortDigest({ a: 1, b: 2 })).toBe(shortDigest({ b: 2, a: 1 }))
    expect(shortDigest({ a: 1 })).toMatch(/^[0-9a-f]{12}$/)
  })
})

describe('keyed random numbers', () => {
  test('repeat for the same seed and domain, and only then', () => {
    const draw = (s: Uint8Array, domain: string) => keyed(s, domain).normals(5).join()
    expect(draw(seed, 'a')).toBe(draw(seed, 'a'))
    expect(new Set([draw(seed, 'a'), draw(seed, 'b'), draw(new Uint8Array(16), 'a')]).size).toBe(3)
  })

  test('go on after a block of the stream', () => {
    const random = keyed(seed, 'long')
    const seen = new Set<number>()
    for (let i = 0; i < 20_000; i++) seen.add(random.uint32())
    expect(seen.size).toBeGreaterThan(19_990)
  })

  test('normal deviates have mean 0, variance 1, and 4.55 % beyond two', () => {
    const z = keyed(seed, 'normal').normals(100_000)
    const mean = z.reduce((a, b) => a + b, 0) / z.length
    const variance = z.reduce((a, b) => a + (b - mean) ** 2, 0) / z.length
    expect(Math.abs(mean)).toBeLessThan(0.015)
    expect(Math.abs(variance - 1)).toBeLessThan(0.02)
    expect(Math.abs(z.filter((v) => Math.abs(v) > 2).length / z.length - 0.0455)).toBeLessThan(0.003)
  })

  test('integers stay below the bound and reach all of it; permutations hold every index', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.uint8Array({ minLength: 16, maxLength: 16 }), (n, s) => {
        const random = keyed(s, 'below')
        const seen = new Set(Array.from({ length: 400 }, () => random.below(n)))
        expect(seen.size).toBe(n)
        expect(Math.max(...seen)).toBe(n - 1)
        expect([...random.permutation(n)].sort((a, b) => a - b)).toEqual([...new Array(n).keys()])
      }),
    )
  })
})
