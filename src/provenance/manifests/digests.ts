import type { Digest, DigestAlgorithm } from '../../contracts/provenance.ts'

/** Hexadecimal digits of a digest. BLAKE2b is the one of 512 bits. */
export const hexDigits: Readonly<Record<DigestAlgorithm, number>> = {
  crc32: 8,
  md5: 32,
  sha1: 40,
  sha224: 56,
  sha256: 64,
  sha384: 96,
  sha512: 128,
  'sha3-256': 64,
  'sha3-384': 96,
  'sha3-512': 128,
  blake2b: 128,
  blake3: 64,
}

const aliases: ReadonlyMap<string, DigestAlgorithm> = new Map([
  ['crc32', 'crc32'],
  ['md5', 'md5'],
  ['sha', 'sha1'],
  ['sha1', 'sha1'],
  ['sha224', 'sha224'],
  ['sha2224', 'sha224'],
  ['sha256', 'sha256'],
  ['sha2256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha2384', 'sha384'],
  ['sha512', 'sha512'],
  ['sha2512', 'sha512'],
  ['sha3256', 'sha3-256'],
  ['sha3384', 'sha3-384'],
  ['sha3512', 'sha3-512'],
  ['b2', 'blake2b'],
  ['blake2', 'blake2b'],
  ['blake2b', 'blake2b'],
  ['blake2b512', 'blake2b'],
  ['b3', 'blake3'],
  ['blake3', 'blake3'],
])

/** "SHA-256", "SHA2-256", "sha256", "BLAKE2b" ... as tools write them; null for an algorithm that cannot be computed here. */
export const algorithmNamed = (name: string): DigestAlgorithm | null => aliases.get(name.toLowerCase().replace(/[-_ ]/g, '')) ?? null

const byLength: ReadonlyMap<number, DigestAlgorithm> = new Map([
  [32, 'md5'],
  [40, 'sha1'],
  [56, 'sha224'],
  [64, 'sha256'],
  [96, 'sha384'],
  [128, 'sha512'],
])

/** What so many hexadecimal digits most often are; null for a length that no common algorithm has. */
export const algorithmOfLength = (digits: number): DigestAlgorithm | null => byLength.get(digits) ?? null

export const isHex = (text: string): boolean => /^[0-9a-fA-F]+$/.test(text)

/** Padding tells the length of base64 apart, but for the 48 bytes of SHA-384, which have none. */
function fromBase64(text: string): string | null {
  if (text.length > 88 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes.toString('hex') : null
}

/** A digest in hexadecimal or base64 that has the length of `algorithm`; null for anything else, also for one digit repeated. */
export function digestOf(algorithm: DigestAlgorithm, text: string): Digest | null {
  const hex = isHex(text) ? text.toLowerCase() : fromBase64(text)
  if (hex === null || hex.length !== hexDigits[algorithm]) return null
  return algorithm !== 'crc32' && /^(.)\1*$/.test(hex) ? null : { algorithm, hex }
}

/** A digest without the name of an algorithm, which its length decides; null where it decides nothing. */
export function digestByLength(text: string): Digest | null {
  const hex = isHex(text) ? text : text.endsWith('=') ? fromBase64(text) : null
  const algorithm = hex === null ? null : algorithmOfLength(hex.length)
  return hex === null || algorithm === null ? null : digestOf(algorithm, hex)
}
