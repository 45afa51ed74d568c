import type { Place } from '../../contracts/errors.ts'
import type { DeclaredFacts, DeliveredFile, Delivery, Digest, Manifest, ManifestEntry, ManifestFormat } from '../../contracts/provenance.ts'
import { safePath } from '../paths.ts'
import { readText } from './bounded-text.ts'
import { sizeBeside } from './declared-size.ts'
import { algorithmNamed, digestOf, isHex } from './digests.ts'
import { baseName, fileAt, folderOf } from './lookup.ts'
import type { ProblemList } from './problem-list.ts'
import { problemList, shown } from './problem-list.ts'
import { type Dictionary, isDictionary, list, parseJson, parseYaml, property, string, wholeNumber } from './structured.ts'

const maxBytes = 64 * 1024 * 1024
const maxResources = 1_000_000
const maxFields = 10_000

/** Data Package (Frictionless Data), versions 1 and 2: `datapackage.json`, also as YAML. Nothing is fetched. */
export const frictionless: ManifestFormat = {
  kind: 'frictionless',
  title: 'Data Package',
  detect: ({ path }) => /(?:^|\.)datapackage\.(?:json|ya?ml)$/i.test(baseName(path)),
  read: readPackage,
}

async function readPackage(file: DeliveredFile, delivery: Delivery): Promise<Manifest> {
  const problems = problemList(file.path)
  const entries: ManifestEntry[] = []
  const facts: DeclaredFacts[] = []
  const document = await documentOf(file.path, delivery, problems)
  const resources = property(document, 'resources')
  if (document !== undefined && !Array.isArray(resources))
    problems.error('malformed', `${file.path} has no list of resources.`, { file: file.path })
  const described = Array.isArray(resources) ? resources : []
  if (described.length > maxResources)
    problems.error('too-large', `${file.path} has more than ${maxResources.toLocaleString('en')} resources; the others were not read.`, {
      file: file.path,
    })
  for (const [i, resource] of described.slice(0, maxResources).entries()) {
    if (!isDictionary(resource)) {
      problems.error('malformed', `Resource ${i + 1} of ${file.path} is not an object.`, { file: file.path, row: i })
      continue
    }
    const at = { file: file.path, name: shown(string(property(resource, 'name')) ?? String(i + 1)), place: { file: file.path, row: i } }
    for (const entry of entriesOf(resource, at, delivery, problems)) entries.push(entry)
    facts.push(...factsOf(resource, at))
  }
  return {
    kind: 'frictionless',
    title: 'Data Package',
    file: file.path,
    version: versionOf(document),
    entries,
    closed: null,
    ignored: [],
    own: [file.path],
    signatures: [],
    problems: problems.all,
    facts,
  }
}

async function documentOf(path: string, delivery: Delivery, problems: ProblemList): Promise<unknown> {
  const text = await readText(delivery, path, maxBytes, problems)
  if (text === null) return undefined
  const tree = /\.json$/i.test(path) ? parseJson(text, path) : await parseYaml(text, path)
  if (!('code' in tree)) return tree.value ?? null
  problems.error(tree.code, tree.message, tree.place)
  return undefined
}

/** `$schema` came with version 2. */
function versionOf(document: unknown): string | null {
  const schema = string(property(document, '$schema'))
  if (schema !== null) return /datapackage\.org\/profiles\/(\d+(?:\.\d+)?)\//.exec(schema)?.[1] ?? null
  return document === undefined ? null : '1'
}

interface At {
  readonly file: string
  readonly name: string
  readonly place: Place
}

const remote = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//

/** `path` is a path or an address, or a list of parts that are one file together; version 0 had `url` beside it. */
function entriesOf(resource: Dictionary, at: At, delivery: Delivery, problems: ProblemList): ManifestEntry[] {
  const paths = list(property(resource, 'path') ?? property(resource, 'url'))
  if (paths.length === 0) {
    if (property(resource, 'data') === undefined)
      problems.error('malformed', `Resource ${at.name} of ${at.file} has neither a path nor data.`, at.place)
    return []
  }
  const { digests, placeholder, unsupported } = hashOf(resource)
  const size = property(resource, 'bytes') ?? property(property(resource, 'stats'), 'bytes')
  const bytes = wholeNumber(size)
  if (bytes === null && size !== undefined && size !== null)
    problems.warn(
      'malformed',
      `The size of resource ${at.name} in ${at.file} is no number of bytes: ${typeof size === 'object' ? 'a list or an object' : shown(String(size))}.`,
      at.place,
    )
  if (unsupported !== null)
    problems.warn('unsupported', `The hash of resource ${at.name} in ${at.file} is ${unsupported}, which cannot be computed.`, at.place)
  const single = paths.length === 1
  if (!single && (digests.length > 0 || placeholder !== null)) {
    problems.warn(
      'unsupported',
      `Resource ${at.name} of ${at.file} has one hash over ${paths.length} files, which is not checked.`,
      at.place,
    )
  }
  return paths.flatMap((path) => {
    const local = pathOf(path, at, delivery, problems)
    if (local === null) return []
    const there = fileAt(delivery, local)
    if (single && there && bytes !== null && there.bytes !== bytes) {
      problems.warn('inconsistent', `${local} has ${there.bytes} bytes; ${at.file} says ${bytes}.`, at.place)
    }
    return {
      path: local,
      digests: single ? digests : [],
      bytes: single ? sizeBeside(digests, bytes, there !== null) : null,
      range: null,
      placeholder: single ? placeholder : null,
      url: remote.test(String(path)) ? String(path) : null,
      label: null,
      elsewhere: remote.test(String(path)),
      place: at.place,
    }
  })
}

/** Relative paths alone are safe (Data Resource, "path"); of an address the last part is looked for beside the package. */
function pathOf(path: unknown, at: At, delivery: Delivery, problems: ProblemList): string | null {
  if (typeof path !== 'string') {
    problems.error('malformed', `A path of resource ${at.name} in ${at.file} is not a text.`, at.place)
    return null
  }
  const base = folderOf(at.file)
  const local = remote.test(path) ? (/\/([^/?#]+)(?:[?#].*)?$/s.exec(path.replace(remote, ''))?.[1] ?? at.name) : path
  const safe = safePath(local, base)
  if ('path' in safe) {
    if (!fileAt(delivery, safe.path) && safe.path.includes('%')) {
      const plain = safePath(decoded(local), base)
      if ('path' in plain && fileAt(delivery, plain.path)) return plain.path
    }
    return safe.path
  }
  problems.error('hostile-path', `Resource ${at.name} of ${at.file} names "${shown(path)}": ${safe.hostile}.`, at.place)
  return null
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

interface Hash {
  readonly digests: readonly Digest[]
  readonly placeholder: string | null
  readonly unsupported: string | null
}

/** `hash`: MD5 where no algorithm stands before it ("sha256:..."); frictionless-py also writes `stats.md5` and `stats.sha256`. */
function hashOf(resource: Dictionary): Hash {
  const stats = property(resource, 'stats')
  const written = [property(resource, 'hash'), property(stats, 'hash')].flatMap((value) =>
    value === undefined || value === null || value === '' ? [] : [value],
  )
  for (const algorithm of ['sha256', 'md5'] as const) {
    const value = string(property(stats, algorithm))
    if (value !== null && value !== '') written.push(`${algorithm}:${value}`)
  }
  const digests: Digest[] = []
  let placeholder: string | null = null
  let unsupported: string | null = null
  for (const value of written) {
    const text = string(value) ?? ''
    const match = /^([A-Za-z0-9_-]{1,32}):(.*)$/s.exec(text)
    const algorithm = match ? algorithmNamed(match[1] ?? '') : 'md5'
    const hex = match ? (match[2] ?? '') : text
    const digest = algorithm !== null && isHex(hex) ? digestOf(algorithm, hex) : null
    if (digest) {
      if (!digests.some((other) => other.algorithm === digest.algorithm && other.hex === digest.hex)) digests.push(digest)
    } else if (algorithm === null && isHex(hex)) unsupported = match?.[1] ?? ''
    else placeholder ??= shown(text)
  }
  return { digests, placeholder: digests.length > 0 ? null : placeholder, unsupported }
}

/** Columns of the Table Schema; rows as frictionless-py counts them, or those of inline data. */
function factsOf(resource: Dictionary, at: At): DeclaredFacts[] {
  const fields = property(property(resource, 'schema'), 'fields')
  const columns = list(fields)
    .slice(0, maxFields)
    .flatMap((field) => {
      const name = string(property(field, 'name'))
      return name === null ? [] : [{ name, type: string(property(field, 'type')) }]
    })
  const stats = property(resource, 'stats')
  const counted =
    property(stats, 'rows') ?? property(resource, 'rows') ?? property(resource, 'count_of_rows') ?? property(resource, 'rowcount')
  const rows = wholeNumber(counted)
  if (columns.length === 0 && rows === null) return []
  return [
    {
      rows,
      classes: null,
      columns: columns.length === 0 ? null : columns,
      splits: null,
      files: null,
      by: `${at.file}, resource ${at.name}`,
    },
  ]
}
