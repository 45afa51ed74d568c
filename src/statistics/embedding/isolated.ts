import { cutOf, findGap, type Gap, mostShare, testGap } from './isolation.ts'

export interface Direction<Kind> {
  readonly kind: Kind
  readonly score: (data: Float32Array) => Float64Array
}

/** A score by which a part of a class stands apart from the rest of it. */
export interface Isolated<Kind> {
  readonly p: number
  readonly kind: Kind
  /** Rows above it stand apart. */
  readonly cut: number
}

/**
 * The strongest gap, tested: directions and gap come from one half of the rows, the p-value from the other; then the halves change
 * places, and the smaller p-value counts twice.
 */
export async function isolatedIn<Kind>(
  halves: readonly [Float32Array, Float32Array],
  directionsOf: (data: Float32Array) => Promise<readonly Direction<Kind>[]>,
): Promise<Isolated<Kind> | null> {
  let best: Isolated<Kind> | null = null
  for (const [mine, other] of [halves, [halves[1], halves[0]]] as const) {
    let chosen: { readonly gap: Gap; readonly direction: Direction<Kind>; readonly scores: Float64Array } | null = null
    for (const direction of await directionsOf(mine)) {
      const scores = direction.score(mine)
      const gap = findGap(scores)
      if (gap && (!chosen || gap.strength > chosen.gap.strength)) chosen = { gap, direction, scores }
    }
    if (!chosen) continue
    const scores = chosen.direction.score(other)
    const cut = cutOf(chosen.scores, chosen.gap)
    if (scores.filter((s) => s > cut).length > mostShare * scores.length) continue
    const p = Math.min(1, 2 * testGap(scores, chosen.gap))
    if (!best || p < best.p) best = { p, kind: chosen.direction.kind, cut }
  }
  return best
}
