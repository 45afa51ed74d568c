import { SnapshotError } from './errors.ts'
import type { Snapshot } from './read.ts'

const list = (names: readonly string[]): string => (names.length === 0 ? 'none' : names.join(', '))

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
  if (a.keyId !== b.keyId) refuse('their digests have different keys', `${again}, with the key of the other`)
}
