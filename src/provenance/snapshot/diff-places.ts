import type { SnapshotShard } from '../../contracts/snapshot.ts'
import { fileOf, splitNameOf } from '../changes/split.ts'

type Shards = readonly Pick<SnapshotShard, 'id' | 'rows' | 'rejected'>[]

/** Where records lie in a file of the one delivery and in its counterpart of the other. */
export interface Places {
  /** 0 at the same relative place, below 1 within counterparts, more elsewhere. */
  distance(beforeShard: number, beforeRow: number, afterShard: number, afterRow: number): number
  /** A row as a number that is the same for the same row of counterparts; -1 in a file without one. */
  spotBefore(shard: number, row: number): number
  spotAfter(shard: number, row: number): number
  /** Spots before the first and after the last row of the files that have a counterpart. */
  readonly ends: readonly { readonly first: number; readonly last: number; readonly lastAfter: number }[]
}

interface File {
  readonly name: string
  readonly rows: number
}

function filesOf(shards: Shards): Map<string, File> {
  const files = new Map<string, File>()
  for (const { id, rows, rejected } of shards) {
    const name = fileOf(id)
    files.set(name, { name, rows: (files.get(name)?.rows ?? 0) + rows + rejected })
  }
  return files
}

const lastPart = (name: string): string => name.slice(name.lastIndexOf('/') + 1)

/** File after by file before: of one name, else alone in their folder, split or delivery with it. */
function counterparts(before: readonly File[], after: readonly File[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  let [left, right] = [before, after]
  const keys: ((f: File) => string | null)[] = [(f) => f.name, (f) => lastPart(f.name), (f) => splitNameOf(f.name), () => 'the only one']
  for (const key of keys) {
    const unique = (files: readonly File[]) => {
      const byKey = new Map<string, File | null>()
      for (const f of files) {
        const k = key(f)
        if (k !== null) byKey.set(k, byKey.has(k) ? null : f)
      }
      return byKey
    }
    const others = unique(right)
    for (const [k, f] of unique(left)) {
      const other = others.get(k)
      if (f && other) found.set(f.name, other.name)
    }
    const taken = new Set(found.values())
    left = left.filter((f) => !found.has(f.name))
    right = right.filter((f) => !taken.has(f.name))
  }
  return found
}

const elsewhere = 2
/** More than the rows of any file. */
const fileSpan = 2 ** 33

export function placesOf(before: Shards, after: Shards): Places {
  const [files, others] = [filesOf(before), filesOf(after)]
  const pairs = counterparts([...files.values()], [...others.values()])
  const number = new Map([...others.keys()].map((name, i) => [name, i]))
  const fileNumbers = (shards: Shards, numberOf: (name: string) => number) => Int32Array.from(shards, (s) => numberOf(fileOf(s.id)))
  const rowsIn = (shards: Shards, of: Map<string, File>) => Float64Array.from(shards, (s) => Math.max(1, of.get(fileOf(s.id))?.rows ?? 1))
  const fileBefore = fileNumbers(before, (name) => number.get(pairs.get(name) ?? '') ?? -1)
  const fileAfter = fileNumbers(after, (name) => number.get(name) as number)
  const [rowsBefore, rowsAfter] = [rowsIn(before, files), rowsIn(after, others)]
  const spot = (file: Int32Array) => (shard: number, row: number) => {
    const at = file[shard] as number
    return at < 0 ? -1 : at * fileSpan + row
  }
  return {
    distance: (s, row, t, other) =>
      fileBefore[s] === fileAfter[t] ? Math.abs(row / (rowsBefore[s] as number) - other / (rowsAfter[t] as number)) : elsewhere,
    spotBefore: spot(fileBefore),
    spotAfter: spot(fileAfter),
    ends: [...pairs].map(([name, other]) => {
      const start = (number.get(other) as number) * fileSpan
      return { first: start - 1, last: start + (files.get(name)?.rows ?? 0), lastAfter: start + (others.get(other)?.rows ?? 0) }
    }),
  }
}
