/** Least members of a part. */
const leastPart = 6
/** Distance of the means of two parts, in their standard deviations: halves of one normal population have 2.7. */
const leastDistance = 5
const rounds = 8

/**
 * Carriers of one template may be those of two triggers. Two means are sought in every second carrier; where the others fall apart along
 * the line between them, 1 marks the carriers of the second part. Null for one population.
 *
 * @param data [rows, dims]
 */
export function splitCarriers(data: Float32Array, rows: number, dims: number): Uint8Array | null {
  if (rows < 4 * leastPart) return null
  const even = Array.from({ length: rows }, (_, r) => r).filter((r) => r % 2 === 0)
  const odd = Array.from({ length: rows }, (_, r) => r).filter((r) => r % 2 === 1)
  const coordinate = mostVaried(data, dims, even)
  const middle = even.map((r) => data[r * dims + coordinate] as number).reduce((a, b) => a + b, 0) / even.length
  let side = even.map((r) => Number((data[r * dims + coordinate] as number) > middle))
  let line: Line | null = null
  for (let round = 0; round < rounds; round++) {
    line = between(
      data,
      dims,
      even.filter((_, i) => side[i] === 0),
      even.filter((_, i) => side[i] === 1),
    )
    if (!line) return null
    const next = even.map((r) => Number(along(data, dims, r, line as Line) > 0))
    if (next.every((s, i) => s === side[i])) break
    side = next
  }
  const fresh = odd.map((r) => along(data, dims, r, line as Line))
  const parts = [fresh.filter((v) => v <= 0), fresh.filter((v) => v > 0)] as const
  if (parts.some((p) => p.length < leastPart / 2)) return null
  const [a, b] = parts.map(momentsOf) as [Moments, Moments]
  const spread = Math.sqrt((a.squares + b.squares) / fresh.length)
  if (b.mean - a.mean < leastDistance * spread) return null
  const out = Uint8Array.from({ length: rows }, (_, r) => Number(along(data, dims, r, line as Line) > 0))
  const second = out.reduce((x, y) => x + y, 0)
  return Math.min(second, rows - second) >= leastPart ? out : null
}

interface Line {
  readonly direction: Float64Array
  readonly middle: number
}

function between(data: Float32Array, dims: number, first: readonly number[], second: readonly number[]): Line | null {
  if (Math.min(first.length, second.length) < leastPart / 2) return null
  const [a, b] = [first, second].map((rows) => {
    const mean = new Float64Array(dims)
    for (const r of rows) for (let j = 0; j < dims; j++) mean[j] = (mean[j] as number) + (data[r * dims + j] as number) / rows.length
    return mean
  }) as [Float64Array, Float64Array]
  const direction = b.map((v, j) => v - (a[j] as number))
  let middle = 0
  for (let j = 0; j < dims; j++) middle += ((direction[j] as number) * ((a[j] as number) + (b[j] as number))) / 2
  return { direction, middle }
}

function along(data: Float32Array, dims: number, r: number, { direction, middle }: Line): number {
  let sum = -middle
  for (let j = 0; j < dims; j++) sum += (data[r * dims + j] as number) * (direction[j] as number)
  return sum
}

interface Moments {
  readonly mean: number
  /** Sum of squared distances from the mean. */
  readonly squares: number
}

function momentsOf(values: readonly number[]): Moments {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return { mean, squares: values.reduce((sum, v) => sum + (v - mean) ** 2, 0) }
}

function mostVaried(data: Float32Array, dims: number, rows: readonly number[]): number {
  let best = 0
  let most = -1
  for (let j = 0; j < dims; j++) {
    const { squares } = momentsOf(rows.map((r) => data[r * dims + j] as number))
    if (squares > most) [best, most] = [j, squares]
  }
  return best
}
