import { keysOf, matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { type CellOptions, cellPlan, cellSample } from './cell-plan.ts'
import { neighbourAnswers, partsFrom } from './embedding/cell-exchange.ts'
import { codesIn } from './embedding/classes.ts'
import { type PartScale, scaleOf } from './embedding/part-scale.ts'
import { StatisticError } from './label-census.ts'
import type { VectorSample } from './vector-sample.ts'

interface State {
  /** [rows of the sample, `neighbourAnswers`], NaN where the record has not come by. */
  answers: Float32Array
}

/** Class and content of row i, as a key. */
const keyOf = (label: number, contents: Uint8Array, i: number): string =>
  `${label} ${Buffer.from(contents.buffer, contents.byteOffset + i * 16, 16).toString('latin1')}`

const places = new WeakMap<VectorSample, ReadonlyMap<string, number>>()

/** Places of the rows of a sample by class and content. */
function placesOf(sample: VectorSample): ReadonlyMap<string, number> {
  const known = places.get(sample)
  if (known) return known
  const made = new Map<string, number>()
  for (let i = 0; i < sample.rows; i++) made.set(keyOf(sample.labels[i] as number, sample.contents, i), i)
  places.set(sample, made)
  return made
}

/** How the classes spread in what all neighbours say, from the records of the sample. @throws StatisticError `no-neighbours` */
export function neighbourSpread(options: CellOptions): Statistic<State, PartScale | null> {
  const sampleId = cellSample(options.size).id
  const planId = cellPlan(options).id
  return {
    id: `neighbour-spread/${shortDigest({ ...options })}`,
    version: 1,
    needs: [],
    after: [sampleId, planId],
    over: 'subject',
    keyed: true,
    init: (c) => ({
      answers: new Float32Array((c.summaries.get<VectorSample | null>(sampleId)?.rows ?? 0) * neighbourAnswers).fill(Number.NaN),
    }),
    update(c: Context, state: State, batch: Batch) {
      const sample = c.summaries.get<VectorSample | null>(sampleId)
      if (!sample || c.summaries.get(planId) === null) return
      const column = matrixOf(batch, 'neighbours')
      const contents = keysOf(batch, 'content')
      if (!column || !contents) throw new StatisticError('no-neighbours', 'the records were not compared with one another', 2)
      const labels = codesIn(sample.classes, batch)
      const place = placesOf(sample)
      for (let i = 0; i < column.rows; i++) {
        const at = place.get(keyOf(labels[i] as number, contents, i))
        if (at === undefined) continue
        state.answers.set(column.data.subarray(i * neighbourAnswers, (i + 1) * neighbourAnswers) as Float32Array, at * neighbourAnswers)
      }
    },
    merge(into: State, from: State) {
      from.answers.forEach((v, i) => {
        if (!Number.isNaN(v)) into.answers[i] = v
      })
    },
    finish(c: Context, state: State) {
      const sample = c.summaries.get<VectorSample | null>(sampleId)
      if (!sample || c.summaries.get(planId) === null) return null
      return scaleOf(partsFrom({ data: state.answers, rows: sample.rows }), sample.labels, sample.classes.length)
    },
    bytes: (_: Shape) => options.size * neighbourAnswers * 4,
  }
}
