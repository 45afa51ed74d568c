import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { topK } from '../math/neighbours.ts'
import { conformalHalves, type Halves } from './embedding/halves.ts'
import {
  neighbourParts,
  type PartName,
  type Parts,
  partNames,
  type ReferenceTable,
  referenceTable,
  withoutSelf,
} from './embedding/neighbour-parts.ts'
import { median, unitOf } from './embedding/quantiles.ts'
import { type VectorSample, vectorSample } from './vector-sample.ts'

export interface NeighbourFit {
  /** Records are compared with trusted ones, and `calibration` gives p-values. */
  readonly trusted: boolean
  /** What records are compared with: a sample of all of them, or half of the trusted ones. */
  readonly sample: VectorSample
  readonly table: ReferenceTable
  readonly k: number
  /** Medians of the parts, one entry a class in the order of `sample.classes`, then one for records without a label. Null: too few. */
  readonly centres: readonly (Readonly<Record<PartName, number>> | null)[]
  /** What 98 % of the sample exceed the median of their class by at most: the same for all classes, so that poison sets none. */
  readonly units: Readonly<Record<PartName, number>>
  /** Of each row of the sample, itself left out. */
  readonly parts: Parts
  /** Ascending suspicion of the other half of the trusted records; empty without them. */
  readonly calibration: Float64Array
}

export interface NeighbourFitOptions {
  readonly size: number
  readonly k: number
  /** Trusted records are compared with, where there are enough of them. */
  readonly reference: boolean
}

const leastRows = 30
/** Units are never taken for less: where all distances are nearly equal, small differences mean nothing. */
const leastUnit: Readonly<Record<PartName, number>> = { distance: 0.05, slof: 0.05, dao: 0.2, disagreement: 0.25, tightness: 0.2 }
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
      return sample && sample.rows > leastRows ? fit(sample, k, halves) : null
    },
    bytes: (shape: Shape) => size * (Math.min(shape.dims, 64) * 4 + 80),
  }
}

async function fit(sample: VectorSample, wanted: number, halves: Halves | null): Promise<NeighbourFit> {
  const dims = sample.map.dims
  const matrix = { data: sample.vectors, rows: sample.rows, dims }
  const k = Math.min(wanted, sample.rows - 1)
  const own = withoutSelf(
    await topK(matrix, matrix, k + 1, 'euclidean'),
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
  const groups: number[][] = Array.from({ length: sample.classes.length + 1 }, () => [])
  sample.labels.forEach((label, i) => {
    groups[label < 0 ? sample.classes.length : label]?.push(i)
  })
  const of = <T>(value: (name: PartName) => T) => Object.fromEntries(partNames.map((name) => [name, value(name)])) as Record<PartName, T>
  const centres = groups.map((rows) => (rows.length < leastRows ? null : of((name) => median(rows.map((i) => parts[name][i] as number)))))
  const units = of((name) =>
    unitOf(
      Array.from(sample.labels, (_, i) => above(centres, name, parts, sample.labels, i)),
      leastUnit[name],
    ),
  )
  const partial = { sample, table, k, centres, units, calibration: new Float64Array(0) }
  if (!halves) return { ...partial, trusted: false, parts }
  const { rest } = halves
  const found = await topK({ data: rest.vectors, rows: rest.labels.length, dims }, matrix, k, 'euclidean')
  const theirs = neighbourParts(found, rest.labels, new Float64Array(rest.labels.length), table)
  const calibration = suspicionOf(partial, theirs, rest.labels).filter((v) => !Number.isNaN(v))
  return { ...partial, trusted: true, parts, calibration: calibration.sort() }
}

/** How far a part lies above the median of its class; NaN where the class is too small. */
function above(centres: NeighbourFit['centres'], name: PartName, parts: Parts, labels: Int32Array, i: number): number {
  const label = labels[i] as number
  const centre = centres[label < 0 ? centres.length - 1 : label]
  return centre ? (parts[name][i] as number) - centre[name] : Number.NaN
}

/** The parts of row i in units of suspicion. */
export const unitsOf = (fit: Pick<NeighbourFit, 'centres' | 'units'>, parts: Parts, labels: Int32Array, i: number): number[] =>
  partNames.map((name) => above(fit.centres, name, parts, labels, i) / fit.units[name])

/** The strongest part of each record in units; NaN where its class is too small. */
export const suspicionOf = (fit: Pick<NeighbourFit, 'centres' | 'units'>, parts: Parts, labels: Int32Array): Float64Array =>
  Float64Array.from(labels, (_, i) => Math.max(...unitsOf(fit, parts, labels, i)))
