import { keysOf, vectorsOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Answered, Exchange, Routed, Sent } from '../../contracts/exchange.ts'
import type { Context } from '../../contracts/statistic.ts'
import { shortDigest } from '../../math/hash.ts'
import { type NeighbourIndex, neighbourIndex } from '../../math/neighbours.ts'
import { type CellOptions, type CellPlan, cellPlan, cellSample, copyBytes, headBytes, probes } from '../cell-plan.ts'
import type { VectorSample } from '../vector-sample.ts'
import { Cell } from './cell.ts'
import { codesIn } from './classes.ts'
import { type Parts, partNames } from './neighbour-parts.ts'
import { mapVectors } from './space.ts'

/** Numbers of the column `neighbours`: the parts, then the most frequent label around (a code of the sample, -1: none) and its share. */
export const neighbourAnswers = partNames.length + 2

/** Several times what a bucket takes on disk: its records are held by content. */
const workedBytes = 256 * 2 ** 20

/**
 * The nearest neighbours of every record among all others: each is sent to its own cell and to the next ones, and looks for its
 * neighbours among what came to its own. Neighbours that lie behind the next cells are missed; near copies never are.
 */
export function cellExchange(options: CellOptions): Exchange {
  const sampleId = cellSample(options.size).id
  const planId = cellPlan(options).id
  const known = (c: Context): { readonly sample: VectorSample; readonly cells: CellPlan } | null => {
    const cells = c.summaries.get<CellPlan | null>(planId)
    const sample = c.summaries.get<VectorSample | null>(sampleId)
    return cells && sample ? { sample, cells } : null
  }
  const dimsOf = (c: Context): number => known(c)?.sample.map.dims ?? 0
  return {
    id: `cell-exchange/${shortDigest({ ...options })}`,
    version: 1,
    after: [sampleId, planId],
    answers: neighbourAnswers,
    layout(c) {
      const cells = known(c)?.cells
      return { buckets: cells ? Math.ceil(cells.cells / cells.perBucket) : 0, width: copyBytes(dimsOf(c)) }
    },
    bytes(shape) {
      const width = copyBytes(Math.min(shape.dims, 64) + 1)
      return { memory: workedBytes, aRecord: probes * width }
    },
    async route(c, batch) {
      const { sample, cells } = known(c) as NonNullable<ReturnType<typeof known>>
      return routed(batch, sample, cells)
    },
    work: (c, read) => worked(read, dimsOf(c), options.k),
  }
}

const indices = new WeakMap<CellPlan, NeighbourIndex>()

/** The centres of the cells, prepared once. */
function centresOf(plan: CellPlan, dims: number): NeighbourIndex {
  const known = indices.get(plan)
  if (known) return known
  const made = neighbourIndex({ data: plan.centres, rows: plan.cells, dims }, 'euclidean')
  indices.set(plan, made)
  return made
}

async function routed(batch: Batch, sample: VectorSample, plan: CellPlan): Promise<Routed> {
  const vectors = vectorsOf(batch)
  const contents = keysOf(batch, 'content')
  if (!vectors || !contents) throw new Error('the batch has no vectors')
  const { dims } = sample.map
  const mapped = await mapVectors(sample.map, vectors)
  const labels = codesIn(sample.classes, batch)
  const found = await centresOf(plan, dims).topK({ data: mapped, rows: vectors.rows, dims }, probes)
  const n = vectors.rows * found.k
  const width = copyBytes(dims)
  const payload = new Uint8Array(n * width)
  const view = new DataView(payload.buffer)
  const out = { rows: new Uint32Array(n), buckets: new Uint32Array(n), wants: new Uint8Array(n), payload }
  const bytes = new Uint8Array(mapped.buffer, mapped.byteOffset)
  for (let i = 0; i < n; i++) {
    const row = Math.floor(i / found.k)
    const cell = found.indices[i] as number
    out.rows[i] = row
    out.buckets[i] = Math.floor(cell / plan.perBucket)
    out.wants[i] = i % found.k === 0 ? 1 : 0
    payload.set(contents.subarray(row * 16, (row + 1) * 16), i * width)
    view.setInt32(i * width + 16, labels[row] as number, true)
    view.setUint32(i * width + 20, cell, true)
    payload.set(bytes.subarray(row * dims * 4, (row + 1) * dims * 4), i * width + headBytes)
  }
  return out
}

async function* worked(read: () => AsyncIterable<Sent>, dims: number, k: number): AsyncGenerator<Answered> {
  const width = copyBytes(dims)
  const cells = new Map<number, Cell>()
  for await (const { places, payload } of read()) {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    for (let i = 0; i < places.length; i++) {
      const number = view.getUint32(i * width + 20, true)
      const cell = cells.get(number) ?? new Cell(dims, k)
      cells.set(number, cell)
      cell.add(payload, width, i)
    }
  }
  for (const cell of cells.values()) await cell.judge()
  for await (const { places, payload } of read()) {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
    const copies = new Map<number, number[]>()
    for (let i = 0; i < places.length; i++) {
      if ((places[i] as number) < 0) continue
      const number = view.getUint32(i * width + 20, true)
      const list = copies.get(number)
      if (list) list.push(i)
      else copies.set(number, [i])
    }
    for (const [number, list] of copies) {
      const cell = cells.get(number) as Cell
      const values = new Float32Array(list.length * neighbourAnswers)
      ;(await cell.partsOf(payload, width, list)).forEach(({ parts, at }, i) => {
        write(parts, at, cell.alone, values, i * neighbourAnswers)
      })
      yield { places: Float64Array.from(list, (i) => places[i] as number), values }
    }
  }
}

function write(parts: Parts, from: number, alone: boolean, into: Float32Array, at: number): void {
  partNames.forEach((name, i) => {
    into[at + i] = alone ? Number.NaN : (parts[name][from] as number)
  })
  into[at + partNames.length] = parts.lead[from] as number
  into[at + partNames.length + 1] = parts.leadShare[from] as number
}

/** The column `neighbours` of a batch as parts. */
export function partsFrom({ data, rows }: { readonly data: ArrayLike<number>; readonly rows: number }): Parts {
  const column = (i: number) => Float64Array.from({ length: rows }, (_, row) => data[row * neighbourAnswers + i] as number)
  const numbers = Object.fromEntries(partNames.map((name, i) => [name, column(i)])) as Record<(typeof partNames)[number], Float64Array>
  return { ...numbers, lead: Int32Array.from(column(partNames.length)), leadShare: column(partNames.length + 1) }
}
