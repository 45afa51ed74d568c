import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Json, ShardSpec } from '../contracts/data.ts'
import type { SnapshotColumns, SnapshotShard } from '../contracts/snapshot.ts'
import { canonicalJson } from '../math/hash.ts'
import { sha256File } from './files.ts'

/** What tells an unchanged shard: equal in all of it, it is not read again. */
export type ShardIdentity = Pick<SnapshotShard, 'bytes' | 'sha256' | 'reading'>

/** The files behind a shard, in order; names are relative to the shard's own path where there are several. */
function filesOf({ path, options }: ShardSpec): readonly { readonly name: string; readonly path: string }[] {
  if (Array.isArray(options.pictures)) {
    const pictures = options.pictures as unknown as readonly { id: string; missing?: boolean }[]
    return pictures.filter((p) => !p.missing).map(({ id }) => ({ name: id, path: join(path, id) }))
  }
  if (Array.isArray(options.files)) return options.files as unknown as readonly { name: string; path: string }[]
  return [{ name: '', path }]
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** How a shard is read, without where it lies: ranges, dialect, columns and classes. */
function readingOf(shard: ShardSpec, columns: SnapshotColumns): string {
  const { roles, files: _, used: __, ...rest } = shard.options as { readonly [key: string]: Json } & { readonly roles?: unknown }
  const classes = (roles as { readonly classes?: readonly string[] | null } | undefined)?.classes ?? null
  return sha256(canonicalJson({ format: shard.format, rest, columns: columns as unknown as Json, classes }))
}

/** Digests of files, each taken once however many shards it has; `digestOf` may know them already. */
export class FileIdentities {
  private readonly known = new Map<string, Promise<{ readonly bytes: number; readonly sha256: string; readonly modified: number }>>()

  constructor(private readonly digestOf: (path: string) => Promise<string> = sha256File) {}

  async of(shard: ShardSpec, columns: SnapshotColumns): Promise<ShardIdentity> {
    const files = filesOf(shard)
    const reading = readingOf(shard, columns)
    const [first] = files
    if (files.length === 1 && first) {
      const { bytes, sha256 } = await this.file(first.path)
      return { bytes, sha256, reading }
    }
    let bytes = 0
    const lines: Json[] = []
    for (const { name, path } of files) {
      const file = await this.file(path)
      bytes += file.bytes
      lines.push([name, file.sha256])
    }
    return { bytes, sha256: sha256(canonicalJson(lines)), reading }
  }

  /** Is the file behind a shard, or one of them, another than it was when its digest was taken? */
  async changed(shard: ShardSpec): Promise<boolean> {
    for (const { path } of filesOf(shard)) {
      const before = await this.known.get(path)
      const now = await stat(path).catch(() => null)
      if (before && (now?.size !== before.bytes || now.mtimeMs !== before.modified)) return true
    }
    return false
  }

  private file(path: string) {
    let found = this.known.get(path)
    if (!found) {
      found = stat(path).then(async ({ size, mtimeMs }) => ({ bytes: size, sha256: await this.digestOf(path), modified: mtimeMs }))
      this.known.set(path, found)
    }
    return found
  }
}
