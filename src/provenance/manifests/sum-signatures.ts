import type { DeliveredFile, Delivery, SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import { readBounded } from '../delivery.ts'
import { ProvenanceError } from '../errors.ts'
import { checkDetached } from '../signatures/detached.ts'
import { loadKeys } from '../signatures/keys.ts'
import { isClearSigned } from './clear-signed.ts'
import { fileAt } from './lookup.ts'
import { certificateSuffixes, signatureSuffixes } from './sum-names.ts'

/** A bundle with its certificates and log entries is some 10 KiB. */
const maxSignatureBytes = 1 << 20

const unchecked = (file: string, method: string, reason: string): SignatureCheck => ({
  method,
  file,
  status: 'unchecked',
  signer: null,
  reason,
  signedAt: null,
})

const openPgp = (file: string): SignatureCheck =>
  unchecked(file, 'OpenPGP', 'OpenPGP signatures are not supported: check this one with gpg --verify.')

/** Armoured, or a binary packet: a signature (tag 2) of version 3 to 6, with an old or a new header (RFC 9580, section 4.2). */
function isOpenPgp(signature: Buffer): boolean {
  if (signature.subarray(0, 200).toString('latin1').trimStart().startsWith('-----BEGIN PGP ')) return true
  const [first = 0, second = 0] = signature
  const header =
    first === 0x88 ? 2 : first === 0x89 ? 3 : first === 0x8a ? 5 : first === 0xc2 ? (second < 192 ? 2 : second < 224 ? 3 : 6) : 0
  const version = signature[header] ?? 0
  const length = first === 0x88 || (first === 0xc2 && second < 192) ? second + 2 : null
  return header > 0 && version >= 3 && version <= 6 && (length === null || length === signature.length) && signature.length !== 64
}

/**
 * Signatures of a sums file: in its own text, and in files beside it that are named after it, with or without `.txt`.
 * `data` is the content of the sums file; null where it could not be read.
 */
export async function signaturesBeside(
  file: DeliveredFile,
  delivery: Delivery,
  data: Buffer | null,
  trust: TrustPolicy,
): Promise<{ readonly signatures: readonly SignatureCheck[]; readonly own: readonly string[] }> {
  const signatures: SignatureCheck[] = []
  const own: string[] = []
  if (data && isClearSigned(data)) signatures.push(openPgp(file.path))
  const stems = [...new Set([file.path, file.path.replace(/\.txt$/i, '')])]
  const beside = (suffixes: readonly string[]) =>
    stems.flatMap((stem) => suffixes.flatMap((suffix) => fileAt(delivery, stem + suffix) ?? []))
  for (const { path } of beside(signatureSuffixes)) {
    if (path === file.path) continue
    const signature = await contentOf(delivery, path)
    if (typeof signature !== 'string' && isClearSigned(signature)) continue
    own.push(path)
    if (typeof signature === 'string') signatures.push(unchecked(path, 'unknown', signature))
    else if (isOpenPgp(signature)) signatures.push(openPgp(path))
    else if (data === null) signatures.push(unchecked(path, 'unknown', `${file.path} could not be read.`))
    else signatures.push(await checkDetached(data, signature, path, loadKeys(trust), trust))
  }
  return { signatures, own: [...own, ...beside(certificateSuffixes).map(({ path }) => path)] }
}

/** The bytes, or why there are none. */
async function contentOf(delivery: Delivery, path: string): Promise<Buffer | string> {
  try {
    return await readBounded(delivery, path, maxSignatureBytes)
  } catch (e) {
    if (e instanceof ProvenanceError && (e.code === 'too-large' || e.code === 'unreadable')) return e.message
    throw e
  }
}
