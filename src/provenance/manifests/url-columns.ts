import type { Digest, DigestAlgorithm } from '../../contracts/provenance.ts'
import { algorithmNamed, digestByLength, digestOf } from './digests.ts'

/** Which columns of a table say what; names as the file spells them. */
export interface UrlColumns {
  readonly url: string
  /** At least one. `algorithm` is null where the name does not say it. */
  readonly hashes: readonly { readonly column: string; readonly algorithm: DigestAlgorithm | null }[]
  readonly bytes: string | null
  readonly path: string | null
  readonly key: string | null
  readonly label: string | null
  /** As img2dataset writes it: "success" or why a download failed. */
  readonly status: string | null
}

const algorithm = 'md5|sha-?1|sha-?2?-?(?:224|256|384|512)|sha3-?(?:256|384|512)|blake2b|blake3|b3|crc32'
const subject = '(?:(?:file|image|img|video|audio|media|content|data|member|expected|original)[-_ ]?)?'
const hash = new RegExp(
  `^${subject}(?:(?:hash|digest|checksum)[-_ ]?(${algorithm})|(${algorithm})[-_ ]?(?:hash|digest|checksum|sums?|hex)?|hash|digest|checksum)$`,
  'i',
)
const medium = '(?:file|image|img|video|audio|media|content|source|original|download)?[-_ ]?'
const url = new RegExp(`^${medium}(?:url|uri|link)s?$`, 'i')
const path = /^(?:local|rel(?:ative)?|image|img|video|audio|media)?[-_ ]?(?:path|file|file[-_ ]?name|file[-_ ]?path|member)$/i
const key = /^(?:key|(?:image|img|sample|file|media)?[-_ ]?u?id)$/i
const bytes = /^(?:(?:file|content|image)?[-_ ]?size(?:[-_ ]?(?:in[-_ ])?bytes)?|(?:num[-_ ]|n[-_ ])?bytes|content[-_ ]?length)$/i
const label = /^(?:label|class|category)(?:[-_ ]?name)?$/i

/** What the columns of a table are, by their names; null where it is no table of URLs and digests. */
export function urlColumns(names: readonly string[]): UrlColumns | null {
  const first = (pattern: RegExp): string | null => names.find((name) => pattern.test(name.trim())) ?? null
  const found = first(url)
  const hashes = names.flatMap((column) => {
    const match = column.trim().match(hash)
    const named = match?.[1] ?? match?.[2]
    return match ? [{ column, algorithm: named === undefined ? null : algorithmNamed(named) }] : []
  })
  if (found === null || hashes.length === 0) return null
  return { url: found, hashes, bytes: first(bytes), path: first(path), key: first(key), label: first(label), status: first(/^status$/i) }
}

/** The columns that are read, each once. */
export const columnNames = (columns: UrlColumns): string[] => {
  const { url, hashes, bytes, path, key, label, status } = columns
  const all = [url, ...hashes.map(({ column }) => column), bytes, path, key, label, status]
  return [...new Set(all.filter((name) => name !== null))]
}

/** A digest of a cell, with or without `sha256:` before it. */
export function cellDigest(cell: string, declared: DigestAlgorithm | null): Digest | null {
  const [, prefix, rest] = cell.trim().match(/^([A-Za-z0-9-]{2,12})[:=](.+)$/) ?? []
  const named = prefix === undefined ? null : algorithmNamed(prefix)
  const text = named === null || rest === undefined ? cell.trim() : rest
  const chosen = named ?? declared
  return chosen === null ? digestByLength(text) : digestOf(chosen, text)
}

/** Of these cells at least 9 in 10 are digests: what tells a column "hash" of files from one of something else. */
export function holdsDigests(cells: readonly string[], declared: DigestAlgorithm | null): boolean {
  const digests = cells.filter((cell) => cellDigest(cell, declared) !== null).length
  return digests > 0 && digests >= 0.9 * cells.length
}
