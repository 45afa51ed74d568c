const matrices = new Map<number, Float64Array>()
const maxMatrices = 64

/** n x n: rows are the orthonormal DCT-II's cosines. */
function cosines(n: number): Float64Array {
  let found = matrices.get(n)
  if (!found) {
    found = Float64Array.from({ length: n * n }, (_, i) => {
      const u = Math.floor(i / n)
      return Math.sqrt((u === 0 ? 1 : 2) / n) * Math.cos((Math.PI * (2 * (i % n) + 1) * u) / (2 * n))
    })
    if (matrices.size >= maxMatrices) matrices.clear()
    matrices.set(n, found)
  }
  return found
}

/** The orthonormal two-dimensional DCT-II of an n x n block, row-major; `half` is room for n x n numbers. */
export function dct2(block: Float64Array, n: number, into: Float64Array, half: Float64Array): void {
  const c = cosines(n)
  for (let y = 0; y < n; y++)
    for (let v = 0; v < n; v++) {
      let sum = 0
      for (let x = 0; x < n; x++) sum += (block[y * n + x] as number) * (c[v * n + x] as number)
      half[v * n + y] = sum
    }
  for (let u = 0; u < n; u++)
    for (let v = 0; v < n; v++) {
      let sum = 0
      for (let y = 0; y < n; y++) sum += (c[u * n + y] as number) * (half[v * n + y] as number)
      into[u * n + v] = sum
    }
}
