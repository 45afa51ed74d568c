// neighbours.ts FOLDER K OUT: distances to the K nearest neighbours of each row of features.npy (float32) but itself, as raw float64.
// A thread a core searches for an equal part of the rows, each with the reference prepared for itself, as the scorers of an audit do.
import { openSync, readSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { setKernelThreads } from '../src/math/kernels.ts'
import { topK } from '../src/math/neighbours.ts'
import { withoutSelf } from '../src/statistics/embedding/neighbour-parts.ts'

interface Part {
  readonly shared: SharedArrayBuffer
  readonly rows: number
  readonly dims: number
  readonly k: number
  readonly first: number
  readonly end: number
}

async function search({ shared, rows, dims, k, first, end }: Part): Promise<Float64Array> {
  setKernelThreads(1)
  // The kernels take no shared memory.
  const data = new Float32Array(shared).slice()
  const queries = { data: data.subarray(first * dims, end * dims), rows: end - first, dims }
  const found = await topK(queries, { data, rows, dims }, k + 1, 'euclidean')
  const own = Int32Array.from({ length: end - first }, (_, i) => first + i)
  return Float64Array.from(withoutSelf(found, own, k).distances)
}

function read(file: string): { shared: SharedArrayBuffer; rows: number; dims: number } {
  const npy = openSync(file, 'r')
  const head = Buffer.alloc(256)
  readSync(npy, head, 0, 256, 0)
  const body = 10 + head.readUInt16LE(8)
  const [rows = 0, dims = 0] = (/'shape': \((\d+), (\d+)\)/.exec(head.toString('latin1', 10, body)) ?? []).slice(1).map(Number)
  const shared = new SharedArrayBuffer(rows * dims * 4)
  readSync(npy, new Uint8Array(shared), 0, shared.byteLength, body)
  return { shared, rows, dims }
}

// Threads do not inherit the loader of TypeScript.
const loading = `import('tsx/esm/api').then(({ register }) => { register(); return import('${import.meta.url}') })`

function started(part: Part): Promise<Float64Array> {
  return new Promise((resolve, reject) => {
    new Worker(loading, { eval: true, workerData: part }).once('message', resolve).once('error', reject)
  })
}

if (isMainThread) {
  const [folder = '', count = '', out = ''] = process.argv.slice(2)
  const matrix = read(join(folder, 'features.npy'))
  const parts = availableParallelism()
  const at = (i: number): number => Math.round((i * matrix.rows) / parts)
  const found = await Promise.all(
    Array.from({ length: parts }, (_, i) => started({ ...matrix, k: Number(count), first: at(i), end: at(i + 1) })),
  )
  writeFileSync(out, Buffer.concat(found.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength))))
} else {
  const distances = await search(workerData as Part)
  parentPort?.postMessage(distances, [distances.buffer as ArrayBuffer])
}
