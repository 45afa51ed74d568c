import { robustScale } from '../../math/robust-scale.ts'

/** The labelled sample, NaN where a value is missing; columns from `numbers` on are codes of categories. */
export interface Table {
  readonly data: Float64Array
  readonly rows: number
  readonly dims: number
  readonly numbers: number
  readonly labels: Int32Array
  readonly folds: Int32Array
  readonly classes: number
}

/**
 * x -> ((x - mean) * inverseScale), clipped; a missing value counts as the mean, and so does a column with scale 0. A column of
 * categories becomes one of zeros and ones for each of its frequent values.
 */
export interface Scaling {
  /** [width] */
  readonly mean: Float64Array
  readonly inverseScale: Float64Array
  /** Of each column of the table, the place of what becomes of it. */
  readonly first: Int32Array
  /** Of each column of the table the codes that have a place; null for numbers. */
  readonly values: readonly (Float64Array | null)[]
  readonly width: number
}

const clipAt = 4

/** Categories that are told apart: with at least so many records, the most frequent of a column, and of all columns together. */
const leastOfCategory = 10
const mostCategories = { column: 32, all: 512 }

function frequent(values: readonly number[], most: number): { readonly codes: Float64Array; readonly counts: readonly number[] } {
  const counts = new Map<number, number>()
  for (const v of values) counts.set(v, (counts.get(v) ?? 0) + 1)
  const kept = [...counts]
    .filter(([, n]) => n >= leastOfCategory)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, most)
  return { codes: Float64Array.from(kept, ([code]) => code), counts: kept.map(([, n]) => n) }
}

export function scalingOf({ data, rows, dims, numbers }: Table): Scaling {
  const mean: number[] = []
  const inverseScale: number[] = []
  const first = new Int32Array(dims)
  const places: (Float64Array | null)[] = []
  const most = Math.min(mostCategories.column, Math.floor(mostCategories.all / Math.max(1, dims - numbers)))
  for (let j = 0; j < dims; j++) {
    first[j] = mean.length
    const values: number[] = []
    for (let i = 0; i < rows; i++) {
      const v = data[i * dims + j] as number
      if (!Number.isNaN(v)) values.push(v)
    }
    if (j >= numbers) {
      const { codes, counts } = frequent(values, most)
      places.push(codes)
      for (const n of counts) {
        const p = n / rows
        mean.push(p)
        // All indicators of a column together count like one column of numbers.
        inverseScale.push(p < 1 ? 1 / Math.sqrt(p * (1 - p) * Math.max(1, codes.length - 1)) : 0)
      }
      continue
    }
    places.push(null)
    const { centre, scale } = robustScale(values.sort((a, b) => a - b))
    mean.push(centre)
    inverseScale.push(scale > 1e-12 * Math.max(1, Math.abs(centre)) ? 1 / scale : 0)
  }
  return {
    mean: Float64Array.from(mean),
    inverseScale: Float64Array.from(inverseScale),
    first,
    values: places,
    width: mean.length,
  }
}

/** What becomes of a value of column j, at its place in `out`. */
export function place(scaling: Scaling, v: number, j: number, out: Float64Array, at: number): void {
  const { mean, inverseScale, first, values } = scaling
  const from = first[j] as number
  const codes = values[j]
  if (!codes) out[at + from] = scaledValue(scaling, v, j)
  else if (!Number.isNaN(v)) {
    for (let c = 0; c < codes.length; c++) {
      const marked = ((v === codes[c] ? 1 : 0) - (mean[from + c] as number)) * (inverseScale[from + c] as number)
      out[at + from + c] = Math.min(clipAt, marked)
    }
  }
}

/** Of a column of numbers. */
export function scaledValue({ mean, inverseScale, first }: Scaling, v: number, j: number): number {
  const at = first[j] as number
  return Number.isNaN(v) ? 0 : Math.max(-clipAt, Math.min(clipAt, (v - (mean[at] as number)) * (inverseScale[at] as number)))
}
