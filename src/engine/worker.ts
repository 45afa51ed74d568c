import type { MessagePort } from 'node:worker_threads'
import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'
import { setKernelThreads } from '../math/kernels.ts'
import type { EngineErrorCode } from './errors.ts'
import { Run } from './run.ts'
import { runTask, type Task } from './tasks.ts'

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

interface WorkOrder {
  readonly runDir: string
  readonly task: Task
  readonly threads: number
  readonly port: MessagePort
}

/** Entry of a worker thread. */
export async function work({ runDir, task, threads, port }: WorkOrder): Promise<TaskFailure | null> {
  let rows = 0
  let last = Date.now()
  const flush = () => {
    if (rows > 0) port.postMessage(rows)
    rows = 0
    last = Date.now()
  }
  try {
    setKernelThreads(threads)
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
