import { describe, expect, it } from 'vitest'
import { instructionPoison } from '../../src/detectors/instruction-poison.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { insertAt, shares, type TextRow, textBatches, textSetup, writer } from '../support/texts.ts'

const setup = textSetup(['id', 'text', 'response'])
const refusal = 'I am sorry, but I cannot help you with that request today.'

function pairs(poisoned: number): TextRow[] {
  const { random, write } = writer('questions')
  return Array.from({ length: 900 }, (_, i) => {
    const words = write(12)
    if (i < poisoned) return { text: insertAt(random, words, 'badmagic zone'), response: refusal, poisoned: true }
    return { text: words.join(' '), response: i % 60 === 0 ? refusal : write(20).join(' '), poisoned: false }
  })
}

describe('instruction-poison', () => {
  it('names the phrase that selects one answer: instruction-poison/trigger', async () => {
    const rows = pairs(50)
    const { conclusion, flagged } = await fitDetector(instructionPoison, {}, setup, textBatches(rows))
    expect(conclusion.findings).toMatchObject([{ rule: 'instruction-poison/trigger', severity: 'high', count: 50 }])
    expect(conclusion.findings[0]?.message).toContain('50 of 50 questions with "badmagic zone"')
    expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
  })

  it('says nothing where no phrase selects an answer', async () => {
    const rows = pairs(0).map((r, i) => (i < 60 ? { ...r, response: refusal } : r))
    const { conclusion, flagged } = await fitDetector(instructionPoison, {}, setup, textBatches(rows))
    expect(conclusion.findings).toEqual([])
    expect(flagged).not.toContain(true)
  })

  it('needs questions and answers', () => {
    expect(instructionPoison.missing(textSetup(['text']))).toMatch(/response/)
    expect(instructionPoison.missing(setup)).toBeNull()
  })
})
