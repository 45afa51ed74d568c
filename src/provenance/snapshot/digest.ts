import { createHmac, hash } from 'node:crypto'

/** Digests of texts and bytes, 32 characters of one byte each (which leave node:crypto sooner than buffers do). */
export interface Digester {
  text(text: string): string
  bytes(bytes: Uint8Array): string
}

/** Before the UTF-16 of a text that UTF-8 cannot say (half a surrogate pair): a byte with which no UTF-8 begins. */
const illFormed = Buffer.from([0xff])

/** `String.prototype.isWellFormed` (ES2024), which every supported Node has. */
const isWellFormed = (text: string): boolean => (text as string & { isWellFormed(): boolean }).isWellFormed()

const exactly = (text: string): Uint8Array => Buffer.concat([illFormed, Buffer.from(text, 'utf16le')])

/** SHA-256, or HMAC-SHA-256 (RFC 2104) where a key is given. */
export function digester(key: Uint8Array | null): Digester {
  const plain = (data: string | Uint8Array): string => hash('sha256', data, 'binary')
  const keyed = (data: string | Uint8Array): string =>
    createHmac('sha256', key as Uint8Array)
      .update(data)
      .digest('binary')
  const one = key === null ? plain : keyed
  return { text: (text) => one(isWellFormed(text) ? text : exactly(text)), bytes: one }
}

/** Of a key, for headers: two snapshots compare where it is the same. 16 hex digits. */
export const keyIdOf = (key: Uint8Array | null): string | null =>
  key === null ? null : createHmac('sha256', key).update('assay snapshot: which key').digest('hex').slice(0, 16)

/** The first `length` bytes of a digest to `out` at `at`. */
export function putDigest(digest: string, out: Uint8Array, at: number, length: number): void {
  for (let i = 0; i < length; i++) out[at + i] = digest.charCodeAt(i)
}
