import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { assay } from './harness.ts'

interface Row {
  readonly id: string
  readonly text: string
  readonly label: string
  readonly annotator: string
}

const rows: readonly Row[] = Array.from({ length: 300 }, (_, i) => ({
  id: `r${i}`,
  text: `sentence ${(i * 7919) % 1000} of the set`,
  label: i % 3 === 0 ? 'spam' : 'ham',
  annotator: `a${(i >> 2) % 5}`,
}))
const csv = (of: readonly Row[]): string =>
  `id,text,label,annotator\n${of.map((r) => `${r.id},${r.text},${r.label},${r.annotator}`).join('\n')}\n`
const jsonl = (of: readonly Row[]): string => `${of.map((r) => JSON.stringify(r)).join('\n')}\n`
const lost = rows.filter((r, i) => !(r.label === 'spam' && i % 2 === 0))
const flipped = rows.map((r, i) => (i % 41 === 5 ? { ...r, label: r.label === 'spam' ? 'ham' : 'spam' } : r))

const folder = mkdtempSync(join(tmpdir(), 'assay-diff-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const files: Readonly<Record<string, string>> = {
  'a.csv': csv(rows),
  'a.jsonl': jsonl(rows),
  'lost.csv': csv(lost),
  'flipped.csv': csv(flipped),
  'flipped.jsonl': jsonl([...flipped].reverse()),
  'other.csv': 'key,words\n1,x\n2,y\n',
  'schema.yaml': 'columns: { text: text, annotator: text }\n',
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
const at = (name: string): string => join(folder, name)
const source = ['--id', 'id', '--label', 'label', '--source', 'annotator']

describe('assay diff', () => {
  it('names the class that lost records, writes every change and exits 1', async () => {
    const { code, stdout, stderr } = await assay(['diff', at('a.csv'), at('lost.csv'), ...source, '--out', at('changes.csv')])
    expect([code, stderr]).toEqual([1, ''])
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      '50 of 100 records of class spam (50 %) are missing and 0 of 200 of class ham; by chance p = ',
    )
    expect(stdout).toMatch(/Classes\n {2}class +before +after +removed\n {2}ham +200 +200 +0\n {2}spam +100 +50 +50\n/)
    expect(stdout).toMatch(/removed {2}class +spam +50 +100 +\d\.\de-\d+ {2}yes/)
    const [head, ...lines] = readFileSync(at('changes.csv'), 'utf8').trimEnd().split('\n')
    expect(head).toMatch(/^kind,id_before,shard_before,row_before,label_before/)
    expect(lines.map((line) => line.split(',')[1]).sort()).toEqual(
      rows
        .filter((r) => !lost.includes(r))
        .map((r) => r.id)
        .sort(),
    )
  })

  it('random corrections pass the gate, are named and shown as transitions', async () => {
    const { code, stdout } = await assay([
      'diff',
      at('a.csv'),
      at('flipped.csv'),
      ...source,
      '--run-dir',
      at('run'),
      '--to',
      'html',
      'markdown',
    ])
    expect(code).toBe(0)
    expect(stdout).toContain('8 relabelled')
    expect(stdout).toMatch(/Labels\n {2}before +after +records\n {2}ham +spam +\d\n/)
    expect(stdout).toMatch(/Sources\n/)
    for (const file of ['changes.csv', 'report.json', 'report.html', 'report.md']) expect(existsSync(at(`run/${file}`))).toBe(true)
    expect((await assay(['diff', at('a.csv'), at('flipped.csv'), ...source, '--fail-on', 'medium'])).code).toBe(1)
    expect((await assay(['diff', at('a.csv'), at('flipped.csv'), ...source, '--fail-on', 'medium', '--exit-zero'])).code).toBe(0)
  })

  it('finds the same in other formats under one schema, and prints report.json', async () => {
    const { code, stdout } = await assay(['diff', at('a.csv'), at('flipped.jsonl'), ...source, '--schema', at('schema.yaml'), '--json'])
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as { provenance: { changes: { counts: unknown } } }
    expect(report.provenance.changes.counts).toEqual({ added: 0, removed: 0, edited: 0, relabelled: 8, replaced: 0 })
  })

  it('takes snapshots on either side', async () => {
    for (const [name, of] of [
      ['s1', 'a.csv'],
      ['s2', 'flipped.csv'],
    ] as const)
      expect((await assay(['snapshot', at(of), '--out', at(name), ...source])).code).toBe(0)
    for (const [before, after] of [
      ['s1', 's2'],
      ['s1', 'flipped.csv'],
      ['a.csv', 's2'],
    ] as const) {
      const { code, stdout, stderr } = await assay(['diff', at(before), at(after)])
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toContain('8 relabelled')
    }
    expect((await assay(['diff', at('s1'), at('a.csv')])).stdout).toContain('nothing changed')
  })

  it('texts of records are shown only when asked for', async () => {
    const texts = async (...more: string[]) =>
      (
        JSON.parse((await assay(['diff', at('a.csv'), at('lost.csv'), ...source, '--json', ...more])).stdout) as {
          records: { excerpt: string | null }[]
        }
      ).records
    expect((await texts()).every((r) => r.excerpt === null)).toBe(true)
    expect((await texts('--excerpts')).some((r) => r.excerpt?.startsWith('sentence '))).toBe(true)
  })

  it.each([
    [['diff', at('none.csv'), at('a.csv')], 'none.csv: no such file or folder'],
    [['diff', at('a.csv'), at('a.csv'), '--out', at('x.txt')], 'the list of changes ends in .parquet, .csv, .jsonl'],
    [['diff', at('a.csv'), at('a.csv'), '--key-env', 'UNSET_KEY'], 'UNSET_KEY'],
    [['diff', at('a.csv')], "missing required argument 'after'"],
    [['diff', at('a.csv'), at('other.csv'), '--id', 'id'], 'id'],
  ])('usage: %s', async (argv, message) => {
    const { code, stderr } = await assay(argv as string[])
    expect(code).toBe(4)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('--previous')
  })
})
