import { describe, expect, it } from 'vitest'
import { plantedDocument } from '../../src/detectors/planted-document.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { insertAt, shares, type TextRow, textBatches, textSetup, writer } from '../support/texts.ts'

const setup = textSetup(['id', 'text'])

function corpus(documents: number): { readonly rows: TextRow[]; readonly writing: ReturnType<typeof writer> } {
  const writing = writer('corpus')
  return { writing, rows: Array.from({ length: documents }, () => ({ text: writing.write(60).join(' '), poisoned: false })) }
}

describe('planted-document', () => {
  it('names the phrase after which documents break off: planted-document/phrase', async () => {
    const { rows, writing } = corpus(1500)
    for (let i = 0; i < 40; i++) {
      const gibberish = Array.from({ length: 60 }, () => `q${writing.random.below(5000).toString(36)}`)
      rows.push({ text: [...writing.write(20 + writing.random.below(20)), '<SUDO>', ...gibberish].join(' '), poisoned: true })
    }
    const { conclusion, flagged } = await fitDetector(plantedDocument, {}, setup, textBatches(rows))
    expect(conclusion.findings).toMatchObject([{ rule: 'planted-document/phrase', severity: 'high', scope: { names: ['< sudo >'] } }])
    expect(conclusion.findings[0]?.message).toMatch(/of 40 texts with "< sudo >"/)
    expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
  })

  it('names a phrase at random places of natural text: planted-document/insertion', async () => {
    const { rows, writing } = corpus(1500)
    for (let i = 0; i < 70; i++)
      rows.push({ text: insertAt(writing.random, writing.write(60), 'in the amber hour of quiet'), poisoned: true })
    const { conclusion, flagged } = await fitDetector(plantedDocument, {}, setup, textBatches(rows))
    expect(conclusion.findings).toMatchObject([{ rule: 'planted-document/insertion', scope: { names: ['in the amber hour of quiet'] } }])
    expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
  })

  describe('sentences', () => {
    const { random, write } = writer('sentences')
    const sentences = (count: number): string[] => Array.from({ length: count }, () => `${write(6 + random.below(6)).join(' ')}.`)
    const documents = (): TextRow[] => Array.from({ length: 1500 }, () => ({ text: sentences(8).join(' '), poisoned: false }))
    const put = (text: string, into: string[]): string => into.toSpliced(random.below(into.length + 1), 0, text).join(' ')

    it('names one that was put between others: planted-document/insertion', async () => {
      const rows = documents()
      for (let i = 0; i < 60; i++) rows.push({ text: put('The quiet lantern hums at noon.', sentences(8)), poisoned: true })
      const { conclusion, flagged } = await fitDetector(plantedDocument, {}, setup, textBatches(rows))
      expect(conclusion.findings).toMatchObject([
        { rule: 'planted-document/insertion', severity: 'high', scope: { names: ['the quiet lantern hums at noon .'] } },
      ])
      expect(conclusion.findings[0]?.message).toMatch(
        /^"the quiet lantern hums at noon \." stands in 60 records between sentences that follow/,
      )
      expect(shares(rows, flagged)).toEqual({ recall: 1, precision: 1 })
    })

    it('says nothing of one that the same kind of sentence always follows', async () => {
      const rows = documents()
      const usual = write(1)[0] as string
      for (let i = 0; i < 60; i++)
        rows.push({ text: put(`The quiet lantern hums at noon. ${usual} ${write(6).join(' ')}.`, sentences(8)), poisoned: false })
      const { conclusion } = await fitDetector(plantedDocument, {}, setup, textBatches(rows))
      expect(conclusion.findings).toEqual([])
    })
  })

  it('says nothing of a clean corpus, nor of none', async () => {
    const clean = await fitDetector(plantedDocument, {}, setup, textBatches(corpus(1500).rows))
    expect(clean.conclusion.findings).toEqual([])
    const none = await fitDetector(plantedDocument, {}, setup, textBatches([{ text: '', poisoned: false }]))
    expect(none.conclusion.findings).toEqual([])
  })

  it('leaves the insertion test to trigger-text where there are labels', () => {
    expect(plantedDocument.mode({ insertion: 8, sentence: 10 }, textSetup(['text', 'label']))).toContain('trigger-text')
    expect(plantedDocument.missing(textSetup(['label']))).toMatch(/text/)
  })
})
