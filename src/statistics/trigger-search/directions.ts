import { gemm32, type Matrix32, matrix32 } from '../../math/gemm32.ts'
import type { Random } from '../../math/rng.ts'

const oversampling = 4
const rounds = 12

/**
 * About the `count` directions in which rows vary most, [count, dims], largest first: orthogonal iteration from random directions. They are
 * starting points of a search and need not be exact: whitened rows vary about as much in many directions, where an exact method is slow.
 */
export async function mainDirections(x: Matrix32, count: number, random: Random): Promise<Float32Array> {
  const { dims } = x
  const width = Math.min(dims, count + oversampling)
  let rows = Float32Array.from(random.normals(width * dims))
  for (let round = 0; round < rounds; round++) {
    orthonormalise(rows, width, dims)
    const along = await gemm32(x, matrix32(rows, width, dims), { transB: true })
    rows = Float32Array.from((await gemm32(along, x, { transA: true })).data)
  }
  orthonormalise(rows, width, dims)
  return rows.slice(0, Math.min(count, width) * dims)
}

/** Rows in place, by modified Gram-Schmidt. */
function orthonormalise(rows: Float32Array, width: number, dims: number): void {
  const row = (i: number): Float32Array => rows.subarray(i * dims, (i + 1) * dims)
  for (let i = 0; i < width; i++) {
    const a = row(i)
    for (let j = 0; j < i; j++) {
      const b = row(j)
      let dot = 0
      for (let k = 0; k < dims; k++) dot += (a[k] as number) * (b[k] as number)
      for (let k = 0; k < dims; k++) a[k] = (a[k] as number) - dot * (b[k] as number)
    }
    let norm = 0
    for (let k = 0; k < dims; k++) norm += (a[k] as number) ** 2
    const scale = norm > 0 ? 1 / Math.sqrt(norm) : 0
    for (let k = 0; k < dims; k++) a[k] = (a[k] as number) * scale
  }
}
