import { join } from 'node:path'
import { type AuditOutcome, historyId } from '../contracts/outcome.ts'
import type { ReportFormat } from '../contracts/pipeline.ts'
import { setKernelThreads } from '../math/kernels.ts'
import { loadSigningKey, type SigningKey } from '../provenance/sign/signing-key.ts'
import { buildReport } from '../report/build.ts'
import { renderers } from '../report/render/registry.ts'
import type { Report } from '../report/schema.ts'
import { EngineError } from './errors.ts'
import { finishExchange } from './exchange.ts'
import { isDone, layout, type Over, writeBytes, writeJson } from './files.ts'
import { mergeLevel } from './fit.ts'
import { withHistory } from './history.ts'
import { conclude } from './outcome.ts'
import { openRun, type Plan, readPlan } from './plan.ts'
import { openPool, type Pool } from './pool.ts'
import type { AuditRequest, Hooks, Share } from './request.ts'
import { Run } from './run.ts'
import { runSensitivity } from './sensitivity/run.ts'
import { verdictFile, writeVerdict } from './sign.ts'
import { checkOneLabel, withCopies } from './stores.ts'
import type { ReadTask } from './tasks.ts'

export interface AuditResult {
  readonly report: Report
  readonly runDir: string
  /** Files written for the user, relative to the run directory. */
  readonly files: readonly string[]
  readonly plan: Plan
}

const silent: Hooks = { progress: () => {}, log: () => {} }
const everything: Share = { index: 1, count: 1 }
const mine = (share: Share) => (i: number) => i % share.count === share.index - 1

/** Plan, read, fit, score, report. Steps whose files exist are not done again. @throws AssayError */
export async function audit(request: AuditRequest): Promise<AuditResult> {
  const { runDir, hooks, sign } = request
  checkOneLabel(request.pipeline)
  // A key that signs nothing is told before hours of work, not after.
  const key = sign ? loadSigningKey(sign.key, sign.password) : null
  // Threads take as long to start as a plan takes to make.
  const pool = await openPool(runDir, request.workers)
  try {
    const pipeline = await withCopies(request.pipeline, runDir, request)
    const plan = await openRun({ ...request, pipeline })
    if (pool.width > 1) prepareReport(plan.pipeline.report.formats)
    for (let level = 0; level < plan.levels.length; level++) {
      await fitWith(pool, runDir, plan, level, everything, hooks)
      setKernelThreads(pool.width)
      const run = await Run.open(runDir, plan)
      await mergeLevel(run, level)
      if (run.exchange?.after === level) await exchangeWith(pool, run, hooks)
    }
    await scoreWith(pool, runDir, plan, everything, hooks)
  } catch (error) {
    await pool.close()
    throw error
  }
  const [result] = await Promise.all([finishReport(runDir, hooks, request.workers, key), pool.close()])
  if (!sign) return result
  const signed = await writeVerdict(runDir, result.report, sign.key, sign.password)
  return signed === null ? result : { ...result, files: [...result.files, verdictFile] }
}

/** While this thread waits for the others it loads what the report will need; a failure shows when it is needed. */
function prepareReport(formats: readonly ReportFormat[]): void {
  for (const format of formats) renderers[format].prepare?.().catch(() => {})
  import('hyparquet-writer').catch(() => {})
}

/** This share's groups of one fit level; level 0 also takes the digests of the files. */
export async function fitShards(runDir: string, level: number, share: Share, hooks: Hooks, workers = 1): Promise<void> {
  const plan = await readPlan(runDir)
  if (!plan.levels[level]) throw new EngineError('bad-option', `this plan has fit levels 0 to ${plan.levels.length - 1}, not ${level}`, 4)
  const pool = await openPool(runDir, workers)
  try {
    await fitWith(pool, runDir, plan, level, share, hooks)
  } finally {
    await pool.close()
  }
}

/** Merges the states of a level, and does the exchange that rests on them. */
export async function mergeFits(runDir: string, level: number, hooks: Hooks = silent, workers = 1): Promise<void> {
  const run = await Run.open(runDir)
  await mergeLevel(run, level)
  // On a cluster its engine sends the records.
  if (run.exchange?.after !== level || run.plan.remote) return
  const pool = await openPool(runDir, workers)
  try {
    await exchangeWith(pool, run, hooks)
  } finally {
    await pool.close()
  }
}

export async function scoreShards(runDir: string, share: Share, hooks: Hooks, workers = 1): Promise<void> {
  const pool = await openPool(runDir, workers)
  try {
    await scoreWith(pool, runDir, await readPlan(runDir), share, hooks)
  } finally {
    await pool.close()
  }
}

/** Decides, filters the scores, gathers evidence and writes the report and its renderings. */
export async function finishReport(runDir: string, hooks: Hooks, workers = 1, key: SigningKey | null = null): Promise<AuditResult> {
  const run = await Run.open(runDir)
  const { plan } = run
  await runSensitivity(runDir, plan, hooks, workers)
  const { outcome: own, files } = await conclude(run, { hooks, workers, key })
  const { gate, waivers, known, history, report: wanted } = plan.pipeline
  const accepted = { waivers, ...(known ? { known } : {}) }
  const build = (of: AuditOutcome) => buildReport(of, { gate, ...accepted, now: new Date(plan.now), excerpts: wanted.excerpts })
  const { outcome, report } = history
    ? await withHistory(own, { spec: history, required: gate.require.includes(historyId), fresh: plan.since !== null }, build)
    : { outcome: own, report: build(own) }
  await writeJson(join(runDir, layout.outcome), outcome)
  const written: string[] = []
  for (const format of new Set([...wanted.formats, 'json'] as const)) {
    const { file, render } = renderers[format]
    await writeBytes(join(runDir, file), await render(report))
    written.push(file)
  }
  return { report, runDir, files: [...written, ...files], plan }
}

function fitWith(pool: Pool, runDir: string, plan: Plan, level: number, share: Share, hooks: Hooks): Promise<void> {
  const tasks: ReadTask[] = []
  for (const over of ['subject', 'reference'] as const) {
    const part = over === 'subject' ? plan.subject : plan.reference
    if (!part) continue
    for (const group of part.groups.keys()) if (mine(share)(group)) tasks.push({ kind: 'fit', level, over, group })
    if (level > 0) continue
    const hashed = over === 'subject' ? (plan.delivery?.inputs ?? []) : []
    for (const file of part.files.keys())
      if (mine(share)(file) && (hashed[file] ?? null) === null) tasks.push({ kind: 'digest', over, file })
  }
  if (level === 0) for (const group of plan.delivery?.groups.keys() ?? []) if (mine(share)(group)) tasks.push({ kind: 'hash', group })
  return runAll(pool, runDir, plan, plan.levels[level]?.name ?? `fit level ${level}`, tasks, hooks)
}

function scoreWith(pool: Pool, runDir: string, plan: Plan, share: Share, hooks: Hooks): Promise<void> {
  const tasks = [...plan.subject.groups.keys()].filter(mine(share)).map((group): ReadTask => ({ kind: 'score', group }))
  return runAll(pool, runDir, plan, 'score', tasks, hooks)
}

/** Tasks that the buckets are worked in. */
const maxShares = 64

async function exchangeWith(pool: Pool, run: Run, hooks: Hooks): Promise<void> {
  const planned = await run.exchanging()
  const { buckets } = planned ? planned.exchange.layout(planned.context) : { buckets: 0 }
  if (buckets === 0 || run.done(layout.exchanged)) return
  const { dir, plan } = run
  const routes = [...plan.subject.groups.keys()].map((group): ReadTask => ({ kind: 'route', group }))
  await runAll(pool, dir, plan, 'send to cells', routes, hooks)
  const of = Math.min(maxShares, buckets)
  const work = Array.from({ length: of }, (_, share): ReadTask => ({ kind: 'work', share, of }))
  await runAll(pool, dir, plan, 'compare in cells', work, hooks)
  await finishExchange(run, of)
}

function taskFile(task: ReadTask): string {
  if (task.kind === 'digest') return layout.digest(task.over, task.file)
  if (task.kind === 'hash') return layout.hashes(task.group)
  if (task.kind === 'route') return layout.routed(task.group)
  if (task.kind === 'work') return layout.worked(task.share)
  return task.kind === 'fit' ? layout.state(task.level, task.over, task.group) : layout.tally(task.group)
}

const rowsOfTasks = (plan: Plan, tasks: readonly ReadTask[]): number | null => {
  let total = 0
  for (const task of tasks) {
    if (task.kind === 'digest' || task.kind === 'hash' || task.kind === 'work') continue
    const over: Over = task.kind === 'fit' ? task.over : 'subject'
    const part = over === 'subject' ? plan.subject : plan.reference
    for (const shard of part?.groups[task.group] ?? []) {
      const rows = part?.shards[shard]?.expectedRows ?? null
      if (rows === null) return null
      total += rows
    }
  }
  return total
}

/** As many tasks at once as the pool is wide; after a failure or an interruption no further one is started. */
async function runAll(pool: Pool, runDir: string, plan: Plan, phase: string, tasks: readonly ReadTask[], hooks: Hooks): Promise<void> {
  const open = tasks.filter((t) => !isDone(runDir, taskFile(t)))
  if (open.length < tasks.length) hooks.log('info', `${phase}: ${tasks.length - open.length} of ${tasks.length} steps were done already`)
  const total = rowsOfTasks(plan, open)
  let rows = 0
  let next = 0
  const tick = (n: number) => {
    rows += n
    hooks.progress({ phase, done: rows, total, unit: 'rows' })
  }
  const threads = Math.max(1, Math.floor(pool.width / Math.max(open.length, 1)))
  const lane = async () => {
    while (next < open.length) {
      if (hooks.signal?.aborted)
        throw new EngineError('interrupted', 'interrupted', 2, { file: runDir }, 'the same command with --resume goes on from here')
      const task = open[next++] as ReadTask
      try {
        await pool.run(task, tick, threads)
      } catch (error) {
        next = open.length
        throw error
      }
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(pool.width, open.length) }, lane))
  for (const l of lanes) if (l.status === 'rejected') throw l.reason
  hooks.progress({ phase, done: rows, total: rows, unit: 'rows' })
}
