import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { assay } from '../cli/harness.ts'
import { folderWith } from '../config/files.ts'
import { csv, part, records } from './records.ts'

interface Facts {
  readonly verdict: string
  readonly rows: { readonly read: number; readonly reference: number; readonly flagged: number }
  readonly findings: readonly { readonly rule: string; readonly count: number }[]
  readonly records: readonly { readonly id: string }[]
  readonly detectors: readonly { readonly id: string; readonly status: string; readonly reason: string; readonly rowsScored: number }[]
}

const old = 500
const all = records(600, 5)
const pipeline =
  'version: 1\nsubject: { name: store, declared: { rows: ROWS } }\nsources: [{ path: store.csv, columns: { id: id, label: label, source: source }, features: [x0, x1, x2, x3, x4, x5] }]\ngate: { max-flagged: 1 }\nreport: { formats: [json], flags: csv }\n'

async function store() {
  const folder = await folderWith({ 'store.csv': csv(part(all, 0, old)), 'store.yaml': pipeline.replace('ROWS', String(old)) })
  const file = join(folder, 'store.yaml')
  expect((await assay(['snapshot', file, '--out', join(folder, 'night-1')])).code).toBe(0)
  const audit = async (run: string, since: string, ...more: string[]) => {
    const words = [
      'audit',
      file,
      '--since',
      join(folder, since),
      '--run-dir',
      join(folder, run),
      '--only',
      'label-flip',
      '--workers',
      '1',
      '--seed',
      '1',
      ...more,
    ]
    const ran = await assay(words)
    return { ...ran, report: JSON.parse(readFileSync(join(folder, run, 'report.json'), 'utf8')) as Facts }
  }
  return { folder, audit }
}

describe('audit --since', () => {
  test('what is new and what changed is the subject, and the rest its reference', async () => {
    const { folder, audit } = await store()
    const label = [...all.label]
    // new records, some with a wrong label; one old record relabelled, one removed
    const wrong = Array.from({ length: 10 }, (_, i) => old + i * 7)
    for (const i of wrong) label[i] = label[i] === 'cat' ? 'dog' : 'cat'
    label[3] = label[3] === 'cat' ? 'dog' : 'cat'
    const next = { ...all, label }
    const rows = [...Array(600).keys()].filter((i) => i !== 8)
    const pick = <T>(list: readonly T[]): T[] => rows.map((i) => list[i] as T)
    const tonight = { id: pick(next.id), label: pick(next.label), source: pick(next.source), features: pick(next.features) }
    writeFileSync(join(folder, 'store.csv'), csv(tonight))
    writeFileSync(join(folder, 'store.yaml'), pipeline.replace('ROWS', '599'))
    const { report, code } = await audit('run-2', 'night-1')
    expect(report.rows).toMatchObject({ read: 101, reference: 498 })
    const flip = report.detectors.find((d) => d.id === 'label-flip')
    expect([flip?.status, flip?.rowsScored, flip?.reason.includes('reference')]).toEqual(['ran', 101, true])
    const flagged = readFileSync(join(folder, 'run-2/flags.csv'), 'utf8')
      .split('\n')
      .slice(1)
      .filter(Boolean)
      .map((l) => l.split(',')[0])
    const bad = [...wrong, 3].map((i) => all.id[i])
    expect(bad.filter((id) => flagged.includes(id)).length).toBeGreaterThanOrEqual(10)
    expect(flagged.filter((id) => !bad.includes(id)).length).toBeLessThanOrEqual(2)
    expect(report.findings.filter((f) => f.rule.startsWith('provenance/')).map((f) => [f.rule, f.count])).toEqual(
      expect.arrayContaining([
        ['provenance/relabelled', 1],
        ['provenance/removed', 1],
        ['provenance/added', 100],
      ]),
    )
    expect(report.findings.some((f) => f.rule === 'provenance/declared-facts')).toBe(false)

    // the snapshot of the run is the next link, and a night without anything new passes
    const quiet = await audit('run-3', 'run-2/snapshot')
    expect([quiet.code, quiet.report.rows.read, quiet.report.detectors.find((d) => d.id === 'label-flip')?.reason]).toEqual([
      0,
      0,
      'no record is new or changed since the snapshot',
    ])
    expect((await assay(['verify', join(folder, 'run-3/snapshot'), '--chain'])).stdout).toContain('3')
    const again = await audit('run-2', 'night-1', '--resume')
    expect([again.code, again.report.rows.read]).toEqual([code, 101])
  })

  test('does not depend on the number of workers', async () => {
    const { folder, audit } = await store()
    writeFileSync(join(folder, 'store.csv'), csv(all))
    const one = await audit('one', 'night-1')
    const two = await audit('two', 'night-1', '--workers', '2')
    expect(two.report).toEqual(one.report)
  })

  test('a baseline beside it is refused, and a folder that is no snapshot', async () => {
    const { folder } = await store()
    const file = join(folder, 'store.yaml')
    expect(await assay(['audit', file, '--since', join(folder, 'night-1'), '--baseline', join(folder, 'night-1')])).toMatchObject({
      code: 4,
      stderr: expect.stringContaining('--since is the baseline as well'),
    })
    expect((await assay(['audit', file, '--since', join(folder, 'nowhere'), '--run-dir', join(folder, 'r')])).code).toBe(4)
  })
})
