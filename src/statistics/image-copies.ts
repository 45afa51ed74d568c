import type { Batch } from '../contracts/data.ts'
import { pixelsOf } from '../contracts/pixel-rows.ts'
import type { Context, Shape, Statistic } from '../contracts/statistic.ts'
import { digester, shortDigest } from '../math/hash.ts'
import { hashBytes, imageHasher } from '../math/image-hash.ts'
import { clusterGroups, type ImageClusters } from './image-copies/cluster.ts'
import { thumbMaker } from './image-copies/thumb.ts'
import { cellOf, type HashCounts, hashCells, hashDomain, imageHashCountsId } from './image-hash-counts.ts'

interface State {
  thumb: number
  /** By `order`; each rows x 16, but for thumbs: rows x thumb. */
  orders: Uint8Array
  hashes: Uint8Array
  digests: Uint8Array
  thumbs: Uint8Array
  records: Float64Array
}

interface Group {
  /** 0 then its keyed digest for hashes that occur again, 1 for others: those are the first to go. */
  readonly order: Uint8Array
  readonly hash: Uint8Array
  digest: Uint8Array
  thumb: Uint8Array
  records: number
}

/** Groups of a state while it grows, by hash; the state holds them once it is sealed. */
const open = new WeakMap<State, Map<string, Group>>()

const slack = 2
/** Which picture leads its cluster does not depend on the seed: its name in a report stays the same. */
const unkeyed = new Uint8Array(16)
const thumbBytes = 784

/** What tells a picture's pixels from others. */
export const pixelDigester = () => digester(unkeyed, 'image pixels')

export interface ImageCopiesOptions {
  /** Distinct hashes that are kept: all that occur more than once come first, the others by keyed digest. */
  readonly most: number
  /** Of `imageHashCounts`. */
  readonly bits?: number
}

/**
 * Pictures that are copies of another. One group a distinct hash, with the smallest digest of its pixels to stand for it; the
 * clusters are made of the groups in `finish`.
 */
export function imageCopies({ most, bits = hashCells }: ImageCopiesOptions): Statistic<State, ImageClusters> {
  return {
    id: imageCopiesId({ most, bits }),
    version: 1,
    needs: ['pixels'],
    after: [imageHashCountsId(bits)],
    over: 'subject',
    init: () => ({ thumb: 0, ...packed([], 0) }),
    update(c: Context, state: State, batch: Batch) {
      const pixels = pixelsOf(batch)
      if (!pixels || pixels.rows === 0) return
      const { cells } = c.summaries.get<HashCounts>(imageHashCountsId(bits))
      const hasher = imageHasher(pixels)
      const thumbs = thumbMaker(pixels)
      const keyedHash = digester(c.seed, hashDomain)
      const pixelDigest = pixelDigester()
      state.thumb = thumbs.size
      const groups = groupsOf(state)
      const size = pixels.height * pixels.width * pixels.channels
      const hash = new Uint8Array(hashBytes)
      const order = new Uint8Array(16)
      const digest = new Uint8Array(16)
      for (let i = 0; i < pixels.rows; i++) {
        const luma = hasher.luma(pixels.data, i * size)
        hasher.hash(luma, hash, 0)
        const name = latin(hash)
        pixelDigest.bytes(pixels.data.subarray(i * size, (i + 1) * size), digest, 0)
        const found = groups.get(name)
        if (found) {
          found.records++
          if (Buffer.compare(digest, found.digest) >= 0) continue
          found.digest = digest.slice()
          thumbs.of(luma, found.thumb)
          continue
        }
        keyedHash.bytes(hash, order, 0)
        const cell = cells[cellOf(order, bits)] as number
        order[0] = ((order[0] as number) >> 1) | (cell > 1 ? 0 : 128)
        const thumb = new Uint8Array(thumbs.size)
        thumbs.of(luma, thumb)
        groups.set(name, { order: order.slice(), hash: hash.slice(), digest: digest.slice(), thumb, records: 1 })
        if (groups.size > slack * most) cut(groups, most)
      }
    },
    seal(_: Context, state: State) {
      close(state, most)
    },
    merge(into: State, from: State) {
      if (from.records.length === 0) return
      into.thumb = from.thumb
      const groups = groupsOf(into)
      for (const g of unpacked(from)) {
        const name = latin(g.hash)
        const found = groups.get(name)
        if (!found) {
          groups.set(name, g)
          continue
        }
        found.records += g.records
        if (Buffer.compare(g.digest, found.digest) < 0) Object.assign(found, { digest: g.digest, thumb: g.thumb })
      }
      close(into, most)
    },
    finish(_: Context, state: State) {
      close(state, most)
      const groups = unpacked(state).sort((a, b) => Buffer.compare(a.digest, b.digest) || Buffer.compare(a.hash, b.hash))
      const { hashes, digests, thumbs, records } = packed(groups, state.thumb)
      return clusterGroups({ count: groups.length, hashes, digests, thumbs, records, thumb: state.thumb }, groups.length >= most)
    },
    bytes: ({ pixels }: Shape) => slack * most * (Math.min(thumbBytes, pixels ? pixels.height * pixels.width : thumbBytes) + 160),
  }
}

export const imageCopiesId = ({ most, bits = hashCells }: ImageCopiesOptions): string => `image-copies/${shortDigest({ most, bits })}`

const latin = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')

function groupsOf(state: State): Map<string, Group> {
  let groups = open.get(state)
  if (!groups) {
    groups = new Map(unpacked(state).map((g) => [latin(g.hash), g]))
    open.set(state, groups)
  }
  return groups
}

function cut(groups: Map<string, Group>, most: number): void {
  if (groups.size <= most) return
  const sorted = [...groups].sort(([, a], [, b]) => Buffer.compare(a.order, b.order))
  for (const [name] of sorted.slice(most)) groups.delete(name)
}

function close(state: State, most: number): void {
  const groups = open.get(state)
  if (!groups) return
  open.delete(state)
  cut(groups, most)
  const sorted = [...groups.values()].sort((a, b) => Buffer.compare(a.order, b.order))
  Object.assign(state, packed(sorted, state.thumb))
}

function packed(groups: readonly Group[], thumb: number): Omit<State, 'thumb'> {
  const bytes = (of: (g: Group) => Uint8Array, width: number): Uint8Array => {
    const out = new Uint8Array(groups.length * width)
    groups.forEach((g, i) => {
      out.set(of(g), i * width)
    })
    return out
  }
  return {
    orders: bytes((g) => g.order, 16),
    hashes: bytes((g) => g.hash, hashBytes),
    digests: bytes((g) => g.digest, 16),
    thumbs: bytes((g) => g.thumb, thumb),
    records: Float64Array.from(groups, (g) => g.records),
  }
}

function unpacked(s: State): Group[] {
  return Array.from(s.records, (records, i) => ({
    order: s.orders.slice(i * 16, (i + 1) * 16),
    hash: s.hashes.slice(i * hashBytes, (i + 1) * hashBytes),
    digest: s.digests.slice(i * 16, (i + 1) * 16),
    thumb: s.thumbs.slice(i * s.thumb, (i + 1) * s.thumb),
    records,
  }))
}
