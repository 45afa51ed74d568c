import { topK } from '../../math/neighbours.ts'
import { keyed } from '../../math/rng.ts'

const rounds = 5

/**
 * Centres by Lloyd's algorithm (1982) from rows drawn by the seed; a centre that loses all its rows stays where it was.
 * @param vectors [n, dims], n at least `count`
 * @returns [count, dims]
 */
export async function kMeans(vectors: Float32Array, dims: number, count: number, seed: Uint8Array): Promise<Float32Array> {
  const rows = vectors.length / dims
  const centres = new Float32Array(count * dims)
  keyed(seed, 'k-means')
    .permutation(rows)
    .subarray(0, count)
    .forEach((row, i) => {
      centres.set(vectors.subarray(row * dims, (row + 1) * dims), i * dims)
    })
  for (let round = 0; round < rounds; round++) {
    const { indices } = await topK({ data: vectors, rows, dims }, { data: centres, rows: count, dims }, 1, 'euclidean')
    const sums = new Float64Array(count * dims)
    const sizes = new Uint32Array(count)
    for (let i = 0; i < rows; i++) {
      const cell = indices[i] as number
      sizes[cell] = (sizes[cell] as number) + 1
      for (let c = 0; c < dims; c++) sums[cell * dims + c] = (sums[cell * dims + c] as number) + (vectors[i * dims + c] as number)
    }
    for (let cell = 0; cell < count; cell++) {
      const size = sizes[cell] as number
      if (size > 0) for (let c = 0; c < dims; c++) centres[cell * dims + c] = (sums[cell * dims + c] as number) / size
    }
  }
  return centres
}
