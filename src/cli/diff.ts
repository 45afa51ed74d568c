import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { SourceSpec } from '../contracts/data.ts'
import { type FlagFormat, flagFormats, type Gate, type ReportFormat } from '../contracts/pipeline.ts'
import { diffData, readSchema } from '../engine/diff.ts'
import { snapshotKey } from '../engine/leaves.ts'
import { renderers } from '../report/render/registry.ts'
import type { Report } from '../report/schema.ts'
import { renderTerminal } from '../report/terminal.ts'
import { shortPath } from './describe-plan.ts'
import { changeTables } from './diff-tables.ts'
import { UsageError } from './errors.ts'
import { clock, newRunDir } from './input.ts'
import { type Io, wantsColor, write } from './io.ts'
import type { ResultOptions } from './options.ts'
import { namedColumns } from './snapshot.ts'
import { openWatch } from './watch.ts'

export interface DiffOptions extends ResultOptions {
  readonly id?: string
  readonly label?: string
  readonly source?: string
  readonly time?: string
  readonly imageLabels?: string
  readonly classes?: readonly string[]
  readonly ignore?: readonly string[]
  readonly schema?: string
  readonly keyEnv?: string
  readonly out?: string
  readonly runDir?: string
  readonly to?: readonly ReportFormat[]
  readonly failOn?: Gate['fail-on']
  readonly excerpts?: boolean
  readonly workers?: number
}

const sideOf = (path: string, { classes, imageLabels }: DiffOptions): SourceSpec => ({
  path,
  ...(classes ? { classes } : {}),
  ...(imageLabels === undefined ? {} : { labels: imageLabels }),
})

function formatOf(file: string): FlagFormat {
  const format = flagFormats.find((f) => file.toLowerCase().endsWith(`.${f}`))
  if (!format) throw new UsageError(`${file}: the list of changes ends in ${flagFormats.map((f) => `.${f}`).join(', ')}`)
  return format
}

/** The run directory: as named; a new one where a report is asked for. */
const runDirOf = (options: DiffOptions, subject: string, now: Date): string | null =>
  options.runDir !== undefined ? resolve(options.runDir) : options.to ? newRunDir(subject, now) : null

/** `assay diff BEFORE AFTER`: what changed, exactly, and whether it piles up. */
export async function runDiff(before: string, after: string, options: DiffOptions, io: Io): Promise<number> {
  const now = clock(io.env)
  const runDir = runDirOf(options, 'diff', now)
  const file = options.out !== undefined ? resolve(options.out) : runDir === null ? null : join(runDir, 'changes.csv')
  const changes = file === null ? null : { file, format: formatOf(file) }
  const schema = options.schema === undefined ? null : await readSchema(options.schema)
  const key = snapshotKey(options.keyEnv ?? null, io.env as NodeJS.ProcessEnv)
  for (const folder of [runDir, file === null ? null : dirname(file)]) if (folder !== null) await mkdir(folder, { recursive: true })
  const { hooks, progress, quiet } = await openWatch(options, io)
  try {
    const { report } = await diffData(sideOf(before, options), sideOf(after, options), {
      base: process.cwd(),
      now,
      workers: options.workers ?? availableParallelism(),
      hooks,
      schema,
      named: namedColumns(options),
      key,
      changes,
      excerpts: options.excerpts === true,
      ...(options.ignore ? { ignored: options.ignore } : {}),
      ...(options.failOn ? { gate: { 'fail-on': options.failOn } } : {}),
    })
    progress.stop()
    const written = [...(file === null ? [] : [{ title: 'every change', path: file }])]
    if (runDir !== null)
      for (const format of new Set([...(options.to ?? []), 'json'] as const)) {
        const { file: name, render } = renderers[format]
        await writeFile(join(runDir, name), await render(report))
        written.push({ title: `report, ${format}`, path: join(runDir, name) })
      }
    await show(report, { ...options, quiet }, written, io)
    return options.exitZero && report.exitCode === 1 ? 0 : report.exitCode
  } finally {
    progress.stop()
  }
}

async function show(report: Report, options: DiffOptions, written: readonly { title: string; path: string }[], io: Io): Promise<void> {
  if (options.json) await write(io.stdout, await renderers.json.render(report))
  else if (!options.quiet) {
    const changes = report.provenance?.changes
    const files = written.map(({ title, path }) => ({ title, path: shortPath(path) }))
    const text = renderTerminal(report, { color: wantsColor(io.stdout, io.env), width: io.stdout.columns || 100, files })
    await write(io.stdout, `${text}${changes ? changeTables(changes) : ''}`)
  }
}
