import { describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { nearDuplicateText } from '../../src/detectors/near-duplicate-text.ts'
import { minHasher } from '../../src/math/minhash.ts'
import { keyed } from '../../src/math/rng.ts'
import { fitDetector, seed } from '../support/fit-detector.ts'

const random = keyed(seed, 'near-duplicate test')
const word = (): string => Array.from({ length: 3 + random.below(6) }, () => String.fromCharCode(97 + random.below(26))).join('')
const vocabulary = Array.from({ length: 2000 }, word)
const sentence = (words: number): string => Array.from({ length: words }, () => vocabulary[random.below(2000)]).join(' ')
/** One word of a text changed. */
const vary = (text: string): string => {
  const words = text.split(' ')
  words[random.below(words.length)] = word()
  return words.join(' ')
}

interface Row {
  readonly text: string
  readonly label: number
  readonly source: number
  readonly response?: string
}
const setup = (...more: ('response' | 'label' | 'source')[]): Setup => ({
  subject: ['text', ...more],
  reference: null,
  classes: null,
  shape: { rows: null, dims: 0, classes: 2, sources: 4 },
})
const batches = (rows: readonly Row[], size: number) => {
  const out = []
  for (let from = 0; from < rows.length; from += size) {
    const part = rows.slice(from, from + size)
    out.push(
      makeBatch({
        row: Uint32Array.from(part, (_, i) => from + i),
        text: part.map((r) => r.text),
        ...(rows[0]?.response !== undefined ? { response: part.map((r) => r.response ?? null) } : {}),
        label: { codes: Int32Array.from(part, (r) => r.label), values: ['benign', 'malignant'] },
        source: { codes: Int32Array.from(part, (r) => r.source), values: ['A', 'B', 'C', 'D'] },
      }),
    )
  }
  return out
}

/** Texts of their own, and a hundred pairs of near-duplicates of which three disagree. */
const clean = (): Row[] => {
  const rows: Row[] = Array.from({ length: 800 }, (_, i) => ({ text: sentence(40), label: i % 2, source: i % 4 }))
  for (let i = 0; i < 100; i++) {
    const text = sentence(60)
    rows.push({ text, label: 0, source: i % 4 }, { text: vary(text), label: i < 3 ? 1 : 0, source: (i + 1) % 4 })
  }
  return rows
}

const similarity = (a: string, b: string): number => {
  const hasher = minHasher(seed)
  const [x, y] = [a, b].map((t) => {
    const keys = new Float64Array(8)
    const bytes = new TextEncoder().encode(t)
    hasher.bandsOf(bytes, 0, bytes.length, keys)
    return keys
  }) as [Float64Array, Float64Array]
  return x.filter((k, i) => k === y[i]).length
}

describe('MinHash', () => {
  test('case, punctuation and line breaks do not count, another text shares no band', () => {
    const text = sentence(50)
    expect(similarity(text, text.toUpperCase().replaceAll(' ', ',\n  '))).toBe(8)
    expect(similarity(text, sentence(50))).toBe(0)
    const near = Array.from({ length: 50 }, () => similarity(text, vary(text)) > 0).filter(Boolean).length
    expect(near).toBeGreaterThanOrEqual(48)
  })
})

describe('near-duplicate-text', () => {
  test('says nothing of clean records', async () => {
    const { conclusion, flagged } = await fitDetector(nearDuplicateText, {}, setup('label', 'source'), batches(clean(), 300))
    expect(conclusion.findings).toEqual([])
    expect(flagged.some(Boolean)).toBe(false)
    expect(conclusion.notes[0]).toMatch(/of 1000 texts are near another one, in (9[5-9]|100) clusters/)
    expect(conclusion.tests.map((t) => t.id)).toEqual(['near-duplicate-text/label-conflict: the cluster most at odds'])
  })

  test('near-duplicate-text/flood: one text in many variants from one source', async () => {
    const flood = sentence(60)
    const rows = [...clean(), ...Array.from({ length: 80 }, () => ({ text: vary(flood), label: 0, source: 2 }))]
    const { conclusion, flagged } = await fitDetector(nearDuplicateText, {}, setup('label', 'source'), batches(rows, 300))
    const [finding] = conclusion.findings
    expect(finding).toMatchObject({ rule: 'near-duplicate-text/flood', severity: 'medium' })
    expect(finding?.count).toBeGreaterThanOrEqual(78)
    expect(finding?.message).toContain('come from source "C"')
    expect(conclusion.findings).toHaveLength(1)
    expect(flagged.slice(0, 1000).some(Boolean)).toBe(false)
    expect(flagged.slice(1000).filter(Boolean).length).toBeGreaterThanOrEqual(78)
  })

  test('near-duplicate-text/label-conflict: one text with both labels', async () => {
    const text = sentence(60)
    const rows = [...clean(), ...Array.from({ length: 30 }, (_, i) => ({ text: vary(text), label: i % 2, source: i % 4 }))]
    const { conclusion } = await fitDetector(nearDuplicateText, {}, setup('label', 'source'), batches(rows, 200))
    expect(conclusion.findings.map((f) => [f.rule, f.severity])).toEqual([['near-duplicate-text/label-conflict', 'high']])
    expect(conclusion.findings[0]?.message).toMatch(/^Of (29|30) near-duplicates 1[45] have other labels than the rest; elsewhere/)
  })

  test('near-duplicate-text/answer-conflict: one question with two answers', async () => {
    const rows = clean().map((r) => ({ ...r, response: `Answer to ${r.text.slice(0, 20)}` }))
    const question = sentence(60)
    for (let i = 0; i < 30; i++)
      rows.push({ text: vary(question), label: 0, source: i % 4, response: i % 2 ? 'Take 40 mg.' : 'Take 4 mg!' })
    const { conclusion } = await fitDetector(nearDuplicateText, {}, setup('label', 'response'), batches(rows, 200))
    expect(conclusion.findings.map((f) => f.rule)).toEqual(['near-duplicate-text/answer-conflict'])
  })

  test('near-duplicate-text/answer-conflict: says nothing of a greeting that everybody answers differently, where most questions are', async () => {
    const rows = clean().map((r, i) => ({ ...r, response: `Well, that is my answer number ${i}.` }))
    const greeting = sentence(60)
    for (let i = 0; i < 60; i++) rows.push({ text: vary(greeting), label: 0, source: i % 4, response: `A good morning of kind ${i}` })
    const { conclusion } = await fitDetector(nearDuplicateText, {}, setup('label', 'response'), batches(rows, 200))
    expect(conclusion.findings.map((f) => f.rule)).toEqual(['near-duplicate-text/flood'])
    expect(conclusion.tests.map((t) => [t.id.slice(0, 35), t.p])).toContainEqual(['near-duplicate-text/answer-conflict', 1])
  })

  test('the result does not depend on batches or their order', async () => {
    const flood = sentence(60)
    const rows = [...clean(), ...Array.from({ length: 60 }, (_, i) => ({ text: vary(flood), label: i % 2, source: i % 4 }))]
    const one = await fitDetector(nearDuplicateText, {}, setup('label', 'source'), batches(rows, 2000))
    const many = await fitDetector(nearDuplicateText, {}, setup('label', 'source'), batches(rows, 77).reverse())
    expect(many.conclusion).toEqual(one.conclusion)
  })
})
