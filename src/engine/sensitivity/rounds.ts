import { join } from 'node:path'
import type { SensitivitySpec, SensitivityTrial } from '../../contracts/sensitivity.ts'
import { isDone, readJson } from '../files.ts'
import type { Plan } from '../plan.ts'
import { meanWithInterval } from './interval.ts'
import { type Trial, trialFile, trialsOf } from './trials.ts'

/** Most repetitions of one attack at one rate that precision is worth. */
const mostSeeds = 40

const cellOf = ({ attack, rate }: Trial): string => `${attack} ${rate}`

/** What was tried so far: of each attack and rate the seeds from 0 on, as many as there are. */
export async function readTrials(runDir: string, plan: Plan): Promise<readonly SensitivityTrial[]> {
  const planned = trialsOf(plan)
  const further = planned
    .filter((t) => t.seed === 0)
    .flatMap(({ attack, rate }) =>
      Array.from({ length: mostSeeds }, (_, seed): Trial => ({ attack, rate, seed })).slice(plan.pipeline.sensitivity?.seeds ?? 0),
    )
  const done = [...planned, ...further].filter((t) => isDone(runDir, trialFile(t)))
  return Promise.all(done.map((t) => readJson<SensitivityTrial>(join(runDir, trialFile(t)))))
}

/** How far the interval reaches to a side, with one more trial that finds half: three that find nothing do not say that none would. */
function reach(trials: readonly SensitivityTrial[]): number {
  const { recall, low, high } = meanWithInterval([...trials.map((t) => t.found / t.carriers), 0.5])
  return Math.max(recall - (low ?? 0), (high ?? 1) - recall)
}

/**
 * As many trials again as every attack had at first, for those whose recall is not known as precisely as it is to be, the least known
 * first; none when all are. The same trials give the same answer.
 */
export function furtherTrials(spec: SensitivitySpec, trials: readonly SensitivityTrial[]): readonly Trial[] {
  const cells = new Map<string, SensitivityTrial[]>()
  for (const t of trials) cells.set(cellOf(t), [...(cells.get(cellOf(t)) ?? []), t])
  return [...cells.values()]
    .filter((tried) => tried.length < mostSeeds && tried.every((t) => t.reason === null && t.carriers > 0))
    .map((tried) => ({ tried, reach: reach(tried) }))
    .filter((cell) => cell.reach > spec.precision)
    .sort((a, b) => b.reach - a.reach)
    .flatMap(({ tried }) => {
      const { attack, rate } = tried[0] as SensitivityTrial
      const more = Math.min(spec.seeds, mostSeeds - tried.length)
      return Array.from({ length: more }, (_, i): Trial => ({ attack, rate, seed: tried.length + i }))
    })
}
