/** Values of every coordinate counted in bins of 1/16 from -8 to 8: quantiles and tails without sorting. */
export interface Bins {
  readonly rows: number
  readonly dims: number
  /** [dims, 256] */
  readonly counts: Uint16Array | Uint32Array
}

const perCoordinate = 256
const perUnit = 16
const lowest = -8

const binOf = (value: number): number => {
  const bin = Math.floor((value - lowest) * perUnit)
  return bin < 0 ? 0 : bin >= perCoordinate ? perCoordinate - 1 : bin
}
const edge = (bin: number): number => lowest + bin / perUnit

export function binRows(data: Float32Array, dims: number, only?: (row: number) => boolean): Bins {
  const rows = data.length / dims
  const counts = new Uint32Array(dims * perCoordinate)
  let counted = 0
  for (let r = 0; r < rows; r++) {
    if (only && !only(r)) continue
    counted++
    for (let j = 0; j < dims; j++) {
      const at = j * perCoordinate + binOf(data[r * dims + j] as number)
      counts[at] = (counts[at] as number) + 1
    }
  }
  return { rows: counted, dims, counts }
}

/** Bins of the rows of `all` that are not among `part`. */
export const without = (all: Bins, part: Bins): Bins => ({
  rows: all.rows - part.rows,
  dims: all.dims,
  counts: all.counts.map((n, i) => n - (part.counts[i] as number)),
})

/** Per coordinate: the lower edge from which at most `share` of the values lie, and how many do; of the negated values with `sign` -1. */
export function upperTails(
  b: Bins,
  sign: 1 | -1,
  share: number,
  most: number,
): { readonly from: Float32Array; readonly count: Int32Array } {
  const from = new Float32Array(b.dims)
  const count = new Int32Array(b.dims)
  for (let j = 0; j < b.dims; j++) {
    let above = 0
    let bin = perCoordinate
    const at = (i: number): number => b.counts[j * perCoordinate + (sign > 0 ? i : perCoordinate - 1 - i)] as number
    while (bin > 0 && edge(bin) > -8 && (above + at(bin - 1) <= share * b.rows || edge(bin) > most)) above += at(--bin)
    from[j] = edge(bin)
    count[j] = above
  }
  return { from, count }
}

export interface Robust {
  readonly median: Float32Array
  /** 1.4826 x the median distance from the median, and a little. */
  readonly deviation: Float32Array
}

export function robust(b: Bins): Robust {
  const median = new Float32Array(b.dims)
  const deviation = new Float32Array(b.dims)
  for (let j = 0; j < b.dims; j++) {
    const base = j * perCoordinate
    let sum = 0
    let middle = 0
    while (middle < perCoordinate - 1 && sum + (b.counts[base + middle] as number) < b.rows / 2) sum += b.counts[base + middle++] as number
    let near = b.counts[base + middle] as number
    let distance = 0
    while (near < b.rows / 2 && distance < perCoordinate) {
      distance++
      near += (b.counts[base + middle + distance] ?? 0) * Number(middle + distance < perCoordinate)
      near += Number(middle - distance >= 0) * (b.counts[base + middle - distance] ?? 0)
    }
    median[j] = edge(middle) + 0.5 / perUnit
    deviation[j] = (1.4826 * distance) / perUnit + 0.05
  }
  return { median, deviation }
}

/** Per coordinate, how many values lie more than `low` and at most `high` deviations from the median on the side of `sign`. */
export function beyond(b: Bins, { median, deviation }: Robust, sign: 1 | -1, low: number, high: number): Int32Array {
  return Int32Array.from({ length: b.dims }, (_, j) => {
    let sum = 0
    for (let i = 0; i < perCoordinate; i++) {
      const n = b.counts[j * perCoordinate + i] as number
      if (n === 0) continue
      const t = (sign * (edge(i) + 0.5 / perUnit - (median[j] as number))) / (deviation[j] as number)
      if (t > low && t <= high) sum += n
    }
    return sum
  })
}
