import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { DeliveredFile, ManifestProblem, ProblemCode } from '../contracts/provenance.ts'
import { ProvenanceError } from './errors.ts'
import { foldName, hostileName, maxDepth } from './paths.ts'

interface Limits {
  readonly maxFiles: number
  /** False: the files of the folder alone. */
  readonly recursive?: boolean
  readonly signal?: AbortSignal
}

interface Folder {
  readonly path: string
  readonly depth: number
}

const maxProblems = 1_000
/** Synchronous calls are five times as fast as promises here; between so many entries others get their turn. */
const entriesPerTurn = 5_000

/** One level after the other without recursion. `root` is a real path. Files come in no order. */
export async function walk(
  root: string,
  limits: Limits,
): Promise<{ readonly files: DeliveredFile[]; readonly problems: ManifestProblem[] }> {
  const files: DeliveredFile[] = []
  const problems: ManifestProblem[] = []
  const folders: Folder[] = [{ path: '', depth: 0 }]
  const followed = new Set<string>()
  let suppressed = 0
  let entries = 0

  const problem = (code: ProblemCode, path: string, message: string): void => {
    if (problems.length < maxProblems) problems.push({ code, message, place: { file: path }, invalid: true })
    else suppressed++
  }
  const count = async (): Promise<void> => {
    entries++
    if (entries > limits.maxFiles * 2) throw tooMany(root, limits.maxFiles)
    if (entries % entriesPerTurn !== 0) return
    await setImmediate()
    if (limits.signal?.aborted) throw new ProvenanceError('interrupted', 'interrupted', { file: root })
  }
  const take = (path: string, depth: number, found: Found): void => {
    if (found.kind === 'problem') problem(found.code, path, `${path} ${found.message}.`)
    else if (found.kind === 'file' && files.length >= limits.maxFiles) throw tooMany(root, limits.maxFiles)
    else if (found.kind === 'file') files.push({ path, bytes: found.bytes })
    else if (limits.recursive === false) return
    else if (depth <= maxDepth) folders.push({ path, depth })
    else problem('too-large', path, `${path} lies more than ${maxDepth} folders deep: what is in it was not read.`)
  }

  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    const { path: parent, depth } = folder
    let inside: Dirent[]
    try {
      inside = readdirSync(join(root, parent), { withFileTypes: true })
    } catch (error) {
      if (parent === '') throw error
      problem('unreadable', parent, `the folder ${parent} cannot be read: what is in it was not verified.`)
      continue
    }
    const names = new Map<string, string>()
    for (const entry of inside) {
      await count()
      const path = parent === '' ? entry.name : `${parent}/${entry.name}`
      const hostile = hostileName(entry.name)
      if (hostile !== null) problem('hostile-path', path, `the name of ${JSON.stringify(path)} is refused: ${hostile}.`)
      const folded = foldName(entry.name)
      const other = names.get(folded)
      if (other === undefined) names.set(folded, path)
      else problem('hostile-path', path, `${other} and ${path} are one name where case or Unicode normal forms do not count.`)
      take(path, depth + 1, entry.isSymbolicLink() ? behindLink(root, path, followed) : found(root, path, entry))
    }
  }
  if (suppressed > 0)
    problems.push({
      code: 'too-large',
      message: `${suppressed.toLocaleString('en')} more problems of the delivery are not listed.`,
      place: {},
      invalid: true,
    })
  return { files, problems: problems.sort((a, b) => ((a.place.file ?? '\uffff') < (b.place.file ?? '\uffff') ? -1 : 1)) }
}

type Found =
  | { readonly kind: 'file'; readonly bytes: number }
  | { readonly kind: 'folder' }
  | { readonly kind: 'problem'; readonly code: ProblemCode; readonly message: string }

const refused = (message: string): Found => ({ kind: 'problem', code: 'hostile-path', message })
const unreadable = (message: string): Found => ({ kind: 'problem', code: 'unreadable', message })

function found(root: string, path: string, entry: Dirent): Found {
  if (entry.isDirectory()) return { kind: 'folder' }
  if (!entry.isFile()) return refused('is neither a file nor a folder but a pipe, a socket or a device')
  const info = statOf(join(root, path))
  if (info?.isFile()) return { kind: 'file', bytes: info.size }
  return unreadable(
    entry.name.includes('\ufffd') ? 'cannot be read: its name is not UTF-8 text' : 'cannot be read: it went away or may not be looked at',
  )
}

/** A linked folder is followed once: a few links to each other would otherwise make any number of files. */
function behindLink(root: string, path: string, followed: Set<string>): Found {
  const target = realpathOf(join(root, path))
  if (target === null) return unreadable('is a symbolic link that leads nowhere')
  if (!isWithin(target, root)) return refused('is a symbolic link that leaves the delivery: it was not followed')
  const info = statOf(target)
  if (info?.isFile()) return { kind: 'file', bytes: info.size }
  if (!info?.isDirectory()) return refused('is a symbolic link to what is neither a file nor a folder')
  const holder = realpathOf(dirname(join(root, path))) ?? root
  if (isWithin(holder, target)) return refused('is a symbolic link to a folder that it lies in: it was not followed')
  if (followed.has(target)) return refused('is a second symbolic link to one folder: it was not followed again')
  followed.add(target)
  return { kind: 'folder' }
}

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

const tooMany = (root: string, maxFiles: number): ProvenanceError =>
  new ProvenanceError(
    'too-large',
    `${root} holds more than ${maxFiles.toLocaleString('en')} files`,
    { file: root },
    'verify its folders one after the other',
  )

function realpathOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

const statOf = (path: string): Stats | null => {
  try {
    return statSync(path, { throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}
