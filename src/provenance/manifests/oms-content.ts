import { createHash } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import type { DeliveredFile, Delivery, DigestAlgorithm, ManifestEntry } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import type { Statement } from '../signatures/statement.ts'
import { digestOf } from './digests.ts'
import { baseName, fileAt, filesUnder, folderOf, inFolder } from './lookup.ts'
import { type ProblemList, shown } from './problem-list.ts'
import { list, property, string, wholeNumber } from './structured.ts'

/** What the bundles of releases 0.3 and later say, and what those of 0.2 said. */
export const omsPredicate = 'https://model_signing/signature/v1.0'
export const omsPredicate2 = 'https://model_signing/Digests/v0.1'

/** Names that the reference implementation leaves out of every signature unless it is told not to. */
export const gitPaths: readonly string[] = ['.git', '.gitattributes', '.github', '.gitignore']

export interface OmsContent {
  readonly entries: readonly ManifestEntry[]
  readonly closed: string | null
  readonly ignored: readonly string[]
  readonly version: string
}

interface Resource {
  readonly name: string
  readonly algorithm: DigestAlgorithm
  readonly hex: string
  readonly range: readonly [number, number] | null
}

/** `sha256`, and as early releases wrote it: `file-sha256`, `sha256-sharded-1000000`. */
const algorithms: Readonly<Record<string, DigestAlgorithm>> = { sha256: 'sha256', blake2: 'blake2b', blake2b: 'blake2b', blake3: 'blake3' }
const algorithmOf = (name: unknown): DigestAlgorithm | null => {
  const [, bare = ''] = /^(?:file-)?([a-z0-9]+)(?:-sharded)?(?:-\d+)?$/.exec(typeof name === 'string' ? name : '') ?? []
  return algorithms[bare] ?? null
}

function resourcesOf(statement: Statement, file: string, problems: ProblemList): readonly Resource[] | null {
  const refuse = (why: string): null => {
    problems.error('malformed', `${file}: ${why}`, { file })
    return null
  }
  if (statement.predicateType === omsPredicate2) {
    const resources = statement.subjects.map(({ name, digests }) => {
      const digest = digests.find(({ algorithm }) => algorithm === 'sha256')
      return name === null || !digest ? null : { name, algorithm: digest.algorithm, hex: digest.hex, range: null }
    })
    return resources.every((resource) => resource !== null) ? resources : refuse('A subject has no name or no SHA-256 digest.')
  }
  const method = string(property(property(statement.predicate, 'serialization'), 'method'))
  if (method !== 'files' && method !== 'shards') return refuse(`The serialization ${shown(method ?? '')} is not known.`)
  const given = list(property(statement.predicate, 'resources'))
  const resources: Resource[] = []
  for (const entry of given) {
    const name = string(property(entry, 'name'))
    const algorithm = algorithmOf(property(entry, 'algorithm'))
    const digest = algorithm && digestOf(algorithm, string(property(entry, 'digest')) ?? '')
    if (name === null || !algorithm || !digest) return refuse(`The resource ${shown(name ?? '')} has no digest of a known algorithm.`)
    const shard = method === 'shards' ? /^(.+):(\d{1,15}):(\d{1,15})$/s.exec(name) : null
    if (method === 'shards' && !shard) return refuse(`The resource ${shown(name)} is no shard of the form path:start:end.`)
    const range = shard ? ([Number(shard[2]), Number(shard[3])] as const) : null
    resources.push({ name: shard?.[1] ?? name, algorithm, hex: digest.hex, range })
  }
  return rootAgrees(statement, resources, file, problems) ? resources : null
}

/** The subject is the whole: SHA-256 over the raw digests of the resources, one after the other. */
function rootAgrees({ subjects }: Statement, resources: readonly Resource[], file: string, problems: ProblemList): boolean {
  const root = createHash('sha256')
  for (const { hex } of resources) root.update(Buffer.from(hex, 'hex'))
  const expected = subjects[0]?.digests.find(({ algorithm }) => algorithm === 'sha256')?.hex
  if (subjects.length === 1 && expected === root.digest('hex')) return true
  problems.error('inconsistent', `${file}: The digest of the whole is not that of the resources, so that none of them is used.`, { file })
  return false
}

/** The folder whose files the names are: where the bundle lies, the root, or the folder beside it that bears the subject's name. */
function baseFor(file: DeliveredFile, delivery: Delivery, subject: string | null, names: readonly string[]): string {
  const own = folderOf(file.path)
  const bases = [own, '', ...(subject !== null && /^[^/\\]+$/.test(subject) ? [inFolder(own, subject)] : [])]
  const hits = (base: string): number =>
    names.slice(0, 10_000).reduce((count, name) => {
      const safe = safePath(name, base)
      return 'path' in safe && fileAt(delivery, safe.path) ? count + 1 : count
    }, 0)
  return bases.map((base) => ({ base, count: hits(base) })).reduce((best, next) => (next.count > best.count ? next : best)).base
}

/** A signature of one file names it `.`: it is the subject, beside the bundle. */
function singleFile(file: DeliveredFile, delivery: Delivery, subject: string | null): string | null {
  const own = folderOf(file.path)
  const names = [subject, baseName(file.path).replace(/\.(?:sig|oms\.sig|sigstore|json)$/i, '')]
  const safe = names.flatMap((name) => (name === null || name === '' ? [] : [safePath(name, own)]))
  const paths = safe.flatMap((path) => ('path' in path && path.path !== file.path ? [path.path] : []))
  return paths.find((path) => fileAt(delivery, path)) ?? paths[0] ?? null
}

/** Shards must follow each other from the first byte to the last: a byte beyond them is signed by nobody. */
function sizes(resources: readonly Resource[], file: string, problems: ProblemList): ReadonlyMap<string, number> {
  const ends = new Map<string, number>()
  for (const { name, range } of resources) {
    if (range === null) continue
    if (range[0] !== (ends.get(name) ?? 0) || range[1] <= range[0])
      problems.error('inconsistent', `${file}: The shards of ${shown(name)} do not follow each other.`, { file })
    ends.set(name, Math.max(ends.get(name) ?? 0, range[1]))
  }
  return ends
}

/** By name, then by start: the order in which they are signed is that of names as text. */
const inOrder = (a: Resource, b: Resource): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : (a.range?.[0] ?? 0) - (b.range?.[0] ?? 0)

function ignoredOf(statement: Statement, base: string, file: string, problems: ProblemList): string[] {
  const given = list(property(property(statement.predicate, 'serialization'), 'ignore_paths'))
  return [...gitPaths, ...given].flatMap((entry) => {
    const safe = typeof entry === 'string' ? safePath(entry.replace(/\/+$/, ''), base) : null
    if (safe && 'path' in safe) return [safe.path, `${safe.path}/`]
    problems.warn('malformed', `${file}: The ignored path ${shown(String(entry))} is not below the folder and is not ignored.`, { file })
    return []
  })
}

/** Without those that a symbolic link leads to, where the signer allowed none. */
function withoutLinks(entries: readonly ManifestEntry[], delivery: Delivery, file: string, problems: ProblemList): ManifestEntry[] {
  const known = new Map<string, boolean>()
  const isLink = (path: string): boolean => {
    const before = known.get(path)
    if (before !== undefined) return before
    let link = false
    try {
      link = lstatSync(join(delivery.root, path)).isSymbolicLink() || (path.includes('/') && isLink(folderOf(path)))
    } catch {
      // A missing file is graded as such.
    }
    known.set(path, link)
    return link
  }
  return entries.filter(({ path }) => {
    if (!isLink(path)) return true
    problems.error('inconsistent', `${path} is reached by a symbolic link, which the signature does not allow.`, { file })
    return false
  })
}

/**
 * The statement of an OpenSSF model signature, of any release: its resources as entries, the folder that it closes. Where it is
 * inconsistent there are no entries, so that nothing counts as verified.
 * https://github.com/sigstore/model-transparency, src/model_signing/_signing/signing.py
 */
export function omsContent(statement: Statement, file: DeliveredFile, delivery: Delivery, problems: ProblemList): OmsContent {
  const path = file.path
  const version = statement.predicateType === omsPredicate2 ? '0.2' : '1.0'
  const resources = resourcesOf(statement, path, problems)
  const subject = version === '0.2' ? null : (statement.subjects[0]?.name ?? null)
  if (resources === null) return { entries: [], closed: folderOf(path), ignored: [], version }
  const single = resources.length === 1 && resources[0]?.name === '.' ? singleFile(file, delivery, subject) : null
  const base = baseFor(
    file,
    delivery,
    subject,
    resources.map(({ name }) => name),
  )
  const ordered = [...resources].sort(inOrder)
  const ends = sizes(ordered, path, problems)
  const named = new Set<string>()
  const listed = ordered.flatMap((resource): ManifestEntry[] => {
    const { name, algorithm, hex, range } = resource
    const safe = single === null ? safePath(name, base) : { path: single }
    if ('hostile' in safe) {
      problems.error('hostile-path', `${path}: The path ${shown(name)} is refused: ${safe.hostile}.`, { file: path })
      return []
    }
    const key = `${safe.path}\0${range?.[0] ?? ''}`
    if (named.has(key)) problems.error('inconsistent', `${path} names ${shown(name)} twice.`, { file: path })
    named.add(key)
    return [
      {
        path: safe.path,
        digests: [{ algorithm, hex }],
        bytes: ends.get(name) ?? null,
        range,
        placeholder: null,
        url: null,
        label: null,
        place: { file: path },
      },
    ]
  })
  const serialization = property(statement.predicate, 'serialization')
  const entries = property(serialization, 'allow_symlinks') === true ? listed : withoutLinks(listed, delivery, path, problems)
  if (single !== null) return { entries, closed: null, ignored: [], version }
  // Sharding lists no shard of an empty file.
  const empty = wholeNumber(property(serialization, 'shard_size')) === null ? [] : emptyFiles(delivery, base)
  return { entries, closed: base, ignored: [path, ...ignoredOf(statement, base, path, problems), ...empty], version }
}

const emptyFiles = (delivery: Delivery, base: string): string[] =>
  [...filesUnder(delivery, base === '' ? '' : `${base}/`)].filter(({ bytes }) => bytes === 0).map(({ path }) => path)
