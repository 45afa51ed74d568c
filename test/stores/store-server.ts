import { createHash, createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

export interface Stored {
  readonly body: Buffer
  readonly etag?: string
}

/** What goes wrong on the way: asked before every answer. */
export type Fault = (
  request: IncomingMessage,
  nth: number,
) => 'none' | '500' | 'cut' | { readonly status: number; readonly location?: string }

export interface StoreServer {
  readonly url: string
  readonly objects: Map<string, Stored>
  fault: Fault
  readonly requests: {
    readonly method: string
    readonly url: string
    readonly range: string | undefined
    readonly ifMatch: string | undefined
  }[]
  /** Null: anybody may read. */
  keys: { readonly id: string; readonly secret: string } | null
  close(): Promise<void>
}

const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
const rfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)

/** Signature version 4, computed from the request as it arrived. */
function isSigned(request: IncomingMessage, keys: { id: string; secret: string }): boolean {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    )
  if (!match || match[1] !== keys.id) return false
  const [, , day = '', region = '', names = '', signature] = match
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
  const query = [...searchParams]
    .map(([k, v]) => `${rfc3986(k)}=${rfc3986(v)}`)
    .sort()
    .join('&')
  const headers = names
    .split(';')
    .map((n) => `${n}:${String(request.headers[n] ?? '').trim()}\n`)
    .join('')
  const canonical = [request.method, pathname, query, headers, names, request.headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD'].join(
    '\n',
  )
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha(canonical)].join('\n')
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>((k, part) => hmac(k, part), `AWS4${keys.secret}`)
  return hmac(key, text).toString('hex') === signature
}

const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const etagOf = ({ body, etag }: Stored): string => etag ?? `"${createHash('md5').update(body).digest('hex')}"`

function list(objects: StoreServer['objects'], bucket: string, query: URLSearchParams): string {
  const size = 2
  const after = query.get('continuation-token') ?? ''
  const keys = [...objects.keys()].filter((k) => k.startsWith(`/${bucket}/${query.get('prefix') ?? ''}`) && k > after).sort()
  const shown = keys.slice(0, size)
  const contents = shown.map((k) => {
    const stored = objects.get(k) as Stored
    return `<Contents><Key>${encodeURIComponent(k.slice(bucket.length + 2))}</Key><ETag>${xml(etagOf(stored))}</ETag><Size>${stored.body.length}</Size></Contents>`
  })
  const more = keys.length > size
  return `<?xml version="1.0"?><ListBucketResult><IsTruncated>${more}</IsTruncated>${contents.join('')}${more ? `<NextContinuationToken>${shown.at(-1)}</NextContinuationToken>` : ''}</ListBucketResult>`
}

function answer(store: StoreServer, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://x')
  const { range, 'if-match': ifMatch } = request.headers
  store.requests.push({ method: request.method ?? '', url: request.url ?? '', range, ifMatch })
  const fault = store.fault(request, store.requests.length)
  if (fault === '500') return void response.writeHead(500).end()
  if (typeof fault === 'object') return void response.writeHead(fault.status, fault.location ? { location: fault.location } : {}).end()
  if (store.keys && !isSigned(request, store.keys))
    return void response.writeHead(403).end('<Error><Code>SignatureDoesNotMatch</Code></Error>')
  if (searchParams.has('list-type'))
    return void response.writeHead(200).end(list(store.objects, pathname.split('/')[1] ?? '', searchParams))
  const stored = store.objects.get(decodeURIComponent(pathname))
  if (!stored) return void response.writeHead(404).end()
  const etag = etagOf(stored)
  if (ifMatch !== undefined && ifMatch !== etag) return void response.writeHead(412).end()
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0)
  const part = stored.body.subarray(from)
  const total = stored.body.length
  const headers = { etag, 'content-length': part.length, ...(from > 0 ? { 'content-range': `bytes ${from}-${total - 1}/${total}` } : {}) }
  response.writeHead(from > 0 ? 206 : 200, headers)
  if (request.method === 'HEAD') return void response.end()
  if (fault === 'cut') return void response.write(part.subarray(0, Math.ceil(part.length / 2)), () => response.destroy())
  response.end(part)
}

/** A server in the manner of S3 on the loopback: listings in pages of two, ranges, ETags, signatures, and faults. */
export async function startStore(): Promise<StoreServer> {
  let server: Server
  const store: StoreServer = {
    url: '',
    objects: new Map(),
    fault: () => 'none',
    requests: [],
    keys: null,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  server = createServer((request, response) => answer(store, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return Object.assign(store, { url: `http://127.0.0.1:${port}` })
}
