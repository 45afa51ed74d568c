import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openHistory } from '../../src/history/store.ts'
import { assay } from '../cli/harness.ts'
import { type ReportFacts, reportOf } from './program.ts'
import { classes, csv, records } from './records.ts'

const night = (i: number): string => `2026-03-${String(i).padStart(2, '0')}`

const [, cat, dog] = classes
const rows = 600

/** A quiet past as audits would have left it: the store is the same every night. */
async function quietPast(path: string, root: string, nights: number): Promise<void> {
  const { label } = records(rows, 3)
  const count = (name: string) => label.filter((l) => l === name).length
  const store = await openHistory({ path }, {})
  for (let i = 1; i <= nights; i++)
    await store.record({
      night: {
        run: `past-${i}`,
        startedAt: `${night(i)}T02:00:00.000Z`,
        whole: true,
        fresh: false,
        labels: classes.map((name) => ({ name, count: count(name), flagged: 0 })),
        sources: [],
        changes: {
          before: root,
          after: root,
          classes: classes.map((name) => ({ name, before: count(name), relabelled: 0 })),
          sources: [],
          pairs: [],
        },
      },
      subject: 'store',
      digest: String(i),
      verdict: 'passed',
      exitCode: 0,
      rows,
      flagged: 0,
      tool: '0.1.0',
      plan: '',
      findings: [],
      sensitivity: null,
    })
  await store.close()
}

describe('a labelled store, audited every night', () => {
  test('an attacker who relabels a few records a night is named; a damaged history takes nothing from an audit', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'assay-nights-'))
    const { label, ...rest } = records(rows, 3)
    const labels = [...label]
    const pipeline = join(folder, 'store.yaml')
    writeFileSync(
      pipeline,
      'version: 1\nextends: preset:scheduled-audit\nsubject: { name: store }\nsources: [{ path: store.csv, columns: { id: id, label: label, source: source }, features: [x0, x1, x2, x3, x4, x5] }]\ngate: { max-flagged: 1 }\nreport: { formats: [json] }\n',
    )
    const store = () => writeFileSync(join(folder, 'store.csv'), csv({ ...rest, label: labels }))
    store()
    const made = await assay(['snapshot', pipeline, '--out', join(folder, 'first'), '--json'])
    await quietPast(join(folder, 'history.duckdb'), (JSON.parse(made.stdout) as { roots: { records: string } }).roots.records, 13)
    let baseline = join(folder, 'first')
    const found: { code: number; findings: ReportFacts['findings'] }[] = []
    for (let i = 14; i <= 16; i++) {
      for (let n = 0; n < 4; n++) labels[labels.indexOf(cat)] = dog
      store()
      const run = join(folder, night(i))
      const words = ['--only', 'label-flip', '--run-dir', run, '--seed', '1', '--workers', '1', '--baseline', baseline]
      const { code } = await assay(['audit', pipeline, ...words], { env: { ASSAY_NOW: `${night(i)}T02:00:00Z` } })
      found.push({ code, findings: reportOf(run).findings.filter((f) => f.rule.startsWith('history/')) })
      baseline = join(run, 'snapshot')
    }
    expect(found[0]?.findings).toEqual([])
    expect(found.at(-1)?.code).toBe(1)
    expect(found.at(-1)?.findings[0]).toMatchObject({ rule: 'history/label-drift', severity: 'high', scope: { names: [cat, dog] } })
    const history = join(folder, 'history.duckdb')
    const list = await assay(['history', 'list', '--history', history])
    expect(list.stdout.trimEnd().split('\n')).toHaveLength(16)
    const show = await assay(['history', 'show', (list.stdout.split(' ')[0] as string).slice(0, 8), '--history', history])
    expect(show.stdout).toContain('history/label-drift')

    // A store that is no store: the audit keeps its result, and says that it has no history.
    writeFileSync(history, 'damaged')
    const run = join(folder, 'runs/damaged')
    const ran = await assay([
      'audit',
      join(folder, 'store.yaml'),
      '--only',
      'label-flip',
      '--run-dir',
      run,
      '--seed',
      '1',
      '--workers',
      '1',
    ])
    const report = JSON.parse(readFileSync(join(run, 'report.json'), 'utf8')) as {
      reasons: { message: string }[]
      rows: { read: number }
      labels: unknown[]
    }
    expect([ran.code, report.rows.read, report.labels.length]).toEqual([2, rows, 3])
    expect(report.reasons[0]?.message).toMatch(/the history could not be kept: .*history\.duckdb: is not a history/)
  })
})
