import { resolve } from 'node:path'
import type { LoadedPipeline } from '../config/load.ts'
import { printConfig } from '../config/print.ts'
import type { SourceSpec } from '../contracts/data.ts'
import { audit } from '../engine/audit.ts'
import { listEach } from '../engine/inputs.ts'
import { makePlan, readPlan } from '../engine/plan.ts'
import type { Hooks } from '../engine/request.ts'
import { classesOf, folderFor, forClass, worstExit } from './classes.ts'
import { completeColumns } from './complete.ts'
import { describePlan, guessNote } from './describe-plan.ts'
import { explainError, UsageError } from './errors.ts'
import { clock, copied, loadInput, newRunDir, requestOf, spool, withScratch } from './input.ts'
import { type Io, write } from './io.ts'
import { tellFailure, tellVerdict } from './notify.ts'
import type { AuditOptions } from './options.ts'
import { passwordOf } from './password.ts'
import { showResult } from './show.ts'
import { openWatch } from './watch.ts'

const silent: Hooks = { progress: () => {}, log: () => {} }
const sampling = { hooks: silent, resume: false, sample: true }

/** Where the run is, for the message after Ctrl-C. */
export type Started = (runDir: string) => void

async function dryRun(loaded: LoadedPipeline, options: AuditOptions, now: Date, io: Io): Promise<number> {
  return withScratch(async (folder) => {
    const { loaded: ready } = await completeColumns(await copied(await spool(loaded, folder, io), folder, sampling))
    const [first] = classesOf(ready.pipeline) ?? []
    const own = first === undefined ? ready : { ...ready, pipeline: forClass(ready.pipeline, first) }
    const request = requestOf(own, options, now, { runDir: folder, resume: false, hooks: silent })
    await write(io.stdout, describePlan(await makePlan(request), request.workers))
    return 0
  })
}

/** With what the user named in the place of the files that stand for it. */
function asWritten(ready: SourceSpec, given: SourceSpec | undefined): SourceSpec {
  if (given?.path === '-') return { ...ready, path: '-' }
  return ready.copied && given ? { ...given, ...(ready.columns ? { columns: ready.columns } : {}) } : ready
}

async function print(loaded: LoadedPipeline, io: Io): Promise<number> {
  return withScratch(async (folder) => {
    const { loaded: ready } = await completeColumns(await copied(await spool(loaded, folder, io), folder, sampling))
    const { sources, reference } = ready.pipeline
    const listings = await listEach(sources, ready.base)
    const pipeline = {
      ...ready.pipeline,
      sources: sources.map((source, i) => asWritten(source, loaded.pipeline.sources[i])),
      reference: reference.map((source, i) => asWritten(source, loaded.pipeline.reference[i])),
    }
    await write(
      io.stdout,
      printConfig(pipeline, listings, { relativeTo: process.cwd(), waiverFile: loaded.waiverFile, knownFile: loaded.knownFile }),
    )
    return 0
  })
}

export async function runAudit(paths: readonly string[], options: AuditOptions, io: Io, started: Started): Promise<number> {
  if (options.resume && options.runDir === undefined)
    throw new UsageError('--resume needs the run to go on with', 'name it: --run-dir FOLDER')
  const now = clock(io.env)
  const loaded = await loadInput(paths, options)
  if (options.printConfig) return print(loaded, io)
  if (options.dryRun) return dryRun(loaded, options, now, io)
  const runDir = options.runDir === undefined ? newRunDir(loaded.pipeline.subject.name, now) : resolve(options.runDir)
  started(runDir)
  let told: Promise<void> = Promise.resolve()
  const tellGuess = async (note: (line: string) => void): Promise<void> => {
    const line = guessNote(await readPlan(runDir))
    if (line !== null) note(line)
  }
  const { hooks, progress, quiet } = await openWatch(options, io, ({ note }) => {
    if (!options.quiet) told = tellGuess(note).catch(() => {})
  })
  try {
    const resume = options.resume === true
    const here = await copied(await spool(loaded, resolve(runDir, 'stdin'), io), runDir, {
      hooks: { ...hooks, progress: progress.update },
      resume,
    })
    const { loaded: ready, note } = await completeColumns(here)
    if (note !== null && !quiet) progress.note(note)
    const classes = classesOf(ready.pipeline)
    const sign = options.sign === undefined ? {} : { sign: { key: options.sign, password: passwordOf(options.passwordEnv, io.env) } }
    const run = async (own: LoadedPipeline, folder: string): Promise<number> => {
      const result = await audit({ ...requestOf(own, options, now, { runDir: folder, resume, hooks }), ...sign })
      await told
      progress.stop()
      const exit = await showResult(result, { ...options, quiet }, io)
      await tellVerdict(loaded.pipeline.notify, result.report, io)
      return exit
    }
    if (classes === null) return await run(ready, runDir)
    const codes: number[] = []
    for (const [i, name] of classes.entries())
      codes.push(await run({ ...ready, pipeline: forClass(ready.pipeline, name) }, resolve(runDir, folderFor(name, i))))
    return worstExit(codes)
  } catch (error) {
    progress.stop()
    const { subject, notify } = loaded.pipeline
    const isStopped = io.signal?.aborted || (error as { code?: unknown }).code === 'interrupted'
    if (!isStopped) await tellFailure(notify, subject, explainError(error, () => {}).exit, now.toISOString(), io)
    throw error
  } finally {
    progress.stop()
  }
}
