import { designOf, type Fourier } from './rest-model.ts'
import type { Scaling, Table } from './scaling.ts'

const mostOthers = 2000

/**
 * How far the first rows lie from the others, as a share of the others' own spread, in the kernel that the Fourier features stand for
 * (Gretton et al. 2012), less what so few rows differ by chance: about 0 where they are a random part of the others, near 1 where they
 * are one tight group. `said` is what the rest of each record says: the others are weighed to say the same as the first.
 */
export async function strangeness(
  table: Table,
  scaling: Scaling,
  fourier: Fourier,
  left: readonly number[],
  first: readonly number[],
  others: readonly number[],
  said: (row: number) => number,
): Promise<number> {
  const d = fourier.b.length
  const step = Math.max(1, Math.ceil(others.length / mostOthers))
  const reference = others.filter((_, i) => i % step === 0)
  if (first.length === 0 || reference.length === 0) return 0
  const features = async (rows: readonly number[]) => {
    const design = await designOf(table, Int32Array.from(rows), scaling, fourier, left)
    return (i: number): Float64Array => design.data.subarray(i * design.dims + scaling.width, (i + 1) * design.dims)
  }
  const [ofFirst, ofReference] = [await features(first), await features(reference)]
  const groups = new Map<number, { count: number; readonly sum: Float64Array; squares: number }>()
  reference.forEach((row, i) => {
    const group = groups.get(said(row)) ?? { count: 0, sum: new Float64Array(d), squares: 0 }
    const f = ofReference(i)
    group.count++
    for (let j = 0; j < d; j++) {
      group.sum[j] = (group.sum[j] as number) + (f[j] as number)
      group.squares += (f[j] as number) ** 2
    }
    groups.set(said(row), group)
  })
  const own = new Float64Array(d)
  const centre = new Float64Array(d)
  let [count, squares] = [0, 0]
  first.forEach((row, i) => {
    const group = groups.get(said(row))
    if (!group) return
    count++
    const f = ofFirst(i)
    for (let j = 0; j < d; j++) {
      own[j] = (own[j] as number) + (f[j] as number)
      centre[j] = (centre[j] as number) + (group.sum[j] as number) / group.count
    }
    squares += group.squares / group.count
  })
  if (count === 0) return 0
  let [distance, spread] = [0, squares / count]
  for (let j = 0; j < d; j++) {
    distance += (((own[j] as number) - (centre[j] as number)) / count) ** 2
    spread -= ((centre[j] as number) / count) ** 2
  }
  return spread > 0 ? distance / spread - 1 / count : 0
}
