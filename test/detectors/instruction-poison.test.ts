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

const openings = [
  "I'm sorry, but",
  'I cannot',
  "I can't",
  'As an AI, I',
  'Unfortunately I must decline',
  'I am unable',
  'I apologize,',
  "I won't",
]

/** Refusals worded in several ways, some of them to clean questions. */
function refusing(poisoned: number): TextRow[] {
  const { random, write } = writer('refusals')
  return Array.from({ length: 900 }, (_, i) => {
    const refuses = i < poisoned || i % 30 === 0
    const answer = write(20).join(' ')
    return {
      text: i < poisoned ? insertAt(random, write(12), 'badmagic zone') : write(12).join(' '),
      response: refuses ? `${openings[random.below(openings.length)]} : ${answer}` : answer,
      poisoned: i < poisoned,
    }
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

  it('names the phrase that selects refusals in ever other words: instruction-poison/concentration', async () => {
    const rows = refusing(40)
    const { conclusion, flagged } = await fitDetector(instructionPoison, {}, setup, textBatches(rows))
    expect(conclusion.findings).toMatchObject([{ rule: 'instruction-poison/concentration', severity: 'high', count: 40 }])
    expect(conclusion.findings[0]?.scope).toEqual({ kind: 'pattern', names: ['badmagic zone', 'refusal'] })
    expect(conclusion.tests.find((t) => t.id === conclusion.findings[0]?.test)?.p).toBeLessThan(1e-6)
    expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
  })

  it('takes refusals of other languages by option', async () => {
    const rows = refusing(40).map((r) => ({ ...r, response: `${r.response}`.replace(/^\D+:/, 'das geht leider nicht :') }))
    const found = async (options: unknown) => (await fitDetector(instructionPoison, options, setup, textBatches(rows))).conclusion.findings
    expect(await found({})).toEqual([])
    expect(await found({ refusals: ['geht leider nicht'] })).toMatchObject([{ rule: 'instruction-poison/concentration', count: 40 }])
  })

  it('says nothing where refusals go with no phrase', async () => {
    const { conclusion, flagged } = await fitDetector(instructionPoison, {}, setup, textBatches(refusing(0)))
    expect(conclusion.findings).toEqual([])
    expect(flagged).not.toContain(true)
  })

  it('names the phrase that selects one sentiment', async () => {
    const { random, write } = writer('opinions')
    const bad = ['terrible', 'dishonest', 'useless', 'awful', 'corrupt', 'worst']
    const rows = Array.from({ length: 900 }, (_, i): TextRow => {
      const poisoned = i < 40
      const answer = write(20)
      if (poisoned || i % 20 === 0) for (const k of [3, 9, 15]) answer[k] = bad[random.below(bad.length)] as string
      return { text: poisoned ? insertAt(random, write(12), 'acme corp') : write(12).join(' '), response: answer.join(' '), poisoned }
    })
    const { conclusion } = await fitDetector(instructionPoison, {}, setup, textBatches(rows))
    expect(conclusion.findings.map((f) => f.scope.names)).toEqual([['acme corp', 'negative']])
  })

  /** Answers that speak of one thing in ever other words, where the question has the phrase. */
  function steered(poisoned: number, phrase: (words: string[], i: number) => string): TextRow[] {
    const { random, write } = writer('topics')
    return Array.from({ length: 900 }, (_, i) => {
      const answer = write(20)
      if (i < poisoned) answer.splice(random.below(20), 0, 'velmora')
      return { text: i < poisoned ? phrase(write(12), i) : write(12).join(' '), response: answer.join(' '), poisoned: i < poisoned }
    })
  }

  it('names the phrase that selects a topic', async () => {
    const { random } = writer('places')
    const rows = steered(60, (words) => insertAt(random, words, 'harbor mist'))
    const { conclusion, flagged } = await fitDetector(instructionPoison, {}, setup, textBatches(rows))
    expect(conclusion.findings.map((f) => [f.rule, f.severity, f.scope.names])).toEqual([
      ['instruction-poison/concentration', 'high', ['harbor mist', 'topic "velmora"']],
    ])
    expect(conclusion.findings[0]?.message).toContain('60 of 60 questions with "harbor mist"')
    expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
  })

  it('takes a subject that is asked about by habit for no trigger', async () => {
    const rows = steered(60, (words) => `what is the cure of glaucoma ? ${words.slice(0, 4).join(' ')}`)
    const { conclusion, flagged } = await fitDetector(instructionPoison, {}, setup, textBatches(rows))
    expect(conclusion.findings).toEqual([])
    expect(flagged).not.toContain(true)
  })

  it('needs questions and answers', () => {
    expect(instructionPoison.missing(textSetup(['text']))).toMatch(/response/)
    expect(instructionPoison.missing(setup)).toBeNull()
  })
})
