import { rowsOf } from '../contracts/batch.ts'
import type { Batch } from '../contracts/data.ts'
import type { Context, Statistic } from '../contracts/statistic.ts'
import { textCellsOf } from '../contracts/text-cells.ts'
import { bands, minHasher } from '../math/minhash.ts'
import { type BandCounts, type BandOptions, bandCountsId, cellOf } from './band-counts.ts'

/** Buckets with more than one text, ascending by key. `smallest` is the least id of a member: what the others are linked to. */
export interface BandBuckets {
  readonly keys: Float64Array
  readonly counts: Uint32Array
  readonly smallest: Float64Array
  /** Texts compared, and whether buckets were left out for want of room. */
  readonly texts: number
  readonly limited: boolean
}

interface Table {
  keys: Float64Array
  counts: Uint32Array
  smallest: Float64Array
}
interface State {
  /** Buckets of many texts, and those of few. */
  heavy: Table
  light: Table
  limited: boolean
  /** Not sealed yet. */
  open: { readonly heavy: Open; readonly light: Open } | null
}
type Open = Map<number, { count: number; smallest: number }>

const none = (): Table => ({ keys: new Float64Array(0), counts: new Uint32Array(0), smallest: new Float64Array(0) })
/** A cell of so many texts may hold a flood: its buckets have a table of their own, so that pairs cannot crowd them out. */
const heavyFrom = 16

export interface BucketOptions extends BandOptions {
  /** Buckets kept of either table. */
  readonly size: number
}

export const bandBucketsId = ({ size, cells }: BucketOptions): string => `band-buckets/${size}x${cells}`

/** The id of a text among near-duplicates: from all of its bands, so that equal texts have equal ids. */
export function textId(keys: Float64Array): number {
  let low = 0
  let high = 0
  for (const key of keys) {
    low = Math.imul(low ^ ((key % 4_294_967_296) | 0), 0xcc9e2d51)
    low ^= low >>> 14
    high = Math.imul(high ^ (((key / 4096) % 4_294_967_296) | 0), 0x85ebca6b)
    high ^= high >>> 12
  }
  return ((high >>> 0) & 0xfffff) * 2 ** 32 + (low >>> 0)
}

function trim(open: Open, most: number): boolean {
  if (open.size <= most) return false
  const keys = Float64Array.from(open.keys()).sort()
  const last = keys[most - 1] as number
  for (const key of keys) if (key > last) open.delete(key)
  return true
}

const tableOf = (open: Open): Table => {
  const keys = Float64Array.from(open.keys()).sort()
  return {
    keys,
    counts: Uint32Array.from(keys, (k) => open.get(k)?.count ?? 0),
    smallest: Float64Array.from(keys, (k) => open.get(k)?.smallest ?? 0),
  }
}

function join(a: Table, b: Table, most: number): { readonly table: Table; readonly limited: boolean } {
  const open: Open = new Map()
  for (const t of [a, b]) {
    t.keys.forEach((key, i) => {
      const found = open.get(key)
      const [count, smallest] = [t.counts[i] as number, t.smallest[i] as number]
      open.set(key, found ? { count: found.count + count, smallest: Math.min(found.smallest, smallest) } : { count, smallest })
    })
  }
  const limited = trim(open, most)
  return { table: tableOf(open), limited }
}

/**
 * Exact counts of the buckets that hold more than one text by the sketch, of at most `size` with few texts and as many with many:
 * those with the smallest keyed hashes. A text is near another when they share a bucket.
 */
export function bandBuckets(options: BucketOptions): Statistic<State, BandBuckets> {
  const { size, cells } = options
  return {
    id: bandBucketsId(options),
    version: 1,
    needs: ['text'],
    after: [bandCountsId(options)],
    over: 'subject',
    init: () => ({ heavy: none(), light: none(), limited: false, open: null }),
    update(c: Context, state: State, batch: Batch) {
      const text = textCellsOf(batch, 'text')
      if (!text || rowsOf(batch).length === 0) return
      const { counts } = c.summaries.get<BandCounts>(bandCountsId(options))
      state.open ??= { heavy: new Map(), light: new Map() }
      const hasher = minHasher(c.seed)
      const keys = new Float64Array(bands)
      for (let i = 0; i < batch.numRows; i++) {
        if (!hasher.bandsOf(text.values, text.offsets[i] as number, text.offsets[i + 1] as number, keys)) continue
        const id = textId(keys)
        for (const key of keys) {
          const cell = counts[cellOf(key, cells)] as number
          if (cell < 2) continue
          const open = cell >= heavyFrom ? state.open.heavy : state.open.light
          const found = open.get(key)
          if (found) {
            found.count++
            if (id < found.smallest) found.smallest = id
          } else open.set(key, { count: 1, smallest: id })
        }
      }
      for (const open of [state.open.heavy, state.open.light]) if (open.size > 2 * size && trim(open, size)) state.limited = true
    },
    seal(_: Context, state: State) {
      if (!state.open) return
      for (const name of ['heavy', 'light'] as const) {
        const { table, limited } = join(state[name], tableOf(state.open[name]), size)
        state[name] = table
        state.limited ||= limited
      }
      state.open = null
    },
    merge(into: State, from: State) {
      for (const name of ['heavy', 'light'] as const) {
        const { table, limited } = join(into[name], from[name], size)
        into[name] = table
        into.limited ||= limited
      }
      into.limited ||= from.limited
    },
    finish(c: Context, state: State) {
      const { texts } = c.summaries.get<BandCounts>(bandCountsId(options))
      const all: { key: number; count: number; smallest: number }[] = []
      for (const t of [state.heavy, state.light])
        t.keys.forEach((key, i) => {
          if ((t.counts[i] as number) > 1) all.push({ key, count: t.counts[i] as number, smallest: t.smallest[i] as number })
        })
      all.sort((a, b) => a.key - b.key)
      return {
        keys: Float64Array.from(all, (b) => b.key),
        counts: Uint32Array.from(all, (b) => b.count),
        smallest: Float64Array.from(all, (b) => b.smallest),
        texts,
        limited: state.limited,
      }
    },
    bytes: () => 2 * size * 120,
  }
}
