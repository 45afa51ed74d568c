import { SnapshotError } from './errors.ts'
import type { Snapshot } from './read.ts'
import { bucketCount, leafBytes } from './segment.ts'

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))
const sample = 2000

/** Do the first records have any key in common? Keys are digests: the first buckets are a random sample. */
function sharesKeys(before: Snapshot, after: Snapshot): boolean {
  const { keyBytes } = before.layout
  const first = (snapshot: Snapshot): Set<string> => {
    const keys = new Set<string>()
    const last = Math.ceil((bucketCount * sample) / Math.max(1, Math.min(before.header.records, after.header.records)))
    for (const bucket of snapshot.buckets((b) => b < last))
      for (let i = 0; i < bucket.size; i++) keys.add(bucket.leaves.toString('latin1', leafBytes * i, leafBytes * i + keyBytes))
    return keys
  }
  const keys = first(before)
  for (const key of first(after)) if (keys.has(key)) return true
  return false
}

/**
 * Two snapshots compare where equal records have equal digests.
 * @throws SnapshotError `snapshots-differ`, with what to do
 */
export function checkComparable(before: Snapshot, after: Snapshot): void {
  const [a, b] = [before.header, after.header]
  const refuse = (what: string, hint: string): never => {
    throw new SnapshotError('snapshots-differ', `${before.folder} and ${after.folder} do not compare: ${what}`, {}, hint)
  }
  const again = 'make one of the two again from its data'
  if (a.canonical !== b.canonical)
    refuse(`records are written as ${a.canonical} and as ${b.canonical}`, `${again}, with this version of assay`)
  if (a.schemaDigest !== b.schemaDigest) refuse('they were made under different schemas', `${again}, with the same --schema`)
  for (const role of ['id', 'label'] as const) {
    const [p, q] = [a.columns[role], b.columns[role]]
    if ((p === null) !== (q === null))
      refuse(`one has the ${role} column ${JSON.stringify(p ?? q)}, the other has none`, `${again}, with the same --${role}`)
  }
  if (a.columns.ignored.join('\0') !== b.columns.ignored.join('\0'))
    refuse(
      `columns left out: ${list(a.columns.ignored)} in the one, ${list(b.columns.ignored)} in the other`,
      `${again}, leaving out the same columns`,
    )
  if (a.keyed !== b.keyed)
    refuse('the digests of one are keyed, those of the other are not', `${again}, with or without the key like the other`)
  if (a.keyed && a.records > 0 && b.records > 0 && !sharesKeys(before, after))
    refuse('no record of the one is in the other, as if their digests had different keys', `${again}, with the key of the other`)
}
