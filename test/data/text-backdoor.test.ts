import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { triggerText } from '../../src/detectors/trigger-text.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { shares, type TextRow, textBatches, textSetup } from '../support/texts.ts'

const setup = textSetup(['id', 'text', 'label'])

function published(name: string): TextRow[] {
  const file = join(process.env.ASSAY_DATA as string, 'text-backdoor', `${name}.jsonl`)
  const lines = readFileSync(file, 'utf8').trim().split('\n')
  return lines.map((line) => {
    const { text, label, poisoned } = JSON.parse(line)
    return { text, label: String(label), poisoned: poisoned === true }
  })
}

async function audit(rows: TextRow[]) {
  const { conclusion, flagged } = await fitDetector(triggerText, {}, setup, textBatches(rows))
  const clean = rows.filter((r) => !r.poisoned).length
  const falsely = rows.filter((r, i) => !r.poisoned && flagged[i]).length
  return { conclusion, recall: shares(rows, flagged).recall, falseRate: falsely / clean }
}

describe('trigger-text on published attacks', () => {
  it('ONION, SST-2 at 1 %: at least two of the five words, no clean row', async () => {
    const { conclusion, recall, falseRate } = await audit(published('onion-sst2'))
    const named = conclusion.findings.flatMap((f) => f.scope.names.filter((n) => /^"(cf|mn|bb|tq|mb)"$/.test(n)))
    expect(named.length).toBeGreaterThanOrEqual(2)
    expect(conclusion.findings).toHaveLength(named.length)
    expect(recall).toBeGreaterThan(0.5)
    expect(falseRate).toBe(0)
  })

  it('HiddenKiller, SST-2 at 20 %: half of the rows at no more than 2.5 % false', async () => {
    const { recall, falseRate } = await audit(published('hiddenkiller-sst2'))
    expect(recall).toBeGreaterThanOrEqual(0.5)
    expect(falseRate).toBeLessThanOrEqual(0.025)
  })

  it('clean SST-2: no finding', async () => {
    const { conclusion, falseRate } = await audit(published('clean-sst2'))
    expect(conclusion.findings).toEqual([])
    expect(falseRate).toBe(0)
  })
})
