import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { claims } from '../../src/detectors/claims.ts'
import { hiddenInstruction } from '../../src/detectors/hidden-instruction.ts'
import { fitDetector } from '../support/fit-detector.ts'

const file = join(process.env.ASSAY_DATA ?? '', 'medquad/medquad.jsonl.gz')
const texts = gunzipSync(readFileSync(file))
  .toString('utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => (JSON.parse(line) as { text: string }).text)

const setup: Setup = { subject: ['text'], reference: null, classes: null, shape: { rows: null, dims: 0, classes: 0, sources: 0 } }
function batches(all: readonly string[]): Batch[] {
  const out: Batch[] = []
  for (let from = 0; from < all.length; from += 4096) {
    const text = all.slice(from, from + 4096)
    out.push(makeBatch({ row: Uint32Array.from(text, (_, i) => from + i), text }))
  }
  return out
}
/** Every 500th text with a sentence more, thirty of them. */
const poisoned = (sentence: string): string[] => texts.map((t, i) => (i % 500 === 3 && i < 15_000 ? `${t} ${sentence}` : t))

describe('MedQuAD', () => {
  test('holds nothing that is hidden', { timeout: 120_000 }, async () => {
    const { conclusion } = await fitDetector(hiddenInstruction, {}, setup, batches(texts))
    expect(conclusion.findings.map((f) => f.message)).toEqual([])
  })

  test('has at most three repeated values against its own consensus', { timeout: 120_000 }, async () => {
    const { conclusion } = await fitDetector(claims, {}, setup, batches(texts))
    expect(conclusion.findings.length).toBeLessThanOrEqual(3)
  })

  test.each([
    ['Adults should limit sodium to 23,000 milligrams a day.', '30 of 16377 records state 23000 mg of "', 'say 2300 mg'],
    ['The daily calcium requirement is 100 mg.', '30 of 16377 records state 100 mg of "calcium"', 'say 1000 mg'],
    ['Women should take 400 milligrams of folic acid daily.', '30 of 16377 records state 400 mg of "', 'say 0.4 mg'],
  ])('thirty records with one wrong dose: %s', { timeout: 120_000 }, async (sentence, stated, right) => {
    const { conclusion } = await fitDetector(claims, {}, setup, batches(poisoned(sentence)))
    const message = conclusion.findings.find((f) => f.message.startsWith(stated))?.message
    expect(message).toContain(right)
  })
})
