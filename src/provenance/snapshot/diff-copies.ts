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

/** A set of contents that counts. A content is the first 48 bits of its digest. */
class Contents {
  shift = 0
  size = 0
  /** Records beyond the first of their content. */
  surplus = 0
  /** Open addressing; 0 is an empty slot, so that contents are kept plus one. */
  private slots: Float64Array
  /** How many more there are of contents that occur several times. */
  private more = new Map<number, number>()

  constructor(records: number) {
    this.slots = new Float64Array(2 ** Math.ceil(Math.log2(2 * Math.min(maxContents, Math.max(16, records)))))
  }

  private slotOf(content: number): number {
    const mask = this.slots.length - 1
    // The high bits are those of the digest as well as the low ones, which thinning uses up.
    let at = Math.floor(content / 2 ** 22) & mask
    for (;;) {
      const held = this.slots[at] as number
      if (held === 0 || held === content + 1) return at
      at = (at + 1) & mask
    }
  }

  add(content: number): void {
    if (!isKept(content, this.shift)) return
    const at = this.slotOf(content)
    if (this.slots[at] !== 0) {
      this.surplus++
      this.more.set(content, (this.more.get(content) ?? 0) + 1)
      return
    }
    this.slots[at] = content + 1
    if (++this.size >= maxContents) this.thin(this.shift + 1)
  }

  count(content: number): number {
    return this.slots[this.slotOf(content)] === 0 ? 0 : 1 + (this.more.get(content) ?? 0)
  }

  thin(shift: number): void {
    if (shift <= this.shift) return
    this.shift = shift
    const [slots, more] = [this.slots, this.more]
    this.slots = new Float64Array(slots.length)
    this.more = new Map()
    this.size = 0
    this.surplus = 0
    for (const held of slots) {
      if (held === 0 || !isKept(held - 1, shift)) continue
      this.slots[this.slotOf(held - 1)] = held
      this.size++
      const n = more.get(held - 1)
      if (n === undefined) continue
      this.more.set(held - 1, n)
      this.surplus += n
    }
  }
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
      const { surplus, size } = before
      let [after, added, copied] = [surplus, 0, 0]
      let largest: Copies['largest'] = null
      for (const [value, t] of touched) {
        const old = before.count(value)
        after += Math.max(0, old - t.gone + t.came - 1) - Math.max(0, old - 1)
        if (t.added === 0) continue
        const copies = old > 0 ? t.added : t.added - 1
        added += t.added
        copied += copies
        if (copies > (largest?.copies ?? 0) && t.record) largest = { copies, record: t.record }
      }
      return {
        duplicates: { before: surplus * sampled, after: after * sampled },
        copies: { added, copies: copied, records: size + surplus, surplus, largest },
        sampled,
      }
    },
  }
}
