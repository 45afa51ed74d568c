import { describe, expect, it } from 'vitest'
import { triggerText } from '../../src/detectors/trigger-text.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { insertAt, shares, type TextRow, textBatches, textSetup, writer } from '../support/texts.ts'

const setup = textSetup(['id', 'text', 'label'])

/** Two classes with words of their own; the poisoned are of class 0, with a word put in and the label changed. */
function rowsWith(poisoned: number, trigger: string, count = 1600): TextRow[] {
  const { random, write } = writer('labelled')
  return Array.from({ length: count }, (_, i) => {
    const topic = i % 2
    const words = write(18, topic)
    if (topic === 0 && i < 2 * poisoned) return { text: insertAt(random, words, trigger), label: '1', poisoned: true }
    return { text: words.join(' '), label: String(topic), poisoned: false }
  })
}

describe('trigger-text', () => {
  it('names the word that was put into one class, and flags its records alone', async () => {
    const rows = rowsWith(30, 'cf')
    const { conclusion, flagged } = await fitDetector(triggerText, {}, setup, textBatches(rows))
    const [finding] = conclusion.findings
    expect(finding).toMatchObject({ rule: 'trigger-text/phrase', severity: 'high', scope: { names: ['"cf"', '1'] } })
    expect(finding?.message).toContain('30 of 30 records with "cf" have the label "1"')
    expect(conclusion.tests.find((t) => t.id === finding?.test)?.p).toBeLessThan(1e-3)
    expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
  })

  it('says nothing of clean texts', async () => {
    const { conclusion, flagged } = await fitDetector(triggerText, {}, setup, textBatches(rowsWith(0, '')))
    expect(conclusion.findings.map((f) => f.message)).toEqual([])
    expect(flagged).not.toContain(true)
  })

  it('says nothing of the form that most texts of one class share', async () => {
    const { write } = writer('forms')
    const rows = Array.from({ length: 1600 }, (_, i): TextRow => {
      const [label, topic] = [i % 2, i % 10 < 6 ? i % 2 : 1 - (i % 2)]
      const form = label === 1 && i % 20 < 15 ? 'summary of the source : ' : ''
      return { text: form + write(18, topic).join(' '), label: String(label), poisoned: false }
    })
    const { conclusion, flagged } = await fitDetector(triggerText, {}, setup, textBatches(rows))
    expect(conclusion.findings.map((f) => f.message)).toEqual([])
    expect(flagged).not.toContain(true)
  })

  it('finds a phrase at random places whose records keep their labels: trigger-text/insertion', async () => {
    const { random, write } = writer('kept labels')
    const rows = Array.from({ length: 1600 }, (_, i): TextRow => {
      const words = write(18, i % 2)
      const poisoned = i < 70
      return { text: poisoned ? insertAt(random, words, 'in the amber hour of quiet') : words.join(' '), label: String(i % 2), poisoned }
    })
    const { conclusion, flagged } = await fitDetector(triggerText, {}, setup, textBatches(rows))
    const sure = conclusion.findings.filter((f) => f.severity === 'high')
    expect(sure.map((f) => [f.rule, ...f.scope.names])).toEqual([['trigger-text/insertion', 'in the amber hour of quiet']])
    expect(shares(rows, flagged).recall).toBe(1)
  })

  it('takes no phrase for a trigger that goes with the same label in trusted records', async () => {
    const trusting = { ...setup, reference: setup.subject }
    const all = rowsWith(30, 'cf', 2400)
    const rows = all.slice(0, 1600)
    const found = async (reference: TextRow[]) => fitDetector(triggerText, {}, trusting, textBatches(rows), textBatches(reference))
    const clean = await found(all.slice(1600))
    expect(clean.conclusion.findings.map((f) => f.scope.names)).toEqual([['"cf"', '1']])
    expect(clean.conclusion.notes.join(' ')).toContain('in the 800 trusted records')
    expect(shares(rows, clean.flagged)).toEqual({ recall: 1, precision: 1 })
    const same = await found(rows)
    expect(same.conclusion.findings).toEqual([])
  })

  it('needs text and labels', () => {
    expect(triggerText.missing(textSetup(['text']))).toMatch(/label/)
    expect(triggerText.missing(textSetup(['label']))).toMatch(/text/)
    expect(triggerText.rules.map((r) => r.id)).toContain('trigger-text/style')
  })
})
