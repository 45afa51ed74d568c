import { codesOf } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { VectorSample } from '../vector-sample.ts'
import { split, takeVectors } from './halves.ts'

/** Classes of which fewer different records were sampled are not judged on their own. */
export const leastOfClass = 100
/** The largest classes of the sample; each costs a model of its own. */
export const maxJudged = 500

export interface ClassRows {
  readonly code: number
  readonly rows: readonly number[]
  readonly vectors: Float32Array
  readonly halves: readonly [Float32Array, Float32Array]
}

/** The classes to be judged, by code. */
export function classesOf(sample: VectorSample): ClassRows[] {
  const rows: number[][] = sample.classes.map(() => [])
  sample.labels.forEach((label, i) => {
    if (label >= 0) rows[label]?.push(i)
  })
  return rows
    .map((list, code) => ({ code, rows: list }))
    .filter(({ rows: list }) => list.length >= leastOfClass)
    .sort((a, b) => b.rows.length - a.rows.length || a.code - b.code)
    .slice(0, maxJudged)
    .sort((a, b) => a.code - b.code)
    .map(({ code, rows: list }) => {
      const [a, b] = split(sample, list)
      return { code, rows: list, vectors: takeVectors(sample, list), halves: [takeVectors(sample, a), takeVectors(sample, b)] as const }
    })
}

const shown = 400

/** At most 400 rows as points on the first two of `width` directions, [m, 2]. */
export function pointsOf(data: Float32Array, dims: number, mean: Float64Array, directions: Float64Array, width: number): Float64Array {
  const rows = data.length / dims
  const step = Math.max(1, Math.ceil(rows / shown))
  const out: number[] = []
  for (let i = 0; i < rows; i += step) out.push(...pointOf(data.subarray(i * dims, (i + 1) * dims), mean, directions, width))
  return Float64Array.from(out)
}

export function pointOf(x: ArrayLike<number>, mean: Float64Array, directions: Float64Array, width: number): readonly [number, number] {
  const at = (d: number): number => {
    if (d >= width) return 0
    let sum = 0
    for (let j = 0; j < mean.length; j++) sum += ((x[j] as number) - (mean[j] as number)) * (directions[j * width + d] as number)
    return sum
  }
  return [at(0), at(1)]
}

/** Labels of a batch as codes into `classes`; -1 where there is none, -2 where the class is not among them. */
export function codesIn(classes: readonly string[], batch: Batch): Int32Array {
  const label = codesOf(batch, 'label')
  if (!label) return new Int32Array(batch.numRows).fill(-1)
  const place = new Map(classes.map((name, i) => [name, i]))
  const map = label.values.map((name) => place.get(name) ?? -2)
  return label.codes.map((code) => (code < 0 ? -1 : (map[code] as number)))
}
