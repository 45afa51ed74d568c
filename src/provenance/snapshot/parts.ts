import { join } from 'node:path'
import type { SnapshotHeader, SnapshotShard } from '../../contracts/snapshot.ts'
import type { Part } from './buckets.ts'
import { damaged, SnapshotError } from './errors.ts'
import { type Dictionary, type KeyBytes, type NameCount, openSegment, type Segment } from './segment.ts'

/** Distinct labels or sources of one snapshot. */
export const maxNames = 250_000

export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Counts by name over several dictionaries, sorted by name. @throws SnapshotError `too-many-names` */
export function addNames(lists: Iterable<readonly NameCount[]>, what: string): NameCount[] {
  const counts = new Map<string, number>()
  for (const list of lists) for (const { name, count } of list) counts.set(name, (counts.get(name) ?? 0) + count)
  if (counts.size > maxNames) {
    const message = `the ${what} column has ${counts.size} distinct values: it does not say what records have in common`
    throw new SnapshotError('too-many-names', message, {}, `name another column with --${what}`, 4)
  }
  return [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => byCodeUnit(a.name, b.name))
}

/** The segments of some shards, opened; checked against what is declared of them. */
export function openSegments(folder: string, shards: readonly SnapshotShard[]): readonly (readonly Segment[])[] {
  return shards.map((shard) => {
    const segments = shard.segments.map(({ file, rows }) => {
      const segment = openSegment(join(folder, file))
      if (segment.rows !== rows) throw damaged(segment.path, `has ${segment.rows} records where the header declares ${rows}`)
      return segment
    })
    const rows = segments.reduce((n, s) => n + s.rows, 0)
    if (rows !== shard.rows) throw damaged(join(folder, shard.id), `its segments hold ${rows} records of ${shard.rows}`)
    return segments
  })
}

const codes = (local: readonly NameCount[], all: ReadonlyMap<string, number>, path: string): Int32Array =>
  Int32Array.from(local, ({ name }) => {
    const code = all.get(name)
    if (code === undefined) throw damaged(path, `names ${JSON.stringify(name.slice(0, 40))}, which the header does not`)
    return code
  })

const index = (names: SnapshotHeader['labels']): Map<string, number> => new Map(names.map(({ name }, i) => [name, i]))

/** Segments with the codes of the whole: `segments` as `openSegments` gives them. */
export function partsOf(
  segments: readonly (readonly Segment[])[],
  names: { readonly labels: SnapshotHeader['labels']; readonly sources: SnapshotHeader['sources'] },
): readonly Part[] {
  const labels = index(names.labels)
  const sources = index(names.sources)
  return segments.flatMap((list, shard) =>
    list.map((segment) => ({
      segment,
      shard,
      labels: codes(segment.dictionary.labels, labels, segment.path),
      sources: codes(segment.dictionary.sources, sources, segment.path),
    })),
  )
}

export const dictionariesOf = (segments: readonly (readonly Segment[])[]): readonly Dictionary[] => segments.flat().map((s) => s.dictionary)

/** What all segments agree on. @throws SnapshotError `snapshots-differ` where some have ids and others none */
export function keyBytesOf(segments: readonly (readonly Segment[])[], id: string | null): KeyBytes {
  const keyBytes = id === null ? 32 : 16
  const odd = segments.flat().find((s) => s.keyBytes !== keyBytes)
  if (odd) {
    const message = `${odd.path}: was written ${odd.keyBytes === 16 ? 'with' : 'without'} an id column, the others were not`
    throw new SnapshotError('snapshots-differ', message, { file: odd.path })
  }
  return keyBytes
}
