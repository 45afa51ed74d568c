import { describe, expect, test } from 'vitest'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import type { Context, Statistic } from '../../src/contracts/statistic.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { compareDigests } from '../../src/math/hash.ts'
import { keyed } from '../../src/math/rng.ts'
import { type ClassThresholds, classThresholds } from '../../src/statistics/class-thresholds.ts'
import { confidentJoint } from '../../src/statistics/confident-joint.ts'
import { labelCensus } from '../../src/statistics/label-census.ts'
import { labelSample } from '../../src/statistics/label-sample.ts'
import { vectorMoments } from '../../src/statistics/vector-moments.ts'
import { seed } from './rows.ts'

async function summaryOf<S>(
  s: Statistic<unknown, S>,
  batches: readonly Batch[],
  summaries: Readonly<Record<string, unknown>> = {},
): Promise<S> {
  const c: Context = { options: null, seed, summaries: { get: <T>(id: string) => summaries[id] as T } }
  const state = s.init(c)
  for (const batch of batches) await s.update(c, state, batch)
  await s.seal?.(c, state)
  return s.finish(c, state)
}

const rowsFrom = (count: number): Uint32Array => Uint32Array.from({ length: count }, (_, i) => i)
const coded = (names: readonly (string | null)[]) => {
  const values = [...new Set(names.filter((n) => n !== null))]
  return { codes: Int32Array.from(names, (n) => (n === null ? -1 : values.indexOf(n))), values }
}
const predicted = (labels: readonly (string | null)[], predictions: readonly (readonly number[])[]): Batch =>
  makeBatch({
    row: rowsFrom(labels.length),
    label: coded(labels),
    predictions: { data: Float64Array.from(predictions.flat()), rows: labels.length, dims: predictions[0]?.length ?? 0 },
  })

describe('confident learning', () => {
  // thresholds, counts, calibrated: cleanlab 2.9.0, get_confident_thresholds, compute_confident_joint, calibrate_confident_joint
  const cases = [
    {
      name: 'three classes',
      labels: [2, 0, 0, 0, 0, 2, 2, 1, 0, 0, 0, 1, 1, 1, 0, 0, 2, 2, 0, 0, 1, 1, 2, 1],
      predictions: [
        [0.2, 0.2, 0.6],
        [0.562, 0.062, 0.375],
        [0.4, 0.32, 0.28],
        [0.462, 0.154, 0.385],
        [0.409, 0.273, 0.318],
        [0.143, 0.571, 0.286],
        [0, 0.4, 0.6],
        [0.222, 0.556, 0.222],
        [0.235, 0.471, 0.294],
        [0.6, 0.133, 0.267],
        [0.333, 0.4, 0.267],
        [0, 0.5, 0.5],
        [0.308, 0.538, 0.154],
        [0, 0.643, 0.357],
        [0.333, 0.333, 0.333],
        [0.333, 0.333, 0.333],
        [0.167, 0.167, 0.667],
        [0.333, 0.111, 0.556],
        [0.692, 0.077, 0.231],
        [0.478, 0.304, 0.217],
        [0, 0.833, 0.167],
        [0.318, 0.545, 0.136],
        [0.4, 0.3, 0.3],
        [0.5, 0.5, 0],
      ],
      thresholds: [0.4397272727272727, 0.5878571428571429, 0.5015],
      counts: [5, 0, 0, 1, 2, 0, 0, 0, 4],
      calibrated: [11, 0, 0, 2, 5, 0, 0, 0, 6],
    },
    {
      name: 'several classes reach their threshold, the best are equal',
      labels: [0, 0, 1, 1, 2, 2],
      predictions: [
        [0.4, 0.4, 0.2],
        [0.3, 0.3, 0.4],
        [0.4, 0.4, 0.2],
        [0.2, 0.6, 0.2],
        [0.2, 0.2, 0.6],
        [0.5, 0.3, 0.2],
      ],
      thresholds: [0.35, 0.5, 0.4],
      counts: [1, 0, 1, 1, 1, 0, 1, 0, 1],
      calibrated: [1, 0, 1, 1, 1, 0, 1, 0, 1],
    },
    {
      name: 'a class that no label names is never guessed',
      labels: [0, 0, 2, 2, 2],
      predictions: [
        [0.7, 0.2, 0.1],
        [0, 1, 0],
        [0.1, 0.1, 0.8],
        [0, 0.9, 0.1],
        [0.2, 0.1, 0.7],
      ],
      thresholds: [0.35, 2, 0.5333333333333333],
      counts: [1, 0, 0, 0, 1, 0, 0, 0, 2],
      calibrated: [2, 0, 0, 0, 0, 0, 0, 0, 3],
    },
    {
      name: 'halves are rounded so that rows keep their totals',
      labels: [0, 1],
      predictions: [
        [0.1, 0.9],
        [0.9, 0.1],
      ],
      thresholds: [0.1, 0.1],
      counts: [1, 1, 1, 1],
      calibrated: [0, 1, 0, 1],
    },
  ]
  const own = { classes: null }

  test.each(cases)('$name', async ({ labels, predictions, thresholds, counts, calibrated }) => {
    const batch = predicted(labels.map(String), predictions)
    const before = await summaryOf<ClassThresholds>(classThresholds(own), [batch])
    thresholds.forEach((t, j) => {
      expect(before.thresholds[j]).toBeCloseTo(t, 14)
    })
    const joint = await summaryOf(confidentJoint(own), [batch], { [classThresholds(own).id]: before })
    expect([...joint.counts]).toEqual(counts)
    expect([...joint.calibrated]).toEqual(calibrated)
  })

  test('class names in the order of the columns, records without a label, what are no probabilities', async () => {
    const batch = predicted(
      ['dog', null, 'cat', 'cat'],
      [
        [0.9, 0.1],
        [0.4, 0.4],
        [-0.1, 1.1],
        [0.2, 0.8],
      ],
    )
    const { counts, thresholds, notProbabilities, classes } = await summaryOf(classThresholds({ classes: ['dog', 'cat'] }), [batch])
    expect([...classes, ...counts, ...thresholds]).toEqual(['dog', 'cat', 1, 2, 0.9, (1.1 + 0.8) / 2])
    expect(notProbabilities).toBe(2)
  })

  test.each([
    [{ classes: ['dog', 'cat'] }, ['dog', 'bird'], 'the label "bird" is none of the declared classes'],
    [{ classes: ['dog', 'cat', 'bird'] }, ['dog', 'bird'], '`classes` names 3 classes, the predictions have 2 columns'],
    [{ classes: null }, ['0', '2'], 'the label "2" is not the number of one of the 2 prediction columns'],
    [{ classes: null }, ['0', 'dog'], 'the label "dog" is not the number of one of the 2 prediction columns'],
  ])('%j with labels %j is refused', async (options, labels, message) => {
    await expect(
      summaryOf(classThresholds(options), [
        predicted(labels, [
          [0.5, 0.5],
          [0.5, 0.5],
        ]),
      ]),
    ).rejects.toThrow(message)
  })

  test('batches with different numbers of columns are refused', async () => {
    const batches = [predicted(['0'], [[0.5, 0.5]]), predicted(['0'], [[0.5, 0.3, 0.2]])]
    await expect(summaryOf(classThresholds(own), batches)).rejects.toThrow('predictions of 2 and of 3 columns in one data set')
  })
})

describe('census', () => {
  const census = labelCensus({ over: 'subject' })

  test('counts labels and sources, whatever they are called', async () => {
    const batch = makeBatch({
      row: rowsFrom(5),
      label: coded(['b', '__proto__', 'b', null, '10']),
      source: coded(['x', 'x', null, 'constructor', 'x']),
    })
    const { labels, labelCounts, sources, sourceCounts, unlabelled } = await summaryOf(census, [batch, batch])
    expect(labels).toEqual(['10', '__proto__', 'b'])
    expect([...labelCounts, unlabelled]).toEqual([2, 2, 4, 2])
    expect(sources).toEqual(['constructor', 'x'])
    expect([...sourceCounts]).toEqual([2, 6])
  })

  test('ten thousand labels are the most', async () => {
    const many = (count: number) => makeBatch({ row: rowsFrom(count), label: coded(Array.from({ length: count }, (_, i) => `label ${i}`)) })
    expect((await summaryOf(census, [many(10_000)])).labels).toHaveLength(10_000)
    await expect(summaryOf(census, [many(10_001)])).rejects.toThrow('the label column has more than 10000 different values')
  })
})

describe('moments', () => {
  test('mean, variance and covariance, missing values replaced by the mean', async () => {
    const [n, d] = [40, 3]
    const random = keyed(seed, 'moments')
    const data = random.normals(n * d).map((v, i) => (random.below(6) === 0 ? Number.NaN : v + 10 * (i % d)))
    const batch = (from: number, to: number) =>
      makeBatch({
        row: rowsFrom(to - from),
        features: { data: data.slice(from * d, to * d), rows: to - from, dims: d, names: ['a', 'b', 'c'] },
      })
    const moments = await summaryOf(vectorMoments({ over: 'subject', directDims: 1 }), [batch(0, 7), batch(7, n)])
    const column = (j: number) => Array.from({ length: n }, (_, i) => data[i * d + j] as number)
    const means = [0, 1, 2].map((j) => {
      const present = column(j).filter((v) => !Number.isNaN(v))
      return present.reduce((sum, v) => sum + v, 0) / present.length
    })
    const filled = [0, 1, 2].map((j) => column(j).map((v) => (Number.isNaN(v) ? 0 : v - (means[j] as number))))
    for (let i = 0; i < d; i++) {
      expect(moments.mean[i]).toBeCloseTo(means[i] as number, 12)
      for (let j = 0; j < d; j++) {
        const expected = (filled[i] as number[]).reduce((sum, v, r) => sum + v * (filled[j]?.[r] as number), 0) / n
        expect(moments.covariance?.[i * d + j]).toBeCloseTo(expected, 10)
      }
    }
    expect(moments.rows).toBe(n)
  })

  test('vectors of two sizes are refused', async () => {
    const batch = (dims: number) => makeBatch({ row: rowsFrom(1), embedding: { data: new Float32Array(dims), rows: 1, dims } })
    await expect(summaryOf(vectorMoments({ over: 'subject', directDims: 1 }), [batch(2), batch(3)])).rejects.toThrow(
      'vectors of 2 and of 3 values in one data set',
    )
    await expect(summaryOf(vectorMoments({ over: 'subject', directDims: 1 }), [batch(5000)])).rejects.toThrow('at most 4096 are supported')
  })
})

describe('sample', () => {
  test.each([1, 13, 100, 250])('holds the smallest keys, read in batches of %d', async (size) => {
    const n = 250
    const random = keyed(seed, 'sample')
    const data = Float32Array.from(random.normals(n * 2))
    const batches: Batch[] = []
    for (let from = 0; from < n; from += size) {
      const rows = Math.min(size, n - from)
      batches.push(
        addKeys(
          makeBatch({
            row: rowsFrom(rows),
            label: { codes: Int32Array.from({ length: rows }, (_, i) => (from + i) % 3), values: ['a', 'b', 'c'] },
            embedding: { data: data.slice(from * 2, (from + rows) * 2), rows, dims: 2 },
          }),
          seed,
        ),
      )
    }
    const sample = await summaryOf(labelSample({ size: 20, folds: 5, over: 'subject' }), batches)
    const whole = addKeys(makeBatch({ row: rowsFrom(n), embedding: { data, rows: n, dims: 2 } }), seed)
    const keys = whole.getChild('key' as never)?.data[0]?.values as Uint8Array
    const expected = [...rowsFrom(n)].sort((a, b) => compareDigests(keys, a * 16, keys, b * 16)).slice(0, 20)
    expect(sample.rows).toBe(20)
    expect([...sample.vectors]).toEqual(expected.flatMap((i) => [data[2 * i], data[2 * i + 1]]))
    expect(Array.from(sample.labels, (l) => sample.classes[l])).toEqual(expected.map((i) => 'abc'[i % 3]))
  })
})
