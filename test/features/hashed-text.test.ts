import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashedText } from '../../src/features/hashed-text.ts'
import { type HashedTextPlan, planFeatures } from '../../src/features/plan.ts'

const seed = (k: number): Uint8Array => Uint8Array.from({ length: 16 }, (_, i) => (i * 37 + k * 101) % 256)
const plan = planFeatures(['text', 'label'], {}) as HashedTextPlan

const embed = (text: string, hashed = hashedText(plan, seed(1))): Float32Array => {
  const into = new Float32Array(plan.dims)
  hashed.write(text, into)
  return into
}
const cosine = (a: Float32Array, b: Float32Array): number => a.reduce((sum, v, i) => sum + v * (b[i] as number), 0)

describe('hashed n-grams', () => {
  test('a text has length 1, one without a word is zero', () => {
    const norm = (text: string) => Math.sqrt(cosine(embed(text), embed(text)))
    expect(norm('No acute cardiopulmonary findings.')).toBeCloseTo(1, 6)
    expect(norm('肺 に 異常 なし')).toBeCloseTo(1, 6)
    for (const empty of ['', ' \n\t', '--- ... !?', '\ud800', '\u200b\u202e']) expect(norm(empty)).toBe(0)
  })

  test('the key is the seed, wherever its bytes lie in memory', () => {
    const pooled = Buffer.from(Buffer.concat([Buffer.alloc(5), seed(1)]).toString('hex'), 'hex').subarray(5)
    const text = 'no acute cardiopulmonary findings'
    expect(embed(text, hashedText(plan, pooled))).toEqual(embed(text))
    expect(embed(text, hashedText(plan, seed(2)))).not.toEqual(embed(text))
  })

  test.each([
    ['composed and decomposed letters', 'na\u00efve caf\u00e9', 'nai\u0308ve cafe\u0301'],
    ['case', 'PNEUMONIA seen', 'pneumonia SEEN'],
    ['full-width and ligature forms', 'ｆｉｎｄ the ﬁle', 'find the file'],
    ['punctuation between words', 'left, lung; clear', 'left lung clear'],
  ])('%s make no difference', (_, a, b) => {
    expect(embed(a)).toEqual(embed(b))
  })

  test.each([
    ['a word that follows another', 'no pneumonia but effusion', 'but pneumonia no effusion'],
    ['Chinese characters', '左肺正常', '右肺正常'],
    ['emoji beyond the basic plane', 'fine 😀', 'fine 😡'],
    ['an accent', 'resume sent', 'résumé sent'],
  ])('%s makes a difference', (_, a, b) => {
    expect(cosine(embed(a), embed(b))).toBeLessThan(0.999)
  })

  test('related words are near, unrelated texts are not', () => {
    const text = embed('radiographic opacity in the lower lobe')
    expect(cosine(text, embed('radiography shows opacities of lower lobes'))).toBeGreaterThan(0.35)
    expect(Math.abs(cosine(text, embed('seasonal menu with vegetables')))).toBeLessThan(0.2)
  })

  test('the projection keeps the angle between bags of words', () => {
    const words = Array.from({ length: 60 }, (_, i) => `${String.fromCharCode(97 + (i % 26))}${'xyzw'[i % 4]}${i}`)
    const alone = hashedText({ ...plan, charWeight: 0, pairWeight: 0 }, seed(2))
    const a = embed(words.slice(0, 40).join(' '), alone)
    const b = embed(words.slice(20, 60).join(' '), alone)
    expect(Math.abs(cosine(a, b) - 0.5)).toBeLessThan(4 / Math.sqrt(plan.dims))
  })

  test('another seed gives another projection', () => {
    expect(Math.abs(cosine(embed('the same words'), embed('the same words', hashedText(plan, seed(9)))))).toBeLessThan(0.25)
  })

  test('repeating a text changes counts by their logarithm only', () => {
    expect(cosine(embed('alpha beta gamma'), embed('alpha beta gamma '.repeat(50)))).toBeGreaterThan(0.95)
  })

  test('reads only the first characters of a text, and says so', () => {
    const hashed = hashedText({ ...plan, maxLength: 100 }, seed(1))
    const into = new Float32Array(plan.dims)
    expect(hashed.write('ab '.repeat(33), into)).toBe(false)
    expect(hashed.write(`${'ab '.repeat(33)}z and what follows`, into)).toBe(true)
    expect(into).toEqual(embed(`${'ab '.repeat(33)}z`))
  })

  test('hostile texts take bounded time', () => {
    const hashed = hashedText(plan, seed(1))
    const into = new Float32Array(plan.dims)
    const start = performance.now()
    const long = [
      '\ufdfa'.repeat(1_000_000),
      'a'.repeat(1_000_000),
      'a\u0301'.repeat(500_000),
      '\u0301'.repeat(1_000_000),
      '😀'.repeat(500_000),
    ]
    for (const text of long) {
      expect(hashed.write(text, into)).toBe(true)
      expect(into.every(Number.isFinite)).toBe(true)
    }
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  test('law: a vector depends on its text alone, not on what was read before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 12 }),
        fc.string({ unit: 'binary', maxLength: 80 }),
        (before, text) => {
          const used = hashedText(plan, seed(3))
          const into = new Float32Array(plan.dims)
          for (const t of before) used.write(t, into)
          used.write(text, into)
          expect(into).toEqual(embed(text, hashedText(plan, seed(3))))
        },
      ),
      { numRuns: 40 },
    )
  })
})
