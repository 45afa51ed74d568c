import { algorithmNamed } from './digests.ts'
import { baseName } from './lookup.ts'
import type { Hint } from './sum-lines.ts'

const word = '(?:md5|sha-?(?:1|224|256|384|512)|sha3(?:-?(?:256|384|512))?|sha2-?(?:224|256|384|512)|sha|b2|b3|blake2b?|blake3|crc32)'

/** SHA256SUMS, sha256sum.txt, MD5SUMS-release, sha3-256sums.txt, B3SUMS ... */
const list = new RegExp(`^(${word})[-_.]?(?:check)?sums?(?:[-_.].*)?$`, 'i')
/** dataset.sha256sums, dataset-md5.txt, md5.txt */
const listAtEnd = new RegExp(`^(?:.*[-_])?(${word})(?:[-_.]?(?:check)?sums?)?(?:\\.txt)?$`, 'i')
/** CHECKSUMS, checksum.txt, hashes.txt, checksums_sha256.txt: names that other things have as well. */
const vague = /^(?:check[-_.]?sums?|hash(?:es|sums?)?|digests?|sums?)(?:[-_.].*)?$/i
/** x.csv.sha256: beside x.csv, for this one file. */
const beside = new RegExp(`^(.+)\\.(${word}|sfv)(?:sums?)?(?:\\.txt)?$`, 'i')

/** What signs or explains a sums file, and formats of other manifests. */
const others =
  /\.(?:sig|sign|gpg|minisig|bundle|sigstore|pem|crt|cer|der|pub|key|json|jsonl|ya?ml|xml|html?|md|rst|csv|tsv|py|sh|js|ts|c|h)$/i
const bagManifest = /^(?:tag)?manifest-[a-z0-9-]+\.txt$/i

export interface SumsName {
  /** True: whatever it holds, it is meant to be a list of sums. */
  readonly sure: boolean
  readonly hint: Hint
  /** For x.csv.sha256 the path of x.csv; else null. */
  readonly subject: string | null
}

function hintOf(name: string): Hint {
  if (/^sfv$/i.test(name)) return 'crc32'
  if (/^sha3$/i.test(name)) return 'sha3'
  return /^sha$/i.test(name) ? null : algorithmNamed(name)
}

/** What the name of a file says about sums in it; null where it says nothing. */
export function sumsName(path: string): SumsName | null {
  const name = baseName(path)
  if (others.test(name) || bagManifest.test(name)) return null
  const signed = name.replace(/\.asc$/i, '')
  const listed = signed.match(list) ?? (/\.txt$/i.test(signed) || !signed.includes('.') ? signed.match(listAtEnd) : null)
  if (listed) return { sure: true, hint: hintOf(listed[1] as string), subject: null }
  const single = signed.match(beside)
  if (single) {
    const subject = path.slice(0, path.length - name.length) + single[1]
    return { sure: !/^(?:b[23]|sha)$/i.test(single[2] as string), hint: hintOf(single[2] as string), subject }
  }
  if (!vague.test(signed)) return null
  const inside = signed.match(new RegExp(`[-_.](${word})(?:[-_.]|$)`, 'i'))
  return { sure: false, hint: inside ? hintOf(inside[1] as string) : null, subject: null }
}

/** Signatures beside a sums file, by what their names add to its own. */
export const signatureSuffixes = [
  '.sig',
  '.sign',
  '.asc',
  '.gpg',
  '.minisig',
  '.ed25519',
  '.ed25519.sig',
  '.p256.sig',
  '.p384.sig',
  '.ecdsa.sig',
  '.rsa.sig',
  '.sig.b64',
  '.bundle',
  '.sigstore',
  '.sigstore.json',
] as const
/** Certificates beside a signature: no signatures themselves. */
export const certificateSuffixes = ['.pem', '.crt', '.cert', '.pub'] as const
