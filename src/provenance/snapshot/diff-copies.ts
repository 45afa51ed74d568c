import type { ChangeSummary, RecordLocation } from '../../contracts/snapshot.ts'
import type { Copies } from '../changes/summary.ts'
import type { Bucket } from './buckets.ts'
import { type LeafLayout, leafBytes } from './segment.ts'

/** Counts records beyond the first of their content, and added records that copy another one. */
export interface CopyCounter {
  /** Every bucket of the baseline, and of the other side where it differs; `isAfter` too where both are equal. */
  see(bucket: Bucket, isBefore: boolean, isAfter: boolean): void
  /** An added record; `copies` as `compareBuckets` tells. The location is asked for where it is kept. */
  added(bucket: Bucket, i: number, copies: number, location: () => RecordLocation): void
  finish(records: number): { readonly duplicates: ChangeSummary['duplicates']; readonly copies: Copies; readonly sampled: number }
}

export const openCopyCounter = (layout: LeafLayout): CopyCounter => (layout.keyBytes === 16 ? byContent(layout) : byKey())

/** Without ids the key is the content, and buckets are sorted by it. */
function byKey(): CopyCounter {
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
    added(_, __, copies, location) {
      added++
      if (copies > 0) copied++
      if (copies > (largest?.copies ?? 0)) largest = { copies, record: location() }
    },
    finish: (records) => ({
      duplicates: { before, after },
      copies: { added, copies: copied, records, surplus: before, largest },
      sampled: 1,
    }),
  }
}

/** Contents kept at a time for each side: beyond that a growing share of all contents is left out, the same on both sides. */
const maxContents = 2 ** 22
const maxAdded = 2 ** 18

/** First 48 bits of the digests of the contents of which the last bits, as many as `shift`, are 0. */
class Contents {
  shift = 0
  size = 0
  values = new Float64Array(1024)

  constructor(private readonly most: number) {}

  /** Position at which the content was kept, -1 where it was not. */
  add(content: number): number {
    if (content % 2 ** this.shift !== 0) return -1
    if (this.size === this.most) {
      this.thin(this.shift + 1)
      return this.add(content)
    }
    if (this.size === this.values.length) {
      const larger = new Float64Array(Math.min(this.most, this.size * 2))
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.size++] = content
    return this.size - 1
  }

  thin(shift: number): void {
    if (shift <= this.shift) return
    this.shift = shift
    let n = 0
    for (let i = 0; i < this.size; i++) {
      const v = this.values[i] as number
      if (v % 2 ** shift === 0) this.values[n++] = v
    }
    // one content alone, copied endlessly, cannot be thinned out
    this.size = n === this.most ? this.most - 1 : n
  }

  sorted(): Float64Array {
    return this.values.subarray(0, this.size).sort()
  }
}

const surplusIn = (sorted: Float64Array): number => {
  let n = 0
  for (let i = 1; i < sorted.length; i++) if (sorted[i] === sorted[i - 1]) n++
  return n
}

function holds(sorted: Float64Array, value: number): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((sorted[middle] as number) < value) low = middle + 1
    else high = middle
  }
  return sorted[low] === value
}

function byContent({ content }: LeafLayout): CopyCounter {
  const [before, after, added] = [new Contents(maxContents), new Contents(maxContents), new Contents(maxAdded)]
  const places = new Map<number, RecordLocation>()
  const at = ({ leaves }: Bucket, i: number): number => leaves.readUIntBE(i * leafBytes + content[0], 6)
  return {
    see(bucket, isBefore, isAfter) {
      for (let i = 0; i < bucket.size; i++) {
        const value = at(bucket, i)
        if (isBefore) before.add(value)
        if (isAfter) after.add(value)
      }
    },
    added(bucket, i, _, location) {
      const value = at(bucket, i)
      if (added.add(value) >= 0 && !places.has(value)) places.set(value, location())
    },
    finish(records) {
      const shift = Math.max(before.shift, after.shift, added.shift)
      for (const contents of [before, after, added]) contents.thin(shift)
      const sampled = 2 ** shift
      const old = before.sorted()
      const [surplus, surplusAfter] = [surplusIn(old), surplusIn(after.sorted())]
      const fresh = added.sorted()
      let copied = 0
      let largest: Copies['largest'] = null
      for (let from = 0; from < fresh.length; ) {
        const value = fresh[from] as number
        let to = from + 1
        while (to < fresh.length && fresh[to] === value) to++
        const copies = to - from - (holds(old, value) ? 0 : 1)
        copied += copies
        const record = places.get(value)
        if (copies > (largest?.copies ?? 0) && record) largest = { copies, record }
        from = to
      }
      const known = shift === 0 ? records : old.length
      return {
        duplicates: { before: surplus * sampled, after: surplusAfter * sampled },
        copies: { added: fresh.length, copies: copied, records: known, surplus, largest },
        sampled,
      }
    },
  }
}
