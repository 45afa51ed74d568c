/** Rows of a part of a file carry the file's own row numbers: the part is no split. */
const range = /#\d+\+\d+$/

/** The file behind a shard, as in reports: `data.parquet#100+50` is a part of `data.parquet`. */
export const fileOf = (shard: string): string => shard.replace(range, '')

const words = 'train|training|val|valid|validation|dev|test|testing|eval|holdout'
const named = new RegExp(`(?:^|[/._-])(${words})(?=[/._-]|$)`, 'gi')

/** `images.npz#train` -> train; `data/test-00000-of-00002.parquet` -> test; else null. */
export function splitNameOf(shard: string): string | null {
  const file = fileOf(shard)
  const hash = file.lastIndexOf('#')
  if (hash >= 0 && hash < file.length - 1) return file.slice(hash + 1)
  const last = [...file.matchAll(named)].at(-1)?.[1]
  return last === undefined ? null : last.toLowerCase()
}

/** The split of a shard; null for every shard where the data are not divided. */
export type SplitOf = (shard: string) => string | null

const rest = 'the rest'

/** Splits are named only where the shards (of both sides of a comparison) make at least two. */
export function splitsOf(shards: Iterable<string>): SplitOf {
  const names = new Map([...shards].map((shard) => [shard, splitNameOf(shard)]))
  const several = new Set(names.values()).size > 1
  return (shard) => (several ? (names.get(shard) ?? splitNameOf(shard) ?? rest) : null)
}
