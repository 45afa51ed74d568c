import { describe, expect, it } from 'vitest'
import { pictureSets } from '../../bench/quality/embedding-data.ts'
import type { Role } from '../../src/contracts/data.ts'
import { embeddingCluster } from '../../src/detectors/embedding-cluster.ts'
import { embeddingOutlier } from '../../src/detectors/embedding-outlier.ts'
import { spectral } from '../../src/detectors/spectral.ts'
import { fitDetector } from '../support/fit-detector.ts'
import { embedded, type Pictures, type Poisoned, poison, subset } from '../support/image-poison.ts'

const rows = 3000
const digits = subset(pictureSets.mnist?.() as Pictures, rows, 'data test')
const detectors = { embeddingCluster, embeddingOutlier, spectral }
const setup = {
  subject: ['label', 'embedding'] as Role[],
  reference: null,
  classes: null,
  shape: { rows, dims: 784, classes: 0, sources: 0 },
}

async function audit(data: Pictures) {
  const batches = embedded(data)
  const summaries = new Map<string, unknown>()
  const found: Record<string, Awaited<ReturnType<typeof fitDetector>>> = {}
  for (const [name, detector] of Object.entries(detectors)) found[name] = await fitDetector(detector, {}, setup, batches, [], summaries)
  return found as Record<keyof typeof detectors, Awaited<ReturnType<typeof fitDetector>>>
}

const recall = (flagged: readonly boolean[], { truth }: Poisoned): number =>
  flagged.filter((f, i) => f && truth[i]).length / truth.reduce((sum, v) => sum + v, 0)

describe('digits', { timeout: 120_000 }, () => {
  it('have no part that stands apart, and at most half a per cent of flags', async () => {
    const found = await audit(digits)
    const any = digits.labels.map((_, i) => Number(Object.values(found).some(({ flagged }) => flagged[i])))
    expect(any.reduce((sum, v) => sum + v, 0) / rows).toBeLessThanOrEqual(0.005)
    expect(Object.values(found).flatMap(({ conclusion }) => conclusion.findings.filter((f) => f.severity !== 'review'))).toEqual([])
  })

  it('with a blended pattern in 1 %: the target class is named, its records flagged', async () => {
    const data = poison(digits, 'blend', 0.01, 3, 'data test')
    const found = await audit(data)
    const finding = found.spectral.conclusion.findings.find((f) => f.rule === 'spectral/class')
    expect(finding?.scope.names).toEqual(['class 3'])
    expect(recall(found.spectral.flagged, data)).toBeGreaterThan(0.9)
  })

  it('with one picture thirty times, nearly alike: these come first', async () => {
    const data = poison(digits, 'flood', 0.01, 3, 'data test')
    const { scores } = (await audit(data)).embeddingOutlier
    const lowest = Math.min(...scores.filter((_, i) => data.truth[i]))
    expect(scores.filter((s, i) => !data.truth[i] && s >= lowest).length / rows).toBeLessThan(0.01)
  })
})
