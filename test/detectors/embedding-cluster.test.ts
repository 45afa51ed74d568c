import { expect, it } from 'vitest'
import { makeBatch, matrix, withColumns } from '../../src/contracts/batch.ts'
import type { Context } from '../../src/contracts/statistic.ts'
import { apartFindings } from '../../src/detectors/embedding/standing-apart.ts'
import { suspicionTally } from '../../src/detectors/embedding/suspicion.ts'
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
    parted: null,
    parts: [],
    top: [],
    members: [],
    groups: {},
  }
  expect(embeddingCluster.decide({} as Context<never>, tally)).toEqual([])
  expect(embeddingCluster.rules.map((r) => r.id)).toEqual(['embedding-cluster/cluster'])
})

it.each([
  [{ embedding: { made: 'hashed-text' } }, 'low'],
  [{}, 'medium'],
] as const)('of vectors of words a part is no more than low: %j', (entries, severity) => {
  const state = suspicionTally.init({} as Context<never>)
  const batch = withColumns(
    makeBatch({ row: Uint32Array.from([0]) }),
    { embedding: matrix({ data: Float32Array.of(1, 2), rows: 1, dims: 2 }) },
    entries,
  )
  const detail = () => ({ name: 'a', x: 0, y: 0, parts: [], near: null })
  const scored = {
    score: Float64Array.of(0.9),
    group: { codes: Int32Array.of(0), values: ['a'] },
    parts: [],
    fitId: 'f',
    calibration: 0,
    detail,
  }
  suspicionTally.update({} as Context<never>, state, batch, scored)
  const classes = [{ name: 'a', rows: 100, isolated: { p: 1e-9 }, points: new Float64Array(0) }]
  const [finding] = apartFindings('embedding-cluster/cluster', classes, state, { count: 1, scored: 1, top: [] }, () => [])
  expect(finding?.severity).toBe(severity)
  expect(embeddingCluster.decide({} as Context<never>, state)).toHaveLength(severity === 'low' ? 0 : 1)
  expect(finding?.message.includes('count the words')).toBe(severity === 'low')
})
