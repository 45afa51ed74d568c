import { codesOf, selectColumns } from '../../contracts/batch.ts'
import { namesOfColumns } from '../../contracts/categories.ts'
import type { Batch } from '../../contracts/data.ts'
import { takeRows } from '../../contracts/take-rows.ts'
import { type Features, openFeatures } from '../../features/open.ts'
import { digest16, sortKey } from '../../math/hash.ts'
import { readShard } from '../../sources/read.ts'
import type { Over } from '../files.ts'
import { addKeys } from '../keys.ts'
import type { Part } from '../plan.ts'
import type { Run } from '../run.ts'
import { keepOf } from '../since.ts'

/** Records in memory, with the columns that the first read makes. */
export interface Sample {
  readonly batches: readonly Batch[]
  readonly rows: number
  readonly labels: readonly { readonly name: string; readonly count: number }[]
  readonly sources: readonly string[]
  /** Names of the numeric columns, and of those of categories. */
  readonly columns: readonly string[]
  readonly categories: readonly string[]
  /** Makes the columns of changed records as the first read makes them. */
  readonly complete: (batch: Batch) => Promise<Batch>
}

/** Encoded records of one sample stay below this. */
const maxBytes = 256 * 2 ** 20

/** Largest row digest, 0..1, of the records that are taken. */
function share(part: Part, limit: number, rows: number): number {
  const bytes = part.files.reduce((sum, f) => sum + f.bytes, 0)
  return Math.min(1, limit / Math.max(rows, 1), maxBytes / Math.max(bytes, 1))
}

/**
 * About `limit` records, chosen by a keyed digest of where they stand, read again from the sources; all of them where there are fewer.
 *
 * @param rows of this part, as the first read counted them
 */
export async function readSample(run: Run, over: Over, limit: number, rows: number): Promise<Sample> {
  const part = run.part(over)
  const kept = share(part, limit, rows)
  const features = part.features || part.pixels ? await openFeatures(part.features, run.seed, () => {}, undefined, part.pixels) : null
  const complete = completer(features, run)
  const batches: Batch[] = []
  for (const shard of part.shards) {
    const keep = await keepOf(run, over, shard)
    for await (const every of readShard(shard, () => {})) {
      const read = keep ? keep(every) : every
      const chosen = kept >= 1 ? read : takeRows(read, chosenRows(read, run.seed, shard.id, kept))
      if (chosen.numRows === 0) continue
      const batch = await complete(chosen)
      if (batch.numRows > 0) batches.push(batch)
    }
  }
  return {
    batches,
    rows: batches.reduce((sum, b) => sum + b.numRows, 0),
    ...census(batches),
    ...columnsIn(batches[0]),
    complete,
  }
}

const columnsIn = (batch: Batch | undefined): Pick<Sample, 'columns' | 'categories'> => ({
  columns: batch ? namesOfColumns(batch, 'features') : [],
  categories: batch ? namesOfColumns(batch, 'categories') : [],
})

function chosenRows(batch: Batch, seed: Uint8Array, shard: string, kept: number): Int32Array {
  const rows = batch.getChild('row' as never)?.data[0]?.values as Uint32Array
  const chosen: number[] = []
  for (let i = 0; i < batch.numRows; i++)
    if (sortKey(digest16(seed, 'sensitivity', `${shard}\0${rows[i]}`), 0) < kept * 2 ** 48) chosen.push(i)
  return Int32Array.from(chosen)
}

/** Columns that follow from others. */
const made = (run: Run): ReadonlySet<string> => {
  const { features, pixels } = run.plan.subject
  return new Set(['key', 'content', ...(features ? ['embedding'] : []), ...(pixels ? ['pixels', 'noise'] : [])])
}

function completer(features: Features | null, run: Run): Sample['complete'] {
  const derived = made(run)
  return async (batch) => {
    const given = selectColumns(batch, new Set(batch.schema.fields.map((f) => f.name).filter((name) => !derived.has(name))))
    const whole = features ? await features.apply(given) : given
    return run.plan.keyed && whole.numRows > 0 ? addKeys(whole, run.seed) : whole
  }
}

function census(batches: readonly Batch[]): Pick<Sample, 'labels' | 'sources'> {
  const counts = new Map<string, number>()
  const sources = new Set<string>()
  for (const batch of batches) {
    const label = codesOf(batch, 'label')
    for (const code of label?.codes ?? []) {
      const name = label?.values[code]
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    const source = codesOf(batch, 'source')
    for (const code of source?.codes ?? []) {
      const name = source?.values[code]
      if (name !== undefined) sources.add(name)
    }
  }
  const labels = [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => (a.name < b.name ? -1 : 1))
  return { labels, sources: [...sources].sort() }
}
