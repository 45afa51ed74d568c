import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { readAll, readJson, temporaryFor, writeAll, writeJson } from './files.ts'

/** Fixed-width records in a file, in runs of one bucket each: an index says where the runs of a bucket are. */
interface Index {
  /** Bucket, first byte and bytes of each run. */
  readonly runs: readonly (readonly [bucket: number, at: number, bytes: number])[]
}

const indexOf = (path: string): string => `${path}.index.json`
/** What a bucket collects before it becomes a run, so that all together hold at most `heldBytes`. */
const runBytes = 256 << 10
const heldBytes = 64 << 20
const blockBytes = 4 << 20

export class BucketWriter {
  private readonly held = new Map<number, { bytes: Uint8Array; used: number }>()
  private readonly runs: [number, number, number][] = []
  private readonly size: number
  private at = 0

  private constructor(
    private readonly target: string,
    private readonly temporary: string,
    private readonly file: FileHandle,
    private readonly width: number,
    buckets: number,
  ) {
    this.size = Math.max(1, Math.floor(Math.min(runBytes, heldBytes / buckets) / width)) * width
  }

  static async create(target: string, width: number, buckets: number): Promise<BucketWriter> {
    const temporary = await temporaryFor(target)
    return new BucketWriter(target, temporary, await open(temporary, 'w'), width, buckets)
  }

  /** `fill` writes one record at the offset that it is given. */
  async add(bucket: number, fill: (into: Uint8Array, at: number) => void): Promise<void> {
    const held = this.held.get(bucket) ?? { bytes: new Uint8Array(this.size), used: 0 }
    this.held.set(bucket, held)
    fill(held.bytes, held.used)
    held.used += this.width
    if (held.used === this.size) await this.flush(bucket)
  }

  private async flush(bucket: number): Promise<void> {
    const held = this.held.get(bucket)
    if (!held || held.used === 0) return
    await writeAll(this.file, held.bytes.subarray(0, held.used))
    this.runs.push([bucket, this.at, held.used])
    this.at += held.used
    held.used = 0
  }

  /** Finishes the file and gives it its name. */
  async close(): Promise<void> {
    for (const bucket of [...this.held.keys()].sort((a, b) => a - b)) await this.flush(bucket)
    await this.file.close()
    await writeJson(indexOf(this.target), { runs: this.runs } satisfies Index)
    await rename(this.temporary, this.target)
  }

  async abandon(): Promise<void> {
    await this.file.close()
    await rm(this.temporary, { force: true })
  }
}

export async function removeBuckets(path: string): Promise<void> {
  await rm(path, { force: true })
  await rm(indexOf(path), { force: true })
}

/** The records of one bucket, a block of whole records at a time. */
export async function* readBucket(path: string, bucket: number, width: number): AsyncGenerator<Uint8Array> {
  const { runs } = await readJson<Index>(indexOf(path))
  const mine = runs.filter(([of]) => of === bucket)
  if (mine.length === 0) return
  const file = await open(path, 'r')
  try {
    const step = Math.max(1, Math.floor(blockBytes / width)) * width
    for (const [, first, bytes] of mine)
      for (let at = 0; at < bytes; at += step) yield await readAll(file, first + at, Math.min(step, bytes - at))
  } finally {
    await file.close()
  }
}
