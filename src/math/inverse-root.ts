import { requireLength } from './errors.ts'
import { gemm32, matrix32 } from './gemm32.ts'

const maxRounds = 40
const tolerance = 1e-3

/**
 * The symmetric inverse square root of `a` [n, n], symmetric with eigenvalues of at least 1e-6 times the largest, in f32: coupled
 * Newton-Schulz iteration (Higham 2008, section 6.7), products alone. Throws MathError `bad-shape`.
 */
export async function inverseRoot(a: Float32Array, n: number): Promise<Float32Array> {
  requireLength('a', a.length, n * n)
  const scale = largestRowSum(a, n)
  let y: Float32Array = a.map((v) => v / scale)
  let z: Float32Array = new Float32Array(n * n)
  for (let i = 0; i < n; i++) z[i * n + i] = 1
  const product = async (p: Float32Array, q: Float32Array): Promise<Float32Array> =>
    (await gemm32(matrix32(p, n, n), matrix32(q, n, n))).data
  for (let round = 0; round < maxRounds; round++) {
    const step = await product(z, y)
    let off = 0
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) step[i * n + j] = -0.5 * (step[i * n + j] as number)
      step[i * n + i] = 1.5 + (step[i * n + i] as number)
      off = Math.max(off, Math.abs(1 - (step[i * n + i] as number)))
    }
    y = await product(y, step)
    z = await product(step, z)
    if (off < tolerance) break
  }
  const root = Math.sqrt(scale)
  return z.map((v) => v / root)
}

/** At least the largest eigenvalue. */
function largestRowSum(a: Float32Array, n: number): number {
  let most = 0
  for (let i = 0; i < n; i++) {
    let sum = 0
    for (let j = 0; j < n; j++) sum += Math.abs(a[i * n + j] as number)
    most = Math.max(most, sum)
  }
  return most
}
