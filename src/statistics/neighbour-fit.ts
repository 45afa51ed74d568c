import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { neighbourIndex } from '../math/neighbours.ts'
import { conformalHalves, type Halves } from './embedding/halves.ts'
import { neighbourParts, type Parts, type ReferenceTable, referenceTable, withoutSelf } from './embedding/neighbour-parts.ts'
import { leastToJudge, type PartScale, scaleOf, suspicionOf } from './embedding/part-scale.ts'
import { type VectorSample, vectorSample } from './vector-sample.ts'

/** What a record's parts are held against. */
export interface NeighbourScale extends PartScale {
  /** Records are compared with trusted ones, and `calibration` gives p-values. */
  readonly trusted: boolean
  /** What records are compared with: a sample of all of them, or half of the trusted ones. */
  readonly sample: VectorSample
  readonly k: number
  /** Ascending suspicion of the other half of the trusted records; empty without them. */
  readonly calibration: Float64Array
}

export interface NeighbourFit extends NeighbourScale {
  readonly table: ReferenceTable
  /** Of each row of the sample, itself left out. */
  readonly parts: Parts
}

export interface NeighbourFitOptions {
  readonly size: number
  readonly k: number
  /** Trusted records are compared with, where there are enough of them. */
  readonly reference: boolean
}

/** Trusted records from which p-values are calibrated. */
export const leastTrusted = 500

/**
 * Exact neighbours of the sample in itself, and how each class spreads in each part of the score. It reads only the sample.
 * With at least 500 trusted records of different content, half of them is what everything is compared with, and the other half
 * calibrates p-values.
 */
export function neighbourFit({ size, k, reference }: NeighbourFitOptions): Statistic<Record<string, never>, NeighbourFit | null> {
  const subjectId = vectorSample({ over: 'subject', size }).id
  const trustedId = vectorSample({ over: 'reference', size }).id
  return {
    id: `neighbour-fit/${shortDigest({ size, k, reference })}`,
    version: 1,
    needs: [],
    after: reference ? [subjectId, trustedId] : [subjectId],
    over: 'subject',
    init: () => ({}),
    update() {},
    merge() {},
    async finish(c: Context) {
      const trusted = reference ? c.summaries.get<VectorSample | null>(trustedId) : null
      const halves = trusted && trusted.rows >= leastTrusted ? conformalHalves(trusted) : null
      const sample = halves?.fitted ?? c.summaries.get<VectorSample | null>(subjectId)
      return sample && sample.rows > leastToJudge ? fit(sample, k, halves) : null
    },
    bytes: (shape: Shape) => size * (Math.min(shape.dims, 64) * 4 + 80),
  }
}

async function fit(sample: VectorSample, wanted: number, halves: Halves | null): Promise<NeighbourFit> {
  const dims = sample.map.dims
  const matrix = { data: sample.vectors, rows: sample.rows, dims }
  const k = Math.min(wanted, sample.rows - 1)
  const index = neighbourIndex(matrix, 'euclidean')
  const own = withoutSelf(
    await index.topK(matrix, k + 1),
    Int32Array.from({ length: sample.rows }, (_, i) => i),
    k,
  )
  const table = referenceTable(own, sample.labels, sample.counts)
  const parts = neighbourParts(
    own,
    sample.labels,
    sample.counts.map((n) => n - 1),
    table,
  )
  const { centres, units } = scaleOf(parts, sample.labels, sample.classes.length)
  const partial = { sample, table, k, centres, units, calibration: new Float64Array(0) }
  if (!halves) return { ...partial, trusted: false, parts }
  const { rest } = halves
  const found = await index.topK({ data: rest.vectors, rows: rest.labels.length, dims }, k)
  const theirs = neighbourParts(found, rest.labels, new Float64Array(rest.labels.length), table)
  const calibration = suspicionOf(partial, theirs, rest.labels).filter((v) => !Number.isNaN(v))
  return { ...partial, trusted: true, parts, calibration: calibration.sort() }
}
