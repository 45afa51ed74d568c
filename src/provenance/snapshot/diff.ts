import type { ChangeKind, ChangeSummary, RecordChange } from '../../contracts/snapshot.ts'
import { type Coded, countPlace, countShards, type Division, divide, labelIn, openCensus } from '../changes/census.ts'
import { locationOf, summarise } from '../changes/summary.ts'
import { countInto, openTally, type Tally } from '../changes/tally.ts'
import type { Bucket } from './buckets.ts'
import { type Alignment, openAlignment } from './diff-alignment.ts'
import { compareBuckets, type Differences } from './diff-buckets.ts'
import { checkComparable } from './diff-comparable.ts'
import { type CopyCounter, openCopyCounter } from './diff-copies.ts'
import { lanesAt, pairEdits, type Unmatched } from './diff-pairs.ts'
import { type Places, placesOf } from './diff-places.ts'
import type { Snapshot } from './read.ts'
import { bucketCount } from './segment.ts'

/** Records without a counterpart that are kept, on either side, to be paired as edits. */
const maxUnmatched = 200_000
/** Times from which the windows of time are made. */
const timeSample = 20_000
type OnChange = (change: RecordChange) => void

const codedOf = (bucket: Bucket, i: number): Coded => ({
  shard: bucket.shards[i] as number,
  row: bucket.rows[i] as number,
  label: bucket.labels[i] as number,
  source: bucket.sources[i] as number,
  time: bucket.times[i] as number,
})

/** Keys are digests: the first buckets are a random sample of the records. */
function sampleTimes(snapshot: Snapshot): Float64Array {
  if (snapshot.header.columns.time === null || snapshot.header.records === 0) return new Float64Array(0)
  const last = Math.ceil((bucketCount * timeSample) / snapshot.header.records)
  const times: number[] = []
  for (const bucket of snapshot.buckets((b) => b < last)) for (const time of bucket.times) if (!Number.isNaN(time)) times.push(time)
  return Float64Array.from(times)
}

interface Diff {
  readonly before: Snapshot
  readonly after: Snapshot
  readonly hasIds: boolean
  readonly division: Division
  readonly places: Places
  readonly tally: Tally
  readonly copies: CopyCounter
  readonly onChange: OnChange
  readonly removed: Unmatched[]
  readonly added: Unmatched[]
  readonly alignment: Alignment
  /** Records that came after `maxUnmatched` others. */
  unpaired: number
}

function tell(d: Diff, kind: ChangeKind, before: Coded | null, after: Coded | null, ids: readonly [string | null, string | null]): void {
  countInto(d.tally, d.division, kind, before, after)
  d.onChange({
    kind,
    before: before && locationOf(d.before.header, before, ids[0]),
    after: after && locationOf(d.after.header, after, ids[1]),
  })
}

function keep(d: Diff, bucket: Bucket, i: number, kind: 'removed' | 'added'): void {
  const record = codedOf(bucket, i)
  const list = d[kind]
  if (!d.hasIds && list.length < maxUnmatched) {
    list.push({ ...record, lanes: lanesAt(bucket, i) })
    return
  }
  if (!d.hasIds) d.unpaired++
  const id = bucket.id(i)
  tell(d, kind, kind === 'removed' ? record : null, kind === 'added' ? record : null, [id, id])
}

function compare(d: Diff, before: Bucket, after: Bucket): void {
  const { places } = d
  const out: Differences = {
    kept(i, j) {
      if (d.hasIds) return
      const spot = places.spotBefore(before.shards[i] as number, before.rows[i] as number)
      d.alignment.kept(spot, places.spotAfter(after.shards[j] as number, after.rows[j] as number))
    },
    both(kind, i, j) {
      if (kind !== 'relabelled') {
        d.copies.gone(before, i)
        d.copies.came(after, j)
      }
      tell(d, kind, codedOf(before, i), codedOf(after, j), [before.id(i), after.id(j)])
    },
    removed(i) {
      d.copies.gone(before, i)
      keep(d, before, i, 'removed')
    },
    added(j, copies) {
      d.copies.added(after, j, copies, () => locationOf(d.after.header, codedOf(after, j), after.id(j)))
      keep(d, after, j, 'added')
    },
  }
  compareBuckets(before, after, d.before.layout, places, out)
}

/** Equal buckets hold the same records in the same order: they tell where unchanged records went. */
function alignEqual({ before, after, places, alignment }: Diff, isEqual: (bucket: number) => boolean): void {
  const others = after.buckets(isEqual)
  for (const bucket of before.buckets(isEqual)) {
    const other = others.next().value as Bucket
    for (let i = 0; i < bucket.size; i++) {
      const spot = places.spotBefore(bucket.shards[i] as number, bucket.rows[i] as number)
      alignment.kept(spot, places.spotAfter(other.shards[i] as number, other.rows[i] as number))
    }
    if (alignment.isFull()) return
  }
}

/** Removed and added records that are versions of one another, and those that are not. */
function tellUnmatched(d: Diff): void {
  const { removed, added, division } = d
  const partner = pairEdits(removed, added, d.places, d.alignment.settle())
  const paired = new Set(partner)
  const none = [null, null] as const
  for (const [r, record] of removed.entries()) {
    const other = added[partner[r] as number]
    if (!other) tell(d, 'removed', record, null, none)
    else tell(d, labelIn(division.before, record) === labelIn(division.after, other) ? 'edited' : 'replaced', record, other, none)
  }
  for (const [a, record] of added.entries()) if (!paired.has(a)) tell(d, 'added', null, record, none)
}

function notesOf(d: Diff, unequal: number, sampled: number): string[] {
  const { before, after, tally } = d
  const notes: string[] = []
  if (unequal === 0 && before.header.roots.locations !== after.header.roots.locations)
    notes.push('The records are the same; places, sources or times differ.')
  if (d.unpaired > 0)
    notes.push(
      `Without ids, an edit is a removal and an addition of nearly the same content. Pairs were sought among the first ${maxUnmatched} of each; ${d.unpaired} more records are listed as removed or added.`,
    )
  if (sampled > 1) notes.push(`Copies were counted among one in ${sampled} of the contents.`)
  const touched = tally.counts.edited + tally.counts.replaced + tally.counts.removed
  if (touched > 0 && touched >= before.header.records && unequal === bucketCount)
    notes.push(
      'No record kept its content: was a column added or dropped, or were the same values read as other types? A declared schema tells.',
    )
  const { relabelled, removed } = tally.counts
  if (relabelled > 0 && relabelled + removed >= before.header.records)
    notes.push('No record kept its label: are classes numbered on one side and named on the other? Name them alike.')
  return notes
}

/**
 * What changed from one snapshot to another. Roots are compared, then buckets; only unequal buckets are merged. With ids: same
 * content and another label is `relabelled`, same label and other content `edited`, both `replaced`. Without ids the content
 * is the key: a removal and an addition of nearly the same content, or between the same neighbours, are an edit. Duplicates count as
 * often as they occur. Every change goes out through `onChange` when it is found; memory is bounded.
 * @throws SnapshotError `snapshots-differ` where the two do not compare, `snapshot-damaged`
 */
export async function diffSnapshots(before: Snapshot, after: Snapshot, onChange: OnChange): Promise<ChangeSummary> {
  checkComparable(before, after)
  const wanted = Uint8Array.from({ length: bucketCount }, (_, b) =>
    Number(!before.bucketDigest(b, 'records').equals(after.bucketDigest(b, 'records'))),
  )
  const unequal = wanted.reduce((n, w) => n + w, 0)
  const division = divide(before.header, after.header, unequal > 0 ? sampleTimes(before) : [])
  const places = placesOf(before.header.shards, after.header.shards)
  const d: Diff = {
    before,
    after,
    hasIds: before.layout.keyBytes === 16,
    division,
    places,
    alignment: openAlignment(places),
    tally: openTally(division),
    copies: openCopyCounter(before.layout, before.header.records),
    onChange,
    removed: [],
    added: [],
    unpaired: 0,
  }
  const records = { before: openCensus(division.layout), after: openCensus(division.layout) }
  countShards(records.before, division.before, before)
  countShards(records.after, division.after, after)
  if (unequal > 0) {
    const others = after.buckets((b) => wanted[b] === 1)
    for (const bucket of before.buckets(() => true)) {
      for (let i = 0; i < bucket.size; i++)
        countPlace(
          division.layout,
          records.before,
          division.before,
          bucket.shards[i] as number,
          bucket.rows[i] as number,
          bucket.times[i] as number,
        )
      const isSame = wanted[bucket.number] === 0
      d.copies.see(bucket, true, isSame)
      if (!isSame) {
        const other = others.next().value as Bucket
        d.copies.see(other, false, true)
        compare(d, bucket, other)
      }
      if (bucket.number % 16 === 15) await new Promise(setImmediate)
    }
    if (d.removed.length > 0 && d.added.length > 0 && !d.alignment.isFull()) alignEqual(d, (b) => wanted[b] === 0)
    tellUnmatched(d)
  }
  const counted = unequal > 0 ? d.copies.finish() : null
  return summarise({
    before: sideOf(before),
    after: sideOf(after),
    division,
    tally: d.tally,
    records,
    duplicates: counted?.duplicates ?? null,
    copies: counted?.copies ?? null,
    notes: notesOf(d, unequal, counted?.sampled ?? 1),
  })
}

const sideOf = ({ header }: Snapshot): ChangeSummary['before'] => ({
  name: header.subject.name,
  root: header.roots.records,
  records: header.records,
})
