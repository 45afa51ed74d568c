import type { Digest, DigestAlgorithm } from '../../contracts/provenance.ts'
import { algorithmNamed, digestByLength, digestOf, hexDigits, isHex } from './digests.ts'

/** What the name of a sums file says of its digests: an algorithm, a family of which the length chooses one, or nothing. */
export type Hint = DigestAlgorithm | 'sha3' | null

/** One line that is a sum. */
export interface SumLine {
  /** As written, escapes resolved; null for a digest alone on its line. */
  readonly name: string | null
  /** Null where the digest is a placeholder, or of an algorithm that cannot be computed. */
  readonly digest: Digest | null
  readonly placeholder: string | null
  /** Name of the algorithm that cannot be computed. */
  readonly unsupported: string | null
}

/** Longest line that is read, in UTF-16 units: a path has at most 4,096 bytes, each of which may be escaped. */
export const maxLineLength = 16_384

const escapes: Readonly<Record<string, string>> = { '\\': '\\', n: '\n', r: '\r' }

/** Undoes what coreutils does to names with line ends; null for an escape that it does not know. */
function unescaped(name: string): string | null {
  let unknown = false
  const text = name.replace(/\\([\s\S]?)/g, (_, c: string) => {
    const plain = escapes[c]
    if (plain === undefined) unknown = true
    return plain ?? ''
  })
  return unknown ? null : text
}

const named = (name: string, digest: Digest | null, token: string): SumLine => ({
  name,
  digest,
  placeholder: digest === null ? token : null,
  unsupported: null,
})

/** `SHA256 (name) = digits`: BSD, `--tag` of coreutils, OpenSSL. */
function tagged(line: string, escaped: boolean): SumLine | null {
  const match = line.match(/^([A-Za-z][A-Za-z0-9/_-]{1,20}) ?\((.*)\) ?= ?(\S+)$/s)
  if (!match) return null
  const [, tag = '', raw = '', token = ''] = match
  const name = escaped ? unescaped(raw) : raw
  if (name === null || name === '') return null
  const algorithm = algorithmNamed(tag)
  if (algorithm === null) return { name, digest: null, placeholder: null, unsupported: tag }
  return named(name, digestOf(algorithm, token), token)
}

function digestUnder(hint: Hint, token: string): Digest | null {
  if (hint === null) return digestByLength(token)
  if (hint !== 'sha3') return digestOf(hint, token)
  const sizes = ['sha3-256', 'sha3-384', 'sha3-512'] as const
  return sizes.map((algorithm) => digestOf(algorithm, token)).find((digest) => digest !== null) ?? null
}

/** Whether a token that is no digest of the declared algorithm stands where one should: digits, too many or too few, or all alike. */
const isPlaceholder = (hint: Hint, token: string): boolean =>
  isHex(token) && (hint !== null ? token.length >= 8 : Object.values(hexDigits).includes(token.length) && token.length > 8)

/** `digits  name`, `digits *name`, `digits name`, or the digits alone. */
function untagged(line: string, escaped: boolean, hint: Hint): SumLine | null {
  const end = line.search(/[ \t]/)
  const token = end < 0 ? line : line.slice(0, end)
  const digest = digestUnder(hint, token)
  if (digest === null && !isPlaceholder(hint, token)) return null
  const rest = end < 0 ? '' : line.slice(end)
  if (rest.trim() === '') return { ...named('', digest, token), name: null }
  const raw = /^( {2}| \*)/.test(rest) ? rest.slice(2) : rest.slice(1)
  const name = escaped ? unescaped(raw) : raw
  return name === null || name === '' ? null : named(name, digest, token)
}

/** `name digits` of a simple file verification list. */
function simple(line: string): SumLine | null {
  const match = line.match(/^(.*\S)[ \t]+([0-9a-fA-F]{8})$/s)
  return match ? named(match[1] as string, digestOf('crc32', match[2] as string), match[2] as string) : null
}

/**
 * One line of a sums file, without its line end: the dialects of GNU coreutils (md5sum, sha256sum, cksum, b2sum; with `--tag`
 * and `--base64`), of the BSDs, of OpenSSL's `dgst`, and of .sfv lists. Null where it is none of them.
 */
export function readSumLine(line: string, hint: Hint): SumLine | null {
  if (line.length > maxLineLength) return null
  if (hint === 'crc32') {
    const sum = simple(line)
    if (sum) return sum
  }
  const escaped = line.startsWith('\\')
  const text = escaped ? line.slice(1) : line
  return tagged(text, escaped) ?? untagged(text, escaped, hint)
}

/** A line without content: blank, or a comment. */
export const isRemark = (line: string): boolean => /^\s*([#;]|$)/.test(line)
