import { column, matrixOf, rowsOf } from '../contracts/batch.ts'
import type { Batch, IssueSink } from '../contracts/data.ts'
import { decodingProblem, type RawImage } from './decode.ts'
import { FeatureError } from './errors.ts'

/** The column `image` as raw pixels of row i; null where it holds encoded files. */
export function rawImages(batch: Batch): ((i: number) => RawImage) | null {
  const raw = matrixOf(batch, 'image')
  if (!raw) return null
  const metadata = batch.schema.fields.find((f) => f.name === 'image')?.metadata
  const [height, width, channels] = ['height', 'width', 'channels'].map((name) => Number(metadata?.get(name))) as [number, number, number]
  if (height * width * channels !== raw.dims)
    throw new FeatureError('batch', `images of ${raw.dims} values do not measure ${height} x ${width} x ${channels}`)
  return (i) => ({ data: (raw.data as Uint8Array).subarray(i * raw.dims, (i + 1) * raw.dims), height, width, channels })
}

const inFlight = 4

/** Calls `use` for each of `count` encoded pictures from `first` on, and reports and gives those that cannot be decoded. */
export async function eachEncoded(
  batch: Batch,
  issue: IssueSink,
  first: number,
  count: number,
  use: (bytes: Uint8Array, i: number) => Promise<void>,
): Promise<readonly number[]> {
  const images = column(batch, 'image')
  const rows = rowsOf(batch)
  const problems = new Map<number, string>()
  const one = async (i: number): Promise<void> => {
    const bytes = images?.get(i) as Uint8Array | null
    if (!bytes) {
      problems.set(i, 'no image')
      return
    }
    try {
      await use(bytes, i)
    } catch (error) {
      problems.set(i, decodingProblem(error))
    }
  }
  for (let i = first; i < first + count; i += inFlight) {
    await Promise.all(Array.from({ length: Math.min(inFlight, first + count - i) }, (_, k) => one(i + k)))
  }
  const rejected = [...problems.keys()].sort((a, b) => a - b)
  for (const i of rejected) {
    issue({ code: 'undecodable-image', row: rows[i] as number, column: 'image', detail: problems.get(i) as string, rejected: true })
  }
  return rejected
}
