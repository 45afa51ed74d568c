import type { ChangeSummary, RecordLocation } from '../../contracts/snapshot.ts'
import type { Copies } from '../changes/summary.ts'
import type { Bucket } from './buckets.ts'
import { type LeafLayout, leafBytes } from './segment.ts'

/** Counts records beyond the first of their content, and added records that copy another one. */
export interface CopyCounter {
  /** Every bucket of the baseline, and of the other side where it differs; `isAfter` too where both are equal. */
  see(bucket: Bucket, isBefore: boolean, isAfter: boolean): void
  /** Content that a record of the baseline had and has no more, or that a record did not have before. */
  gone(bucket: Bucket, i: number): void
  came(bucket: Bucket, i: number): void
  /** An added record; `copies` as `compareBuckets` tells. The location is asked for where it is kept. */
  added(bucket: Bucket, i: number, copies: number, location: () => RecordLocation): void
  finish(): { readonly duplicates: ChangeSummary['duplicates']; readonly copies: Copies; readonly sampled: number }
}

/** `records`: of the baseline. */
export const openCopyCounter = (layout: LeafLayout, records: number): CopyCounter =>
  layout.keyBytes === 16 ? byContent(layout, records) : byKey(records)

/** Without ids the key is the content, and buckets are sorted by it. */
function byKey(records: number): CopyCounter {
  let [before, after, added, copied] = [0, 0, 0, 0]
  let largest: Copies['largest'] = null
  const surplus = ({ leaves, size }: Bucket): number => {
    const words = new Uint32Array(leaves.buffer, leaves.byteOffset, size * 16)
    let n = 0
    for (let i = 1; i < size; i++) {
      let w = 0
      while (w < 8 && words[16 * i + w] === words[16 * i - 16 + w]) w++
      if (w === 8) n++
    }
    return n
  }
  return {
    see(bucket, isBefore, isAfter) {
      const n = surplus(bucket)
      if (isBefore) before += n
      if (isAfter) after += n
    },
    gone() {},
    came() {},
    added(_, __, copies, location) {
      added++
      if (copies > 0) copied++
      if (copies > (largest?.copies ?? 0)) largest = { copies, record: location() }
    },
    finish: () => ({
      duplicates: { before, after },
      copies: { added, copies: copied, records, surplus: before, largest },
      sampled: 1,
    }),
  }
}

/** Contents kept at a time: beyond that a growing share of all contents is left out, the same ones everywhere. */
const maxContents = 2 ** 22
const maxTouched = 2 ** 18

const isKept = (content: number, shift: number): boolean => content % 2 ** shift === 0

/** Contents with their multiplicity. A content is the first 48 bits of its digest. */
class Contents {
  shift = 0
  private size = 0
  private values: Float64Array<ArrayBuffer>

  constructor(records: number) {
    this.values = new Float64Array(Math.min(maxContents, records))
  }

  add(content: number): void {
    if (!isKept(content, this.shift)) return
    if (this.size === this.values.length && !this.makeRoom()) return
    this.values[this.size++] = content
  }

  /** False where all that is held is one content that cannot be thinned out; further copies of it are not counted. */
  private makeRoom(): boolean {
    while (this.size === this.values.length && this.shift < 48) this.thin(this.shift + 1)
    return this.size < this.values.length
  }

  thin(shift: number): void {
    if (shift <= this.shift) return
    this.shift = shift
    let n = 0
    for (let i = 0; i < this.size; i++) {
      const value = this.values[i] as number
      if (isKept(value, shift)) this.values[n++] = value
    }
    this.size = n
  }

  /** Ascending: dealt out by the first bits, so that what is sorted at a time stays in the cache. */
  sorted(): Float64Array {
    const starts = new Uint32Array(piles + 1)
    const pileOf = (value: number): number => Math.floor(value / pileSpan)
    for (let i = 0; i < this.size; i++) {
      const after = pileOf(this.values[i] as number) + 1
      starts[after] = (starts[after] as number) + 1
    }
    for (let k = 0; k < piles; k++) starts[k + 1] = (starts[k + 1] as number) + (starts[k] as number)
    const next = starts.slice()
    const out = new Float64Array(this.size)
    for (let i = 0; i < this.size; i++) {
      const value = this.values[i] as number
      const pile = pileOf(value)
      const at = next[pile] as number
      out[at] = value
      next[pile] = at + 1
    }
    for (let k = 0; k < piles; k++) out.subarray(starts[k], starts[k + 1]).sort()
    return out
  }
}

const piles = 1024
const pileSpan = 2 ** 48 / piles

const surplusIn = (sorted: Float64Array): number => {
  let n = 0
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) n++
  return n
}

/** How many of `sorted` are below `value`. */
function below(sorted: Float64Array, value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return low
}

/** What happened to the records of one content. */
interface Touched {
  gone: number
  came: number
  added: number
  record: RecordLocation | null
}

function byContent({ content }: LeafLayout, records: number): CopyCounter {
  const before = new Contents(records)
  const touched = new Map<number, Touched>()
  let shift = 0
  const contentAt = ({ leaves }: Bucket, i: number): number => {
    const o = i * leafBytes + content[0]
    return leaves.readUInt32BE(o) * 65536 + leaves.readUInt16BE(o + 4)
  }
  const thin = (to: number): void => {
    shift = Math.max(shift, to)
    for (const value of touched.keys()) if (!isKept(value, shift)) touched.delete(value)
  }
  const touch = (value: number): Touched | null => {
    if (!isKept(value, shift)) return null
    const known = touched.get(value) ?? { gone: 0, came: 0, added: 0, record: null }
    touched.set(value, known)
    if (touched.size > maxTouched) thin(shift + 1)
    return known
  }
  return {
    see(bucket, isBefore) {
      if (isBefore) for (let i = 0; i < bucket.size; i++) before.add(contentAt(bucket, i))
    },
    gone(bucket, i) {
      const t = touch(contentAt(bucket, i))
      if (t) t.gone++
    },
    came(bucket, i) {
      const t = touch(contentAt(bucket, i))
      if (t) t.came++
    },
    added(bucket, i, _, location) {
      const t = touch(contentAt(bucket, i))
      if (!t) return
      t.came++
      t.added++
      t.record ??= location()
    },
    finish() {
      const last = Math.max(shift, before.shift)
      before.thin(last)
      thin(last)
      const sampled = 2 ** last
      const old = before.sorted()
      const surplus = surplusIn(old)
      let [after, added, copied] = [surplus, 0, 0]
      let largest: Copies['largest'] = null
      for (const [value, t] of touched) {
        const held = below(old, value + 1) - below(old, value)
        after += Math.max(0, held - t.gone + t.came - 1) - Math.max(0, held - 1)
        if (t.added === 0) continue
        const copies = held > 0 ? t.added : t.added - 1
        added += t.added
        copied += copies
        if (copies > (largest?.copies ?? 0) && t.record) largest = { copies, record: t.record }
      }
      return {
        duplicates: { before: surplus * sampled, after: after * sampled },
        copies: { added, copies: copied, records: old.length, surplus, largest },
        sampled,
      }
    },
  }
}
