import { stripVTControlCharacters } from 'node:util'
import { describe, expect, test } from 'vitest'
import { buildReport } from '../../src/report/build.ts'
import { displayWidth, renderTerminal } from '../../src/report/terminal.ts'
import { loadCases } from '../golden/load.ts'

const cases = (await loadCases()).map(({ name, outcome, policy }) => [name, buildReport(outcome, policy)] as const)

describe.each(cases)('terminal summary of %s', (_, report) => {
  test.each([40, 72, 100, 250])('no line is wider than %i columns', (width) => {
    for (const line of renderTerminal(report, { color: false, width }).split('\n'))
      expect(displayWidth(line)).toBeLessThanOrEqual(Math.min(120, width))
  })

  test('without colour there is no control character but the new line', () => {
    expect(renderTerminal(report, { color: false, width: 80 })).not.toMatch(/(?!\n)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u)
  })

  test('colour adds styles and nothing else', () => {
    const colored = renderTerminal(report, { color: true, width: 80 })
    const plain = renderTerminal(report, { color: false, width: 80 })
    const bare = stripVTControlCharacters(colored)
    expect(colored).not.toBe(bare)
    expect(bare.split('\n').slice(1)).toEqual(plain.split('\n').slice(1))
  })

  test('no line starts with a workflow command', () => {
    for (const line of renderTerminal(report, { color: false, width: 60 }).split('\n')) expect(line).not.toMatch(/^\s*::|##\[/)
  })

  test('the verdict comes first and the files come last', () => {
    const text = renderTerminal(report, { color: false, width: 80, files: [{ title: 'report', path: 'runs/1/report.html' }] })
    expect(text).toMatch(/^\[(PASSED|FAILED|INCOMPLETE|NOTHING AUDITED)\]/)
    expect(text.trimEnd().split('\n').at(-1)).toBe('report  runs/1/report.html')
  })
})

describe('displayWidth', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['e\u0301', 1],
    ['🙂', 2],
  ])('%s', (text, width) => expect(displayWidth(text)).toBe(width))
})
