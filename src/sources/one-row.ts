import type { Json, ShardSpec } from '../contracts/data.ts'

/** A shard that holds one row and has the same name, where rows are files of their own; else the shard as it is. */
export function oneRow(shard: ShardSpec, row: number): ShardSpec {
  const list = shard.format === 'image-folder' ? 'pictures' : shard.format === 'text-folder' ? 'names' : null
  const { first } = shard.options
  if (list === null || typeof first !== 'number') return shard
  const one = (shard.options[list] as readonly Json[])[row - first]
  return one === undefined ? shard : { ...shard, expectedRows: 1, options: { ...shard.options, first: row, [list]: [one] } }
}
