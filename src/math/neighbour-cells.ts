const sampled = 256
const iterations = 4

/**
 * The rows of `data` [n, dims] in `parts` cells of nearly equal size: halved again and again across the direction in which they
 * vary most (principal axis tree; McNames 2001).
 */
export function cells(data: Float32Array, dims: number, parts: number): Uint32Array[] {
  const split = (rows: Uint32Array, into: number): Uint32Array[] => {
    if (into === 1) return [rows]
    const left = into >> 1
    const [low, high] = halves(rows, along(data, dims, rows, direction(data, dims, rows)), Math.round((rows.length * left) / into))
    return [...split(low, left), ...split(high, into - left)]
  }
  return split(
    Uint32Array.from({ length: data.length / dims }, (_, i) => i),
    parts,
  )
}

/** The leading principal component of a sample of the rows, nearly. */
function direction(data: Float32Array, dims: number, rows: Uint32Array): Float64Array {
  const step = Math.max(1, Math.floor(rows.length / sampled))
  const sample = rows.filter((_, i) => i % step === 0)
  const mean = new Float64Array(dims)
  for (const row of sample) for (let c = 0; c < dims; c++) mean[c] = (mean[c] as number) + (data[row * dims + c] as number) / sample.length
  let axis = new Float64Array(dims)
  const seed = (sample[0] as number) * dims
  for (let c = 0; c < dims; c++) axis[c] = (data[seed + c] as number) - (mean[c] as number)
  for (let pass = 0; pass < iterations; pass++) {
    const centre = axis.reduce((sum, v, c) => sum + v * (mean[c] as number), 0)
    const positions = along(data, dims, sample, axis)
    const next = new Float64Array(dims)
    for (const [i, row] of sample.entries()) {
      const weight = (positions[i] as number) - centre
      for (let c = 0; c < dims; c++) next[c] = (next[c] as number) + weight * ((data[row * dims + c] as number) - (mean[c] as number))
    }
    const length = Math.hypot(...next)
    if (length === 0) break
    axis = next.map((v) => v / length)
  }
  return axis
}

function along(data: Float32Array, dims: number, rows: Uint32Array, axis: Float64Array): Float64Array {
  const out = new Float64Array(rows.length)
  for (let i = 0; i < out.length; i++) {
    const at = (rows[i] as number) * dims
    let [even, odd] = [0, 0]
    for (let c = 1; c < dims; c += 2) {
      even += (data[at + c - 1] as number) * (axis[c - 1] as number)
      odd += (data[at + c] as number) * (axis[c] as number)
    }
    out[i] = even + odd + (dims % 2 === 1 ? (data[at + dims - 1] as number) * (axis[dims - 1] as number) : 0)
  }
  return out
}

/** The `count` rows with the least positions, and the others; both in their order. */
function halves(rows: Uint32Array, positions: Float64Array, count: number): [Uint32Array, Uint32Array] {
  const cut = positions.slice().sort()[count] as number
  let equal = count
  for (const p of positions) if (p < cut) equal--
  const low = new Uint32Array(count)
  const high = new Uint32Array(rows.length - count)
  let [toLow, toHigh] = [0, 0]
  for (let i = 0; i < rows.length; i++) {
    const p = positions[i] as number
    if (p < cut || (p === cut && equal-- > 0)) low[toLow++] = rows[i] as number
    else high[toHigh++] = rows[i] as number
  }
  return [low, high]
}
