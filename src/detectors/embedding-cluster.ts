import { z } from 'zod'
import { vectorsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Detector, Setup } from '../contracts/detector.ts'
import { type ClusterFit, clusterFit } from '../statistics/cluster-fit.ts'
import { codesIn, pointOf } from '../statistics/embedding/classes.ts'
import { project } from '../statistics/embedding/dense.ts'
import { mapVectors } from '../statistics/embedding/space.ts'
import { sizeFor, vectorSample } from '../statistics/vector-sample.ts'
import { apartFindings, leftNote, partsFlagged, standsApart, testsOf } from './embedding/standing-apart.ts'
import {
  missingVectors,
  quietScores,
  type Suspected,
  type SuspicionTally,
  scoreOf,
  suspicionTally,
  unscored,
  vectorRole,
} from './embedding/suspicion.ts'

export const embeddingClusterOptions = z.strictObject({
  /** Records that are clustered, at most. */
  sample: z.int().min(500).max(100_000).default(100_000),
})
export type EmbeddingClusterOptions = z.infer<typeof embeddingClusterOptions>

const sizeOf = (options: EmbeddingClusterOptions, setup: Setup): number =>
  setup.shape.rows === null ? options.sample : sizeFor(options.sample, setup.shape.rows)

const rule = 'embedding-cluster/cluster'

/** Classes that fall into two clusters, of which the smaller stands apart: activation clustering (Chen et al. 2018), with a test. */
export const embeddingCluster: Detector<EmbeddingClusterOptions, SuspicionTally> = {
  id: 'embedding-cluster',
  version: 1,
  title: 'Clusters within a class',
  rules: [{ id: rule, title: 'Small cluster of a class that stands apart', family: 'clean-label' }],
  options: embeddingClusterOptions,
  missing: (setup) => missingVectors(setup, true),
  mode: () => 'two clusters of each class on ten principal components, flagged where the smaller stands apart by a test',
  reads: (_, setup) => ['label', 'source', vectorRole(setup.subject) ?? 'embedding'],
  statistics(options, setup) {
    const size = sizeOf(options, setup)
    return [vectorSample({ over: 'subject', size }), clusterFit({ size })]
  },
  scorer(c, setup) {
    const { id } = clusterFit({ size: sizeOf(c.options, setup) })
    const fit = c.summaries.get<ClusterFit | null>(id)
    return fit ? (batch) => judge(fit, id, batch) : unscored(id)
  },
  tally: suspicionTally,
  decide: (_, tally) => partsFlagged(rule, tally),
  conclude(c, tally, _, flagged) {
    const fit = tally.fitId === '' ? null : c.summaries.get<ClusterFit | null>(tally.fitId)
    if (!fit || fit.classes.length === 0) return { findings: [], tests: [], notes: ['No class has 100 records of different content.'] }
    const findings = apartFindings(rule, fit.classes, tally, flagged, ({ name }) => {
      const clusters = fit.classes.find((k) => k.name === name)
      if (!clusters) return []
      const items = [
        { name: 'share of the smaller cluster', value: Number(clusters.share.toFixed(4)) },
        { name: 'silhouette, -1 to 1', value: Number(clusters.silhouette.toFixed(3)) },
      ]
      return [{ kind: 'numbers', title: 'Two clusters of the whole class', items }]
    })
    return { findings, tests: testsOf(rule, fit.classes), notes: [leftNote(fit.classes.length, fit.left, fit.rows)] }
  },
}

async function judge(fit: ClusterFit, fitId: string, batch: Batch): Promise<Suspected> {
  const vectors = vectorsOf(batch)
  if (!vectors) throw new Error('the batch has no vectors')
  const { dims } = fit.map
  const names = fit.classes.map((c) => c.name)
  const labels = codesIn(names, batch)
  const mapped = await mapVectors(fit.map, vectors)
  const score = quietScores(labels)
  const group = new Int32Array(batch.numRows).fill(-1)
  const apart = fit.classes.map((c) => (standsApart(c, fit.classes) ? c.isolated : null))
  for (let i = 0; i < score.length; i++) {
    const code = labels[i] as number
    const c = fit.classes[code]
    if (!c) continue
    const x = mapped.subarray(i * dims, (i + 1) * dims)
    const along = project(x, dims, c.mean, c.axis)[0] as number
    score[i] = scoreOf(c.apart > 0 ? (along - c.halfway) / c.apart : 0)
    const beyond = apart[code]
    if (beyond && (project(x, dims, beyond.kind.mean, beyond.kind.axis)[0] as number) > beyond.cut) group[i] = code
  }
  return {
    score,
    group: { codes: group, values: names },
    parts: ['side of the smaller cluster'],
    fitId,
    calibration: 0,
    detail(i) {
      const c = fit.classes[labels[i] as number]
      const point = c ? pointOf(mapped.subarray(i * dims, (i + 1) * dims), c.mean, c.directions, c.width) : ([0, 0] as const)
      return { name: c?.name ?? null, x: point[0], y: point[1], parts: [score[i] as number], near: null }
    },
  }
}
