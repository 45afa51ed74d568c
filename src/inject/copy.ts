import { mkdir, readdir, realpath, rename, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { ShardSpec, SourceListing, SourceSpec } from '../contracts/data.ts'
import type { RowChange } from './changes.ts'
import { InjectError } from './errors.ts'
import { writers } from './writers/registry.ts'
import type { Moved } from './writers/writer.ts'

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** The real path of what may not exist yet. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await realOf(parent), basename(path))
  }
}

/** Refuses a folder that holds something, that lies in the input, or that the input lies in. */
export async function checkOut(out: string, inputs: readonly string[]): Promise<void> {
  const real = await realOf(out)
  for (const input of inputs) {
    const path = await realOf(input)
    if (within(real, path) || within(path, real))
      throw new InjectError(
        'occupied',
        `${out}: lies in the input, or the input in it: the input is never changed`,
        'name another folder: --out DIR',
      )
  }
  const found = await stat(out).catch(() => null)
  if (!found) return
  if (!found.isDirectory()) throw new InjectError('occupied', `${out}: is a file`, 'name a new folder: --out DIR')
  if ((await readdir(out)).length > 0)
    throw new InjectError('occupied', `${out}: is not empty: nothing is overwritten`, 'name a new folder: --out DIR')
}

export interface Input {
  readonly path: string
  readonly format: string
  readonly shards: readonly ShardSpec[]
}

/** Shards of one file, folder or set of aligned arrays. */
export function inputsOf(listing: SourceListing): readonly Input[] {
  const inputs = new Map<string, { path: string; format: string; shards: ShardSpec[] }>()
  for (const shard of listing.shards) {
    if (!writers[shard.format]) {
      const reason = shard.format === 'unreadable' ? 'cannot be read' : `copies of the format ${shard.format} are not written`
      throw new InjectError('unsupported', `${shard.id}: ${reason}`, 'use CSV, JSONL, Parquet, .npy, .npz or a folder of images', {}, 2)
    }
    const input = inputs.get(shard.path) ?? { path: shard.path, format: shard.format, shards: [] }
    input.shards.push(shard)
    inputs.set(shard.path, input)
  }
  return [...inputs.values()]
}

/** The deepest folder that all paths lie in. */
function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0] as string)
  while (!paths.every((path) => path !== folder && within(path, folder))) folder = dirname(folder)
  return folder
}

export interface CopyRequest {
  readonly sources: readonly SourceSpec[]
  readonly base: string
  readonly listing: SourceListing
  readonly inputs: readonly Input[]
  /** New or empty folder; `checkOut` has seen it. */
  readonly out: string
  changes(shard: ShardSpec): AsyncIterable<RowChange>
  /** After each input, with the records that its copy calls otherwise. */
  wrote?(input: Input, moved: Moved | null): void
  /** Writes what else goes into the folder, given the paths of the copies below it. */
  finish(folder: string, written: readonly string[]): Promise<void>
}

/**
 * Copies every input with its changes, in its own format. The copy appears whole or not at all.
 * @returns the paths of the copies, below `out`
 */
export async function copyInputs({ sources, base, listing, inputs, out, changes, wrote, finish }: CopyRequest): Promise<readonly string[]> {
  const paths = [...listing.files.map((f) => f.path), ...inputs.map((i) => i.path)]
  const folder = `${out}.${process.pid}.tmp`
  const root = commonFolder(paths)
  const place = (path: string): string => join(folder, relative(root, path))
  const labels = sources.find((s) => s.labels !== undefined)?.labels
  const written: string[] = []
  try {
    for (const each of new Set(paths.map((path) => dirname(place(path))))) await mkdir(each, { recursive: true })
    for (const input of inputs) {
      const moved = await (writers[input.format] as (typeof writers)[string])({
        shards: input.shards,
        path: input.path,
        out: place,
        labels: labels === undefined ? null : resolve(base, labels),
        changes,
      })
      wrote?.(input, moved)
      const parts = input.shards[0]?.options.files as unknown as readonly { readonly path: string }[] | undefined
      for (const { path } of parts ?? [input]) written.push(relative(root, path).split(sep).join('/'))
    }
    await finish(folder, written)
    await rmdir(out).catch(() => {})
    await rename(folder, out)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return written
}
