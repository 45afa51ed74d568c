import type { SignatureCheck } from '../../contracts/provenance.ts'
import { type KeyKind, methods, type PublicKey, verifies } from './keys.ts'
import { preAuthEncoding } from './pae.ts'

/** https://github.com/secure-systems-lab/dsse/blob/v1.0.0/envelope.md */
export interface DsseEnvelope {
  readonly payload: string
  readonly payloadType: string
  readonly signatures: readonly { readonly keyid?: string; readonly sig: string }[]
}

/** An envelope whose parts have the right form; nothing is verified. */
export interface OpenEnvelope {
  readonly payloadType: string
  readonly payload: Buffer
  readonly signatures: readonly { readonly keyid: string | null; readonly sig: Buffer }[]
}

export type DsseCheck =
  | { readonly check: SignatureCheck; readonly payloadType: string; readonly payload: Buffer }
  /** Why it is no DSSE envelope. */
  | { readonly malformed: string }

const maxSignatures = 64
const maxTypeLength = 1024

/** Standard or URL-safe base64, padded or not; null for anything else, also for a second spelling of the same bytes. */
export function decodeBase64(text: unknown): Buffer | null {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) return null
  const bare = text.replace(/=+$/, '')
  if (bare.length < text.length && text.length % 4 !== 0) return null
  const bytes = Buffer.from(bare, 'base64url')
  return bytes.toString('base64url') === bare.replaceAll('+', '-').replaceAll('/', '_') ? bytes : null
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The parts of an envelope, or why it is none. */
export function openEnvelope(envelope: unknown): OpenEnvelope | { readonly malformed: string } {
  if (!isObject(envelope)) return { malformed: 'The envelope is no JSON object.' }
  const { payload: encoded, payloadType, signatures: given } = envelope
  const payload = decodeBase64(encoded)
  if (payload === null) return { malformed: 'The payload of the envelope is not base64.' }
  if (typeof payloadType !== 'string' || payloadType === '' || payloadType.length > maxTypeLength)
    return { malformed: 'The envelope has no payload type.' }
  if (!Array.isArray(given) || given.length === 0) return { malformed: 'The envelope has no signatures.' }
  if (given.length > maxSignatures) return { malformed: `The envelope has more than ${maxSignatures} signatures.` }
  const signatures = given.map((entry: unknown) => {
    const sig = isObject(entry) ? decodeBase64(entry.sig) : null
    return sig === null || sig.length === 0
      ? null
      : { sig, keyid: isObject(entry) && typeof entry.keyid === 'string' && entry.keyid !== '' ? entry.keyid : null }
  })
  if (!signatures.every((signature) => signature !== null)) return { malformed: 'A signature of the envelope is not base64.' }
  return { payloadType, payload, signatures }
}

export const isEnvelope = (value: unknown): boolean =>
  isObject(value) && typeof value.payload === 'string' && typeof value.payloadType === 'string' && Array.isArray(value.signatures)

/** A minisign key is an ed25519 key: as the signer of an envelope it counts as one. */
const plainKind = (kind: KeyKind): Exclude<KeyKind, 'minisign'> => (kind === 'minisign' ? 'ed25519' : kind)

/** The key that made one of the signatures over `message`; `keyid` is a hint and decides nothing. */
export function signerOf(message: Buffer, signatures: readonly { readonly sig: Buffer }[], keys: readonly PublicKey[]): PublicKey | null {
  return keys.find((key) => signatures.some(({ sig }) => verifies(key.key, plainKind(key.kind), message, sig))) ?? null
}

export const byKey = (method: string, file: string, key: PublicKey): SignatureCheck => ({
  method,
  file,
  status: 'trusted',
  signer: `${key.name} (SHA-256 ${key.fingerprint})`,
  reason: `Signed with the key ${key.name}, which the policy trusts.`,
  signedAt: null,
})

/** What a signature by a key is where none of the policy's keys made it. */
export const byNoKey = (method: string, file: string, keys: readonly PublicKey[]): SignatureCheck => ({
  method,
  file,
  status: keys.length === 0 ? 'unchecked' : 'invalid',
  signer: null,
  reason:
    keys.length === 0
      ? 'No key was given to check the signature with.'
      : `None of the ${keys.length === 1 ? 'keys given (1)' : `${keys.length} keys given`} made this signature: the content was changed, or somebody else signed it.`,
  signedAt: null,
})

/**
 * A DSSE envelope against the keys of the policy: one good signature by one of them is enough, as the protocol has it for a
 * threshold of one. The payload comes back as bytes, to be parsed only by who has looked at the check.
 */
export function checkDsse(envelope: unknown, file: string, keys: readonly PublicKey[]): DsseCheck {
  const open = openEnvelope(envelope)
  if ('malformed' in open) return open
  const { payloadType, payload, signatures } = open
  const key = signerOf(preAuthEncoding(payloadType, payload), signatures, keys)
  const check = key === null ? byNoKey('DSSE', file, keys) : byKey(`DSSE, ${methods[plainKind(key.kind)]}`, file, key)
  return { check, payloadType, payload }
}
