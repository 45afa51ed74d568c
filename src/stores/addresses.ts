import { createHash } from 'node:crypto'
import type { SourceSpec } from '../contracts/data.ts'
import { SourceError } from '../sources/errors.ts'

const scheme = /^([a-z][a-z0-9+.-]*):\/\//i

export const pathsOf = ({ path }: SourceSpec): readonly string[] => (path === undefined ? [] : typeof path === 'string' ? [path] : path)

export const isAddress = (path: string): boolean => scheme.test(path)

export const addressesOf = (spec: SourceSpec): readonly string[] => pathsOf(spec).filter(isAddress)

/** What the user named. `shown` is what reports call it: without a query, which may be a signature that opens the object. */
export type Address =
  | { readonly kind: 's3'; readonly bucket: string; readonly key: string; readonly shown: string }
  | { readonly kind: 'web'; readonly url: URL; readonly shown: string }

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** @throws SourceError `unsupported-scheme`, `refused`, `invalid-spec` (exit 4) */
export function parseAddress(text: string): Address {
  const name = (scheme.exec(text)?.[1] ?? '').toLowerCase()
  if (name === 's3') {
    const [, bucket = '', key = ''] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(text) ?? []
    if (/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket) && key !== '') return { kind: 's3', bucket, key, shown: `s3://${bucket}/${key}` }
    throw new SourceError('invalid-spec', `${text}: names no object`, { file: text }, 's3://BUCKET/KEY, with * and ** for many')
  }
  if (name !== 'https' && name !== 'http') {
    throw new SourceError(
      'unsupported-scheme',
      `${text}: ${name}:// is not read`,
      { file: text },
      's3:// and https:// are; files are named by their path',
    )
  }
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url) throw new SourceError('invalid-spec', `${name}:// with an address that cannot be read`, {}, 'https://HOST/PATH')
  const shown = `${url.origin}${decodeURI(url.pathname)}`
  if (url.username || url.password)
    throw new SourceError(
      'refused',
      `${shown}: a user or a password in an address would end up in files`,
      { file: shown },
      'use an object store with credentials in the environment, or a signed address',
    )
  if (name === 'http' && !loopback.test(url.hostname))
    throw new SourceError('refused', `${shown}: without TLS anybody on the way can change the data`, { file: shown }, 'use https://')
  return { kind: 'web', url, shown }
}

/** Names files for it; tells nothing of it. */
export const digestOf = (texts: readonly string[]): string => createHash('sha256').update(JSON.stringify(texts)).digest('hex').slice(0, 12)
