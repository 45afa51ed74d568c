import { Worker } from 'node:worker_threads'
import { FeatureError } from './errors.ts'
import { type ModelReply, type ModelRequest, memoryMark } from './model-messages.ts'
import { type ModelRunner, openImageRunner, openTextRunner } from './model-runner.ts'

/** A process of its own for one model of the user: the entry that `model-process.ts` forks. */
let runner: ModelRunner | null = null

/** A thread, because a model blocks the main one while it runs. It also ends a process whose parent is gone. */
const watch = (maxBytes: number): Worker =>
  new Worker(
    `const { writeSync } = require('node:fs')
     const { workerData: { maxBytes, mark, parent } } = require('node:worker_threads')
     setInterval(() => {
       const over = process.memoryUsage.rss() > maxBytes
       if (!over && process.ppid === parent) return
       if (over) writeSync(2, mark + '\\n')
       process.kill(process.pid, 'SIGKILL')
     }, 20)`,
    { eval: true, workerData: { maxBytes, mark: memoryMark, parent: process.ppid } },
  )

async function answer(request: ModelRequest): Promise<ModelReply> {
  try {
    if (request.kind === 'open-text' || request.kind === 'open-image') {
      watch(request.limits.maxMemoryBytes).unref()
      runner = request.kind === 'open-text' ? await openTextRunner(request) : await openImageRunner(request)
      return { ok: { dims: runner.dims, input: runner.input } }
    }
    if (!runner) throw new FeatureError('model-crash', 'no model is open')
    return { ok: request.kind === 'text' ? await runner.texts(request.texts) : { data: await runner.images(request.pixels), cut: [] } }
  } catch (error) {
    if (error instanceof FeatureError) return { failure: { code: error.code, message: error.message, hint: error.hint ?? null } }
    const said = error instanceof Error ? error.message : String(error)
    return { failure: { code: 'model-broken', message: `the model failed: ${said.slice(0, 400)}`, hint: null } }
  }
}

process.on('message', (request: ModelRequest) => {
  void answer(request).then((reply) => process.send?.(reply))
})
process.on('disconnect', () => process.exit(0))
