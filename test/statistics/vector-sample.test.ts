import { describe, expect, it } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Context } from '../../src/contracts/statistic.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { keyed } from '../../src/math/rng.ts'
import { type VectorSample, vectorSample } from '../../src/statistics/vector-sample.ts'
import { seed } from './rows.ts'

const c = { options: null, seed } as unknown as Context

function batch(labels: readonly number[], value: (i: number) => number, dims = 3) {
  const data = Float32Array.from({ length: labels.length * dims }, (_, at) => value(Math.floor(at / dims)) + (at % dims))
  return addKeys(
    makeBatch({
      row: Uint32Array.from(labels.keys()),
      label: { codes: Int32Array.from(labels), values: ['a', 'b', 'c'] },
      embedding: { data, rows: labels.length, dims },
    }),
    seed,
  )
}

async function sampleOf(size: number, labels: readonly number[], value: (i: number) => number): Promise<VectorSample> {
  const s = vectorSample({ over: 'subject', size })
  const state = s.init(c)
  for (let from = 0; from < labels.length; from += 50) {
    const part = labels.slice(from, from + 50)
    await s.update(
      c,
      state,
      batch(part, (i) => value(from + i)),
    )
  }
  return (await s.finish(c, state)) as VectorSample
}

const counts = (sample: VectorSample) => [-1, 0, 1, 2].map((code) => sample.labels.filter((l) => l === code).length)

describe('a sample of vectors', () => {
  it('keeps every record while they fit, and counts copies of a content within its class', async () => {
    const labels = Array.from({ length: 120 }, (_, i) => (i < 20 ? 0 : 1 + (i % 2)))
    const sample = await sampleOf(1000, labels, (i) => (i < 20 ? 7 : i))
    expect(sample.complete).toBe(true)
    expect(sample.rows).toBe(101)
    expect(sample.counts[0]).toBe(20)
    expect(sample.counts.reduce((sum, n) => sum + n, 0)).toBe(120)
  })

  it('gives what small classes leave to the large ones', async () => {
    const labels = Array.from({ length: 1000 }, (_, i) => (i < 10 ? 0 : i < 200 ? 1 : 2))
    const sample = await sampleOf(100, labels, (i) => i)
    expect(counts(sample)).toEqual([0, 10, 45, 45])
    expect(sample.complete).toBe(false)
    expect(sample.seen).toBe(1000)
  })

  it('takes records without a label for a class of their own', async () => {
    const labels = Array.from({ length: 300 }, (_, i) => (i % 3) - 1)
    expect(counts(await sampleOf(60, labels, (i) => i))).toEqual([20, 20, 20, 0])
  })

  it('is uniform: the mean of what is kept is that of all', async () => {
    const random = keyed(seed, 'uniform')
    const values = Array.from({ length: 4000 }, () => random.normal())
    const sample = await sampleOf(
      1000,
      values.map(() => 0),
      (i) => values[i] as number,
    )
    const distance = Math.abs((sample.map.mean[0] as number) - values.reduce((sum, v) => sum + v, 0) / values.length)
    expect(distance).toBeLessThan(0.1)
  })
})
