import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { Waiver } from '../contracts/pipeline.ts'
import type { Report } from '../report/schema.ts'
import { type Decision, findingName, replay } from './decision.ts'
import { ReviewError } from './errors.ts'

const dayMs = 86_400_000

/**
 * A waiver for every finding that is dismissed: for as many records as it has, until so many days from now.
 * @throws ReviewError `no-statement` where a dismissal has no note: who accepts a finding says why; `nothing-to-do`
 */
export function waiversOf(report: Report, lines: readonly Decision[], now: Date, days: number): readonly Waiver[] {
  const held = replay(lines)
  const dismissed = report.findings.flatMap((f) => {
    const of = held.get(findingName(f.fingerprint))
    return of?.decision === 'dismiss' ? [{ f, of }] : []
  })
  if (dismissed.length === 0)
    throw new ReviewError(
      'nothing-to-do',
      'no finding is dismissed, so there is nothing to waive',
      'dismiss findings in the review: g, then d',
    )
  const silent = dismissed.filter(({ of }) => (of.note ?? '').trim() === '')
  if (silent.length > 0)
    throw new ReviewError(
      'no-statement',
      `${silent.length === 1 ? 'a finding is' : `${silent.length} findings are`} dismissed without a note, and a waiver needs a statement:\n${silent.map(({ f }) => `${f.rule}: ${f.message}`).join('\n')}`,
      'add a note to each in the review: n',
    )
  const expires = new Date(now.getTime() + days * dayMs).toISOString().slice(0, 10)
  return dismissed.map(({ f, of }) => ({
    fingerprint: f.fingerprint,
    statement: `${of.note} (${of.by.reviewer}, ${of.by.time.slice(0, 10)})`,
    expires,
    maxCount: Math.max(1, f.count),
  }))
}

/** @throws ReviewError `occupied`: nothing is overwritten */
export async function writeWaivers(path: string, report: Report, waivers: readonly Waiver[]): Promise<void> {
  const document = { version: 1, waivers }
  const text = `# Findings dismissed in a review of ${JSON.stringify(report.subject.name)}. Named by "waivers:" in the pipeline file.\n${stringify(document)}`
  await writeFile(path, text, { flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
    throw new ReviewError('occupied', `${path} exists already: nothing is overwritten`, 'name another file, and merge the two by hand', {
      file: path,
    })
  })
}
