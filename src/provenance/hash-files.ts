import { statSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../contracts/package-root.ts'
import type { DigestRequest, FileDigests } from '../contracts/provenance.ts'
import { locationOf } from './delivery.ts'
import { ProvenanceError } from './errors.ts'
import { type HashOrder, hashBatch } from './hash-worker.ts'

export { hashFile } from './hash-file.ts'

export interface HashFilesOptions {
  /** Files hashed at the same time. */
  readonly threads: number
  /** Told of bytes as they are read. */
  progress(bytes: number): void
  readonly signal?: AbortSignal | undefined
  /** Of the delivery: where files are that do not lie below `root`. */
  readonly outside?: ReadonlyMap<string, string>
}

interface Job {
  readonly at: number
  readonly absolute: string
  readonly bytes: number
  readonly request: DigestRequest
}

/** A task is one large file, or small ones up to so many bytes or files: a message to a thread costs as much as 50 KB of hashing. */
const batchBytes = 32 << 20
const batchFiles = 256
const tickMs = 100
/** Below so many bytes in all, threads cost more than they save. */
const worthThreads = 32 << 20

/** Worker threads load compiled code: from the sources (in tests) everything runs in this thread. */
const compiled = import.meta.url.endsWith('.js')

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** The largest first, so that no thread is left with a large file at the end. */
function batchesOf(jobs: readonly Job[]): Job[][] {
  const batches: Job[][] = []
  let bytes = 0
  for (const job of [...jobs].sort((a, b) => b.bytes - a.bytes || a.at - b.at)) {
    const last = batches.at(-1)
    if (last && last.length < batchFiles && bytes + job.bytes <= batchBytes) last.push(job)
    else batches.push([job])
    bytes = batches.at(-1) === last ? bytes + job.bytes : job.bytes
  }
  return batches
}

/**
 * Digests of many files, each read once, several at a time, the largest first.
 *
 * @returns in the order of the requests. A file that could not be read, or that changed meanwhile, has `failed`.
 * @throws {ProvenanceError} `interrupted`
 */
export async function hashFiles(
  root: string,
  requests: readonly DigestRequest[],
  options: HashFilesOptions,
): Promise<readonly FileDigests[]> {
  const { outside = new Map() } = options
  const jobs = requests.map((request, at): Job => {
    const absolute = locationOf({ root, outside }, request.path)
    return { at, absolute, bytes: sizeOf(absolute), request }
  })
  const total = jobs.reduce((sum, { bytes }) => sum + bytes, 0)
  const batches = batchesOf(jobs)
  const width = Math.min(options.threads, batches.length)
  const run = width > 1 && compiled && total >= worthThreads ? inThreads : inThisThread
  const results = new Array<FileDigests>(requests.length)
  const done = new SharedArrayBuffer(8)
  const count = new BigInt64Array(done)
  let told = 0n
  const tell = (): void => {
    const now = Atomics.load(count, 0)
    if (now > told) options.progress(Number(now - told))
    told = now
  }
  const timer = setInterval(tell, tickMs)
  try {
    await run(batches, width, done, options.signal, (batch, digests) => {
      batch.forEach(({ at }, i) => {
        results[at] = digests[i] as FileDigests
      })
      tell()
    })
  } finally {
    clearInterval(timer)
  }
  return results
}

type Take = (batch: readonly Job[], digests: readonly FileDigests[]) => void

const interrupted = (): ProvenanceError => new ProvenanceError('interrupted', 'interrupted')

async function inThisThread(
  batches: readonly Job[][],
  _width: number,
  done: SharedArrayBuffer,
  signal: AbortSignal | undefined,
  take: Take,
) {
  for (const batch of batches) {
    if (signal?.aborted) throw interrupted()
    take(batch, await hashBatch({ files: batch, done, ...(signal ? { signal } : {}) }))
  }
}

async function inThreads(
  batches: readonly Job[][],
  width: number,
  done: SharedArrayBuffer,
  signal: AbortSignal | undefined,
  take: Take,
): Promise<void> {
  const { Piscina } = await import('piscina')
  const pool = new Piscina({
    filename: join(packageRoot, 'dist/provenance/hash-worker.js'),
    minThreads: width,
    maxThreads: width,
    concurrentTasksPerWorker: 1,
  })
  try {
    const runBatch = async (batch: readonly Job[]): Promise<void> => {
      const files = batch.map(({ absolute, request }) => ({ absolute, request }))
      const order: HashOrder = { files, done }
      take(batch, (await pool.run(order, { name: 'hashBatch', ...(signal ? { signal } : {}) })) as FileDigests[])
    }
    let next = 0
    const lane = async (): Promise<void> => {
      for (let batch = batches[next++]; batch; batch = batches[next++]) await runBatch(batch)
    }
    await Promise.all(Array.from({ length: width }, lane))
  } catch (error) {
    throw signal?.aborted ? interrupted() : error
  } finally {
    await pool.destroy()
  }
}
