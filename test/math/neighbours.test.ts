import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { setKernelThreads } from '../../src/math/kernels.ts'
import { type Metric, neighbourIndex, topK } from '../../src/math/neighbours.ts'
import { keyed } from '../../src/math/rng.ts'

interface Rows {
  readonly data: Float32Array
  readonly rows: number
  readonly dims: number
}

const random = keyed(new Uint8Array(16), 'neighbours')
const rowsOf = (rows: number, dims: number, value: (i: number, c: number) => number): Rows => ({
  data: Float32Array.from({ length: rows * dims }, (_, at) => value(Math.floor(at / dims), at % dims)),
  rows,
  dims,
})
const normals = (rows: number, dims: number): Rows => ({ data: Float32Array.from(random.normals(rows * dims)), rows, dims })
const some = (m: Rows, from: number, to: number): Rows => ({ ...m, data: m.data.slice(from * m.dims, to * m.dims), rows: to - from })

/** Rows by their exact distance, equal ones by number; the vectors of the cosine are rounded to f32 as those of the search are. */
function naive(q: Rows, i: number, r: Rows, metric: Metric): { row: number; distance: number }[] {
  const vector = (m: Rows, at: number): Float32Array => {
    const v = m.data.subarray(at * m.dims, (at + 1) * m.dims)
    if (metric === 'euclidean') return v
    const norm = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0))
    return v.map((x) => (norm > 0 ? x * (1 / norm) : 0))
  }
  const a = vector(q, i)
  const distance = (b: Float32Array): number =>
    metric === 'euclidean'
      ? Math.sqrt(a.reduce((sum, x, c) => sum + (x - (b[c] as number)) ** 2, 0))
      : Math.min(2, Math.max(0, 1 - a.reduce((sum, x, c) => sum + x * (b[c] as number), 0)))
  return Array.from({ length: r.rows }, (_, row) => ({ row, distance: distance(vector(r, row)) })).sort(
    (x, y) => x.distance - y.distance || x.row - y.row,
  )
}

/** Distances are those of the naive search to the last bits, and rows too where the distances differ by more than rounding. */
async function expectExact(q: Rows, r: Rows, k: number, metric: Metric, queries: readonly number[], rounding = 1e-13): Promise<void> {
  const found = await topK(q, r, k, metric)
  expect(found.k).toBe(Math.min(k, r.rows))
  for (const i of queries) {
    const expected = naive(q, i, r, metric)
    for (let j = 0; j < found.k; j++) {
      const [at, own] = [i * found.k + j, expected[j] as { row: number; distance: number }]
      const scale = Math.max(1, own.distance)
      expect(Math.abs((found.distances[at] as number) - own.distance)).toBeLessThanOrEqual(rounding * scale)
      const gap = Math.min(
        own.distance - (expected[j - 1]?.distance ?? -1),
        (expected[j + 1]?.distance ?? Number.POSITIVE_INFINITY) - own.distance,
      )
      if (gap > 2 * rounding * scale) expect(found.indices[at]).toBe(own.row)
    }
  }
}

const metrics = ['cosine', 'euclidean'] as const
const coded = 9000
const first = [0, 2, 4, 11, 25, 39]

afterEach(() => setKernelThreads(1))

describe('few rows', () => {
  test.each(metrics)('%s: any shape', async (metric) => {
    const size = fc.integer({ min: 1, max: 40 })
    await fc.assert(
      fc.asyncProperty(size, size, fc.integer({ min: 1, max: 9 }), size, async (n, m, dims, k) => {
        await expectExact(normals(n, dims), normals(m, dims), k, metric, [0, n - 1], 1e-5)
      }),
      { numRuns: 30 },
    )
  })

  test('fewer rows than k, equal rows by index, zero vectors', async () => {
    const r = { data: Float32Array.of(1, 0, 1, 0, 0, 0), rows: 3, dims: 2 }
    const found = await topK({ data: Float32Array.of(2, 0), rows: 1, dims: 2 }, r, 9, 'cosine')
    expect([found.k, ...found.indices, ...found.distances]).toEqual([3, 0, 1, 2, 0, 0, 1])
    expect((await topK(r, { data: new Float32Array(0), rows: 0, dims: 2 }, 2, 'cosine')).k).toBe(0)
    expect((await topK({ data: new Float32Array(0), rows: 0, dims: 2 }, r, 2, 'cosine')).indices).toHaveLength(0)
  })

  test('what does not fit is refused', async () => {
    await expect(topK(normals(2, 3), normals(2, 4), 1, 'cosine')).rejects.toThrow('queries of 3 values, reference of 4')
    await expect(topK(normals(2, 3), normals(2, 3), 0, 'cosine')).rejects.toThrow('k must be a positive integer')
  })
})

describe.each(metrics)('%s, in codes', (metric) => {
  const cases: Readonly<Record<string, (dims: number) => Rows>> = {
    'normal noise': (dims) => normals(coded, dims),
    'uniform noise': (dims) => rowsOf(coded, dims, () => random.uniform()),
    'clusters with decaying spectra': (dims) => {
      const centres = normals(10, dims)
      const noise = normals(coded, dims)
      return rowsOf(
        coded,
        dims,
        (i, c) => ((noise.data[i * dims + c] as number) + 3 * (centres.data[(i % 10) * dims + c] as number)) / Math.sqrt(1 + c),
      )
    },
    'tight copies of one row, among noise': (dims) => {
      const noise = normals(coded, dims)
      return rowsOf(coded, dims, (i, c) => (noise.data[i * dims + c] as number) * (i % 4 === 0 ? 1e-4 : 1))
    },
    'norms over twelve orders of magnitude': (dims) => {
      const noise = normals(coded, dims)
      return rowsOf(coded, dims, (i, c) => (noise.data[i * dims + c] as number) * 10 ** ((i % 25) / 2 - 6))
    },
    'far from the origin': (dims) => {
      const noise = normals(coded, dims)
      return rowsOf(coded, dims, (i, c) => 1000 + (noise.data[i * dims + c] as number))
    },
    'few coordinates that are not zero': (dims) => rowsOf(coded, dims, () => (random.uniform() < 0.05 ? random.uniform() : 0)),
    'a row of zeros in three': (dims) => {
      const noise = normals(coded, dims)
      return rowsOf(coded, dims, (i, c) => (i % 3 === 0 ? 0 : (noise.data[i * dims + c] as number)))
    },
  }

  test.each(Object.keys(cases))('%s', async (name) => {
    for (const dims of [3, 65]) {
      const r = (cases[name] as (dims: number) => Rows)(dims)
      await expectExact(some(r, 0, 40), r, 17, metric, first, 1e-12)
    }
  })
})

describe('many rows', () => {
  test('thousands of equal rows come in the order of their numbers', async () => {
    const noise = normals(coded, 8)
    const r = rowsOf(coded, 8, (i, c) => (i % 2 === 0 ? c : (noise.data[i * 8 + c] as number)))
    const found = await topK(some(r, 0, 3), r, 6, 'euclidean')
    for (const i of [0, 2]) expect([...found.indices.subarray(i * 6, i * 6 + 6)]).toEqual([0, 2, 4, 6, 8, 10])
    const same = await topK(
      some(r, 0, 2),
      rowsOf(coded, 8, () => 1),
      4,
      'euclidean',
    )
    expect([...same.indices]).toEqual([0, 1, 2, 3, 0, 1, 2, 3])
  })

  test('all distances equal: unit vectors along the axes', async () => {
    const r = rowsOf(coded, 300, (i, c) => (i % 300 === c ? 1 : 0))
    const found = await topK(some(r, 5, 7), r, 4, 'euclidean')
    expect([...found.indices]).toEqual([5, 305, 605, 905, 6, 306, 606, 906])
  })

  test('more neighbours than the codes serve', async () => {
    const r = normals(coded, 6)
    await expectExact(some(r, 0, 4), r, 300, 'euclidean', [0, 3], 1e-5)
  })

  test('a query beyond the range of f32 products', async () => {
    const r = normals(coded, 6)
    const found = await topK(
      rowsOf(2, 6, (i) => (i === 0 ? 1e14 : 0)),
      r,
      3,
      'euclidean',
    )
    expect(found.distances[0]).toBeGreaterThan(1e14)
    expect([...found.indices.subarray(3)]).toEqual([
      ...(
        await topK(
          rowsOf(1, 6, () => 0),
          r,
          3,
          'euclidean',
        )
      ).indices,
    ])
  })

  test.each(metrics)('%s: no result depends on the queries beside it, the threads, or other calls', async (metric) => {
    const centres = normals(5, 20)
    const noise = normals(coded, 20)
    const r = rowsOf(coded, 20, (i, c) =>
      i % 4 === 0 ? (centres.data[c] as number) : (noise.data[i * 20 + c] as number) + (centres.data[(i % 5) * 20 + c] as number),
    )
    const q = some(r, 0, 60)
    const index = neighbourIndex(r, metric)
    const [whole, again] = await Promise.all([index.topK(q, 9), index.topK(q, 9)])
    expect(again).toEqual(whole)
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [7, 60],
    ] as const) {
      const part = await index.topK(some(q, from, to), 9)
      expect(part.indices).toEqual(whole.indices.subarray(from * 9, to * 9))
      expect(part.distances).toEqual(whole.distances.subarray(from * 9, to * 9))
    }
    setKernelThreads(2)
    expect(await topK(q, r, 9, metric)).toEqual(whole)
  })
})
