import { AwsV4Signer } from 'aws4fetch'
import { XMLParser } from 'fast-xml-parser'
import picomatch from 'picomatch'
import { SourceError } from '../sources/errors.ts'
import type { Address } from './addresses.ts'
import { type Prepare, type Remote, request } from './transfer.ts'

interface Account {
  readonly region: string
  /** Null: Amazon's own. */
  readonly endpoint: string | null
  /** Null: requests are not signed, which opens public objects only. */
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly sessionToken?: string } | null
}

const listingBytes = 16 * 2 ** 20
const mostObjects = 100_000

/** From the environment alone, under the names of Amazon's own tools. @throws SourceError `no-variable` */
export function accountOf(env: NodeJS.ProcessEnv = process.env): Account {
  const { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: token } = env
  if (Boolean(id) !== Boolean(secret)) {
    const missing = id ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'
    throw new SourceError(
      'no-variable',
      `the environment variable ${missing} is not set, its counterpart is`,
      {},
      'set both, or neither for public objects',
    )
  }
  const endpoint = env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL || null
  if (endpoint !== null && !(URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol)))
    throw new SourceError('no-variable', 'AWS_ENDPOINT_URL holds no address', {}, 'for example https://minio.example:9000')
  return {
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || 'us-east-1',
    endpoint: endpoint?.replace(/\/+$/, '') ?? null,
    keys: id && secret ? { accessKeyId: id, secretAccessKey: secret, ...(token ? { sessionToken: token } : {}) } : null,
  }
}

const escaped = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Buckets with a dot in the name fit no certificate: they go into the path, as for every other store. */
function urlOf({ region, endpoint }: Account, bucket: string, key: string): string {
  const path = key.split('/').map(escaped).join('/')
  if (endpoint !== null) return `${endpoint}/${bucket}/${path}`
  return bucket.includes('.')
    ? `https://s3.${region}.amazonaws.com/${bucket}/${path}`
    : `https://${bucket}.s3.${region}.amazonaws.com/${path}`
}

const signing =
  (account: Account, url: string): Prepare =>
  async (method, headers) => {
    if (!account.keys) return { url, headers: new Headers(headers) }
    const signed = await new AwsV4Signer({
      ...account.keys,
      method,
      url,
      headers: { ...headers },
      service: 's3',
      region: account.region,
    }).sign()
    return { url: signed.url.href, headers: signed.headers }
  }

interface Listed {
  readonly ListBucketResult?: {
    readonly Contents?: readonly { readonly Key?: string; readonly ETag?: string; readonly Size?: string }[]
    readonly IsTruncated?: string
    readonly NextContinuationToken?: string
  }
}

async function page(
  account: Account,
  bucket: string,
  prefix: string,
  token: string | null,
  shown: string,
  signal?: AbortSignal,
): Promise<NonNullable<Listed['ListBucketResult']>> {
  const query = new URLSearchParams({
    'list-type': '2',
    'encoding-type': 'url',
    prefix,
    ...(token === null ? {} : { 'continuation-token': token }),
  })
  const url = `${urlOf(account, bucket, '')}?${query.toString().replaceAll('+', '%20')}`
  const { response, alive, release } = await request(signing(account, url), 'GET', {}, shown, signal)
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of response.body ?? []) {
      alive()
      size += part.length
      if (size > listingBytes) throw new SourceError('too-large', `${shown}: a listing of more than ${listingBytes} bytes`, { file: shown })
      parts.push(part)
    }
  } finally {
    release()
  }
  const parser = new XMLParser({ parseTagValue: false, ignoreAttributes: true, isArray: (name) => name === 'Contents' })
  try {
    const listed = parser.parse(Buffer.concat(parts).toString('utf8')) as Listed
    if (listed.ListBucketResult) return listed.ListBucketResult
  } catch {
    // told below
  }
  throw new SourceError(
    'unreadable',
    `${shown}: the answer is no listing of a bucket`,
    { file: shown },
    'is AWS_ENDPOINT_URL the address of an S3-compatible store?',
  )
}

/** Markers of folders, and what Spark and others leave beside their parts. */
const isNoData = (key: string): boolean => key.endsWith('/') || /(^|\/)[._][^/]*$/.test(key)

/** The objects that an address names, in the order of their keys. @throws SourceError */
export async function listS3({ bucket, key, shown }: Address & { kind: 's3' }, signal?: AbortSignal): Promise<readonly Remote[]> {
  const account = accountOf()
  const scanned = picomatch.scan(key)
  const folder = key.endsWith('/')
  if (!scanned.isGlob && !folder) return [await headOf(signing(account, urlOf(account, bucket, key)), shown, signal)]
  const matches = folder ? (name: string) => !isNoData(name) : picomatch(key)
  const prefix = folder ? key : scanned.base === '' ? '' : `${scanned.base}`
  const out: Remote[] = []
  for (let token: string | null = null; ; ) {
    const listed = await page(account, bucket, prefix, token, shown, signal)
    for (const { Key = '', ETag, Size } of listed.Contents ?? []) {
      const name = decodeURIComponent(Key.replaceAll('+', ' '))
      if (!matches(name) || name.endsWith('/')) continue
      if (out.length >= mostObjects) throw new SourceError('too-large', `${shown}: names more than ${mostObjects} objects`, { file: shown })
      out.push({
        shown: `s3://${bucket}/${name}`,
        prepare: signing(account, urlOf(account, bucket, name)),
        etag: ETag ?? null,
        bytes: Size === undefined ? null : Number(Size),
      })
    }
    token = listed.IsTruncated === 'true' ? (listed.NextContinuationToken ?? null) : null
    if (token === null) break
  }
  if (out.length === 0) throw new SourceError('no-match', `${shown}: no object matches`, { file: shown })
  return out.sort((a, b) => (a.shown < b.shown ? -1 : a.shown > b.shown ? 1 : 0))
}

/** Size and ETag, where the server tells them. */
export async function headOf(prepare: Prepare, shown: string, signal?: AbortSignal): Promise<Remote> {
  try {
    const { response, release } = await request(prepare, 'HEAD', { 'accept-encoding': 'identity' }, shown, signal)
    release()
    const length = response.headers.get('content-length')
    return { shown, prepare, etag: response.headers.get('etag'), bytes: length === null ? null : Number(length) }
  } catch (e) {
    // some servers only know GET: what it answers counts
    if (e instanceof SourceError && (e.code === 'refused' || e.code === 'unreadable')) return { shown, prepare, etag: null, bytes: null }
    throw e
  }
}
