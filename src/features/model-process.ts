import { type ChildProcess, fork } from 'node:child_process'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { packageRoot } from '../contracts/package-root.ts'
import { FeatureError } from './errors.ts'
import { type ModelReply, type ModelRequest, memoryMark } from './model-messages.ts'

export interface ModelProcess {
  /** One request at a time. @throws FeatureError; after `model-time`, `model-memory` and `model-crash` the process is gone. */
  ask<Answer>(request: ModelRequest, timeoutMs: number): Promise<Answer>
  /** While idle it does not keep this process alive. */
  idle(on: boolean): void
  readonly gone: boolean
  close(): void
}

const heapMegabytes = 1024
const keptStderr = 2000

/** From the sources the entry is TypeScript, which Node 20 does not read by itself. */
function entry(): { readonly path: string; readonly loader: readonly string[] } {
  if (!import.meta.url.endsWith('.ts')) return { path: join(packageRoot, 'dist/features/model-child.js'), loader: [] }
  const path = fileURLToPath(new URL('./model-child.ts', import.meta.url))
  return { path, loader: ['--import', pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href] }
}

/** Nothing of the environment but what Windows needs to start a process: a model has no use for secrets. */
export const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(['SystemRoot', 'TEMP', 'TMP'].flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])))

/** Starts the process that will hold one model. `name` is the model's, for messages. */
export function startModelProcess(name: string, maxMemoryBytes: number): ModelProcess {
  const { path, loader } = entry()
  const child: ChildProcess = fork(path, [], {
    serialization: 'advanced',
    execArgv: [...loader, `--max-old-space-size=${Math.min(heapMegabytes, Math.ceil(maxMemoryBytes / 2 ** 20))}`],
    env: environment(),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let stderr = ''
  let gone: FeatureError | null = null
  let waiting: { resolve(reply: ModelReply): void; reject(error: FeatureError): void } | null = null
  const fail = (error: FeatureError): void => {
    gone ??= error
    waiting?.reject(gone)
    waiting = null
    child.kill('SIGKILL')
  }
  const errors = child.stderr as Socket | null
  errors?.unref()
  errors?.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString('latin1')).slice(-keptStderr)
  })
  child.on('message', (reply: ModelReply) => {
    waiting?.resolve(reply)
    waiting = null
  })
  child.on('error', (cause) => fail(new FeatureError('model-crash', `the process for ${name} did not start: ${cause.message}`)))
  child.on('close', (code, signal) => {
    const outOfMemory = stderr.includes(memoryMark) || stderr.includes('JavaScript heap out of memory') || stderr.includes('bad_alloc')
    fail(
      outOfMemory
        ? new FeatureError(
            'model-memory',
            `${name} needs more than ${maxMemoryBytes} bytes of memory`,
            { file: name },
            'use a smaller model',
          )
        : new FeatureError(
            'model-crash',
            `the process of ${name} ended (${signal ?? `exit code ${code}`})`,
            { file: name },
            'run the model once with onnxruntime yourself',
          ),
    )
  })
  return {
    async ask<Answer>(request: ModelRequest, timeoutMs: number): Promise<Answer> {
      if (gone) throw gone
      let timer: NodeJS.Timeout | undefined
      try {
        const reply = await new Promise<ModelReply>((resolve, reject) => {
          waiting = { resolve, reject }
          timer = setTimeout(
            () => fail(new FeatureError('model-time', `${name} took more than ${timeoutMs} ms`, { file: name }, 'use a smaller model')),
            timeoutMs,
          )
          child.send(
            request,
            (cause) =>
              cause && fail(new FeatureError('model-crash', `the process of ${name} does not listen: ${cause.message}`, { file: name })),
          )
        })
        if ('ok' in reply) return reply.ok as Answer
        throw new FeatureError(reply.failure.code, reply.failure.message, { file: name }, reply.failure.hint ?? undefined)
      } finally {
        clearTimeout(timer)
      }
    },
    idle(on) {
      const handles = [child, child.channel]
      for (const handle of handles) on ? handle?.unref() : handle?.ref()
    },
    get gone() {
      return gone !== null
    },
    close() {
      gone ??= new FeatureError('model-crash', `${name} is closed`)
      child.kill('SIGKILL')
    },
  }
}
