import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Gate, ReportFormat } from '../contracts/pipeline.ts'
import { scan } from '../engine/scan.ts'
import { defaultPolicy } from '../engine/verify.ts'
import { renderers } from '../report/render/registry.ts'
import type { Report } from '../report/schema.ts'
import { renderTerminal } from '../report/terminal.ts'
import { shortPath } from './describe-plan.ts'
import { UsageError } from './errors.ts'
import { clock } from './input.ts'
import { type Io, wantsColor, write } from './io.ts'
import type { ResultOptions } from './options.ts'
import { refuseInside } from './verify-files.ts'
import { openWatch } from './watch.ts'

export interface ScanOptions extends ResultOptions {
  readonly key?: readonly string[]
  readonly base?: string
  readonly publishers?: readonly string[]
  readonly failOn?: Gate['fail-on']
  readonly runDir?: string
  readonly formats?: readonly ReportFormat[]
  readonly workers?: number
}

const titles: { readonly [F in ReportFormat]: string } = {
  html: 'report',
  json: 'report as JSON',
  markdown: 'report as Markdown',
  sarif: 'report as SARIF',
  junit: 'report as JUnit',
  annotations: 'annotations',
}

async function writeReports(report: Report, { runDir, formats = ['html', 'json'] }: ScanOptions) {
  if (runDir === undefined) return []
  const folder = resolve(runDir)
  await mkdir(folder, { recursive: true })
  const written = [...new Set(formats)]
  for (const format of written) await writeFile(join(folder, renderers[format].file), await renderers[format].render(report))
  return written.map((format) => ({ title: titles[format], path: shortPath(join(folder, renderers[format].file)) }))
}

/** `assay scan PATH`: the verdict over the files of a base model. */
export async function runScan(path: string, options: ScanOptions, io: Io): Promise<number> {
  if (options.formats !== undefined && options.runDir === undefined)
    throw new UsageError('--formats needs the folder to write them in', 'name it: --run-dir FOLDER')
  refuseInside(path, options.runDir, '--run-dir')
  const { key = [] } = options
  const policy = { ...defaultPolicy, trust: { ...defaultPolicy.trust, keys: key }, requireSignature: key.length > 0 }
  const { hooks, progress, quiet } = await openWatch(options, io)
  try {
    const { report } = await scan({
      path,
      policy,
      base: options.base,
      publishers: options.publishers,
      now: clock(io.env),
      hooks,
      failOn: options.failOn,
      workers: options.workers,
    })
    progress.stop()
    const files = await writeReports(report, options)
    if (options.json) await write(io.stdout, await renderers.json.render(report))
    else if (!quiet)
      await write(io.stdout, renderTerminal(report, { color: wantsColor(io.stdout, io.env), width: io.stdout.columns || 100, files }))
    return options.exitZero && report.exitCode === 1 ? 0 : report.exitCode
  } finally {
    progress.stop()
  }
}
