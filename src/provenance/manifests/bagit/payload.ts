import type { Delivery, Digest, ManifestEntry } from '../../../contracts/provenance.ts'
import { algorithmNamed, digestOf, isHex } from '../digests.ts'
import { fileAt, filesUnder, inFolder } from '../lookup.ts'
import type { ProblemList } from '../problem-list.ts'
import { shown } from '../problem-list.ts'
import { normalForm } from '../spellings.ts'
import type { Fetch, Sum } from './lines.ts'
import { locate } from './locate.ts'
import type { Oxum } from './tag-files.ts'

export interface Bag {
  readonly base: string
  readonly final: boolean
  readonly delivery: Delivery
  readonly problems: ProblemList
}

/** One manifest of a bag: of the payload or of the tag files. */
export interface Sums {
  readonly file: string
  /** As in the name of the file. */
  readonly algorithm: string
  readonly sums: readonly Sum[]
}

const systemFiles = /(?:^|\/)(?:thumbs\.db|\.ds_store|\.spotlight-v100|\.(?:_\.)?trashes|\.fseventsd)(?:\/|$)/i

/** Entries of one manifest by path. The same path twice is one entry where the digests agree. */
export function entriesOf(
  { base, final, delivery, problems }: Bag,
  { file, algorithm, sums }: Sums,
  payload: boolean,
): Map<string, ManifestEntry[]> {
  const entries = new Map<string, ManifestEntry[]>()
  const keys = new Map<string, string>()
  const known = algorithmNamed(algorithm)
  for (const { digest: text, name, line } of sums) {
    const place = { file, line }
    const located = locate(name, base, final, delivery)
    if ('hostile' in located) {
      problems.error('hostile-path', `Line ${line} of ${file} names "${shown(name)}": ${located.hostile}.`, place)
      continue
    }
    const { path, note } = located
    if (note !== null) problems.warn('inconsistent', `${path}, which line ${line} of ${file} names, is there ${note}.`, place)
    if (payload !== name.startsWith('data/')) {
      const message = `Line ${line} of ${file} names "${shown(name)}", which ${payload ? 'is not below data/' : 'belongs to the payload'}.`
      if (payload) problems.error('inconsistent', message, place)
      else problems.warn('inconsistent', message, place)
    }
    if (systemFiles.test(name)) problems.warn('inconsistent', `${path} is a file of an operating system, not of the payload.`, place)
    const digest = known === null ? null : isHex(text) ? digestOf(known, text) : null
    if (digest === null && known !== null)
      problems.error('malformed', `"${shown(text)}" in line ${line} of ${file} is not a digest of ${known}.`, place)
    const entry = entryOf(path, digest, known === null ? null : text, place)
    const before = entries.get(path)
    if (before) repeated(before, entry, final, problems)
    else entries.set(path, [entry])
    const key = normalForm(name).toLowerCase()
    const other = keys.get(key)
    if (other !== undefined && other !== name) {
      problems.warn(
        'inconsistent',
        `Line ${line} of ${file} names "${shown(name)}", which differs from "${shown(other)}" only in case or Unicode normal form.`,
        place,
      )
    }
    keys.set(key, name)
  }
  return entries
}

const entryOf = (
  path: string,
  digest: Digest | null,
  text: string | null,
  place: { readonly file: string; readonly line: number },
): ManifestEntry => ({
  path,
  digests: digest === null ? [] : [digest],
  bytes: null,
  range: null,
  placeholder: digest === null ? text : null,
  url: null,
  label: null,
  place,
})

function repeated(before: ManifestEntry[], entry: ManifestEntry, final: boolean, problems: ProblemList): void {
  const { file, line } = entry.place
  const same = before.every((other) => other.digests[0]?.hex === entry.digests[0]?.hex)
  if (!same) {
    problems.error(
      'inconsistent',
      `Line ${line} of ${file} gives ${entry.path} another digest than line ${before[0]?.place.line}.`,
      entry.place,
    )
    before.push(entry)
  } else if (final) problems.error('inconsistent', `Line ${line} of ${file} names ${entry.path} a second time.`, entry.place)
  else problems.warn('inconsistent', `Line ${line} of ${file} names ${entry.path} a second time, with the same digest.`, entry.place)
}

/** All statements about a path as one entry with every digest; contradictions stay apart, so that one of them cannot hold. */
export function merged(manifests: readonly Map<string, readonly ManifestEntry[]>[]): Map<string, ManifestEntry[]> {
  const all = new Map<string, ManifestEntry[]>()
  for (const entries of manifests) {
    for (const [path, list] of entries) {
      const before = all.get(path)
      if (!before) all.set(path, [...list])
      else for (const [i, entry] of list.entries()) before[i] = before[i] ? joined(before[i], entry) : entry
    }
  }
  return all
}

const joined = (a: ManifestEntry, b: ManifestEntry): ManifestEntry => ({
  ...a,
  digests: [...a.digests, ...b.digests],
  placeholder: a.placeholder ?? b.placeholder,
})

/** RFC 8493, 2.1.3: since 1.0 every payload manifest names every payload file. */
export function checkCompleteness(
  { problems }: Bag,
  manifests: readonly { readonly file: string; readonly entries: ReadonlyMap<string, unknown> }[],
): void {
  const all = new Set(manifests.flatMap(({ entries }) => [...entries.keys()]))
  for (const { file, entries } of manifests) {
    for (const path of all) {
      if (!entries.has(path))
        problems.error('inconsistent', `${file} does not name ${path}, which another manifest of the bag names.`, { file })
    }
  }
}

/** What `fetch.txt` promises, added to the entries: URL and size. A file that is not there yet is missing; nothing is fetched. */
export function addFetches(bag: Bag, fetches: readonly Fetch[], file: string, entries: Map<string, ManifestEntry[]>): void {
  const { base, final, delivery, problems } = bag
  for (const { url, bytes, name, line } of fetches) {
    const place = { file, line }
    const located = locate(name, base, final, delivery)
    if ('hostile' in located) {
      problems.error('hostile-path', `Line ${line} of ${file} names "${shown(name)}": ${located.hostile}.`, place)
      continue
    }
    const listed = entries.get(located.path)
    if (listed) {
      const there = fileAt(delivery, located.path)
      if (there && bytes !== null && there.bytes !== bytes) {
        problems.warn('inconsistent', `${located.path} has ${there.bytes} bytes; line ${line} of ${file} says ${bytes}.`, place)
      }
      entries.set(
        located.path,
        listed.map((entry) => ({ ...entry, url })),
      )
      continue
    }
    const message = `Line ${line} of ${file} names "${shown(name)}", which no payload manifest names.`
    if (final) problems.error('inconsistent', message, place)
    else problems.warn('inconsistent', message, place)
  }
}

/** Payload-Oxum: bytes and files of the payload as they are on the disk. */
export function checkOxum({ base, delivery, problems }: Bag, oxum: Oxum, file: string): void {
  let files = 0
  let bytes = 0
  for (const each of filesUnder(delivery, inFolder(base, 'data/'))) {
    files += 1
    bytes += each.bytes
  }
  if (files === oxum.files && bytes === oxum.bytes) return
  problems.error(
    'inconsistent',
    `${file} declares ${oxum.bytes} bytes in ${oxum.files} files (Payload-Oxum); data/ has ${bytes} in ${files}.`,
    { file },
  )
}
