import { matrixOf } from '../contracts/batch.ts'
import { categoriesOf } from '../contracts/categories.ts'
import type { Batch } from '../contracts/data.ts'
import { AssayError } from '../contracts/errors.ts'
import type { Pipeline } from '../contracts/pipeline.ts'
import type { Shape } from '../contracts/statistic.ts'
import { readShard } from '../sources/read.ts'
import type { Part } from './plan.ts'

/** The first batch that can be read of any shard; null when there is none. */
export async function firstBatch(part: Part): Promise<Batch | null> {
  for (const shard of part.shards) {
    try {
      for await (const batch of readShard(shard, () => {})) return batch
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
    }
  }
  return null
}

/** @param batch the first one of the part */
export function shapeOf(part: Part, batch: Batch | null): Shape {
  const known = part.shards.every((s) => s.expectedRows !== null)
  const vectors = batch ? (matrixOf(batch, 'embedding') ?? matrixOf(batch, 'features')) : null
  const predictions = batch ? matrixOf(batch, 'predictions') : null
  const categories = batch ? categoriesOf(batch) : null
  const { pixels } = part
  return {
    rows: known ? part.shards.reduce((sum, s) => sum + (s.expectedRows ?? 0), 0) : null,
    dims: vectors?.dims ?? part.features?.dims ?? 0,
    classes: predictions?.dims ?? 0,
    sources: 0,
    ...(categories ? { categories: categories.dims } : {}),
    ...(pixels ? { pixels: { height: pixels.height, width: pixels.width, channels: pixels.channels } } : {}),
  }
}

/** As declared with the sources, else what several prediction columns are called after the part that all share. */
export function classesOf(pipeline: Pipeline, subject: Part): readonly string[] | null {
  const declared = pipeline.sources.find((s) => s.classes)?.classes
  if (declared) return declared
  const columns = subject.columns.filter((c) => c.role === 'predictions').map((c) => c.name)
  if (columns.length < 2) return null
  const first = columns[0] as string
  let shared = 0
  while (shared < first.length && columns.every((c) => c[shared] === first[shared])) shared++
  const names = columns.map((c) => c.slice(shared))
  return names.every((n) => n !== '') ? names : null
}
