import { matrixOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored } from '../../contracts/detector.ts'
import { noiseKindName } from '../../contracts/noise.ts'
import { leastNoiseGroup, measuresOf, type NoiseGroup, noiseKeys, noiseMeasures } from '../../statistics/noise-levels.ts'

export interface Judgement extends Scored {
  /** Robust z within the group; NaN where it has no centre. */
  readonly z: Float64Array
  /** Place in `groups` of the statistic, -1 for none. */
  readonly noiseGroup: Int32Array
}

/** z of 0 and below gives 0, of 4 gives .5. */
export const scoreOf = (z: number): number => (z > 0 ? z / (z + 4) : 0)

export const groupName = (g: NoiseGroup): string => (g.source === null ? noiseKindName(g.code) : `${g.source}: ${noiseKindName(g.code)}`)

/** Which measures judge a group: colour differences where there is colour, else the quiet cells and the ratio of high to middle frequencies. */
function weightsOf(g: NoiseGroup): readonly number[] {
  if (g.records < leastNoiseGroup) return [0, 0, 0]
  if (g.scale.chroma !== null) return [0, 0, 1]
  const used = [Number(g.scale.quiet !== null), Number(g.scale.ratio !== null), 0]
  const total = (used[0] as number) + (used[1] as number)
  return used.map((w) => (total > 0 ? w / total : 0))
}

export const isJudged = (g: NoiseGroup): boolean => weightsOf(g).some((w) => w > 0)

export function noiseScorer(groups: readonly NoiseGroup[]): (batch: Batch) => Judgement {
  const byKey = new Map(groups.map((g, i) => [`${g.code}\u0000${g.source === null ? '' : `=${g.source}`}`, i]))
  const weights = groups.map(weightsOf)
  const names = groups.map(groupName)
  return (batch) => {
    const n = batch.numRows
    const score = new Float64Array(n).fill(Number.NaN)
    const z = new Float64Array(n).fill(Number.NaN)
    const noiseGroup = new Int32Array(n).fill(-1)
    const noise = matrixOf(batch, 'noise')
    const values = new Float64Array(noiseMeasures.length)
    noiseKeys(batch)?.forEach((key, i) => {
      const at = byKey.get(key)
      if (at === undefined || !noise) return
      const g = groups[at] as NoiseGroup
      const w = weights[at] as readonly number[]
      noiseGroup[i] = at
      // Of a group that is too small or too even to judge nothing stands out.
      score[i] = 0
      if (!isJudged(g)) return
      measuresOf(noise.data as Float32Array, i, values)
      let sum = 0
      noiseMeasures.forEach((m, k) => {
        // Silent cells are quieter than all others.
        const own = Number.isNaN(values[k]) ? g.centre[m] : (values[k] as number)
        if (w[k]) sum += ((w[k] as number) * (own - g.centre[m])) / (g.scale[m] ?? 1)
      })
      z[i] = sum
      score[i] = scoreOf(sum)
    })
    return { score, z, noiseGroup, group: { codes: noiseGroup, values: names } }
  }
}
