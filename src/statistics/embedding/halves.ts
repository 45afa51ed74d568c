import type { VectorSample } from '../vector-sample.ts'

export interface Halves {
  readonly fitted: VectorSample
  readonly rest: { readonly vectors: Float32Array; readonly labels: Int32Array }
}

/** A coin that nobody can choose: a bit of the keyed digest that the order of the sample does not depend on. */
const inRest = (sample: VectorSample, i: number): boolean => ((sample.contents[i * 16 + 15] as number) & 1) === 1

/** Rows of a sample, in their order. */
export const rowsWhere = (sample: VectorSample, wanted: (i: number) => boolean): number[] => Array.from(sample.labels.keys()).filter(wanted)

export function takeVectors(sample: Pick<VectorSample, 'vectors' | 'map'>, rows: readonly number[]): Float32Array {
  const dims = sample.map.dims
  const out = new Float32Array(rows.length * dims)
  rows.forEach((row, i) => {
    out.set(sample.vectors.subarray(row * dims, (row + 1) * dims), i * dims)
  })
  return out
}

/** Two halves: one to fit, one to test or to calibrate on. */
export const split = (sample: VectorSample, rows: readonly number[]): readonly [number[], number[]] => [
  rows.filter((i) => !inRest(sample, i)),
  rows.filter((i) => inRest(sample, i)),
]

export function conformalHalves(sample: VectorSample): Halves {
  const [first, second] = split(
    sample,
    rowsWhere(sample, () => true),
  )
  const contents = new Uint8Array(first.length * 16)
  first.forEach((row, i) => {
    contents.set(sample.contents.subarray(row * 16, (row + 1) * 16), i * 16)
  })
  const labels = (rows: readonly number[]) => Int32Array.from(rows, (i) => sample.labels[i] as number)
  return {
    fitted: {
      ...sample,
      rows: first.length,
      vectors: takeVectors(sample, first),
      labels: labels(first),
      contents,
      counts: Float64Array.from(first, (i) => sample.counts[i] as number),
    },
    rest: { vectors: takeVectors(sample, second), labels: labels(second) },
  }
}
