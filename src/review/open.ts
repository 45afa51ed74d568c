import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDone, layout } from '../engine/files.ts'
import { Run } from '../engine/run.ts'
import { parseReport, type Report } from '../report/schema.ts'
import { type Cases, gatherCases } from './cases.ts'
import { ReviewError } from './errors.ts'
import { readFlags } from './flags.ts'

const maxReportBytes = 256 * 2 ** 20

export interface Reviewed {
  readonly dir: string
  readonly run: Run
  readonly report: Report
  /** SHA-256 of `report.json`. */
  readonly digest: string
}

/** @throws ReviewError `not-a-run` */
export async function openRunDir(dir: string): Promise<Reviewed> {
  const file = join(dir, 'report.json')
  const found = await stat(file).catch(() => null)
  if (!found || !isDone(dir, layout.plan))
    throw new ReviewError(
      'not-a-run',
      `${dir}: holds no finished audit`,
      'name the run directory of an audit: --run-dir of "assay audit"',
      {
        file: dir,
      },
    )
  if (found.size > maxReportBytes) throw new ReviewError('not-a-run', `${file}: is larger than a report may be`, undefined, { file })
  const bytes = await readFile(file)
  return {
    dir,
    run: await Run.open(dir),
    report: parseReport(bytes.toString('utf8')),
    digest: createHash('sha256').update(bytes).digest('hex'),
  }
}

/** The flagged records of a run; none where it scored no rows. */
export async function casesOf({ dir, run, report }: Reviewed): Promise<Cases> {
  const format = run.plan.pipeline.report.flags
  const path = join(dir, `flags.${format}`)
  if (!existsSync(path)) {
    if (report.rows.flagged === 0) return { cases: [], left: 0 }
    throw new ReviewError('not-a-run', `${path}: is missing`, 'audit again, or bring the file back', { file: path })
  }
  return gatherCases(report, readFlags(path, format))
}
