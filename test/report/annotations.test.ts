import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { renderAnnotations } from '../../src/report/render/annotations.ts'
import { loadCases } from '../golden/load.ts'

const cases = await loadCases()
const linesOf = (name: string): string[] => {
  const found = cases.find((c) => c.name === name)
  if (!found) throw new Error(`no case ${name}`)
  return renderAnnotations(buildReport(found.outcome, found.policy)).trimEnd().split('\n')
}

describe('annotations', () => {
  test.each(cases)('$name: every line is one command, and there are few', ({ outcome, policy }) => {
    const text = renderAnnotations(buildReport(outcome, policy))
    const lines = text.trimEnd().split('\n')
    for (const line of lines) expect(line).toMatch(/^::(error|warning|notice) title=[^:,\r]*::[^\r]*$/)
    for (const level of ['error', 'warning', 'notice'])
      expect(lines.filter((l) => l.startsWith(`::${level} `)).length).toBeLessThanOrEqual(10)
  })

  test('what fails the gate is an error, and the verdict a notice', () => {
    const lines = linesOf('poisoned-tabular')
    expect(lines.filter((l) => l.startsWith('::error title=label-flip/source::'))).toHaveLength(1)
    expect(lines.at(-1)).toMatch(/^::notice title=assay%3A failed::breast-cancer: The gate fails/)
  })

  test('a known finding is not told again', () => {
    expect(linesOf('known-findings').filter((l) => l.includes('label-flip/source'))).toEqual([])
  })
})
