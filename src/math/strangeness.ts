/** Random Fourier features of some records, [n, D], each in a group: records are compared with those of their group. */
export interface Grouped {
  readonly rows: number
  readonly dims: number
  /** Feature `j` of record `i`. */
  at(i: number, j: number): number
  group(i: number): number
}

/**
 * How far the first records lie from the reference, as a share of the reference's own spread, in the kernel that the Fourier features
 * stand for (Gretton et al. 2012), less what so few records of both differ by chance: about 0 where they are a random part of it, near 1 where
 * they are one tight group. The reference is weighed to have the first records' groups; those without any reference are left out.
 */
export function strangeness(first: Grouped, reference: Grouped): number {
  const d = first.dims
  const groups = new Map<number, { count: number; readonly sum: Float64Array; squares: number }>()
  for (let i = 0; i < reference.rows; i++) {
    const name = reference.group(i)
    const group = groups.get(name) ?? { count: 0, sum: new Float64Array(d), squares: 0 }
    group.count++
    for (let j = 0; j < d; j++) {
      const f = reference.at(i, j)
      group.sum[j] = (group.sum[j] as number) + f
      group.squares += f ** 2
    }
    groups.set(name, group)
  }
  const own = new Float64Array(d)
  const centre = new Float64Array(d)
  let [count, squares] = [0, 0]
  const inGroup = new Map<number, number>()
  for (let i = 0; i < first.rows; i++) {
    const name = first.group(i)
    const group = groups.get(name)
    if (!group) continue
    count++
    inGroup.set(name, (inGroup.get(name) ?? 0) + 1)
    for (let j = 0; j < d; j++) {
      own[j] = (own[j] as number) + first.at(i, j)
      centre[j] = (centre[j] as number) + (group.sum[j] as number) / group.count
    }
    squares += group.squares / group.count
  }
  if (count === 0) return 0
  let [distance, spread] = [0, squares / count]
  for (let j = 0; j < d; j++) {
    distance += (((own[j] as number) - (centre[j] as number)) / count) ** 2
    spread -= ((centre[j] as number) / count) ** 2
  }
  let chance = 1 / count
  for (const [name, n] of inGroup) chance += (n / count) ** 2 / (groups.get(name)?.count ?? 1)
  return spread > 0 ? distance / spread - chance : 0
}
