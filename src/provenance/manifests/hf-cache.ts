import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { DeliveredFile, Delivery, Digest, Manifest, ManifestEntry } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import { contentOf } from './content.ts'
import { digestOf } from './digests.ts'
import { baseName, fileAt, filesUnder, folderOf, inFolder } from './lookup.ts'
import { type ProblemList, problemList, shown } from './problem-list.ts'

const blob = /^(.*\/)?blobs\/[0-9a-f]{40}(?:[0-9a-f]{24})?$/
const metadata = /^((?:.*\/)?\.cache\/huggingface\/download\/).+\.metadata$/
const maxMetadataBytes = 4096

/** Whether a path is that of an object in the cache of huggingface_hub, `blobs/DIGEST` beside `snapshots/`. */
export const isCacheBlob = (path: string): boolean => blob.test(path)
/** Whether a path is that of a note that huggingface_hub leaves when it downloads into a folder. */
export const isDownloadMetadata = (path: string): boolean => metadata.test(path)

/** One manifest for a whole cache: that of its first file. */
export function opensCache(file: DeliveredFile, delivery: Delivery): boolean {
  const folder = file.path.match(metadata)?.[1]
  if (folder !== undefined) return firstOf(delivery, folder, isDownloadMetadata) === file.path
  const repository = file.path.match(blob)?.[1] ?? ''
  return !filesUnder(delivery, `${repository}snapshots/`).next().done && firstOf(delivery, `${repository}blobs/`, isCacheBlob) === file.path
}

function firstOf(delivery: Delivery, prefix: string, wanted: (path: string) => boolean): string | null {
  for (const { path } of filesUnder(delivery, prefix)) if (wanted(path)) return path
  return null
}

/** The hub's ETag: SHA-256 of what is stored by LFS or Xet, else Git's id of the content, which is no digest of the bytes alone. */
const ofEtag = (etag: string): Digest | null => (/^[0-9a-f]{64}$/.test(etag) ? digestOf('sha256', etag) : null)

const isGitId = (etag: string): boolean => /^[0-9a-f]{40}$/.test(etag)

interface Said {
  readonly path: string
  readonly etag: string | null
  readonly by: string
}

function entryOf({ path, etag, by }: Said): ManifestEntry {
  const digest = etag === null ? null : ofEtag(etag)
  return {
    path,
    digests: digest ? [digest] : [],
    bytes: null,
    range: null,
    placeholder: digest || etag === null || isGitId(etag) ? null : shown(etag),
    url: null,
    label: null,
    place: { file: by },
  }
}

function manifest(
  title: string,
  file: string,
  said: readonly Said[],
  own: readonly string[],
  version: string | null,
  problems: ProblemList,
): Manifest {
  const git = said.filter(({ etag }) => etag !== null && isGitId(etag)).length
  if (git > 0) {
    const files = git === 1 ? '1 file is' : `${git.toLocaleString('en')} files are`
    problems.warn('unsupported', `${file}: ${files} known by Git's SHA-1 alone, which is no digest of the bytes: not verified.`, { file })
  }
  return {
    kind: 'hf-pointer',
    title,
    file,
    version,
    entries: said.map(entryOf),
    closed: null,
    ignored: [],
    own,
    signatures: [],
    problems: problems.all,
    facts: [],
  }
}

/** Name of the object behind a link of a snapshot; null where it is a file of its own. */
async function target(delivery: Delivery, path: string): Promise<string | null> {
  const link = await readlink(join(delivery.root, ...path.split('/'))).catch(() => null)
  const name = link === null ? null : link.replaceAll('\\', '/').split('/').slice(-2)
  return name?.[0] === 'blobs' ? (name[1] ?? null) : null
}

/** The cache of huggingface_hub: objects named after their digests, and snapshots that link to them. */
export async function readCache(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const folder = folderOf(file.path)
  const repository = folderOf(folder)
  const problems = problemList(folder)
  const said: Said[] = []
  for (const { path } of filesUnder(delivery, `${folder}/`)) {
    if (path.endsWith('.incomplete')) problems.error('inconsistent', `${path}: a download that did not end.`, { file: path })
    else said.push({ path, etag: baseName(path), by: folder })
  }
  const revisions = new Set<string>()
  const snapshots = inFolder(repository, 'snapshots/')
  for (const { path } of filesUnder(delivery, snapshots)) {
    const etag = await target(delivery, path)
    revisions.add(path.slice(snapshots.length).split('/')[0] as string)
    said.push({ path, etag, by: folder })
  }
  const own = ['refs/', '.no_exist/'].flatMap((name) => Array.from(filesUnder(delivery, inFolder(repository, name)), ({ path }) => path))
  return manifest('Hugging Face cache', folder, said, own, revisions.size === 1 ? ([...revisions][0] ?? null) : null, problems)
}

/** Notes of a download into a folder, `.cache/huggingface/download/NAME.metadata`: commit, ETag and time, one a line. */
export async function readDownloads(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const folder = file.path.match(metadata)?.[1] ?? ''
  const base = folder.slice(0, Math.max(0, folder.length - '/.cache/huggingface/download/'.length))
  const problems = problemList(folder)
  const own = Array.from(filesUnder(delivery, folder.slice(0, -'download/'.length)), ({ path }) => path)
  const said: Said[] = []
  const commits = new Set<string>()
  for (const path of own) {
    if (!isDownloadMetadata(path)) continue
    const name = path.slice(folder.length, -'.metadata'.length)
    const safe = safePath(name, base)
    if ('hostile' in safe) {
      problems.error('hostile-path', `${path}: the name "${shown(name)}" is refused: ${safe.hostile}.`, { file: path })
      continue
    }
    const content = await contentOf(delivery, path, maxMetadataBytes, problems)
    const [commit = '', etag = ''] = content?.toString('utf8').split(/\r?\n/) ?? []
    if (content && !(/^[0-9a-f]{40}$/.test(commit) && etag !== '')) {
      problems.error('malformed', `${path}: not the commit and the ETag of a download.`, { file: path })
    }
    if (commit !== '') commits.add(commit)
    // a note without a file is left when the file was removed, and when it never came
    if (content || fileAt(delivery, safe.path)) said.push({ path: safe.path, etag: etag || null, by: path })
  }
  return manifest('Hugging Face download', folder, said, own, commits.size === 1 ? ([...commits][0] ?? null) : null, problems)
}
