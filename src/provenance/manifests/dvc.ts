import { posix } from 'node:path'
import type { DeliveredFile, Delivery, Digest, Manifest, ManifestEntry, ManifestFormat } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import { contentOf } from './content.ts'
import { digestOf } from './digests.ts'
import { type DvcFile, dvcFiles } from './dvc-files.ts'
import { listedFolder, objectOf } from './dvc-folder.ts'
import { normalisedMd5 } from './dvc-text.ts'
import { baseName, fileAt, filesUnder, folderOf, inFolder } from './lookup.ts'
import { type ProblemList, problemList, shown } from './problem-list.ts'
import { parseYaml } from './structured.ts'

const maxBytes = 16 * 2 ** 20
const maxEntries = 1_000_000

const detect = (file: DeliveredFile): boolean => /(^|\/)dvc\.lock$|[^/]\.dvc$/.test(file.path)

interface Reading {
  readonly file: DeliveredFile
  readonly delivery: Delivery
  readonly problems: ProblemList
  readonly entries: ManifestEntry[]
  readonly own: string[]
  readonly folders: string[]
}

interface Said {
  readonly path: string
  readonly digest: Digest | null
  readonly placeholder: string | null
  readonly bytes: number | null
  readonly url: string | null
}

function add({ file, entries, problems }: Reading, { path, digest, placeholder, bytes, url }: Said): void {
  if (entries.length === maxEntries) {
    problems.error('too-large', `${file.path}: only its first ${maxEntries.toLocaleString('en')} files were read.`, { file: file.path })
  }
  if (entries.length >= maxEntries) return
  entries.push({ path, digests: digest ? [digest] : [], bytes, range: null, placeholder, url, label: null, place: { file: file.path } })
}

/** `raw` in `base`, with the `..` that DVC allows resolved: what still leaves the root is refused. */
function resolved(raw: string, base: string): ReturnType<typeof safePath> {
  const relative = raw !== '' && !/^[/~]|^[a-z]:|[\\\0]/i.test(raw)
  return safePath(relative ? posix.join(base, raw).replace(/\/$/, '') : raw, '')
}

/** A path of the DVC file; null, with a problem, where it is refused. */
function pathOf({ file, problems }: Reading, raw: string, base: string): string | null {
  const safe = resolved(raw, base)
  if ('path' in safe) return safe.path
  problems.error('hostile-path', `${file.path}: the path "${shown(raw)}" is refused: ${safe.hostile}.`, { file: file.path })
  return null
}

/**
 * A file with its MD5. Before DVC 3 (no `hash: md5`) the line ends of text were normalised first: where the MD5 agrees after
 * that and not before, it says nothing of the bytes, and the file has no digest.
 */
async function addFile(reading: Reading, said: DvcFile, path: string, legacy: boolean): Promise<void> {
  const digest = said.md5 === null ? null : digestOf('md5', said.md5)
  const { bytes, url } = said
  const delivered = fileAt(reading.delivery, path)
  if (legacy && digest && delivered && (await normalisedMd5(reading.delivery, delivered)) === digest.hex) {
    reading.problems.warn(
      'unsupported',
      `${path}: its MD5 in ${reading.file.path} agrees only after line ends were normalised, as DVC did before 3.0: no digest of its bytes.`,
      { file: reading.file.path },
    )
    add(reading, { path, digest: null, placeholder: null, bytes: null, url })
  } else add(reading, { path, digest, placeholder: digest ? null : said.md5 === null ? null : shown(said.md5), bytes, url })
}

/** A folder: the files of its listing where that came along, else those that are there, without digests. */
async function addFolder(reading: Reading, said: DvcFile, path: string, legacy: boolean): Promise<void> {
  const { file, delivery, problems } = reading
  const there = [...filesUnder(delivery, `${path}/`)]
  const found = said.md5 === null ? null : await listedFolder(file, delivery, said.md5, problems)
  if (found) {
    reading.own.push(found.object)
    reading.folders.push(path)
    for (const item of found.files) {
      const inside = pathOf(reading, item.path, path)
      if (inside !== null) await addFile(reading, { ...item, url: null }, inside, legacy)
    }
  } else {
    if (there.length === 0) add(reading, { path, digest: null, placeholder: null, bytes: said.bytes, url: said.url })
    for (const { path: inside } of there) add(reading, { path: inside, digest: null, placeholder: null, bytes: null, url: null })
    if (said.md5 !== null) {
      problems.warn(
        'unsupported',
        `${file.path}: the listing of ${path}/ (${objectOf(said.md5)}) is not in the delivery: its files have no digests.`,
        { file: file.path },
      )
    }
  }
  if (said.count !== null && said.count !== (found ? found.files.length : there.length)) {
    const seen = found ? `the listing names ${found.files.length.toLocaleString('en')}` : `there are ${there.length.toLocaleString('en')}`
    problems.error('inconsistent', `${file.path}: ${path}/ should hold ${said.count.toLocaleString('en')} files; ${seen}.`, {
      file: file.path,
    })
  }
  const bytes = there.reduce((sum, each) => sum + each.bytes, 0)
  if (said.bytes !== null && !found && there.length > 0 && bytes !== said.bytes) {
    problems.error(
      'inconsistent',
      `${file.path}: the files of ${path}/ should hold ${said.bytes.toLocaleString('en')} bytes; there are ${bytes.toLocaleString('en')}.`,
      { file: file.path },
    )
  }
}

/** What `wdir` names; null, with a problem, where it leaves the root. */
function workingFolder(reading: Reading, folder: string | null): string | null {
  const own = folderOf(reading.file.path)
  if (folder === null) return own
  return /^\.?\/?$/.test(posix.join(own, folder)) ? '' : pathOf(reading, folder, own)
}

async function addOut(reading: Reading, said: DvcFile): Promise<void> {
  const { file, delivery, problems } = reading
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(said.path)) {
    if (!said.input)
      problems.warn('unsupported', `${file.path}: ${shown(said.path)} is not in the delivery and is not fetched.`, { file: file.path })
    return
  }
  const working = workingFolder(reading, said.folder)
  // what went into a stage need not be delivered, and may lie anywhere
  const safe = said.input ? resolved(said.path, working ?? '') : null
  if (safe && !('path' in safe && fileAt(delivery, safe.path))) return
  const path = working === null ? null : pathOf(reading, said.path, working)
  if (path === null) return
  const legacy = said.hash === null || said.hash === 'md5-dos2unix'
  if (said.hash !== null && !/^md5(-dos2unix)?$/.test(said.hash)) {
    problems.warn('unsupported', `${file.path}: ${shown(said.hash)} digests of DVC cannot be computed.`, { file: file.path })
    add(reading, { path, digest: null, placeholder: null, bytes: said.bytes, url: said.url })
  } else if (said.md5?.endsWith('.dir') || said.count !== null) await addFolder(reading, said, path, legacy)
  else await addFile(reading, said, path, legacy)
}

/** Settings of DVC beside its files: no data. */
function settings(file: DeliveredFile, delivery: Delivery): string[] {
  const names = ['.dvcignore', '.dvc/config', '.dvc/.gitignore']
  const folders = [...new Set(['', folderOf(file.path)])]
  return folders.flatMap((folder) => names.flatMap((name) => fileAt(delivery, inFolder(folder, name))?.path ?? []))
}

async function read(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const problems = problemList(file.path)
  const reading: Reading = { file, delivery, problems, entries: [], own: [file.path, ...settings(file, delivery)], folders: [] }
  const content = await contentOf(delivery, file.path, maxBytes, problems)
  const tree = content && (await parseYaml(content.toString('utf8'), file.path))
  if (tree && 'code' in tree) problems.error(tree.code, tree.message, tree.place)
  else if (tree) for (const said of dvcFiles(tree.value, file.path, problems)) await addOut(reading, said)
  const [folder, ...more] = reading.folders
  return {
    kind: 'dvc',
    title: baseName(file.path) === 'dvc.lock' ? 'DVC pipeline' : 'DVC file',
    file: file.path,
    version: null,
    entries: reading.entries,
    closed: folder !== undefined && more.length === 0 ? folder : null,
    ignored: [],
    own: reading.own,
    signatures: [],
    problems: problems.all,
    facts: [],
  }
}

/**
 * Files and folders under DVC (https://dvc.org/doc/user-guide/project-structure): `x.dvc` and the outputs of `dvc.lock`, and
 * those of its inputs that were delivered. A folder's digest is that of a listing in DVC's cache.
 */
export const dvc: ManifestFormat = { kind: 'dvc', title: 'DVC', detect, read }
