import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { column } from '../contracts/batch.ts'
import { isDone, layout, readJson, writeBytes } from './files.ts'
import { idKeys } from './keys.ts'
import { rowsOfShard } from './rows.ts'
import type { Run } from './run.ts'

/**
 * Duplicate ids in bounded memory: each shard leaves the sorted 64-bit keyed digests of its ids, split by their top byte;
 * equal digests are found bucket by bucket, and a second read over the suspects alone compares the ids themselves.
 */
const buckets = 256
const maxSuspects = 1_000_000
const maxExamples = 20

export interface DuplicateIds {
  /** Records whose id an earlier record has. */
  readonly count: number
  readonly examples: readonly string[]
}

/** Collects the ids of one shard. Missing ids are not compared. */
export class IdRun {
  private parts: BigUint64Array[] = []

  add(keys: Uint8Array, missing: (i: number) => boolean): void {
    const view = new DataView(keys.buffer, keys.byteOffset, keys.byteLength)
    const n = keys.length / 16
    const part = new BigUint64Array(n)
    let kept = 0
    for (let i = 0; i < n; i++) if (!missing(i)) part[kept++] = view.getBigUint64(i * 16)
    this.parts.push(part.subarray(0, kept))
  }

  /** A header of 257 bucket offsets (in values), then the sorted values. */
  async save(target: string): Promise<void> {
    const total = this.parts.reduce((sum, p) => sum + p.length, 0)
    const all = new BigUint64Array(buckets + 1 + total)
    const values = all.subarray(buckets + 1)
    let at = 0
    for (const part of this.parts) {
      values.set(part, at)
      at += part.length
    }
    values.sort()
    let bucket = 0
    for (let i = 0; i < total; i++) while (bucket <= Number((values[i] as bigint) >> 56n)) all[bucket++] = BigInt(i)
    while (bucket <= buckets) all[bucket++] = BigInt(total)
    await writeBytes(target, new Uint8Array(all.buffer))
  }
}

export async function findDuplicateIds(run: Run): Promise<DuplicateIds> {
  const { plan, dir: runDir } = run
  if (plan.remote) return readJson<DuplicateIds>(join(runDir, layout.duplicates))
  const runs = plan.subject.shards.map((_, i) => layout.ids(i)).filter((f) => isDone(runDir, f))
  const suspects = await equalDigests(runs.map((f) => join(runDir, f)))
  if (suspects.size === 0) return { count: 0, examples: [] }
  const seen = new Set<string>()
  const examples = new Set<string>()
  let count = 0
  for (const i of plan.subject.shards.keys()) {
    for await (const batch of rowsOfShard(run, 'subject', i)) {
      const ids = column(batch, 'id')
      const keys = idKeys(batch, run.seed)
      if (!ids || !keys) continue
      const view = new DataView(keys.buffer)
      for (let row = 0; row < batch.numRows; row++) {
        if (!suspects.has(view.getBigUint64(row * 16))) continue
        const id = ids.get(row) as string | null
        if (id === null) continue
        if (seen.has(id)) {
          count++
          if (examples.size < maxExamples) examples.add(id)
        } else seen.add(id)
      }
    }
  }
  return { count, examples: [...examples] }
}

async function equalDigests(files: readonly string[]): Promise<Set<bigint>> {
  const suspects = new Set<bigint>()
  const handles = await Promise.all(files.map((f) => open(f, 'r')))
  try {
    const headers = await Promise.all(
      handles.map(async (h) => {
        const header = new BigUint64Array(buckets + 1)
        await h.read(new Uint8Array(header.buffer), 0, header.byteLength, 0)
        return header
      }),
    )
    for (let b = 0; b < buckets; b++) {
      const slices = await Promise.all(
        handles.map(async (h, i) => {
          const from = Number((headers[i] as BigUint64Array)[b])
          const to = Number((headers[i] as BigUint64Array)[b + 1])
          const slice = new BigUint64Array(to - from)
          if (to > from) await h.read(new Uint8Array(slice.buffer), 0, slice.byteLength, (buckets + 1 + from) * 8)
          return slice
        }),
      )
      const all = new BigUint64Array(slices.reduce((sum, s) => sum + s.length, 0))
      let at = 0
      for (const s of slices) {
        all.set(s, at)
        at += s.length
      }
      if (slices.length > 1) all.sort()
      for (let i = 1; i < all.length && suspects.size < maxSuspects; i++) if (all[i] === all[i - 1]) suspects.add(all[i] as bigint)
    }
  } finally {
    await Promise.all(handles.map((h) => h.close()))
  }
  return suspects
}
