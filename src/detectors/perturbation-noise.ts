import type { Conclusion, Detector } from '../contracts/detector.ts'
import type { Context } from '../contracts/statistic.ts'
import { leastNoiseGroup, type NoiseGroup, noiseLevels, noiseLevelsId } from '../statistics/noise-levels.ts'
import { type NoiseEvidence, noiseEvidence } from './perturbation-noise/evidence.ts'
import { type GroupTail, noiseFinding } from './perturbation-noise/findings.ts'
import { type PerturbationNoiseOptions, perturbationNoiseOptions } from './perturbation-noise/options.ts'
import { groupName, isJudged, noiseScorer, scoreOf } from './perturbation-noise/score.ts'
import { testTail } from './perturbation-noise/tail.ts'
import { type NoiseTally, noiseTally, zBins } from './perturbation-noise/tally.ts'

/** A group's records are flagged when its own p-value, times the number of groups, is at most this. */
const level = 0.05

const groupsOf = (c: Context): readonly NoiseGroup[] => c.summaries.get<{ groups: readonly NoiseGroup[] }>(noiseLevelsId).groups

function tailsOf(c: Context<PerturbationNoiseOptions>, tally: NoiseTally): GroupTail[] {
  const groups = groupsOf(c)
  return tally.groups.map((group, k) => {
    const counts = tally.counts.subarray(k * zBins, (k + 1) * zBins)
    const name = groupName(groups[group] as NoiseGroup)
    return {
      name,
      records: counts.reduce((sum, n) => sum + n, 0),
      counts,
      tail: testTail(counts, c.options.fdr),
      test: `perturbation-noise/excess: ${name}`,
    }
  })
}

const standOut = (tails: readonly GroupTail[]): GroupTail[] => tails.filter((g) => g.tail.cut !== null && g.tail.p * tails.length <= level)

/**
 * Pictures with more high-frequency noise than others of the same source and codec: what additive perturbations leave, be the label right
 * or wrong. Needs no labels.
 */
export const perturbationNoise: Detector<PerturbationNoiseOptions, NoiseTally, NoiseEvidence> = {
  id: 'perturbation-noise',
  version: 1,
  title: 'Perturbation noise',
  rules: [
    { id: 'perturbation-noise/excess', title: 'Pictures with noise that the others of their group do not have', family: 'clean-label' },
  ],
  options: perturbationNoiseOptions,
  missing: (setup) => (setup.subject.includes('noise') ? null : 'no column has the role image'),
  mode: (_, setup) =>
    `high-frequency energy within groups of equal ${setup.subject.includes('source') ? 'source and codec' : 'codec'}, tested in the upper tail`,
  reads: (_, setup) => ['noise', 'pixels', ...(['label', 'source'] as const).filter((r) => setup.subject.includes(r))],
  statistics: () => [noiseLevels()],
  scorer: (c) => noiseScorer(groupsOf(c)),
  tally: noiseTally,
  decide: (c, tally) =>
    standOut(tailsOf(c, tally)).map((g) => ({ rule: 'perturbation-noise/excess', group: g.name, atLeast: scoreOf(g.tail.cut as number) })),
  evidence: noiseEvidence,
  evidenceReads: ['pixels'],
  conclude(c, tally, evidence, flagged) {
    const tails = tailsOf(c, tally)
    return {
      findings: standOut(tails).map((g) => noiseFinding(g, evidence ?? { height: 0, width: 0, channels: 1, groups: [] }, flagged.top)),
      tests: tails.map((g) => ({
        id: g.test,
        method: 'binomial test of the upper tail against an exponential through its beginning, Bonferroni over windows and cuts',
        p: g.tail.p,
      })),
      notes: notes(groupsOf(c)),
    }
  },
}

function notes(groups: readonly NoiseGroup[]): Conclusion['notes'] {
  const judged = groups.filter(isJudged)
  const rest = groups.filter((g) => !isJudged(g)).reduce((sum, g) => sum + g.records, 0)
  const out = [
    `${judged.length} groups of equal source and codec were compared within themselves. Perturbations of few grey levels, and those that were compressed away, do not show.`,
  ]
  if (rest > 0)
    out.push(
      `${rest} pictures were not judged: their groups have fewer than ${leastNoiseGroup} pictures, or more than half of them have the same amount of noise.`,
    )
  return out
}
