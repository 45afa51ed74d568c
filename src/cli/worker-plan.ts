import { dirname, resolve } from 'node:path'
import type { SourceSpec } from '../contracts/data.ts'
import { openRun } from '../engine/plan.ts'
import { Run } from '../engine/run.ts'
import { clock, loadInput, requestOf } from './input.ts'
import { type Io, write } from './io.ts'
import type { DataOptions } from './options.ts'
import { openWatch } from './watch.ts'

export interface PlanRemoteOptions {
  readonly runDir: string
  readonly config: string
  readonly sample: string
  readonly rows: number
  readonly referenceSample?: string
  readonly referenceRows?: number
  readonly seed?: string
}

/** The sample is read as the pipeline file says of its one source, whatever format that has in truth. */
const asSample = ({ format: _, ...source }: SourceSpec, path: string): SourceSpec => ({ ...source, path: resolve(path), format: 'arrow' })

export async function runPlanRemote(options: PlanRemoteOptions, io: Io): Promise<number> {
  const watch = { progress: 'none', quiet: true, logLevel: 'warn' } as const
  const data: DataOptions = {
    ...watch,
    config: options.config,
    ...(options.seed === undefined ? {} : { seed: options.seed }),
  }
  const loaded = await loadInput([options.sample], data)
  const { pipeline } = loaded
  const [like] = pipeline.reference.length === 1 ? pipeline.reference : pipeline.sources
  const { referenceSample, referenceRows } = options
  const reference = referenceSample === undefined ? [] : [asSample(like as SourceSpec, referenceSample)]
  const ready = {
    ...loaded,
    base: dirname(resolve(options.config)),
    pipeline: { ...pipeline, sources: pipeline.sources.map((s) => asSample(s, options.sample)), reference },
  }
  const { hooks } = await openWatch(watch, io)
  const request = requestOf(ready, data, clock(io.env), { runDir: resolve(options.runDir), resume: false, hooks })
  const plan = await openRun({ ...request, remote: { rows: options.rows, referenceRows: referenceRows ?? null } })
  const id = plan.subject.columns.find((c) => c.role === 'id')?.name ?? null
  const run = await Run.open(resolve(options.runDir), plan)
  const asked = (over: 'subject' | 'reference') => run.levels.map((level) => level.filter((s) => s.over === over).length)
  const told = {
    /** Statistics of each fit level. */
    subject: asked('subject'),
    reference: plan.reference && asked('reference'),
    id,
    snapshot: plan.comparison !== null,
    /** Fit level after which records are exchanged. */
    exchange: run.exchange?.after ?? null,
    scores: plan.pipeline.report.scores !== null,
  }
  await write(io.stdout, `${JSON.stringify(told)}\n`)
  return 0
}
