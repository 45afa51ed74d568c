import { join } from 'node:path'
import type { AuditResult } from '../engine/audit.ts'
import { renderers } from '../report/render/registry.ts'
import { renderTerminal } from '../report/terminal.ts'
import { shortPath } from './describe-plan.ts'
import { type Io, wantsColor, write } from './io.ts'
import type { ResultOptions } from './options.ts'

const titles: { readonly [file: string]: string } = {
  'report.html': 'report',
  'report.json': 'report as JSON',
  'report.md': 'report as Markdown',
  'report.sarif': 'report as SARIF',
  'report.junit.xml': 'report as JUnit',
  'annotations.txt': 'annotations',
  'triggers.json': 'triggers',
  'verdict.intoto.json': 'signed verdict',
}
const titleOf = (file: string): string =>
  titles[file] ??
  (file.startsWith('flags.')
    ? 'flagged records'
    : file.startsWith('scores.')
      ? 'scores'
      : file.startsWith('changes.')
        ? 'changed records'
        : file)

/** The report on stdout, and the exit code that it asks for. */
export async function showResult(result: AuditResult, options: ResultOptions, io: Io): Promise<number> {
  const { report, runDir, files } = result
  if (options.json) await write(io.stdout, await renderers.json.render(report))
  else if (!options.quiet) {
    const written = [...files].sort((a, b) => Number(b === 'report.html') - Number(a === 'report.html'))
    const text = renderTerminal(report, {
      color: wantsColor(io.stdout, io.env),
      width: io.stdout.columns || 100,
      files: written.map((file) => ({ title: titleOf(file), path: shortPath(join(runDir, file)) })),
    })
    await write(io.stdout, text.endsWith('\n') ? text : `${text}\n`)
  }
  return options.exitZero && report.exitCode === 1 ? 0 : report.exitCode
}
