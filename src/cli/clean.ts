import { dirname, relative, resolve } from 'node:path'
import { loadPipeline } from '../config/load.ts'
import { deliveryAround } from '../config/trust.ts'
import type { SourceSpec } from '../contracts/data.ts'
import { detectorIds } from '../engine/inputs.ts'
import { readPlan } from '../engine/plan.ts'
import { escapeTerminal } from '../report/escape.ts'
import { formatCount, plural } from '../report/format.ts'
import { clean } from '../review/clean.ts'
import { UsageError } from './errors.ts'
import { type Io, write } from './io.ts'

export interface CleanOptions {
  readonly decisions: string
  readonly out: string
  readonly runDir?: string
  readonly applyLabels?: boolean
  readonly onlyDismissed?: boolean
}

interface Where {
  readonly sources: readonly SourceSpec[] | null
  readonly base: string | null
}

/** The data as named, read as the run read them: a pipeline file, or other paths for the run's one source. */
async function whereOf(data: readonly string[], runDir: string): Promise<Where> {
  const [first] = data
  if (first === undefined) return { sources: null, base: null }
  if (/\.ya?ml$/i.test(first) && data.length === 1) {
    const { pipeline, base } = await loadPipeline(first, { knownDetectors: detectorIds() })
    return { sources: pipeline.sources, base }
  }
  const { pipeline } = await readPlan(runDir)
  const [source] = pipeline.sources
  if (pipeline.sources.length !== 1 || source?.path === undefined)
    throw new UsageError(
      'this run audited several sources',
      'name its pipeline file, or no data at all: then they are where the run read them',
    )
  const paths = data.map((path) => resolve(path))
  const [only = ''] = paths
  return { sources: [{ ...source, path: paths.length === 1 ? only : paths }], base: dirname(only) }
}

/** `assay clean [DATA] --decisions FILE --out DIR`. */
export async function runClean(data: readonly string[], options: CleanOptions, io: Io): Promise<number> {
  if (options.applyLabels && options.onlyDismissed)
    throw new UsageError('--apply-labels and --only-dismissed exclude each other', 'only records whose label was right are dismissed')
  const decisions = resolve(options.decisions)
  const runDir = options.runDir === undefined ? dirname(decisions) : resolve(options.runDir)
  const where = await whereOf(data, runDir)
  // Who wrote the data must not say which of them are clean.
  const delivery = deliveryAround(decisions, where.sources ?? (await readPlan(runDir)).pipeline.sources, process.cwd())
  if (delivery !== null) throw new UsageError(`${options.decisions} lies in the data, ${delivery}`, 'keep the run directory elsewhere')
  const done = await clean({
    ...where,
    runDir,
    decisions,
    out: options.out,
    applyLabels: options.applyLabels === true,
    onlyDismissed: options.onlyDismissed === true,
  })
  const relabelled = options.applyLabels ? `, ${formatCount(done.relabelled)} relabelled` : ''
  const files = done.files.map((file) => `  ${escapeTerminal(relative(process.cwd(), file) || file)}\n`).join('')
  await write(io.stdout, `${plural(done.kept, 'record')} kept, ${formatCount(done.removed)} removed${relabelled}\n${files}`)
  return 0
}
