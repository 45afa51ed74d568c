import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { pipelineForData } from '../../src/config/load.ts'
import type { AuditResult } from '../../src/engine/audit.ts'
import { audit } from '../../src/engine/audit.ts'
import { EngineError } from '../../src/engine/errors.ts'

const now = new Date('2026-01-01T00:00:00Z')
const hooks = { progress: () => {}, log: () => {} }

/** Predictions that agree with the label but for the rows in `wrong`. */
const table = (rows: number, wrong: readonly number[], id: (i: number) => string = String): string =>
  [
    'id,p_a,p_b,label',
    ...Array.from(
      { length: rows },
      (_, i) => `${id(i)},${i % 2 ? '0.1,0.9' : '0.9,0.1'},${(i % 2 === 1) !== wrong.includes(i) ? 'b' : 'a'}`,
    ),
  ].join('\n')

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'assay-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  return dir
}

async function run(
  dir: string,
  files: readonly string[],
  options: { resume?: boolean; seed?: string; runDir?: string } = {},
): Promise<AuditResult> {
  const { pipeline, base } = await pipelineForData(
    files.map((f) => join(dir, f)),
    { cwd: dir, formats: ['json'], columns: { id: 'id', label: 'label', predictions: ['p_a', 'p_b'] } },
  )
  return audit({
    pipeline,
    base,
    runDir: join(dir, options.runDir ?? 'run'),
    resume: options.resume ?? false,
    seed: options.seed ?? 'x',
    now,
    workers: 1,
    hooks,
  })
}

describe('audit', () => {
  it('counts rows, labels and flags, and names flagged records', async () => {
    const { report } = await run(await folder({ 'a.csv': table(100, [7, 30]) }), ['a.csv'])
    expect(report.rows).toMatchObject({ read: 100, flagged: 2, rejected: 0 })
    expect(report.labels.map((l) => [l.name, l.count, l.flagged])).toEqual([
      ['a', 50, 1],
      ['b', 50, 1],
    ])
    expect(report.records.map((r) => r.id).sort()).toEqual(['30', '7'])
  })

  it('counts duplicate ids within and across files, by the ids themselves', async () => {
    const dir = await folder({ 'a.csv': table(50, []), 'b.csv': table(50, [], (i) => (i < 3 ? String(i) : `b${i % 40}`)) })
    const { report } = await run(dir, ['a.csv', 'b.csv'])
    expect(report.duplicateIds.count).toBe(3 + 7)
    expect(report.duplicateIds.examples).toContain('0')
  })

  it('is incomplete when one of many files cannot be read, and audits the others', async () => {
    const dir = await folder({ 'a.csv': table(60, [4]), 'b.csv': 'id,p_a,p_b,label\n1,0.5,0.5,"a\n' })
    const { report } = await run(dir, ['a.csv', 'b.csv'])
    expect(report.exitCode).toBe(2)
    expect(JSON.stringify(report.reasons)).toContain('b.csv')
    expect(report.rows.flagged).toBe(1)
  })

  it('gives the same report for the same seed', async () => {
    const dir = await folder({ 'a.csv': table(80, [3]) })
    const first = await run(dir, ['a.csv'], { runDir: 'one' })
    const second = await run(dir, ['a.csv'], { runDir: 'two' })
    expect(second.report).toEqual(first.report)
  })

  it('refuses a run directory that holds a run, another plan, or data that changed since', async () => {
    const dir = await folder({ 'a.csv': table(40, []), 'b.csv': table(44, []) })
    await run(dir, ['a.csv'])
    await expect(run(dir, ['a.csv'])).rejects.toMatchObject({ code: 'run-directory-used', exit: 4 })
    await expect(run(dir, ['b.csv'], { resume: true })).rejects.toMatchObject({ code: 'run-directory-other-plan' })
    await expect(run(dir, ['a.csv'], { resume: true, seed: 'y' })).rejects.toMatchObject({ code: 'run-directory-other-plan' })
    await writeFile(
      join(dir, 'a.csv'),
      table(40, [], (i) => `${(i + 1) % 40}`),
    )
    await expect(run(dir, ['a.csv'], { resume: true })).rejects.toThrow(EngineError)
  })

  it('resumes a finished run to the same report', async () => {
    const dir = await folder({ 'a.csv': table(40, [2]) })
    const first = await run(dir, ['a.csv'])
    expect((await run(dir, ['a.csv'], { resume: true })).report).toEqual(first.report)
  })
})
