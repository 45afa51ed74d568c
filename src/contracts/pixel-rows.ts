import { matrixOf } from './batch.ts'
import type { Batch } from './data.ts'
import type { PixelShape } from './statistic.ts'

/** Pictures of one size, row-major: `rows` x height x width x channels. */
export interface PixelRows extends PixelShape {
  readonly data: Uint8Array
  readonly rows: number
}

/** The column `pixels`, a view; null when it is absent. */
export function pixelsOf(batch: Batch): PixelRows | null {
  const found = matrixOf(batch, 'pixels')
  if (!found) return null
  const metadata = batch.schema.fields.find((f) => f.name === 'pixels')?.metadata
  const [height, width, channels] = ['height', 'width', 'channels'].map((name) => Number(metadata?.get(name))) as [number, number, 1 | 3]
  return { data: found.data as Uint8Array, rows: found.rows, height, width, channels }
}
