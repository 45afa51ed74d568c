import { expect, it } from 'vitest'
import type { Context } from '../../src/contracts/statistic.ts'
import { embeddingCluster } from '../../src/detectors/embedding-cluster.ts'
import { keyed } from '../../src/math/rng.ts'
import { twoMeans } from '../../src/statistics/embedding/two-means.ts'

const seed = new Uint8Array(16)

it('parts two clusters, and says which is smaller and how far they lie apart', async () => {
  const random = keyed(seed, 'two')
  const data = Float32Array.from({ length: 400 * 5 }, (_, at) => random.normal() + (at < 80 * 5 && at % 5 === 0 ? 10 : 0))
  const { share, silhouette, apart, axis, halfway, mean } = await twoMeans(data, 5, seed)
  expect(share).toBeCloseTo(0.2, 5)
  expect(silhouette).toBeGreaterThan(0.5)
  expect(Math.abs(apart - 10)).toBeLessThan(1)
  expect(axis[0]).toBeGreaterThan(0.98)
  const along = (i: number) => axis.reduce((sum, v, j) => sum + v * ((data[i * 5 + j] as number) - (mean[j] as number)), 0)
  expect(along(0)).toBeGreaterThan(halfway)
  expect(along(399)).toBeLessThan(halfway)
})

it('flags nothing where no class stands apart', () => {
  const tally = {
    rows: 0,
    histogram: new Float64Array(0),
    ranks: new Float64Array(0),
    fitId: '',
    parts: [],
    top: [],
    members: [],
    groups: {},
  }
  expect(embeddingCluster.decide({} as Context<never>, tally)).toEqual([])
  expect(embeddingCluster.rules.map((r) => r.id)).toEqual(['embedding-cluster/cluster'])
})
