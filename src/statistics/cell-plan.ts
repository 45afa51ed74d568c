import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { topK } from '../math/neighbours.ts'
import { kMeans } from './embedding/k-means.ts'
import { leastToJudge } from './embedding/part-scale.ts'
import { type VectorSample, vectorSample } from './vector-sample.ts'

/** Cells of the space of a sample. */
export interface CellPlan {
  /** [cells, map.dims] */
  readonly centres: Float32Array
  readonly cells: number
  /** Consecutive cells that are worked together. */
  readonly perBucket: number
}

export interface CellOptions {
  /** Different records from which the cells are made, at most. */
  readonly size: number
  /** Neighbours of a record. */
  readonly k: number
}

/** Records of a cell, on average. */
const perCell = 1000
const maxCells = 8192
/** A cell of fewer would not hold the neighbours of its own. */
const leastOfNeighbours = 20
/** Cells that a record is sent to: its own and the next ones. */
export const probes = 3
/** What the records of a bucket hold on average. */
const bucketBytes = 32 * 2 ** 20
/** Content, class and cell of a copy, before its vector. */
export const headBytes = 24
export const copyBytes = (dims: number): number => headBytes + 4 * dims

/** The sample that the cells, the map and the scale come from. */
export const cellSample = (size: number): Statistic => vectorSample({ over: 'subject', size, whole: true })

/**
 * Cells by k-means on a sample of the records (inverted file, Jégou, Douze and Schmid 2011), of about 1,000 records each, at most 8,192.
 * Those that few records lie in are given up: what is near their centres goes to the next ones.
 */
export function cellPlan({ size, k }: CellOptions): Statistic<Record<string, never>, CellPlan | null> {
  const sampleId = cellSample(size).id
  return {
    id: `cell-plan/${shortDigest({ size, k })}`,
    version: 1,
    needs: [],
    after: [sampleId],
    over: 'subject',
    init: () => ({}),
    update() {},
    merge() {},
    async finish(c: Context) {
      const sample = c.summaries.get<VectorSample | null>(sampleId)
      return sample && sample.rows > leastToJudge ? plan(sample, k, c.seed) : null
    },
    bytes: (shape: Shape) => maxCells * copyBytes(Math.min(shape.dims, 65)),
  }
}

async function plan(sample: VectorSample, k: number, seed: Uint8Array): Promise<CellPlan> {
  const { dims } = sample.map
  const wanted = Math.min(maxCells, Math.ceil(sample.seen / perCell), Math.ceil(sample.rows / k))
  const centres = await kMeans(sample.vectors, dims, wanted, seed)
  const { indices } = await topK({ data: sample.vectors, rows: sample.rows, dims }, { data: centres, rows: wanted, dims }, 1, 'euclidean')
  const sizes = new Float64Array(wanted)
  for (const cell of indices) sizes[cell] = (sizes[cell] as number) + sample.seen / sample.rows
  const least = Math.min(leastOfNeighbours * k, Math.max(...sizes))
  const kept = [...sizes.keys()].filter((cell) => (sizes[cell] as number) >= least)
  const out = new Float32Array(kept.length * dims)
  kept.forEach((cell, i) => {
    out.set(centres.subarray(cell * dims, (cell + 1) * dims), i * dims)
  })
  const bytes = (sample.seen / kept.length) * probes * copyBytes(dims)
  return { centres: out, cells: kept.length, perBucket: Math.max(1, Math.floor(bucketBytes / bytes)) }
}
