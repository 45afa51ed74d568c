import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch, Role } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { embeddingOutlier } from '../../src/detectors/embedding-outlier.ts'
import { keyed } from '../../src/math/rng.ts'
import { type Blobs, batchesOf, blobs } from '../support/blobs.ts'
import { fitDetector } from '../support/fit-detector.ts'

const setup = (subject: Role[], reference: Role[] | null = null): Setup => ({
  subject,
  reference,
  classes: null,
  shape: { rows: null, dims: 8, classes: 0, sources: 0 },
})
const labelled = setup(['label', 'embedding'])
const clean = blobs('apart', 3000, 3, 8, 8)

/** The first `count` records moved or copied; the data with them, and whether each is planted. */
function planted(b: Blobs, count: number, change: (x: Float64Array, i: number, normal: () => number) => void): Blobs {
  const { normal } = keyed(new Uint8Array(16), 'planted')
  const vectors = b.vectors.slice()
  for (let i = 0; i < count; i++) change(vectors.subarray(i * b.dims, (i + 1) * b.dims), i, normal)
  return { ...b, vectors }
}

const recall = (flagged: readonly boolean[], count: number): number => flagged.slice(0, count).filter(Boolean).length / count
const falseShare = (flagged: readonly boolean[], count: number): number =>
  flagged.slice(count).filter(Boolean).length / (flagged.length - count)

describe('embedding-outlier/record without a reference', () => {
  it('flags at most its budget of clean data', async () => {
    const { flagged, conclusion } = await fitDetector(embeddingOutlier, {}, labelled, batchesOf(clean, clean.truth))
    expect(flagged.filter(Boolean).length).toBeLessThanOrEqual(6)
    expect(conclusion.tests).toEqual([])
    expect(conclusion.notes.join()).toContain('all 3000 records')
  })

  it('finds records far from everything, within its budget', async () => {
    const data = planted(clean, 6, (x) => {
      x[0] = (x[0] as number) + 12
      x[1] = (x[1] as number) - 12
    })
    const { flagged, conclusion } = await fitDetector(embeddingOutlier, {}, labelled, batchesOf(data, data.truth))
    expect(recall(flagged, 6)).toBe(1)
    const [finding] = conclusion.findings
    expect(finding?.rule).toBe('embedding-outlier/record')
    expect(finding?.severity).toBe('review')
    expect(finding?.evidence.map((e) => e.kind)).toEqual(
      ['table', 'histogram', 'scatter', 'scatter', 'scatter'].slice(0, finding?.evidence.length),
    )
  })

  it('says so where more records than the budget allows are equally strong', async () => {
    const data = planted(clean, 40, (x) => x.fill(1e4))
    const { flagged, conclusion } = await fitDetector(embeddingOutlier, {}, labelled, batchesOf(data, data.truth))
    expect(flagged.filter(Boolean)).toEqual([])
    expect(conclusion.notes.join()).toMatch(/\d+ records reached the score at which records are flagged, more than the budget allows/)
    const more = await fitDetector(embeddingOutlier, { budget: 0.02 }, labelled, batchesOf(data, data.truth))
    expect(recall(more.flagged, 40)).toBe(1)
  })

  it('finds records that lie in another class', async () => {
    const labels = clean.truth.map((label, i) => (i < 6 ? (label + 1) % 3 : label))
    const { flagged } = await fitDetector(embeddingOutlier, {}, labelled, batchesOf(clean, labels))
    expect(recall(flagged, 6)).toBe(1)
  })

  it.each([
    ['near copies', 0.0001],
    ['exact copies', 0],
  ])('ranks a flood of %s first', async (_, noise) => {
    const model = clean.vectors.slice(0, 8)
    const data = planted(clean, 40, (x, __, normal) => x.set(model.map((v) => v + noise * normal())))
    const labels = data.truth.map((label, i) => (i < 40 ? (clean.truth[0] as number) : label))
    const { scores } = await fitDetector(embeddingOutlier, {}, labelled, batchesOf(data, labels))
    const lowest = Math.min(...scores.slice(0, 40))
    expect(scores.slice(40).filter((s) => s >= lowest).length).toBeLessThanOrEqual(15)
  })

  it('runs without labels', async () => {
    const data = planted(clean, 6, (x) => {
      x[3] = (x[3] as number) + 30
    })
    const batches = batchesOf(data, data.truth).map((b, i) => unlabelled(b, data, i * 500))
    const { flagged, conclusion } = await fitDetector(embeddingOutlier, {}, setup(['embedding']), batches)
    expect(recall(flagged, 6)).toBe(1)
    expect(conclusion.findings[0]?.evidence.some((e) => e.kind === 'scatter' && e.title === 'Map of all records')).toBe(true)
  })

  it('reads columns of numbers, whatever their units, with missing values', async () => {
    const data = planted(clean, 6, (x) => {
      x[2] = (x[2] as number) + 15
    })
    const vectors = data.vectors.map((v, at) => (at % 101 === 100 ? Number.NaN : v * 10 ** (at % 8)))
    const batch = makeBatch({
      row: Uint32Array.from(data.truth.keys()),
      label: { codes: data.truth, values: ['a', 'b', 'c'] },
      features: { data: vectors, rows: 3000, dims: 8, names: [...'abcdefgh'] },
    })
    const { flagged } = await fitDetector(embeddingOutlier, {}, setup(['label', 'features']), [batch])
    expect(recall(flagged, 6)).toBeGreaterThan(0.8)
  })

  it('judges what is not in the sample as it judges what is', async () => {
    const few = await fitDetector(embeddingOutlier, { sample: 500 }, labelled, batchesOf(clean, clean.truth))
    const all = await fitDetector(embeddingOutlier, {}, labelled, batchesOf(clean, clean.truth))
    expect(few.scores.every((s) => s > 0 && s < 1)).toBe(true)
    const mean = (scores: readonly number[]) => scores.reduce((sum, s) => sum + s, 0) / scores.length
    expect(Math.abs(mean(few.scores) - mean(all.scores))).toBeLessThan(0.1)
  })
})

describe('embedding-outlier/record with a reference', () => {
  const part = (b: Blobs, from: number, to: number): Blobs => ({
    ...b,
    vectors: b.vectors.slice(from * b.dims, to * b.dims),
    truth: b.truth.slice(from, to),
  })
  const [trusted, subject] = [part(clean, 0, 1600), part(clean, 1600, 3000)]
  const both = setup(['label', 'embedding'], ['label', 'embedding'])

  it('gives p-values, a test, and flags under a false discovery rate', async () => {
    const data = planted(subject, 60, (x) => {
      x[0] = (x[0] as number) + 14
    })
    const found = await fitDetector(embeddingOutlier, {}, both, batchesOf(data, data.truth), batchesOf(trusted, trusted.truth))
    expect(recall(found.flagged, 60)).toBeGreaterThan(0.9)
    expect(falseShare(found.flagged, 60)).toBeLessThan(0.01)
    expect(found.conclusion.tests[0]?.p).toBeLessThan(0.05)
    expect(found.conclusion.findings[0]?.severity).toBe('medium')
  })

  it('accuses nobody on clean data', async () => {
    const found = await fitDetector(embeddingOutlier, {}, both, batchesOf(subject, subject.truth), batchesOf(trusted, trusted.truth))
    const p = [...(found.scored[0]?.pValue ?? [])]
    expect(p.filter((v) => v <= 0.1).length / p.length).toBeLessThan(0.16)
    expect(found.conclusion.tests[0]?.p).toBeGreaterThan(0.05)
    expect(found.flagged.some(Boolean)).toBe(false)
  })

  it('does without one that is too small', async () => {
    const small = part(clean, 0, 300)
    const { conclusion } = await fitDetector(embeddingOutlier, {}, both, batchesOf(subject, subject.truth), batchesOf(small, small.truth))
    expect(conclusion.tests).toEqual([])
  })
})

it('says why it cannot run', () => {
  expect(embeddingOutlier.missing(setup(['label', 'predictions']))).toContain('no column has the role embedding')
  expect(embeddingOutlier.missing(setup(['embedding']))).toBeNull()
})

function unlabelled(batch: Batch, data: Blobs, from: number): Batch {
  return makeBatch({
    row: Uint32Array.from({ length: batch.numRows }, (_, i) => from + i),
    embedding: { data: data.vectors.slice(from * 8, (from + batch.numRows) * 8), rows: batch.numRows, dims: 8 },
  })
}
