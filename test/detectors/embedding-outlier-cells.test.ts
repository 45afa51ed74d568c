import { describe, expect, it } from 'vitest'
import type { Role } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { embeddingOutlier } from '../../src/detectors/embedding-outlier.ts'
import { keyed } from '../../src/math/rng.ts'
import { batchesOf, blobs } from '../support/blobs.ts'
import { fitDetector } from '../support/fit-detector.ts'

const setup = (subject: Role[], reference: Role[] | null = null): Setup => ({
  subject,
  reference,
  classes: null,
  shape: { rows: null, dims: 8, classes: 0, sources: 0 },
})
const labelled = setup(['label', 'embedding'])
/** More than a sample of 500 holds, so that cells matter. */
const rows = 12_000
const clean = blobs('cells', rows, 3, 8, 8)
const all = { among: 'all', sample: 500 }

describe('embedding-outlier among all records', () => {
  it('flags at most its budget of clean data', async () => {
    const { flagged, conclusion } = await fitDetector(embeddingOutlier, all, labelled, batchesOf(clean, clean.truth))
    expect(flagged.filter(Boolean).length).toBeLessThanOrEqual(0.002 * rows)
    expect(conclusion.notes.join()).toContain('all 12000 records by cells')
  })

  it('finds a cluster of near copies that a sample does not hold', async () => {
    const { normal } = keyed(new Uint8Array(16), 'planted')
    const vectors = clean.vectors.slice()
    const model = clean.vectors.slice(0, 8)
    const planted = 20
    for (let i = 0; i < planted; i++)
      vectors.set(
        model.map((v) => v + 0.0001 * normal()),
        i * 8,
      )
    const data = { ...clean, vectors }
    const labels = data.truth.map((label, i) => (i < planted ? (clean.truth[0] as number) : label))
    const found = async (options: object) =>
      (await fitDetector(embeddingOutlier, options, labelled, batchesOf(data, labels))).flagged.slice(0, planted).filter(Boolean).length
    expect(await found(all)).toBe(planted)
    expect(await found({ sample: 500 })).toBeLessThan(planted / 2)
  })

  it('judges a set that is one cell as the exact neighbours do', async () => {
    const few = blobs('one cell', 900, 3, 8, 8)
    const batches = batchesOf(few, few.truth)
    const cells = await fitDetector(embeddingOutlier, { among: 'all' }, labelled, batches)
    const exact = await fitDetector(embeddingOutlier, {}, labelled, batches)
    cells.scores.forEach((score, i) => {
      expect(score).toBeCloseTo(exact.scores[i] as number, 5)
    })
  })

  it('gives the same for any order of the records', async () => {
    const batches = batchesOf(clean, clean.truth)
    const one = await fitDetector(embeddingOutlier, all, labelled, batches)
    const other = await fitDetector(embeddingOutlier, all, labelled, [...batches].reverse())
    const size = batches[0]?.numRows as number
    const back = Array.from({ length: batches.length }, (_, i) =>
      other.scores.slice((batches.length - 1 - i) * size, (batches.length - i) * size),
    ).flat()
    one.scores.forEach((score, i) => {
      expect(back[i]).toBeCloseTo(score, 6)
    })
  })

  it('uses the reference where there is one', () => {
    const options = embeddingOutlier.options.parse({ among: 'all' })
    const trusted = setup(['label', 'embedding'], ['label', 'embedding'])
    expect(embeddingOutlier.exchange?.(options, trusted)).toBeNull()
    expect(embeddingOutlier.mode(options, trusted)).toContain('against the reference')
  })
})
