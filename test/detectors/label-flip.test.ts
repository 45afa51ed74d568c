import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Role } from '../../src/contracts/data.ts'
import type { Setup } from '../../src/contracts/detector.ts'
import { labelFlip } from '../../src/detectors/label-flip.ts'
import { keyed } from '../../src/math/rng.ts'
import { type Blobs, batchesOf, blobs, flip } from '../support/blobs.ts'
import { fitDetector } from '../support/fit-detector.ts'

const setup = (subject: Role[], reference: Role[] | null = null): Setup => ({
  subject,
  reference,
  classes: null,
  shape: { rows: null, dims: 8, classes: 4, sources: 0 },
})
const vectors = setup(['label', 'embedding'])
const everyone = () => true

const recallOf = (flagged: readonly boolean[], labels: Int32Array, truth: Int32Array) => {
  const wrong = [...labels.keys()].filter((i) => labels[i] !== truth[i])
  const hit = wrong.filter((i) => flagged[i]).length
  return { recall: hit / wrong.length, precision: hit / Math.max(1, flagged.filter(Boolean).length) }
}

describe('without a model', () => {
  const data = blobs('four', 2000, 4, 8, 5)

  it('flags uniform flips and accuses no class pair', async () => {
    const labels = flip('u', data.truth, 0.1, (l, below) => (l + 1 + below(3)) % 4, everyone)
    const { flagged, conclusion } = await fitDetector(labelFlip, {}, vectors, batchesOf(data, labels))
    const { recall, precision } = recallOf(flagged, labels, data.truth)
    expect(recall).toBeGreaterThan(0.85)
    expect(precision).toBeGreaterThan(0.85)
    expect(conclusion.findings.some((f) => f.rule === 'label-flip/record' && f.severity === 'review')).toBe(true)
    expect(Math.min(...conclusion.tests.map((t) => t.p)) * conclusion.tests.length).toBeGreaterThan(0.05)
  })

  it('names the class pair of targeted flips', async () => {
    const labels = flip(
      'p',
      data.truth,
      0.2,
      () => 3,
      (i) => data.truth[i] === 1,
    )
    const { conclusion } = await fitDetector(labelFlip, {}, vectors, batchesOf(data, labels))
    const pair = conclusion.findings.find((f) => f.rule === 'label-flip/class-pair')
    expect(pair?.scope.names).toEqual(['class 3', 'class 1'])
    expect(conclusion.tests.find((t) => t.id === pair?.test)?.p).toBeLessThan(1e-3)
  })

  it('leaves clean data alone', async () => {
    const { flagged, conclusion } = await fitDetector(labelFlip, {}, vectors, batchesOf(data, data.truth))
    expect(flagged.filter(Boolean).length / flagged.length).toBeLessThanOrEqual(0.01)
    expect(conclusion.findings.filter((f) => f.severity !== 'review')).toEqual([])
  })

  it('tests no class pair with a model that barely tells the classes apart', async () => {
    const weak = blobs('weak', 3000, 2, 8, 0.5)
    const { flagged, conclusion } = await fitDetector(labelFlip, {}, vectors, batchesOf(weak, weak.truth))
    expect(flagged.filter(Boolean).length / flagged.length).toBeLessThanOrEqual(0.01)
    expect(conclusion.tests.filter((t) => t.id.startsWith('label-flip/class-pair'))).toEqual([])
    expect(conclusion.notes.join(' ')).toContain('barely tells the classes apart')
  })

  it('accuses no pair where a kind of record of one class looks like the other', async () => {
    const hard = blobs('kind', 3000, 2, 8, 5)
    const ones = [...hard.truth.keys()].filter((i) => hard.truth[i] === 1)
    const vectors = hard.vectors.slice()
    // every eighth record of class 0 is one of class 1, moved a little
    for (const [n, i] of [...hard.truth.keys()].filter((i) => hard.truth[i] === 0).entries())
      if (n % 8 === 0) for (let j = 0; j < 8; j++) vectors[i * 8 + j] = (hard.vectors[(ones[n] ?? 0) * 8 + j] as number) + 0.5
    const { flagged, conclusion } = await fitDetector(
      labelFlip,
      {},
      setup(['label', 'embedding']),
      batchesOf({ ...hard, vectors }, hard.truth),
    )
    expect(conclusion.findings.filter((f) => f.severity !== 'review')).toEqual([])
    expect(conclusion.notes.join(' ')).toContain('Records labelled "class 0" that look like "class 1" are kinds of their own')
    expect(flagged.filter(Boolean).length / flagged.length).toBeLessThanOrEqual(0.01)
  })

  it('names the source that flips', async () => {
    const source = Array.from(data.truth, (_, i) => `vendor ${i % 5}`)
    const labels = flip(
      's',
      data.truth,
      0.3,
      () => 0,
      (i) => data.truth[i] === 2 && i % 5 === 3,
    )
    const { conclusion } = await fitDetector(labelFlip, {}, setup(['label', 'embedding', 'source']), batchesOf(data, labels, source))
    const found = conclusion.findings.filter((f) => f.rule === 'label-flip/source')
    expect(found.map((f) => f.scope.names)).toEqual([['vendor 3', 'class 0', 'class 2']])
  })

  describe('of a source whose records differ', () => {
    const sources = setup(['label', 'embedding', 'source'])
    const accused = async (b: Blobs, labels: Int32Array, source: readonly string[]) => {
      const { conclusion } = await fitDetector(labelFlip, {}, sources, batchesOf(b, labels, source))
      return conclusion.findings.filter((f) => f.rule === 'label-flip/source').map((f) => f.scope.names)
    }
    const overlapping = blobs('overlapping', 6000, 2, 8, 1.6)
    const vendor = (i: number, of = 5): string => `vendor ${i % of}`

    it('says nothing where they are harder', async () => {
      const random = keyed(new Uint8Array(16), 'harder')
      const harder = { ...overlapping, vectors: overlapping.vectors.map((v, i) => (Math.floor(i / 8) % 5 === 3 ? v + random.normal() : v)) }
      expect(
        await accused(
          harder,
          harder.truth,
          Array.from(harder.truth, (_, i) => vendor(i)),
        ),
      ).toEqual([])
    })

    it('says nothing where it has more of one class', async () => {
      const source = Array.from(overlapping.truth, (label, i) => (i % 5 === 3 && label === 0 && i % 3 > 0 ? vendor(i + 1) : vendor(i)))
      expect(await accused(overlapping, overlapping.truth, source)).toEqual([])
    })

    it('names it where it also relabels', async () => {
      const labels = flip(
        'relabelled',
        overlapping.truth,
        0.4,
        () => 0,
        (i) => overlapping.truth[i] === 1 && i % 10 === 3,
      )
      const source = Array.from(labels, (_, i) => vendor(i, 10))
      expect(await accused(overlapping, labels, source)).toEqual([['vendor 3', 'class 0', 'class 1']])
    })
  })

  it('says so when there is only one class', async () => {
    const { scores, conclusion } = await fitDetector(
      labelFlip,
      {},
      vectors,
      batchesOf(
        data,
        data.truth.map(() => 0),
      ),
    )
    expect(scores.every(Number.isNaN)).toBe(true)
    expect(conclusion.notes.join()).toContain('Fewer than two classes')
  })

  it.each([
    [1, 'all records have the same content'],
    [2, 'accuracy below 85 %'],
  ])('says so when the records have %i different contents', async (contents, note) => {
    const content_ = Float64Array.from({ length: 400 * data.dims }, (_, i) => Math.floor(i / data.dims) % contents)
    const labels = Int32Array.from({ length: 400 }, (_, i) => (i >> 1) % 2)
    const few = { vectors: content_, truth: labels, dims: data.dims, classes: 2 }
    const { conclusion } = await fitDetector(labelFlip, {}, vectors, batchesOf(few, labels))
    expect(conclusion.notes.join()).toContain(note)
    expect(conclusion.tests.filter((t) => t.p < 0.05)).toEqual([])
  })

  it('does not score records without a label, and takes missing values for the mean', async () => {
    const holes = { ...data, vectors: data.vectors.map((v, i) => (i % 97 === 0 ? Number.NaN : v)) }
    const labels = data.truth.map((l, i) => (i % 10 === 0 ? -1 : l))
    const batch = makeBatch({
      row: Uint32Array.from(labels.keys()),
      label: { codes: labels, values: ['a', 'b', 'c', 'd'] },
      features: { data: holes.vectors, rows: labels.length, dims: 8, names: ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'] },
    })
    const { scores } = await fitDetector(labelFlip, {}, setup(['label', 'features']), [batch])
    expect(scores.filter(Number.isNaN).length).toBe(200)
  })
})

describe('with a reference', () => {
  it('gives conformal p-values and a test for the records', async () => {
    const data = blobs('reference', 3000, 4, 8, 6)
    const part = (from: number, to: number) => ({
      ...data,
      vectors: data.vectors.slice(from * 8, to * 8),
      truth: data.truth.slice(from, to),
    })
    const trusted = part(0, 1000)
    const subject = part(1000, 3000)
    const labels = flip('r', subject.truth, 0.1, (l) => (l + 1) % 4, everyone)
    const run = (l: Int32Array) =>
      fitDetector(
        labelFlip,
        {},
        setup(['label', 'embedding'], ['label', 'embedding']),
        batchesOf(subject, l),
        batchesOf(trusted, trusted.truth),
      )
    const poisoned = await run(labels)
    const { recall, precision } = recallOf(poisoned.flagged, labels, subject.truth)
    expect(recall).toBeGreaterThan(0.8)
    expect(precision).toBeGreaterThan(0.88)
    const finding = poisoned.conclusion.findings.find((f) => f.rule === 'label-flip/record')
    expect(finding?.severity).toBe('high')
    expect(poisoned.scored[0]?.pValue?.every((p) => p > 0 && p <= 1)).toBe(true)
    const clean = await run(subject.truth)
    expect(clean.flagged.filter(Boolean).length).toBeLessThanOrEqual(20)
  })
})

describe('with predictions', () => {
  const own = setup(['label', 'predictions'])
  const rows: [number, number[]][] = [
    [0, [0.9, 0.05, 0.05]],
    [0, [0.8, 0.1, 0.1]],
    [0, [0.1, 0.85, 0.05]],
    [1, [0.1, 0.8, 0.1]],
    [1, [0.2, 0.7, 0.1]],
    [1, [0.45, 0.5, 0.05]],
    [2, [0.05, 0.05, 0.9]],
    [2, [0.3, 0.1, 0.6]],
    [2, [0.9, 0.05, 0.05]],
  ]
  const batch = (labels: readonly string[]) =>
    makeBatch({
      row: Uint32Array.from(rows.keys()),
      label: { codes: Int32Array.from(rows, ([l]) => l), values: labels },
      predictions: { data: Float64Array.from(rows.flatMap(([, p]) => p)), rows: rows.length, dims: 3 },
    })

  it.each(['ratio', 'prune_by_noise_rate', 'prune_by_class', 'both', 'confident_learning', 'predicted_neq_given', 'per_cell'])(
    'filter %s takes the two clear flips',
    async (filter) => {
      const { flagged, scores } = await fitDetector(labelFlip, { filter }, own, [batch(['0', '1', '2'])])
      expect([...flagged.keys()].filter((i) => flagged[i])).toEqual([2, 8])
      expect(scores.every((s) => s >= 0 && s <= 1)).toBe(true)
    },
  )

  it('takes named labels when the classes are declared, and says what to do when not', async () => {
    const named = batch(['cat', 'dog', 'emu'])
    const { flagged } = await fitDetector(labelFlip, { classes: ['cat', 'dog', 'emu'] }, own, [named])
    expect(flagged[8]).toBe(true)
    await expect(fitDetector(labelFlip, {}, own, [named])).rejects.toThrow(/"cat" is not the number/)
  })
})
