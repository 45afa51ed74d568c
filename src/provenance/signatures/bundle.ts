import { decodeBase64, type OpenEnvelope, openEnvelope } from './dsse.ts'
import type { HashName } from './keys.ts'

/** What a bundle holds, its forms checked and nothing verified. */
export interface OpenBundle {
  readonly mediaType: string
  /** "0.1", "0.2", "0.3". */
  readonly version: string
  readonly material:
    | { readonly kind: 'key'; readonly hint: string | null }
    /** DER, the signer's first. */
    | { readonly kind: 'certificates'; readonly certificates: readonly Buffer[] }
  /** Entries of transparency logs and timestamps of authorities: where there are none, nobody vouches for the time. */
  readonly witnesses: number
  readonly content:
    | { readonly kind: 'dsse'; readonly envelope: OpenEnvelope }
    | { readonly kind: 'message'; readonly hashName: HashName; readonly digest: Buffer; readonly signature: Buffer }
  readonly json: Readonly<Record<string, unknown>>
}

const maxWitnesses = 64
const maxCertificates = 16

/** https://github.com/sigstore/protobuf-specs, sigstore_bundle.proto: both spellings. */
const mediaTypes = /^application\/vnd\.dev\.sigstore\.bundle(?:\+json;version=(0\.[123])|\.v(0\.[123])\+json)$/

/** How a bundle begins, for finding one: its media type is among the first members in what every known tool writes. */
export const looksLikeBundle = (head: Uint8Array): boolean => {
  const text = Buffer.from(head).toString('latin1')
  return /^(?:\xef\xbb\xbf)?\s*\{/.test(text) && text.includes('application/vnd.dev.sigstore.bundle')
}

const hashNames: Readonly<Record<string, HashName>> = { SHA2_256: 'sha256', SHA2_384: 'sha384', SHA2_512: 'sha512' }
const digestBytes: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 }

type Dictionary = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Dictionary => typeof value === 'object' && value !== null && !Array.isArray(value)
const get = (value: unknown, key: string): unknown => (isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined)
/** Members may be missing, null or empty in JSON made from protocol buffers: all the same. */
const listOf = (value: unknown): readonly unknown[] | null =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : null

function materialOf(material: Dictionary): OpenBundle['material'] | string {
  const key = get(material, 'publicKey')
  if (isObject(key)) {
    const hint = get(key, 'hint')
    return { kind: 'key', hint: typeof hint === 'string' && hint !== '' ? hint : null }
  }
  const chain = get(material, 'x509CertificateChain')
  const entries = isObject(chain) ? listOf(get(chain, 'certificates')) : [get(material, 'certificate')]
  if (entries === null || entries.length === 0) return 'The bundle has an empty certificate chain.'
  if (entries.length > maxCertificates) return `The bundle carries more than ${maxCertificates} certificates.`
  const certificates = entries.map((entry) => decodeBase64(get(entry, 'rawBytes')))
  if (!certificates.every((der) => der !== null && der.length > 0))
    return 'The bundle has neither a key nor a certificate that can be read.'
  return { kind: 'certificates', certificates: certificates as Buffer[] }
}

function contentOf(json: Dictionary): OpenBundle['content'] | string {
  const envelope = get(json, 'dsseEnvelope')
  const message = get(json, 'messageSignature')
  if ((envelope === undefined || envelope === null) === (message === undefined || message === null))
    return 'The bundle holds neither or both of an envelope and a message signature.'
  if (isObject(envelope)) {
    const open = openEnvelope(envelope)
    return 'malformed' in open ? open.malformed : { kind: 'dsse', envelope: open }
  }
  const hashName = hashNames[String(get(get(message, 'messageDigest'), 'algorithm'))]
  const digest = decodeBase64(get(get(message, 'messageDigest'), 'digest'))
  const signature = decodeBase64(get(message, 'signature'))
  if (hashName === undefined) return 'The bundle names no hash algorithm that is supported (SHA2_256, SHA2_384, SHA2_512).'
  if (digest === null || digest.length !== digestBytes[hashName])
    return 'The message digest of the bundle has not the length of its algorithm.'
  if (signature === null || signature.length === 0) return 'The bundle has no signature.'
  return { kind: 'message', hashName, digest, signature }
}

/** A sigstore bundle of any version, also one without log entries; or why it is none. */
export function openBundle(json: unknown): OpenBundle | { readonly malformed: string } {
  const mediaType = get(json, 'mediaType')
  const [, old, current] = typeof mediaType === 'string' ? (mediaTypes.exec(mediaType) ?? []) : []
  const version = old ?? current
  if (!isObject(json) || typeof mediaType !== 'string' || version === undefined)
    return { malformed: 'It is no sigstore bundle of version 0.1, 0.2 or 0.3.' }
  const given = get(json, 'verificationMaterial')
  if (!isObject(given)) return { malformed: 'The bundle has no verification material.' }
  const material = materialOf(given)
  if (typeof material === 'string') return { malformed: material }
  const entries = listOf(get(given, 'tlogEntries'))
  const stamps = listOf(get(get(given, 'timestampVerificationData'), 'rfc3161Timestamps'))
  if (entries === null || stamps === null) return { malformed: 'The log entries or timestamps of the bundle are no lists.' }
  if (entries.length + stamps.length > maxWitnesses)
    return { malformed: `The bundle has more than ${maxWitnesses} log entries and timestamps.` }
  const content = contentOf(json)
  if (typeof content === 'string') return { malformed: content }
  return { mediaType, version, material, witnesses: entries.length + stamps.length, content, json }
}
