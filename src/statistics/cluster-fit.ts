import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { shortDigest } from '../math/hash.ts'
import { classesOf, maxJudged, pointsOf } from './embedding/classes.ts'
import { project } from './embedding/dense.ts'
import { type Isolated, isolatedIn } from './embedding/isolated.ts'
import type { SpaceMap } from './embedding/space.ts'
import { type TwoMeans, twoMeans } from './embedding/two-means.ts'
import { type VectorSample, vectorSample } from './vector-sample.ts'

/** A line through a class: projection on `axis` from `mean`. */
export interface Line {
  readonly mean: Float64Array
  readonly axis: Float64Array
}

export interface ClassClusters extends TwoMeans {
  readonly name: string
  readonly rows: number
  readonly isolated: Isolated<Line> | null
  /** [m, 2] sampled rows on the first two principal components. */
  readonly points: Float64Array
}

export interface ClusterFit {
  readonly map: SpaceMap
  readonly seen: number
  readonly rows: number
  readonly classes: readonly ClassClusters[]
  readonly left: number
}

/** Two clusters of each class of a sample, and whether the smaller one stands apart. It reads only the sample. */
export function clusterFit({ size }: { readonly size: number }): Statistic<Record<string, never>, ClusterFit | null> {
  const sampleId = vectorSample({ over: 'subject', size }).id
  return {
    id: `cluster-fit/${shortDigest({ size })}`,
    version: 1,
    needs: ['label'],
    after: [sampleId],
    over: 'subject',
    init: () => ({}),
    update() {},
    merge() {},
    async finish(c: Context) {
      const sample = c.summaries.get<VectorSample | null>(sampleId)
      if (!sample) return null
      const dims = sample.map.dims
      const classes: ClassClusters[] = []
      for (const { code, vectors, halves } of classesOf(sample)) {
        const clusters = await twoMeans(vectors, dims, c.seed)
        const isolated = await isolatedIn<Line>(halves, async (data) => {
          const { mean, axis } = await twoMeans(data, dims, c.seed)
          return [{ kind: { mean, axis }, score: (x) => project(x, dims, mean, axis) }]
        })
        const points = pointsOf(vectors, dims, clusters.mean, clusters.directions, clusters.width)
        classes.push({ ...clusters, name: sample.classes[code] as string, rows: vectors.length / dims, isolated, points })
      }
      return { map: sample.map, seen: sample.seen, rows: sample.rows, classes, left: sample.classes.length - classes.length }
    },
    bytes: (shape: Shape) => Math.min(shape.classes || 10, maxJudged) * Math.min(shape.dims, 64) * 128,
  }
}
