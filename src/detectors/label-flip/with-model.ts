import { keysOf, vectorsOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Codes } from '../../contracts/detector.ts'
import { foldOf } from '../../math/hash.ts'
import { classScores, emptyRow, type FittedModel, type Judged, judge } from '../../statistics/label-model/fit.ts'
import { foldCount } from '../../statistics/label-model/solve-folds.ts'
import { cellName, type Judgement, maxCellClasses, scoreOf } from './tally.ts'

export const foldsOf = (batch: Batch): Int32Array => {
  const content = keysOf(batch, 'content')
  return Int32Array.from({ length: batch.numRows }, (_, i) => (content ? foldOf(content, i * 16, foldCount) : 0))
}

/** Scores each record by the model that was fitted without its fold; with `calibrated`, conformal p-values against the reference. */
export async function judgeByModel(model: FittedModel, given: Int32Array, batch: Batch, calibrated: boolean): Promise<Judgement> {
  const vectors = vectorsOf(batch)
  if (!vectors) throw new Error('the batch has no vectors')
  const n = batch.numRows
  const k = model.classes.length
  const scores = await classScores(model, vectors, foldsOf(batch))
  const score = new Float64Array(n)
  const depth = new Float64Array(n)
  const predicted = new Int32Array(n)
  const suggested = new Int32Array(n).fill(-1)
  const pValue = calibrated ? new Float64Array(n).fill(Number.NaN) : null
  const row: Judged = { ...emptyRow }
  for (let i = 0; i < n; i++) {
    const g = given[i] as number
    if (g < 0) {
      score[i] = Number.NaN
      continue
    }
    judge(model, scores.subarray(i * k, (i + 1) * k), g, row)
    score[i] = scoreOf(row.evidence)
    depth[i] = row.depth
    predicted[i] = row.predicted
    suggested[i] = row.suggested
    if (pValue) pValue[i] = conformal(model.sampleScores, row.evidence)
  }
  return {
    mode: calibrated ? 'reference' : 'no model',
    calibration: calibrated ? model.sampleScores.length : 0,
    score,
    suggested: { codes: suggested, values: model.classes },
    group: cells(given, predicted, model.classes),
    given,
    predicted,
    depth,
    classes: model.classes,
    ...(pValue ? { pValue } : {}),
  }
}

/** Cells of the disagreements by name, where there are few enough classes for thresholds of their own. */
function cells(given: Int32Array, predicted: Int32Array, classes: readonly string[]): Codes {
  const k = classes.length
  if (k > maxCellClasses) return { codes: new Int32Array(given.length).fill(-1), values: [] }
  const used = new Map<number, number>()
  const values: string[] = []
  const codes = given.map((g, i) => {
    const p = predicted[i] as number
    if (g < 0 || g === p) return -1
    const cell = g * k + p
    if (!used.has(cell)) used.set(cell, values.push(cellName(classes[g] as string, classes[p] as string)) - 1)
    return used.get(cell) as number
  })
  return { codes, values }
}

/** (1 + number of calibration scores at least s) / (n + 1): Vovk et al. 2005. */
export function conformal(sorted: Float64Array, s: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < s) low = middle + 1
    else high = middle
  }
  return (1 + sorted.length - low) / (sorted.length + 1)
}
