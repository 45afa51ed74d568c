import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Report } from '../../../src/report/schema.ts'
import { auditHere, auditThere } from '../../support/cluster.ts'
import { documents, numbers, pictures, yaml } from '../../support/cluster-data.ts'

const folder = () => mkdtemp(join(tmpdir(), 'assay-remote-'))

/** What must not depend on where the records were read: all but times, digests of the plan and places of records. */
function said(report: Report) {
  const round = (_: string, v: unknown) => (typeof v === 'number' && !Number.isInteger(v) ? Number(v.toPrecision(7)) : v)
  const { findings, detectors, rows, labels, sources, exitCode, duplicateIds } = report
  const flagged = (report.records ?? []).map((r) => r.id).sort()
  const bare = findings.map(({ rule, count, severity, message }) => ({ rule, count, severity, message }))
  const ran = detectors.map(({ id, status, rowsScored, rowsFlagged, thresholds, notes }) => ({
    id,
    status,
    rowsScored,
    rowsFlagged,
    thresholds,
    notes,
  }))
  return JSON.parse(JSON.stringify({ bare, ran, rows, labels, sources, exitCode, duplicateIds, flagged }, round))
}

const cuts: Readonly<Record<string, (rows: number) => number[]>> = {
  'one partition': (rows) => [rows],
  'seven, one empty, one of a single row': (rows) => [20, 0, 1, 50, 3, 30, rows - 104],
}

describe('workers of a cluster say what one machine says', () => {
  const cells = 'detectors: { embedding-outlier: { among: all, neighbours: 5 } }\n'
  const kinds = [
    ['numbers', async () => numbers(240), ''],
    ['numbers by cells', async () => numbers(2600), cells],
    ['pictures', pictures, ''],
    ['documents', async () => documents(), ''],
  ] as const
  for (const [kind, make, more] of kinds) {
    it(kind, async () => {
      const dir = await folder()
      const { table, columns } = await make()
      const here = said(await auditHere(dir, table, yaml(columns, more), 'here'))
      expect(here.rows.read).toBe(table.numRows)
      expect(here.rows.flagged).toBeGreaterThan(0)
      for (const [name, cut] of Object.entries(cuts)) {
        const there = await auditThere(`there-${cut(200).length}`, table, {
          dir,
          yaml: yaml(columns, more),
          sizes: cut(table.numRows),
        })
        expect(said(there), name).toEqual(here)
      }
    }, 120_000)
  }

  it('too few records for cells', async () => {
    const dir = await folder()
    const { table, columns } = numbers(28)
    const here = said(await auditHere(dir, table, yaml(columns, cells), 'here'))
    const there = await auditThere('there', table, { dir, yaml: yaml(columns, cells), sizes: [9, 0, 1, 18] })
    expect(here.rows.read).toBe(28)
    expect(said(there)).toEqual(here)
  }, 60_000)
})
