import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'

/** Of https://jedisct1.github.io/minisign/ and OpenBSD's signify, which it extends. */
export interface MinisignKey {
  /** 8 bytes in hexadecimal, as they stand in the file. */
  readonly id: string
  readonly key: KeyObject
}

export interface MinisignSignature {
  readonly id: string
  /** `Ed` signs the file, `ED` its BLAKE2b-512. */
  readonly prehashed: boolean
  readonly signature: Buffer
  /** Signed together with the signature; null in a signature by signify. */
  readonly trusted: { readonly comment: string; readonly signature: Buffer } | null
}

const untrusted = 'untrusted comment:'
const trustedPrefix = 'trusted comment: '
const keyBytes = 42
const signatureBytes = 74
const maxTextBytes = 16 << 10

/** Spki of an ed25519 key but for its 32 bytes (RFC 8410). */
const spki = Buffer.from('302a300506032b6570032100', 'hex')

const lines = (text: string): string[] => text.split('\n').map((line) => line.replace(/\r$/, ''))

function decode(text: string, bytes: number): Buffer | null {
  const value = text.trim()
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return null
  const decoded = Buffer.from(value, 'base64')
  return decoded.length === bytes && decoded.toString('base64') === value ? decoded : null
}

const keyLine = (text: string): string => {
  const all = lines(text.trim())
  return ((all[0] ?? '').startsWith(untrusted) ? all[1] : all.length === 1 ? all[0] : undefined) ?? ''
}

/** A file that begins with the untrusted comment, or base64 of 42 bytes alone. */
export const isMinisignKey = (text: string): boolean => text.trimStart().startsWith(untrusted) || decode(keyLine(text), keyBytes) !== null

/** Null where it is none: `Ed`, an id of 8 bytes, a key of 32. */
export function parseMinisignKey(text: string): MinisignKey | null {
  const bytes = decode(keyLine(text), keyBytes)
  if (bytes === null || bytes.toString('latin1', 0, 2) !== 'Ed') return null
  try {
    const key = createPublicKey({ key: Buffer.concat([spki, bytes.subarray(10)]), format: 'der', type: 'spki' })
    return { id: bytes.toString('hex', 2, 10), key }
  } catch {
    return null
  }
}

export const isMinisignSignature = (signature: Uint8Array): boolean =>
  Buffer.from(signature.subarray(0, untrusted.length)).toString('latin1') === untrusted

/** Null where it is none. */
export function parseMinisignSignature(content: Uint8Array): MinisignSignature | null {
  if (content.length > maxTextBytes) return null
  const [comment = '', body = '', trusted, global, ...rest] = lines(Buffer.from(content).toString('utf8'))
  const bytes = decode(body, signatureBytes)
  if (!comment.startsWith(untrusted) || bytes === null || rest.some((line) => line !== '')) return null
  const algorithm = bytes.toString('latin1', 0, 2)
  if (algorithm !== 'Ed' && algorithm !== 'ED') return null
  const base = { id: bytes.toString('hex', 2, 10), prehashed: algorithm === 'ED', signature: bytes.subarray(10) }
  if (trusted === undefined || (trusted === '' && !global)) return algorithm === 'Ed' ? { ...base, trusted: null } : null
  const over = decode(global ?? '', 64)
  if (!trusted.startsWith(trustedPrefix) || over === null) return null
  return { ...base, trusted: { comment: trusted.slice(trustedPrefix.length), signature: over } }
}

/** The id as minisign prints it: a number, the last byte first. */
export const minisignId = (id: string): string => Buffer.from(id, 'hex').reverse().toString('hex').toUpperCase()

/** Whether `key` signed `data`, and the trusted comment where there is one. */
export function verifiesMinisign(key: KeyObject, { prehashed, signature, trusted }: MinisignSignature, data: Uint8Array): boolean {
  const message = prehashed ? hash('blake2b512', data, 'buffer') : data
  return (
    verify(null, message, key, signature) &&
    (trusted === null || verify(null, Buffer.concat([signature, Buffer.from(trusted.comment, 'utf8')]), key, trusted.signature))
  )
}
