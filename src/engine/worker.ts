import { join } from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'
import type { EngineErrorCode } from './errors.ts'
import { layout, type Over, sha256File, writeJson } from './files.ts'
import { fitGroup, type Tick } from './fit.ts'
import { Run } from './run.ts'
import { scoreGroup } from './score.ts'

/** One unit of work, done when its file exists. */
export type Task =
  | { readonly kind: 'digest'; readonly over: Over; readonly file: number }
  | { readonly kind: 'fit'; readonly level: number; readonly over: Over; readonly group: number }
  | { readonly kind: 'score'; readonly group: number }

export interface FileDigest {
  readonly sha256: string
  readonly bytes: number
}

export async function runTask(run: Run, task: Task, tick: Tick): Promise<void> {
  if (task.kind === 'fit') return fitGroup(run, task.level, task.over, task.group, tick)
  if (task.kind === 'score') return scoreGroup(run, task.group, tick)
  const target = layout.digest(task.over, task.file)
  if (run.done(target)) return
  const file = run.part(task.over).files[task.file]
  if (!file) throw new Error('no such file in the plan')
  await writeJson(join(run.dir, target), { sha256: await sha256File(file.path), bytes: file.bytes } satisfies FileDigest)
}

let opened: { readonly dir: string; readonly run: Run } | null = null
const tickMs = 100

/** An error as plain data: thread boundaries strip classes and fields. */
export interface TaskFailure {
  readonly code: EngineErrorCode
  readonly message: string
  readonly exit: FailureExit
  readonly place: Place
  readonly hint: string | undefined
}

/** Entry of a worker thread. */
export default async function work({ runDir, task, port }: { runDir: string; task: Task; port: MessagePort }): Promise<TaskFailure | null> {
  let rows = 0
  let last = Date.now()
  const flush = () => {
    if (rows > 0) port.postMessage(rows)
    rows = 0
    last = Date.now()
  }
  try {
    opened = opened?.dir === runDir ? opened : { dir: runDir, run: await Run.open(runDir) }
    await runTask(opened.run, task, (n) => {
      rows += n
      if (Date.now() - last >= tickMs) flush()
    })
    return null
  } catch (error) {
    if (!(error instanceof AssayError)) throw error
    return { code: error.code as EngineErrorCode, message: error.message, exit: error.exit, place: error.place, hint: error.hint }
  } finally {
    flush()
    port.close()
  }
}
