import type { Coded } from '../changes/census.ts'
import type { Bucket } from './buckets.ts'
import type { Places } from './diff-places.ts'
import { leafBytes, leafLayout } from './segment.ts'

/** A record without a counterpart of the same content. */
export interface Unmatched extends Coded {
  /** Four lanes of a MinHash of its content, 16 bits each. */
  readonly lanes: readonly [number, number, number, number]
}

/** A lane that no part of the content fell into. */
const empty = 0xffff
/** Unrelated contents share two lanes once in 700 million pairs. */
const leastLanes = 2
/** As good as so many lanes: the record that stands between the same neighbours. */
const lanesOfPlace = 3
/** Two lanes that more records share than this are a pattern of the data, not versions of one record. */
const maxAlike = 16

const combinations = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
] as const

/** Behind key and label, where there is no id. */
const sketchAt = leafLayout(32).label[1]

/** The sketch of a record without id. Keyed snapshots have none: it would tell of the content. */
export function lanesAt({ leaves }: Bucket, i: number): Unmatched['lanes'] {
  const lane = (k: number) => leaves.readUInt16LE(i * leafBytes + sketchAt + 2 * k)
  const lanes = [lane(0), lane(1), lane(2), lane(3)] as const
  return lanes.every((l) => l === 0) ? [empty, empty, empty, empty] : lanes
}

/** A number for two lanes; -1 where one is empty. */
function keyOf(lanes: Unmatched['lanes'], combination: number): number {
  const [p, q] = combinations[combination] as readonly [0, 1]
  return lanes[p] === empty || lanes[q] === empty ? -1 : combination * 2 ** 32 + lanes[p] * 65536 + lanes[q]
}

const shared = (a: Unmatched, b: Unmatched): number => a.lanes.reduce((n, lane, i) => n + Number(lane !== empty && lane === b.lanes[i]), 0)

interface Candidate {
  readonly r: number
  readonly a: number
  readonly score: number
  readonly distance: number
}

/** Which row now stands where a row of the baseline stood, both as spots; -1 where nothing tells. */
export type Align = (spot: number) => number

function candidates(removed: readonly Unmatched[], added: readonly Unmatched[], places: Places, align: Align): Candidate[] {
  const index = new Map<number, number[]>()
  const bySpot = new Map<number, number>()
  for (const [a, record] of added.entries()) {
    const spot = places.spotAfter(record.shard, record.row)
    if (spot >= 0) bySpot.set(spot, a)
    for (let c = 0; c < combinations.length; c++) {
      const key = keyOf(record.lanes, c)
      const list = index.get(key)
      if (list) list.push(a)
      else if (key >= 0) index.set(key, [a])
    }
  }
  const out: Candidate[] = []
  for (const [r, record] of removed.entries()) {
    const inPlace = bySpot.get(align(places.spotBefore(record.shard, record.row)))
    const seen = new Set<number>(inPlace === undefined ? [] : [inPlace])
    for (let c = 0; c < combinations.length; c++) {
      const alike = index.get(keyOf(record.lanes, c)) ?? []
      if (alike.length <= maxAlike) for (const a of alike) seen.add(a)
    }
    for (const a of seen) {
      const other = added[a] as Unmatched
      const lanes = shared(record, other)
      const score = lanes + (a === inPlace ? lanesOfPlace : 0)
      if (score >= leastLanes) out.push({ r, a, score, distance: places.distance(record.shard, record.row, other.shard, other.row) })
    }
  }
  return out.sort((x, y) => y.score - x.score || x.distance - y.distance || x.r - y.r || x.a - y.a)
}

/**
 * Without ids an edited record is a removal and an addition: pairs of nearly the same content, or between the same
 * neighbours; the surest and nearest first, each record once.
 * The result gives the index in `added` for each removed record, -1 where there is none.
 */
export function pairEdits(removed: readonly Unmatched[], added: readonly Unmatched[], places: Places, align: Align): Int32Array {
  const partner = new Int32Array(removed.length).fill(-1)
  if (removed.length === 0 || added.length === 0) return partner
  const taken = new Uint8Array(added.length)
  for (const { r, a } of candidates(removed, added, places, align)) {
    if (partner[r] !== -1 || taken[a] === 1) continue
    partner[r] = a
    taken[a] = 1
  }
  return partner
}
