import { existsSync } from 'node:fs'
import { readFile, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { SourceSpec } from '../contracts/data.ts'
import { SourceError } from '../sources/errors.ts'
import { isImageName } from '../sources/files.ts'
import { type Address, addressesOf, digestOf, isAddress, parseAddress, pathsOf } from './addresses.ts'
import type { CopyOptions } from './copy.ts'
import { headOf, listS3 } from './s3.ts'
import { download, type Remote } from './transfer.ts'

/** The first listing of an address pins what a run reads: it is kept, and a resumed run does not list again. */
type Pinned = readonly { readonly shown: string; readonly etag: string | null; readonly bytes: number | null }[]

const byGet = (url: URL) => async (_: 'GET' | 'HEAD', headers: Readonly<Record<string, string>>) => ({
  url: url.href,
  headers: new Headers(headers),
})

async function listAddress(address: Address, signal: AbortSignal | undefined): Promise<readonly Remote[]> {
  if (address.kind === 's3') return listS3(address, signal)
  return [await headOf(byGet(address.url), address.shown, signal)]
}

const fileName = (shown: string): string =>
  basename(new URL(`x://x/${encodeURI(shown.replace(/^[a-z0-9]+:\/\//, ''))}`).pathname)
    .replaceAll(/[^\w.-]+/g, '_')
    .slice(-80) || 'object'

async function pinned(address: Address, digest: string, { folder, signal }: CopyOptions): Promise<readonly Remote[]> {
  const file = join(folder, `${digest}.list.json`)
  const known = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as Pinned) : null
  if (known?.every((_, i) => existsSync(join(folder, nameOf(digest, i, known[i]?.shown ?? '')))))
    return known.map((k) => ({ ...k, prepare: never }))
  const listed = await listAddress(address, signal)
  if (!known) {
    const kept: Pinned = listed.map(({ shown, etag, bytes }) => ({ shown, etag, bytes }))
    await writeFile(`${file}.tmp`, JSON.stringify(kept))
    await rename(`${file}.tmp`, file)
    return listed
  }
  const now = new Map(listed.map((r) => [r.shown, r]))
  return known.map((k) => {
    const remote = now.get(k.shown)
    if (remote && (k.etag === null || k.etag === remote.etag)) return { ...k, prepare: remote.prepare }
    throw new SourceError(
      'changed',
      `${k.shown}: ${remote ? 'was changed' : 'was removed'} since this run was started`,
      { file: k.shown },
      'audit it from the start with another --run-dir',
    )
  })
}

const never = (): never => {
  throw new Error('a whole copy is not fetched again')
}

const nameOf = (digest: string, i: number, shown: string): string => `${digest}-${String(i).padStart(6, '0')}-${fileName(shown)}`

async function checkRoom(folder: string, bytes: number, shown: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  if (bytes <= bavail * bsize) return
  throw new SourceError(
    'too-large',
    `${shown}: ${bytes} bytes to copy, ${bavail * bsize} are free beside the run`,
    { file: shown },
    'name a --run-dir with more room',
  )
}

/**
 * Copies the objects of a source. In a sample only the first is copied, which tells columns and widths; the others are counted.
 * @throws SourceError
 */
export async function copyObjects(spec: SourceSpec, options: CopyOptions): Promise<SourceSpec> {
  const { folder, sample, progress, signal } = options
  const names: Record<string, string> = {}
  const paths: string[] = pathsOf(spec).filter((path) => !isAddress(path))
  let left = { count: 0, bytes: 0 }
  for (const text of addressesOf(spec)) {
    const address = parseAddress(text)
    const digest = digestOf([text])
    const remotes = await pinned(address, digest, options)
    const total = remotes.reduce((n, r) => n + (r.bytes ?? 0), 0)
    if (!sample) await checkRoom(folder, total, address.shown)
    let before = 0
    for (const [i, remote] of remotes.entries()) {
      if (isImageName(remote.shown))
        throw new SourceError(
          'unsupported',
          `${remote.shown}: single images of a store are not read`,
          { file: remote.shown },
          'put them into tar shards or a column of Parquet',
        )
      const path = join(folder, nameOf(digest, i, remote.shown))
      if (sample && Object.keys(names).length > 0) {
        left = { count: left.count + 1, bytes: left.bytes + (remote.bytes ?? 0) }
        continue
      }
      if (!existsSync(path))
        before += await fetchOne(remote, path, (bytes) => progress(`copy ${address.shown}`, before + bytes, total || null, 'bytes'), signal)
      names[path] = remote.shown
      paths.push(path)
    }
  }
  const [only] = paths
  const note = `and ${left.count} more of ${left.bytes} bytes in all, which this plan leaves out`
  return { ...spec, path: paths.length === 1 && only !== undefined ? only : paths, copied: { names, ...(left.count > 0 ? { note } : {}) } }
}

async function fetchOne(remote: Remote, path: string, progress: (bytes: number) => void, signal: AbortSignal | undefined): Promise<number> {
  const temporary = `${path}.tmp`
  try {
    const bytes = await download(remote, temporary, progress, signal)
    await rename(temporary, path)
    return bytes
  } catch (e) {
    await rm(temporary, { force: true })
    throw e
  }
}
