// neighbours.ts FOLDER K OUT: distances to the K nearest neighbours of each row of features.npy (float32) but itself, as raw float64.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setKernelThreads } from '../src/math/kernels.ts'
import { topK } from '../src/math/neighbours.ts'
import { withoutSelf } from '../src/statistics/embedding/neighbour-parts.ts'

const [folder = '', count = '', out = ''] = process.argv.slice(2)
const bytes = readFileSync(join(folder, 'features.npy'))
const body = 10 + bytes.readUInt16LE(8)
const [rows = 0, dims = 0] = (/'shape': \((\d+), (\d+)\)/.exec(bytes.toString('latin1', 10, body)) ?? []).slice(1).map(Number)
const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset + body, bytes.byteOffset + body + rows * dims * 4))
const matrix = { data, rows, dims }

setKernelThreads(availableParallelism())
const k = Number(count)
const found = await topK(matrix, matrix, k + 1, 'euclidean')
const own = Int32Array.from({ length: rows }, (_, i) => i)
writeFileSync(out, new Uint8Array(withoutSelf(found, own, k).distances.buffer))
