// Neighbours by cells beside exact ones: recall of the 20 nearest, and of planted near copies, with the time of both.
//   node --import tsx bench/quality/cells.ts [--rows 20000,100000] [--sets blobs,mnist] [--queries 1000]
import { parseArgs } from 'node:util'
import { type Matrix, makeBatch, matrixOf } from '../../src/contracts/batch.ts'
import { embeddingOutlier } from '../../src/detectors/embedding-outlier.ts'
import { exchangeInMemory } from '../../src/engine/exchange-memory.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { fitStatistics } from '../../src/engine/sensitivity/memory-audit.ts'
import { contextFor } from '../../src/engine/statistics.ts'
import { topK } from '../../src/math/neighbours.ts'
import { keyed } from '../../src/math/rng.ts'
import { type CellPlan, cellPlan, cellSample, probes } from '../../src/statistics/cell-plan.ts'
import { partsFrom } from '../../src/statistics/embedding/cell-exchange.ts'
import { mapVectors } from '../../src/statistics/embedding/space.ts'
import type { VectorSample } from '../../src/statistics/vector-sample.ts'
import { pictureSets } from './embedding-data.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000,100000' },
    sets: { type: 'string', default: 'blobs,uniform,mnist' },
    queries: { type: 'string', default: '1000' },
  },
})
const seed = new Uint8Array(16)
const k = 20

interface Data {
  readonly vectors: Float32Array
  readonly labels: Int32Array
  readonly dims: number
}

/** Ten blobs, or noise without any structure: the hardest there is for cells. */
function made(rows: number, spread: number): Data {
  const random = keyed(seed, 'cells')
  const dims = 64
  const centres = Float32Array.from({ length: 10 * dims }, () => spread * random.normal())
  const labels = Int32Array.from({ length: rows }, () => random.below(10))
  const vectors = new Float32Array(rows * dims)
  for (let i = 0; i < rows; i++)
    for (let c = 0; c < dims; c++) vectors[i * dims + c] = (centres[(labels[i] as number) * dims + c] as number) + random.normal()
  return { vectors, labels, dims }
}

function pictures(name: string, rows: number): Data {
  const { pixels, labels, side } = (pictureSets[name] as (typeof pictureSets)[string])()
  const dims = side * side
  const n = Math.min(rows, labels.length)
  return { vectors: Float32Array.from(pixels.subarray(0, n * dims), (v) => v / 255), labels: Int32Array.from(labels).subarray(0, n), dims }
}

async function measure(name: string, { vectors, labels, dims }: Data): Promise<void> {
  const rows = labels.length
  const batches = []
  for (let first = 0; first < rows; first += 4096) {
    const end = Math.min(rows, first + 4096)
    const embedding = { data: vectors.subarray(first * dims, end * dims), rows: end - first, dims }
    const label = { codes: labels.subarray(first, end), values: Array.from({ length: 10 }, (_, i) => String(i)) }
    batches.push(addKeys(makeBatch({ row: Uint32Array.from({ length: end - first }, (_, i) => first + i), embedding, label }), seed))
  }
  const setup = { subject: ['label', 'embedding'], reference: null, classes: null, shape: { rows, dims, classes: 0, sources: 0 } } as const
  const options = embeddingOutlier.options.parse({ among: 'all' })
  const exchange = embeddingOutlier.exchange?.(options, setup)
  if (!exchange) throw new Error('no exchange')
  const summaries = new Map<string, unknown>()
  const [sampled, planned] = embeddingOutlier.statistics(options, setup)
  await fitStatistics([sampled, planned] as never, { subject: batches, reference: [], baseline: [] }, seed, summaries)
  const c = contextFor(null, seed, summaries, null)
  const since = performance.now()
  const answered = await exchangeInMemory(exchange, c, batches)
  const cells = (performance.now() - since) / 1000
  const sample = summaries.get(cellSample(options.sample).id) as VectorSample
  const plan = summaries.get(cellPlan({ size: options.sample, k }).id) as CellPlan
  const mapped = await mapVectors(sample.map, { data: vectors, rows, dims })
  const width = sample.map.dims
  const n = Math.min(Number(values.queries), rows)
  const chosen = [...keyed(seed, 'queries').permutation(rows)].slice(0, n)
  const queries = new Float32Array(n * width)
  chosen.forEach((row, i) => {
    queries.set(mapped.subarray(row * width, (row + 1) * width), i * width)
  })
  const before = performance.now()
  const exact = await topK({ data: queries, rows: n, dims: width }, { data: mapped, rows, dims: width }, k + 1, 'euclidean')
  const brute = ((performance.now() - before) / 1000) * (rows / n)
  const near = await topK({ data: mapped, rows, dims: width }, { data: plan.centres, rows: plan.cells, dims: width }, probes, 'euclidean')
  const home = (row: number) => near.indices[row * near.k] as number
  let shared = 0
  let longer = 0
  const distance = answered.flatMap((b) => [...partsFrom(matrixOf(b, 'neighbours') as Matrix).distance])
  chosen.forEach((row, i) => {
    for (let j = 1; j <= k; j++) {
      const other = exact.indices[i * exact.k + j] as number
      if (near.indices.subarray(other * near.k, (other + 1) * near.k).includes(home(row))) shared++
    }
    longer += (distance[row] as number) - Math.log(exact.distances[i * exact.k + k] as number)
  })
  console.log(
    `${name}, ${rows} rows, ${plan.cells} cells: recall of the ${k} nearest ${(shared / n / k).toFixed(3)}, distance to the last ${(100 * Math.expm1(longer / n)).toFixed(1)} % longer; ${cells.toFixed(1)} s by cells, ${brute.toFixed(1)} s exactly`,
  )
}

for (const set of values.sets.split(','))
  for (const rows of values.rows.split(',').map(Number))
    await measure(set, set === 'blobs' ? made(rows, 1.5) : set === 'uniform' ? made(rows, 0) : pictures(set, rows))
