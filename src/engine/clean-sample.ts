import { codesOf, rowsOf } from '../contracts/batch.ts'
import type { Batch, ShardSpec } from '../contracts/data.ts'
import type { RawImage } from '../features/decode.ts'
import { rgbPicture } from '../features/picture-model.ts'
import { digest16, sortKey } from '../math/hash.ts'
import { readShard } from '../sources/read.ts'

/** Larger pictures are scaled down to it: what they are held in memory for is a model that reads few hundred pixels. */
const maxSide = 320
/** Labels beyond these share one sample. */
const maxLabels = 1_000

export interface Candidate {
  readonly key: number
  readonly shard: number
  readonly row: number
  readonly label: string | null
}

export interface CleanPicture extends Candidate {
  readonly picture: RawImage
}

const byKey = (a: Candidate, b: Candidate): number => a.key - b.key || a.shard - b.shard || a.row - b.row

/** The rows of smallest keyed digest, `size` a label: which ones they are does not depend on batches, and nobody can choose them. */
export class CleanSample {
  readonly #byLabel = new Map<string | null, Candidate[]>()

  constructor(
    readonly seed: Uint8Array,
    readonly shards: readonly ShardSpec[],
    readonly size: number,
  ) {}

  /** Rows of a batch of shard `shard`, in order; those marked in `skip` are left out. */
  add(shard: number, batch: Batch, skip: Uint8Array | null): void {
    const rows = rowsOf(batch)
    const labels = codesOf(batch, 'label')
    const name = this.shards[shard]?.id ?? ''
    for (let i = 0; i < rows.length; i++) {
      if (skip?.[i]) continue
      const row = rows[i] as number
      const label = labels?.values[labels.codes[i] as number] ?? null
      const bucket = this.#byLabel.has(label) || this.#byLabel.size < maxLabels ? label : ''
      const kept = this.#byLabel.get(bucket) ?? []
      if (kept.length === 0) this.#byLabel.set(bucket, kept)
      kept.push({ key: sortKey(digest16(this.seed, 'clean-sample', `${name}\0${row}`), 0), shard, row, label })
      if (kept.length >= 2 * this.size) this.#trim(kept)
    }
  }

  /** The `count` first of the rows whose label `wanted` accepts. */
  take(count: number, wanted: (label: string | null) => boolean): readonly Candidate[] {
    for (const kept of this.#byLabel.values()) this.#trim(kept)
    return [...this.#byLabel.values()]
      .flat()
      .filter((c) => wanted(c.label))
      .sort(byKey)
      .slice(0, count)
  }

  labels(): readonly string[] {
    return [...this.#byLabel.keys()].filter((label) => label !== null).sort()
  }

  #trim(kept: Candidate[]): void {
    kept.sort(byKey)
    kept.length = Math.min(kept.length, this.size)
  }
}

/** The pictures of these rows, read again from their shards, in the order of shard and row; what cannot be decoded is left out. */
export async function readPictures(shards: readonly ShardSpec[], rows: readonly Candidate[]): Promise<readonly CleanPicture[]> {
  const out: CleanPicture[] = []
  for (const [number, shard] of shards.entries()) {
    const wanted = new Map(rows.filter((c) => c.shard === number).map((c) => [c.row, c]))
    if (wanted.size === 0) continue
    for await (const batch of readShard(shard, () => {})) {
      const numbers = rowsOf(batch)
      for (let i = 0; i < numbers.length; i++) {
        const found = wanted.get(numbers[i] as number)
        if (!found || !wanted.delete(found.row)) continue
        const picture = await rgbPicture(batch, i, maxSide)
        if (picture) out.push({ ...found, picture })
      }
      if (wanted.size === 0) break
    }
  }
  return out
}
