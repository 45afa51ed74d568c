import { join } from 'node:path'
import { MessageChannel } from 'node:worker_threads'
import { packageRoot } from '../contracts/package-root.ts'
import { setKernelThreads } from '../math/kernels.ts'
import { EngineError } from './errors.ts'
import { Run } from './run.ts'
import { runTask, type Task } from './tasks.ts'
import type { TaskFailure } from './worker.ts'

/** Runs tasks of one run directory, in this thread or in worker threads. Tasks write files; they return nothing. */
export interface Pool {
  /** `threads`: of the numeric kernels in this task; the result does not depend on it. */
  run(task: Task, tick: (rows: number) => void, threads: number): Promise<void>
  readonly width: number
  close(): Promise<void>
}

/** Worker threads load compiled code: from the sources (in tests) everything runs in this thread. */
const compiled = import.meta.url.endsWith('.js')

export async function openPool(runDir: string, workers: number): Promise<Pool> {
  if (workers <= 1 || !compiled) {
    let run: Run | null = null
    return {
      width: 1,
      async run(task, tick, threads) {
        setKernelThreads(threads)
        run ??= await Run.open(runDir)
        await runTask(run, task, tick)
      },
      close: async () => {},
    }
  }
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: join(packageRoot, 'dist/engine/worker.js'),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
  })
  return {
    width: workers,
    async run(task, tick, threads) {
      const { port1, port2 } = new MessageChannel()
      port1.on('message', tick)
      try {
        const failure = (await pool.run(
          { runDir, task, threads, port: port2 },
          { transferList: [port2], name: 'work' },
        )) as TaskFailure | null
        if (failure) throw new EngineError(failure.code, failure.message, failure.exit, failure.place, failure.hint)
      } finally {
        port1.close()
      }
    },
    close: () => pool.destroy(),
  }
}
