import { matrixOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Context, Statistic } from '../../contracts/statistic.ts'
import { type ClassThresholds, classThresholds } from '../../statistics/class-thresholds.ts'
import { type ConfidentJoint, confidentGuess, confidentJoint } from '../../statistics/confident-joint.ts'
import { type PruneCutoffs, pruneCutoffs } from '../../statistics/prune-cutoffs.ts'
import type { Filter } from './options.ts'
import type { Judgement } from './tally.ts'

/**
 * cleanlab's filters as scores: a record that the filter takes keeps its rank in the upper half, 0.5 and more; all others are
 * squeezed below. `per_cell` keeps the counts of the confident joint for each pair of classes, the best of its records first.
 */
export const flaggedByFilter = 0.5

const pruning: readonly Filter[] = ['prune_by_noise_rate', 'prune_by_class', 'both', 'per_cell']

/** The filter, and the names of the prediction columns. */
export interface FilterOptions {
  readonly filter: Filter
  readonly classes: readonly string[] | null
}

export function filterStatistics(options: FilterOptions): Statistic[] {
  if (options.filter === 'ratio' || options.filter === 'predicted_neq_given') return []
  const joint = confidentJoint(options)
  return pruning.includes(options.filter) ? [joint, pruneCutoffs(options)] : [joint]
}

type Taken = (p: Float64Array, at: number, given: number, predicted: number) => boolean

function takenBy(c: Context, options: FilterOptions): Taken {
  const { filter } = options
  if (filter === 'predicted_neq_given') return () => true
  if (filter === 'confident_learning') {
    const { thresholds } = c.summaries.get<ClassThresholds>(classThresholds(options).id)
    return (p, at, given) => {
      const guess = confidentGuess(p, at, thresholds.length, thresholds)
      return guess >= 0 && guess !== given
    }
  }
  const { labelled } = c.summaries.get<ConfidentJoint>(confidentJoint(options).id)
  const k = labelled.length
  const { byNoiseRate, byClass } = c.summaries.get<PruneCutoffs>(pruneCutoffs(options).id)
  const byRate: Taken = (p, at, g) => {
    for (let j = 0; j < k; j++)
      if (j !== g && (p[at + j] as number) - (p[at + g] as number) >= (byNoiseRate[j * k + g] as number)) return true
    return false
  }
  const byOwn: Taken = (p, at, g) => (p[at + g] as number) <= (byClass[g] as number)
  if (filter === 'prune_by_noise_rate') return byRate
  if (filter === 'prune_by_class') return byOwn
  if (filter === 'both') return (p, at, g, j) => byRate(p, at, g, j) && byOwn(p, at, g, j)
  return (p, at, g, j) => (p[at + j] as number) - (p[at + g] as number) >= (byNoiseRate[j * k + g] as number)
}

/** cleanlab counts a record as predicted as its own label when the given label is within this of the best. */
const closeToGiven = 1e-6

/** The judgement with its scores rearranged by the filter; `ratio` leaves them as they are. */
export function filterFor(c: Context, options: FilterOptions): (judgement: Judgement, batch: Batch) => Judgement {
  if (options.filter === 'ratio') return (judgement) => judgement
  const taken = takenBy(c, options)
  return (judgement, batch) => {
    const { given, predicted } = judgement
    const k = judgement.classes.length
    const p = matrixOf(batch, 'predictions')?.data as Float64Array
    const score = judgement.score.map((s, i) => {
      const g = given[i] as number
      if (g < 0) return s
      const best = predicted[i] as number
      const differs = best !== g && (p[i * k + best] as number) > (p[i * k + g] as number) + closeToGiven
      return differs && taken(p, i * k, g, best) ? 0.5 + s / 2 : Math.min(s / 2, 0.5 - 2 ** -53)
    })
    return { ...judgement, score }
  }
}
