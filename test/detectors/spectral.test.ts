import { describe, expect, it } from 'vitest'
import { type Matrix, matrix, matrixOf, selectColumns, withColumns } from '../../src/contracts/batch.ts'
import type { Role } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { embeddingCluster } from '../../src/detectors/embedding-cluster.ts'
import { spectral } from '../../src/detectors/spectral.ts'
import { keyed } from '../../src/math/rng.ts'
import { batchesOf, blobs } from '../support/blobs.ts'
import { fitDetector } from '../support/fit-detector.ts'

const setup = (subject: Role[]): Setup => ({
  subject,
  reference: null,
  classes: null,
  shape: { rows: null, dims: 12, classes: 0, sources: 0 },
})
const labelled = setup(['label', 'embedding'])
const dims = 12

/** A share of class 1 moved together, as a trigger that a model learned moves what it embeds. */
function moved(name: string, share: number, by: number) {
  const data = blobs(name, 4000, 3, dims, 6)
  const random = keyed(new Uint8Array(16), name)
  const way = random.normals(dims)
  const length = Math.sqrt(way.reduce((sum, v) => sum + v * v, 0))
  const truth = data.truth.map((label) => Number(label === 1 && random.uniform() < share))
  const vectors = data.vectors.map((v, at) => (truth[Math.floor(at / dims)] ? 0.6 * v + (by * (way[at % dims] as number)) / length : v))
  return { ...data, vectors, planted: truth }
}

const share = (flags: readonly boolean[], planted: Int32Array, value: 0 | 1): number => {
  const rows = [...planted.keys()].filter((i) => planted[i] === value)
  return rows.filter((i) => flags[i]).length / rows.length
}

describe.each([
  ['spectral/class', spectral, 0.04, 12],
  ['embedding-cluster/cluster', embeddingCluster, 0.15, 12],
] as const)('%s', (rule, detector, rate, by) => {
  it('finds the part of a class that stands apart, names the class and maps it', async () => {
    const data = moved(`moved ${rule}`, rate, by)
    const { flagged, conclusion } = await fitDetector(detector, {}, labelled, batchesOf(data, data.truth))
    const finding = conclusion.findings.find((f) => f.rule === rule)
    expect(finding?.scope).toEqual({ kind: 'class', names: ['class 1'] })
    expect(finding?.severity).toBe('medium')
    expect(conclusion.tests.find((t) => t.id === finding?.test)?.p).toBeLessThan(1e-4)
    expect(share(flagged, data.planted, 1)).toBeGreaterThan(0.9)
    expect(share(flagged, data.planted, 0)).toBeLessThan(0.01)
    const map = finding?.evidence.find((e) => e.kind === 'scatter')
    expect(map?.kind === 'scatter' && (map.series[1]?.points.length ?? 0) > 10).toBe(true)
  })

  it('finds no such part in clean data', async () => {
    for (const seed of [0, 1, 2]) {
      const data = blobs(`clean ${seed}`, 3000, 3, dims, 6)
      const { flagged, conclusion } = await fitDetector(detector, {}, labelled, batchesOf(data, data.truth))
      expect(conclusion.tests.length).toBe(3)
      expect(Math.min(...conclusion.tests.map((t) => t.p)) * 3).toBeGreaterThan(0.01)
      expect(conclusion.findings.filter((f) => f.rule === rule)).toEqual([])
      expect(flagged.filter(Boolean).length / flagged.length).toBeLessThanOrEqual(0.002)
    }
  })

  it('needs vectors and labels, and classes of a hundred records', async () => {
    expect(detector.missing(setup(['embedding']))).toContain('label')
    expect(detector.missing(setup(['label']))).toContain('embedding')
    const few = blobs('few', 90, 3, dims, 6)
    const { scores, conclusion } = await fitDetector(detector, {}, labelled, batchesOf(few, few.truth))
    expect(new Set(scores)).toEqual(new Set([0]))
    expect(conclusion.notes.join()).toContain('No class has 100 records')
  })
})

describe('vectors that are columns of the data', () => {
  it('have parts that are low, and no record is flagged for them', async () => {
    const data = moved('moved spectral/class', 0.04, 12)
    const columns = batchesOf(data, data.truth).map((batch) =>
      withColumns(selectColumns(batch, new Set(['row', 'label'])), { features: matrix(matrixOf(batch, 'embedding') as Matrix) }),
    )
    const { flagged, conclusion } = await fitDetector(spectral, {}, setup(['label', 'features']), columns)
    const finding = conclusion.findings.find((f) => f.rule === 'spectral/class')
    expect(finding).toMatchObject({ severity: 'low', scope: { names: ['class 1'] } })
    expect(finding?.message).toContain('columns of the data')
    // those of the other rule alone
    expect(flagged.filter(Boolean).length).toBeLessThanOrEqual(0.002 * flagged.length)
  })
})

describe('spectral/record', () => {
  it('ranks planted records above the others, and flags within its budget', async () => {
    const data = moved('weak', 0.03, 6)
    const { scores, flagged, conclusion } = await fitDetector(spectral, {}, labelled, batchesOf(data, data.truth))
    const rows = [...scores.keys()].sort((a, b) => (scores[b] as number) - (scores[a] as number)).slice(0, 40)
    expect(rows.filter((i) => data.planted[i]).length).toBeGreaterThan(25)
    expect(share(flagged, data.planted, 0)).toBeLessThanOrEqual(0.002)
    expect(conclusion.findings.some((f) => f.rule === 'spectral/record' && f.severity === 'review' && f.test === null)).toBe(true)
  })
})
