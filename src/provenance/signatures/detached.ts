import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { SignatureCheck, TrustPolicy } from '../../contracts/provenance.ts'
import { checkBundle } from './check-bundle.ts'
import { byKey, byNoKey } from './dsse.ts'
import { methods, type PublicKey, verifies } from './keys.ts'
import { isMinisignSignature, minisignId, parseMinisignSignature, verifiesMinisign } from './minisign.ts'

const maxSignatureBytes = 1 << 20
const maxRawBytes = 8 << 10

const answer = (method: string, file: string, status: SignatureCheck['status'], reason: string): SignatureCheck => ({
  method,
  file,
  status,
  signer: null,
  reason,
  signedAt: null,
})

/** The bytes that a file of a signature may mean: as they are, base64 (also between PEM lines), hexadecimal. */
function candidates(signature: Buffer): readonly Buffer[] {
  const all = signature.length <= maxRawBytes ? [signature] : []
  const text = signature.length <= 2 * maxRawBytes ? signature.toString('latin1') : ''
  const bare = text.replace(/-----(?:BEGIN|END) [A-Z0-9 ]+-----/g, '').replace(/\s+/g, '')
  if (/^[0-9a-fA-F]+$/.test(bare) && bare.length % 2 === 0) all.push(Buffer.from(bare, 'hex'))
  if (/^[A-Za-z0-9+/_-]+={0,2}$/.test(bare)) all.push(Buffer.from(bare, 'base64'))
  return all
}

/** A raw file may end in a line feed that an editor added; in a signature of 64 bytes or in DER it is visible. */
const withoutNewline = (signature: Buffer): readonly Buffer[] => (signature.at(-1) === 10 ? [signature.subarray(0, -1)] : [])

function checkMinisign(data: Buffer, signature: Buffer, file: string, keys: readonly PublicKey[]): SignatureCheck {
  const parsed = parseMinisignSignature(signature)
  if (parsed === null) return answer('minisign', file, 'invalid', 'The signature is no minisign signature that can be read.')
  const method = parsed.trusted === null ? 'signify' : 'minisign'
  const own = keys.filter((key) => key.id === parsed.id || (key.id === null && key.kind === 'ed25519'))
  const key = own.find((candidate) => verifiesMinisign(candidate.key, parsed, data))
  if (key) {
    const check = byKey(method, file, key)
    return parsed.trusted ? { ...check, reason: `${check.reason} Its trusted comment: ${plain(parsed.trusted.comment)}` } : check
  }
  const check = byNoKey(method, file, keys)
  return keys.length > 0 && own.length === 0 ? { ...check, reason: `${check.reason} It names the key ${minisignId(parsed.id)}.` } : check
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be shown
const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd').slice(0, 200)

const digests = (data: Buffer) => ({
  sha256: createHash('sha256').update(data).digest('hex'),
  sha384: createHash('sha384').update(data).digest('hex'),
  sha512: createHash('sha512').update(data).digest('hex'),
})

/**
 * A signature in a file of its own over `data`: ed25519 (64 bytes raw, base64 or hexadecimal), ECDSA (DER or raw, the hash goes
 * with the curve, SHA-256 is tried as well), RSA PKCS#1 v1.5, minisign and signify, a sigstore bundle. Forms that cannot be judged
 * are `unchecked`.
 *
 * @param file of the signature, for the answer
 * @throws {ProvenanceError} `bad-key` where the policy's trusted root or certificates are malformed
 */
export async function checkDetached(
  data: Buffer,
  signature: Buffer,
  file: string,
  keys: readonly PublicKey[],
  trust: TrustPolicy,
): Promise<SignatureCheck> {
  if (signature.length === 0) return answer('unknown', file, 'invalid', 'The signature is empty.')
  if (signature.length > maxSignatureBytes) return answer('unknown', file, 'unchecked', 'The file is too large for a signature.')
  if (isMinisignSignature(signature)) return checkMinisign(data, signature, file, keys)
  // One raw signature in 256 begins with the brace of a bundle.
  const head = isUtf8(signature) ? signature.subarray(0, 200).toString('utf8').trimStart() : ''
  if (head.startsWith('{'))
    return (await checkBundle(signature.toString('utf8'), { digests: digests(data), bytes: data }, trust, file)).check
  if (/^-----BEGIN (?:PGP|SSH|PKCS7|CMS)/.test(head)) {
    const form = /^-----BEGIN ([A-Z0-9]+)/.exec(head)?.[1] ?? 'this'
    return answer(form, file, 'unchecked', `Signatures of the form ${form} are not supported.`)
  }
  const forms = [...candidates(signature), ...withoutNewline(signature)]
  if (forms.length === 0) return answer('unknown', file, 'unchecked', 'The form of the signature is not known.')
  for (const key of keys.filter(({ kind }) => kind !== 'minisign')) {
    const holds = forms.some((form) => verifies(key.key, key.kind, data, form) || verifiesOther(key, data, form))
    if (holds) return byKey(methods[key.kind], file, key)
  }
  return byNoKey('detached', file, keys)
}

/** `openssl dgst -sha256 -sign` does not ask for the curve. */
const verifiesOther = (key: PublicKey, data: Buffer, form: Buffer): boolean =>
  key.kind !== 'ed25519' && (['sha256', 'sha512'] as const).some((name) => verifies(key.key, key.kind, data, form, name))
