import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parseReport } from '../../src/report/schema.ts'
import { casesOf, openRunDir } from '../../src/review/open.ts'
import { folder } from '../sources/make.ts'
import { type FlagRow, makeRun } from './make-run.ts'

const home = folder()
const csv = (n: number): string =>
  ['id,text,label', ...Array.from({ length: n }, (_, i) => `r${i},say ${i},${i % 2 ? 'dog' : 'cat'}`), ''].join('\n')
const flag = (row: number, score: number, more: Partial<FlagRow> = {}): FlagRow => ({
  id: `r${row}`,
  shard: 'a.csv',
  row,
  score,
  given: row % 2 ? 'dog' : 'cat',
  suggested: row % 2 ? 'cat' : 'dog',
  ...more,
})

describe('flagged records', () => {
  it.each(['jsonl', 'csv', 'parquet'] as const)('are read from flags.%s, each once, strongest first', async (format) => {
    const dir = join(home.dir, `run-${format}`)
    home.put('a.csv', csv(40))
    const odd = '=1+1,"\'\n\u202e'
    await makeRun({
      dir,
      base: home.dir,
      sources: [{ path: join(home.dir, 'a.csv'), columns: { id: 'id', text: 'text', label: 'label' } }],
      flags: [flag(3, 0.5), flag(4, 0.9, { pValue: 0.01, group: odd }), flag(4, 0.6, { suggested: null }), flag(5, 0.7, { id: null })],
      format,
      pair: ['cat', 'dog'],
    })
    const { cases, left } = await casesOf(await openRunDir(dir))
    expect(left).toBe(0)
    expect(cases.map((c) => [c.id, c.row, c.parts.length])).toEqual([
      ['r4', 4, 2],
      [null, 5, 1],
      ['r3', 3, 1],
    ])
    expect(cases[0]?.parts[0]).toMatchObject({ score: 0.9, pValue: 0.01, group: odd, suggestedLabel: 'dog' })
    // Scores of one detector are not two opinions.
    expect(cases[0]?.score).toBeCloseTo(0.9, 10)
    // The pair of labels tells which records belong to a finding about it; it also lists its strongest records.
    const report = parseReport(readFileSync(join(dir, 'report.json'), 'utf8'))
    const pair = report.findings.findIndex((f) => f.scope.kind === 'class-pair')
    expect(cases[0]?.findings).toContain(pair)
  })

  it('are refused where the run is not finished, or the flags are no flags', async () => {
    await expect(openRunDir(home.dir)).rejects.toThrow(/holds no finished audit/)
    const dir = join(home.dir, 'run-jsonl')
    const run = await openRunDir(dir)
    home.put('run-jsonl/flags.jsonl', '{"shard":"a.csv","row":-1,"score":2}\n')
    await expect(casesOf(run)).rejects.toThrow(/a row is no flag/)
  })
})
