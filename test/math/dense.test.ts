import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { topEigen } from '../../src/math/eigen.ts'
import { gemm32, matrix32 } from '../../src/math/gemm32.ts'
import { inverseRoot } from '../../src/math/inverse-root.ts'
import { addGram, gemm, gram, gramSums, type Matrix64, randomFourier, setKernelThreads, symmetrise } from '../../src/math/kernels.ts'
import { keyed } from '../../src/math/rng.ts'
import { cholesky, solve, solveCholesky } from '../../src/math/solve.ts'

const random = (domain: string) => keyed(new Uint8Array(16), domain)
const normals = (rows: number, dims: number, domain: string): Matrix64 => ({ data: random(domain).normals(rows * dims), rows, dims })
const at = (m: Matrix64, i: number, j: number): number => m.data[i * m.dims + j] as number
const worst = (a: Float64Array, b: ArrayLike<number>): number => a.reduce((m, v, i) => Math.max(m, Math.abs(v - (b[i] as number))), 0)

function naive(a: Matrix64, b: Matrix64, transA: boolean, transB: boolean): Float64Array {
  const [m, k, n] = [transA ? a.dims : a.rows, transA ? a.rows : a.dims, transB ? b.rows : b.dims]
  const out = new Float64Array(m * n)
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let c = 0; c < k; c++)
        out[i * n + j] = (out[i * n + j] as number) + (transA ? at(a, c, i) : at(a, i, c)) * (transB ? at(b, j, c) : at(b, c, j))
  return out
}

afterEach(() => setKernelThreads(1))

describe('products', () => {
  test('gemm, every transposition', async () => {
    const size = fc.integer({ min: 0, max: 12 })
    await fc.assert(
      fc.asyncProperty(size, size, size, fc.boolean(), fc.boolean(), async (m, k, n, transA, transB) => {
        const a = normals(transA ? k : m, transA ? m : k, 'a')
        const b = normals(transB ? n : k, transB ? k : n, 'b')
        const y = await gemm(a, b, { transA, transB })
        expect([y.rows, y.dims]).toEqual([m, n])
        expect(worst(y.data, naive(a, b, transA, transB))).toBeLessThan(1e-12)
      }),
      { numRuns: 40 },
    )
  })

  test('shapes that do not fit are refused', async () => {
    await expect(gemm(normals(2, 3, 'a'), normals(2, 3, 'b'))).rejects.toThrow('gemm of [2, 3] with [2, 3]')
    await expect(gram(normals(2, 3, 'a'), normals(3, 1, 'y'))).rejects.toThrow('targets [3, 1] where [2, 1] were expected')
  })

  test.each([1, 5, 256, 257, 600])('Gram matrix and cross product of %d columns', async (dims) => {
    const z = normals(40, dims, 'z')
    const y = normals(40, 3, 'y')
    const { gram: g, cross } = await gram(z, y)
    expect(worst(g.data, naive(z, z, true, false))).toBeLessThan(1e-11)
    expect(worst(cross?.data as Float64Array, naive(z, y, true, false))).toBeLessThan(1e-11)
  })

  test('random Fourier features, fused with an intercept or not, agree with Math.cos', async () => {
    const x = normals(70, 9, 'x')
    const y = normals(70, 2, 'y')
    const features = 300
    const f = { w: random('w').normals(9 * features), b: random('b').normals(features) }
    const expected = new Float64Array(70 * (features + 1))
    for (let i = 0; i < 70; i++) {
      for (let j = 0; j < features; j++) {
        let phase = f.b[j] as number
        for (let c = 0; c < 9; c++) phase += at(x, i, c) * (f.w[c * features + j] as number)
        expected[i * (features + 1) + j] = Math.sqrt(2 / features) * Math.cos(phase)
      }
      expected[i * (features + 1) + features] = 1
    }
    const z = await randomFourier(x, f)
    for (let i = 0; i < 70; i++)
      expect(worst(z.data.subarray(i * features, (i + 1) * features), expected.subarray(i * (features + 1)))).toBeLessThan(1e-6)
    const sums = gramSums(features, 2, true)
    const half = (m: Matrix64, from: number, to: number): Matrix64 => ({
      data: m.data.subarray(from * m.dims, to * m.dims),
      rows: to - from,
      dims: m.dims,
    })
    await addGram(sums, half(x, 0, 30), half(y, 0, 30), f)
    await addGram(sums, half(x, 30, 70), half(y, 30, 70), f)
    symmetrise(sums.gram, sums.q)
    const full = { data: expected, rows: 70, dims: features + 1 }
    expect(worst(sums.gram, naive(full, full, true, false))).toBeLessThan(1e-5)
    expect(worst(sums.cross, naive(full, y, true, false))).toBeLessThan(1e-5)
    expect(sums.gram.at(-1)).toBe(70)
  })

  test('a row does not depend on the rows beside it, nor anything on the number of threads', async () => {
    const x = normals(513, 33, 'x')
    const f = { w: random('w').normals(33 * 130), b: random('b').normals(130) }
    const all = await randomFourier(x, f)
    for (const row of [0, 255, 512]) {
      const one = await randomFourier({ data: x.data.slice(row * 33, (row + 1) * 33), rows: 1, dims: 33 }, f)
      expect(one.data).toEqual(all.data.slice(row * 130, (row + 1) * 130))
    }
    const g = await gram(x)
    setKernelThreads(2)
    expect((await randomFourier(x, f)).data).toEqual(all.data)
    expect((await gram(x)).gram.data).toEqual(g.gram.data)
  })
})

describe('solving', () => {
  test.each([1, 2, 63, 64, 65, 200])('%d equations', async (n) => {
    const z = normals(n + 5, n, 'z')
    const g = (await gram(z)).gram.data
    const diagonal = Float64Array.from({ length: n }, (_, i) => 0.1 + i)
    const b = random('rhs').normals(n * 3)
    const x = await solve(g, n, b, 3, diagonal)
    const shifted = Float64Array.from(g)
    for (let i = 0; i < n; i++) shifted[i * n + i] = (shifted[i * n + i] as number) + (diagonal[i] as number)
    const back = await gemm({ data: shifted, rows: n, dims: n }, { data: x, rows: n, dims: 3 })
    expect(worst(back.data, b)).toBeLessThan(1e-9)
    const factor = await cholesky(shifted, n)
    expect(worst(await solveCholesky(factor, b, 3), x)).toBeLessThan(1e-10)
  })

  test('a matrix that is not positive definite is refused, with its row', async () => {
    await expect(cholesky(Float64Array.of(1, 2, 2, 1), 2)).rejects.toThrow('not positive definite at row 1')
    await expect(cholesky(new Float64Array(70 * 70).fill(1), 70)).rejects.toThrow('not positive definite at row 1')
    await expect(cholesky(Float64Array.of(Number.NaN), 1)).rejects.toThrow('not positive definite at row 0')
  })
})

describe('eigenpairs', () => {
  test.each([
    [1, 1],
    [30, 30],
    [300, 6],
    [400, 3],
  ])('the largest of %d rows', async (n, k) => {
    const z = normals(2 * n, n, 'z')
    for (let i = 0; i < z.data.length; i++) z.data[i] = (z.data[i] as number) / (1 + (i % n))
    const g = (await gram(z)).gram
    const { values, vectors } = await topEigen(g.data, n, k)
    const v = { data: vectors, rows: n, dims: k }
    const image = await gemm(g, v)
    for (let j = 0; j < k; j++) {
      let norm = 0
      let peak = 0
      for (let i = 0; i < n; i++) {
        expect(Math.abs(at(image, i, j) - (values[j] as number) * at(v, i, j))).toBeLessThan(1e-7 * (values[0] as number))
        norm += at(v, i, j) ** 2
        if (Math.abs(at(v, i, j)) > Math.abs(peak)) peak = at(v, i, j)
      }
      expect(norm).toBeCloseTo(1, 9)
      expect(peak).toBeGreaterThan(0)
      if (j > 0) expect(values[j]).toBeLessThanOrEqual(values[j - 1] as number)
    }
  })

  test('rank below k', async () => {
    const n = 250
    const g = new Float64Array(n * n).fill(1)
    const { values } = await topEigen(g, n, 3)
    expect(values[0]).toBeCloseTo(n, 8)
    expect(Math.abs(values[1] as number)).toBeLessThan(1e-6)
  })
})

test.each([1, 7, 60])('the inverse root of a covariance of %i dimensions, variances from 16 to a million, whitens it', async (n) => {
  const half = matrix32(
    Float32Array.from(random('inverse root').normals(n * n), (v, i) => (v * 1000) / (1 + (i % n)) ** 2),
    n,
    n,
  )
  const a = (await gemm32(half, half, { transA: true })).data
  for (let i = 0; i < n; i++) a[i * n + i] = (a[i * n + i] as number) + 16
  const root = await inverseRoot(a, n)
  const white = (await gemm32(await gemm32(matrix32(root, n, n), matrix32(a, n, n)), matrix32(root, n, n))).data
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) {
      expect(white[i * n + j]).toBeCloseTo(i === j ? 1 : 0, 2)
      expect(root[i * n + j]).toBeCloseTo(root[j * n + i] as number, 3)
    }
})
