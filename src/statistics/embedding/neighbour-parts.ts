import type { Neighbours } from '../../math/neighbours.ts'

/** What the k nearest neighbours say of a record; higher is more suspicious. All but `disagreement` are logarithms. */
export const partNames = ['distance', 'slof', 'dao', 'disagreement', 'tightness'] as const
export type PartName = (typeof partNames)[number]
export interface Parts extends Readonly<Record<PartName, Float64Array>> {
  /** The most frequent label among the neighbours, -1 where none has one, and its share of them. */
  readonly lead: Int32Array
  readonly leadShare: Float64Array
}

/** What is known of each reference record: its own distances, dimension and agreement. */
export interface ReferenceTable {
  /** Codes of classes, -1 where there is no label. */
  readonly labels: Int32Array
  readonly counts: Float64Array
  /** Distance to the k-th neighbour. */
  readonly reach: Float64Array
  /** Local intrinsic dimension (Amsaleg et al. 2015, maximum likelihood). */
  readonly dimension: Float64Array
  /** Share of the neighbours with the same label. */
  readonly agreement: Float64Array
}

const smallest = 1e-9
const maxDimension = 128
/** Records of one class, copies included, that lie within the radius by which tightness is judged. */
export const tightMass = 8

/** Row i of `found` without the reference row `self[i]` (-1: none), cut to `k` neighbours. */
export function withoutSelf(found: Neighbours, self: Int32Array, k: number): Neighbours {
  const n = self.length
  const kept = Math.min(k, Math.max(found.k - 1, 0))
  const indices = new Int32Array(n * kept)
  const distances = new Float64Array(n * kept)
  for (let i = 0; i < n; i++) {
    let to = i * kept
    for (let j = 0; j < found.k && to < (i + 1) * kept; j++) {
      const at = i * found.k + j
      if (found.indices[at] === self[i]) continue
      indices[to] = found.indices[at] as number
      distances[to++] = found.distances[at] as number
    }
  }
  return { k: kept, indices, distances }
}

/** The table of the reference from its neighbours in itself. */
export function referenceTable(own: Neighbours, labels: Int32Array, counts: Float64Array): ReferenceTable {
  const n = labels.length
  const { k } = own
  const reach = new Float64Array(n)
  const dimension = new Float64Array(n)
  const agreement = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    const d = own.distances.subarray(i * k, (i + 1) * k)
    reach[i] = Math.max(d[k - 1] ?? 0, smallest)
    let logs = 0
    let same = 0
    for (let j = 0; j < k; j++) {
      logs += Math.log(Math.max(d[j] as number, smallest) / (reach[i] as number))
      if (labels[own.indices[i * k + j] as number] === labels[i]) same++
    }
    dimension[i] = logs < 0 ? Math.min(maxDimension, -(k - 1) / logs) : maxDimension
    agreement[i] = k > 0 ? same / k : 1
  }
  return { labels, counts, reach, dimension, agreement }
}

/**
 * Parts of each record from its neighbours: log distance to the k-th; simplified local outlier factor (Schubert et al. 2014);
 * dimensionality-aware outlier score (Anderberg et al. 2024; for backdoors Huang et al. 2025), the ratio of SLOF to the power of
 * the neighbour's local dimension; share of neighbours with another label, each weighted by how far its own neighbours share that
 * label; and how small the radius is that holds `tightMass` records of its class.
 * @param labels codes, -1 where there is no label: disagreement and tightness then take all records for one class
 * @param copies other records with the same content and class
 */
export function neighbourParts(found: Neighbours, labels: Int32Array, copies: Float64Array, table: ReferenceTable): Parts {
  const n = labels.length
  const { k } = found
  const numbers = Object.fromEntries(partNames.map((name) => [name, new Float64Array(n)])) as Record<PartName, Float64Array>
  const parts: Parts = { ...numbers, lead: new Int32Array(n).fill(-1), leadShare: new Float64Array(n) }
  const votes = new Map<number, number>()
  for (let i = 0; i < n; i++) {
    const reach = Math.max(found.distances[(i + 1) * k - 1] ?? 0, smallest)
    let ratios = 0
    let top = Number.NEGATIVE_INFINITY
    let scaled = 0
    let against = 0
    let mass = (copies[i] as number) + 1
    votes.clear()
    let radius = mass >= tightMass ? smallest : Number.NaN
    for (let j = i * k; j < (i + 1) * k; j++) {
      const r = found.indices[j] as number
      const vote = table.labels[r] as number
      if (vote >= 0) votes.set(vote, (votes.get(vote) ?? 0) + 1)
      const log = Math.log(reach / (table.reach[r] as number))
      ratios += Math.exp(Math.min(log, 50))
      const power = log * (table.dimension[r] as number)
      if (power > top) {
        scaled = scaled * Math.exp(top - power) + 1
        top = power
      } else scaled += Math.exp(power - top)
      if (table.labels[r] === labels[i]) {
        mass += table.counts[r] as number
        if (mass >= tightMass && Number.isNaN(radius)) radius = Math.max(found.distances[j] as number, smallest)
      } else against += table.agreement[r] as number
    }
    for (const [label, count] of votes) {
      if (count / k <= (parts.leadShare[i] as number)) continue
      parts.lead[i] = label
      parts.leadShare[i] = count / k
    }
    parts.distance[i] = Math.log(reach)
    parts.slof[i] = Math.log(Math.max(ratios / k, smallest))
    parts.dao[i] = top + Math.log(scaled / k)
    parts.disagreement[i] = against / k
    parts.tightness[i] = -Math.log(Number.isNaN(radius) ? reach : radius)
  }
  return parts
}
