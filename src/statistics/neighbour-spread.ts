import { keysOf, matrixOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { type CellOptions, cellPlan, cellSample } from './cell-plan.ts'
import { neighbourAnswers, partsFrom } from './embedding/cell-exchange.ts'
import { codesIn } from './embedding/classes.ts'
import { type PartScale, scaleOf } from './embedding/part-scale.ts'
import { placesOf, recordKey } from './embedding/places.ts'
import { StatisticError } from './label-census.ts'
import type { VectorSample } from './vector-sample.ts'

interface State {
  /** [rows of the sample, `neighbourAnswers`], NaN where the record has not come by. */
  answers: Float32Array
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
        const at = place.get(recordKey(labels[i] as number, contents, i))
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
