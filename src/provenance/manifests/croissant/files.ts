import type { Delivery, Digest, ManifestEntry } from '../../../contracts/provenance.ts'
import { safePath } from '../../paths.ts'
import { sizeBeside } from '../declared-size.ts'
import { digestOf, isHex } from '../digests.ts'
import { baseName, fileAt, filesUnder, inFolder } from '../lookup.ts'
import type { ProblemList } from '../problem-list.ts'
import { shown } from '../problem-list.ts'
import { list } from '../structured.ts'
import { globMatches } from './glob.ts'
import type { Node, Terms } from './json-ld.ts'
import { references, textOf } from './json-ld.ts'
import { type SizeRange, sizeRange } from './sizes.ts'

export interface Record {
  /** Path of the JSON-LD file, relative to the root of the delivery. */
  readonly file: string
  readonly base: string
  readonly terms: Terms
  readonly delivery: Delivery
  readonly problems: ProblemList
}

const remote = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//

/** Real digests, and what stands in their place. */
function digestsOf(node: Node): { readonly digests: readonly Digest[]; readonly placeholder: string | null } {
  const digests: Digest[] = []
  let placeholder: string | null = null
  for (const algorithm of ['sha256', 'md5'] as const) {
    const value = node.get(algorithm)
    if (value === undefined || value === null) continue
    const text = textOf(value)?.trim() ?? ''
    const digest = isHex(text) ? digestOf(algorithm, text) : null
    if (digest) digests.push(digest)
    else placeholder ??= shown(text)
  }
  return { digests, placeholder: digests.length > 0 ? null : placeholder }
}

/** A name in a folder that an archive may have been expanded to. */
const stem = (path: string): string => path.replace(/(?:\.tar)?\.[A-Za-z0-9]{1,8}$/, '')

function lastSegment(url: string): string {
  const path = url.replace(remote, '').replace(/[?#].*$/s, '')
  const segment = path.slice(path.lastIndexOf('/') + 1)
  try {
    const decoded = decodeURIComponent(segment)
    return decoded.includes('/') ? segment : decoded
  } catch {
    return segment
  }
}

const isFileName = (name: string): boolean => /\.[A-Za-z0-9]{1,8}$/.test(name)

const repository = (node: Node): boolean => /^git\b/.test(textOf(node.get('encodingFormat')) ?? '')

/** Folders, relative to the record, into which what contains a file may have been expanded. */
function expanded(containers: readonly Node[]): string[] {
  const names = containers.flatMap((container) => {
    const url = textOf(container.get('contentUrl'))
    return [textOf(container.get('name')), container.id, url === null || !remote.test(url) ? url : lastSegment(url)]
  })
  return [...new Set(names.flatMap((name) => (name === null || name === '' ? [] : [stem(name)])))]
}

/** Where the file may lie: a relative `contentUrl`, inside or beside what contains it; else its name; else the end of its address. */
function candidates(node: Node, url: string | null, containers: readonly Node[]): string[] {
  const names = [textOf(node.get('name')), node.id].filter((name) => name !== null)
  if (url === null) return names
  if (!remote.test(url)) return [url, ...expanded(containers).map((folder) => `${folder}/${url}`)]
  return repository(node) ? names : [...names, lastSegment(url)].sort((a, b) => Number(isFileName(b)) - Number(isFileName(a)))
}

/** The delivered file of a FileObject, or where it would have to lie; null with a problem where its path is hostile. */
function locate({ file, base, delivery, problems }: Record, node: Node, url: string | null, containers: readonly Node[]): string | null {
  const [first, ...others] = candidates(node, url, containers).map((candidate) => ({ candidate, safe: safePath(candidate, base) }))
  if (!first) return null
  // a remote file has only a name to go by: where one is no path another may be
  const relative = url !== null && !remote.test(url)
  const paths = [first, ...others].flatMap(({ safe }) => ('path' in safe ? [safe.path] : []))
  if ('hostile' in first.safe && (relative || paths.length === 0)) {
    problems.error('hostile-path', `${file} names "${shown(first.candidate)}": ${first.safe.hostile}.`, { file })
    return null
  }
  return paths.find((path) => fileAt(delivery, path)) ?? paths[0] ?? null
}

/** One entry for a FileObject; null where what contains it is delivered and checked as a whole. */
export function fileObjectEntry(record: Record, node: Node, byId: ReadonlyMap<string, Node>): ManifestEntry | null {
  const { file, delivery, problems } = record
  const label = node.id ?? textOf(node.get('name'))
  const url = textOf(node.get('contentUrl'))
  const containers = references(node.get('containedIn'), record.terms).flatMap((id) => byId.get(id) ?? [])
  const path = locate(record, node, url, containers)
  if (path === null) {
    if (label === null && url === null)
      problems.error('malformed', `${file} has a FileObject without a name, an id and an address.`, { file })
    return null
  }
  const there = fileAt(delivery, path)
  const { digests, placeholder } = digestsOf(node)
  const contained = node.get('containedIn') !== undefined
  if (!there && contained && containers.some((container) => delivered(record, container))) return null
  const range = sizeOf(record, node, path)
  return {
    path,
    digests,
    bytes: sizeBeside(digests, range && range.low === range.high ? range.low : null, there !== null),
    range: null,
    placeholder,
    url: url !== null && remote.test(url) ? url : null,
    label: null,
    elsewhere: contained || repository(node) || (url !== null && remote.test(url)),
    place: { file },
  }
}

function delivered(record: Record, container: Node): boolean {
  const url = textOf(container.get('contentUrl'))
  return candidates(container, url, []).some((candidate) => {
    const safe = safePath(candidate, record.base)
    return 'path' in safe && fileAt(record.delivery, safe.path) !== null
  })
}

/** The declared size; a problem where the delivered file does not have it. */
function sizeOf({ file, delivery, problems }: Record, node: Node, path: string): SizeRange | null {
  const value = node.get('contentSize')
  if (value === undefined || value === null) return null
  const text = typeof value === 'number' ? String(value) : (textOf(value) ?? typeof value)
  const range = sizeRange(typeof value === 'number' ? value : textOf(value))
  const there = fileAt(delivery, path)
  if (range === null) problems.warn('malformed', `The contentSize of ${path} in ${file} is not a size: "${shown(text)}".`, { file })
  else if (there && (there.bytes < range.low || there.bytes > range.high)) {
    problems.warn('inconsistent', `${path} has ${there.bytes} bytes; ${file} says ${shown(text)}.`, { file })
  }
  return range
}

/** Files that a FileSet names by pattern: named, but without a digest. */
export function fileSetPaths({ base, terms, delivery }: Record, node: Node, byId: ReadonlyMap<string, Node>): string[] {
  const includes = patternsOf(node.get('includes'))
  const excludes = patternsOf(node.get('excludes'))
  const containers = references(node.get('containedIn'), terms).flatMap((id) => byId.get(id) ?? [])
  const folders = ['', ...expanded(containers).map((folder) => `${folder}/`)]
  const start = base === '' ? '' : inFolder(base, '')
  const paths: string[] = []
  for (const { path } of filesUnder(delivery, start)) {
    const relative = path.slice(start.length)
    const inside = folders.filter((folder) => relative.startsWith(folder)).map((folder) => relative.slice(folder.length))
    const matches = (patterns: readonly string[]) => patterns.some((pattern) => inside.some((name) => globMatches(pattern, name)))
    if (matches(includes) && !matches(excludes)) paths.push(path)
  }
  return paths
}

const maxPatterns = 100
const maxPatternLength = 1_000

const patternsOf = (value: unknown): string[] =>
  list(value)
    .flatMap((item) => (typeof item === 'string' && item.length <= maxPatternLength ? [item] : []))
    .slice(0, maxPatterns)

/** Name of a FileObject for messages and for finding it. */
export const nameOf = (node: Node): string => node.id ?? textOf(node.get('name')) ?? baseName(textOf(node.get('contentUrl')) ?? '')
