import { hashBytes } from '../../math/image-hash.ts'
import { isBlank, likeness, type Moments, momentsOf } from './thumb.ts'

/** Distinct hashes with one picture each, in the order of the pictures' digests. */
export interface Groups {
  readonly count: number
  /** count x 16 */
  readonly hashes: Uint8Array
  /** count x 16: digest of the pixels that stand for the hash. */
  readonly digests: Uint8Array
  readonly records: Float64Array
  readonly thumb: number
  /** count x thumb */
  readonly thumbs: Uint8Array
}

/** Copies: every hash is tied to a picture that leads, leaders of variations of one picture to one cluster. */
export interface ImageClusters {
  readonly thumb: number
  /** leaders x thumb, leaders x 16. */
  readonly thumbs: Uint8Array
  readonly digests: Uint8Array
  /** 1 for pictures of one shade. */
  readonly blank: Uint8Array
  /** The first leader of the cluster that a leader is in: its number is that of the cluster. */
  readonly clusterOf: Int32Array
  /** hashes x 16, ascending, and the leader of each. */
  readonly hashes: Uint8Array
  readonly leaderOf: Int32Array
  /** Distinct hashes seen at the last read, and how many of them could be kept. */
  readonly kept: number
  readonly full: boolean
}

/** Copies have at least this correlation with the picture that leads their cluster. */
export const leastLikeness = 0.99
/** Of 128 bits. */
const maxBits = 24
/** Leaders of many copies have at least this correlation where they lead one cluster together. */
const joinedLikeness = 0.98
/** Leaders that are compared with each other, and the records that each has at least. */
const maxJoined = 256
const leastJoined = 3
/** Leaders that one band of a hash may lead to. */
const maxLeaders = 8

const pairs = [
  [0, 1],
  [0, 2],
  [0, 3],
  [1, 2],
  [1, 3],
  [2, 3],
] as const

/**
 * Keys that copies share: each half of a hash is cut into four parts of 16 bits, and every two of them make a band, so that up to two
 * changed parts a half still leave one.
 */
function* bandsOf(hashes: Uint8Array, i: number): Generator<number> {
  const at = i * hashBytes
  for (let half = 0; half < 2; half++) {
    const part = (p: number): number => {
      const from = at + 8 * half + 2 * p
      return (hashes[from] as number) * 256 + (hashes[from + 1] as number)
    }
    for (const [b, [p, q]] of pairs.entries()) yield ((half * pairs.length + b) * 65_536 + part(p)) * 65_536 + part(q)
  }
}

const ones = Uint8Array.from({ length: 256 }, (_, v) => v.toString(2).replaceAll('0', '').length)

function distance(hashes: Uint8Array, i: number, j: number): number {
  let sum = 0
  for (let b = 0; b < hashBytes; b++) sum += ones[(hashes[i * hashBytes + b] as number) ^ (hashes[j * hashBytes + b] as number)] as number
  return sum
}

/**
 * Each picture joins the most alike of the leaders that a band of its hash leads to, or becomes a leader: no more than
 * 12 x 8 comparisons a picture, whatever the data.
 */
export function clusterGroups(g: Groups, full: boolean): ImageClusters {
  const buckets = new Map<number, number[]>()
  const leaderOf = new Int32Array(g.count)
  const seenFrom = new Int32Array(g.count).fill(-1)
  const size = new Float64Array(g.count)
  const thumbOf = (i: number): Uint8Array => g.thumbs.subarray(i * g.thumb, (i + 1) * g.thumb)
  const moments = Array.from({ length: g.count }, (_, i) => momentsOf(thumbOf(i)))
  for (let i = 0; i < g.count; i++) {
    const leader = nearest(g, buckets, i, thumbOf, moments, seenFrom)
    leaderOf[i] = leader < 0 ? i : leader
    size[leaderOf[i] as number] = (size[leaderOf[i] as number] as number) + (g.records[i] as number)
    if (leader >= 0) continue
    for (const band of bandsOf(g.hashes, i)) {
      const found = buckets.get(band)
      if (!found) buckets.set(band, [i])
      else if (found.length < maxLeaders) found.push(i)
    }
  }
  const leaders = Array.from(size.keys()).filter((i) => (size[i] as number) > 1)
  const number = new Map(leaders.map((i, c) => [i, c]))
  const members = Array.from(leaderOf.keys()).filter((i) => number.has(leaderOf[i] as number))
  const hashOf = (i: number): Buffer => Buffer.from(g.hashes.buffer, g.hashes.byteOffset + i * hashBytes, hashBytes)
  members.sort((a, b) => Buffer.compare(hashOf(a), hashOf(b)))
  const thumbs = new Uint8Array(leaders.length * g.thumb)
  const digests = new Uint8Array(leaders.length * 16)
  const hashes = new Uint8Array(members.length * hashBytes)
  leaders.forEach((i, c) => {
    thumbs.set(thumbOf(i), c * g.thumb)
    digests.set(g.digests.subarray(i * 16, (i + 1) * 16), c * 16)
  })
  members.forEach((i, m) => {
    hashes.set(hashOf(i), m * hashBytes)
  })
  return {
    thumb: g.thumb,
    thumbs,
    digests,
    blank: Uint8Array.from(leaders, (i) => Number(isBlank(thumbOf(i)))),
    clusterOf: joined(leaders.map((i) => ({ records: size[i] as number, thumb: thumbOf(i) }))),
    hashes,
    leaderOf: Int32Array.from(members, (i) => number.get(leaderOf[i] as number) as number),
    kept: g.count,
    full,
  }
}

interface Leader {
  readonly records: number
  readonly thumb: Uint8Array
}

/** Strong variations of one picture can have several leaders. */
function joined(leaders: readonly Leader[]): Int32Array {
  const clusterOf = Int32Array.from(leaders.keys())
  const large = Array.from(leaders.keys())
    .filter((i) => (leaders[i] as Leader).records >= leastJoined)
    .sort((i, j) => (leaders[j] as Leader).records - (leaders[i] as Leader).records || i - j)
    .slice(0, maxJoined)
    .sort((i, j) => i - j)
  for (const [k, i] of large.entries()) {
    if (clusterOf[i] !== i) continue
    for (const j of large.slice(k + 1)) {
      if (clusterOf[j] !== j) continue
      if (likeness((leaders[i] as Leader).thumb, (leaders[j] as Leader).thumb) >= joinedLikeness) clusterOf[j] = i
    }
  }
  return clusterOf
}

function nearest(
  g: Groups,
  buckets: ReadonlyMap<number, readonly number[]>,
  i: number,
  thumbOf: (i: number) => Uint8Array,
  moments: readonly Moments[],
  /** The last one that looked at a leader. */
  seenFrom: Int32Array,
): number {
  let best = -1
  let most = leastLikeness
  for (const band of bandsOf(g.hashes, i))
    for (const leader of buckets.get(band) ?? []) {
      if (seenFrom[leader] === i) continue
      seenFrom[leader] = i
      if (distance(g.hashes, i, leader) > maxBits) continue
      const alike = likeness(thumbOf(i), thumbOf(leader), moments[i], moments[leader])
      if (alike < most || (alike === most && best >= 0)) continue
      best = leader
      most = alike
    }
  return best
}
