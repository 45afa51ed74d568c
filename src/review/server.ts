import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AssayError } from '../contracts/errors.ts'
import { policy, renderHtml } from '../report/render/html.ts'
import { answer, contents, describeHeld, describeRun, labelsOf, toChoice } from './api.ts'
import { assets } from './assets.ts'
import type { Desk } from './desk.ts'
import { ReviewError } from './errors.ts'
import { isOurs, openSession } from './session.ts'

/** Nothing but the page's own files: no inline script or style, no other address, no text that becomes markup. */
const pagePolicy =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
const maxBodyBytes = 64 * 1024
const requestTimeoutMs = 30_000
const maxConnections = 64

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

const json = (value: unknown, status = 200): Answer => ({ status, type: 'application/json; charset=utf-8', body: JSON.stringify(value) })
const plain = (status: number, body: string): Answer => ({ status, type: 'text/plain; charset=utf-8', body })

/** A page that goes on to the review by itself: so the cookie is sent also where the link was on a page elsewhere. */
const entryPage =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Assay review</title><link rel="icon" href="data:,"><meta http-equiv="refresh" content="0; url=/"><p><a href="/">Open the review</a></p></html>'

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-type'] !== 'application/json') throw new ReviewError('bad-request', 'send JSON')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length
    if (bytes > maxBodyBytes) throw new ReviewError('bad-request', 'too long')
    chunks.push(chunk as Buffer)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new ReviewError('bad-request', 'send JSON')
  }
}

export interface Reviewing {
  /** With the token, which is good once. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves a review on 127.0.0.1 to whoever first opens the link.
 * @param port 0 takes a free one
 */
export async function serve(desk: Desk, port: number): Promise<Reviewing> {
  const labels = labelsOf(desk)
  const run = JSON.stringify(describeRun(desk, labels))
  const server = createServer({ requestTimeout: requestTimeoutMs, maxHeaderSize: 16 * 1024 })
  server.maxConnections = maxConnections
  await listen(server, port)
  const own = (server.address() as AddressInfo).port
  const session = openSession(own)

  const routes: { readonly [route: string]: (request: IncomingMessage, query: URLSearchParams) => Promise<Answer> } = {
    'GET /api/run': async () => ({ ...json(null), body: `{"run":${run},"held":${JSON.stringify(await describeHeld(desk, labels))}}` }),
    'GET /api/contents': async (_, query) => json(await contents(desk, query.get('of'), labels)),
    'POST /api/decisions': async (request) => json(answer(await desk.decide(toChoice(await bodyOf(request), labels)), labels)),
    'POST /api/undo': async (request) => {
      await bodyOf(request)
      return json(answer(await desk.undo(), labels))
    },
    // By its own policy no script runs, and its styles are allowed by their digest.
    'GET /report': async () => ({
      status: 200,
      type: 'text/html; charset=utf-8',
      body: await renderHtml(desk.report),
      headers: { 'content-security-policy': `${policy}; frame-ancestors 'none'` },
    }),
  }

  async function respond(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://127.0.0.1')
    const token = request.method === 'GET' && pathname === '/' ? searchParams.get('token') : null
    if (!isOurs(request, own, token !== null)) return plain(403, 'This address is for the review on this computer alone.\n')
    if (token !== null) {
      const value = session.exchange(token)
      if (value !== null)
        return {
          status: 200,
          type: 'text/html; charset=utf-8',
          body: entryPage,
          headers: { 'set-cookie': `${session.cookieName}=${value}; HttpOnly; SameSite=Strict; Path=/` },
        }
      if (session.holds(request)) return { status: 200, type: 'text/html; charset=utf-8', body: entryPage }
      return plain(403, 'This link has been used. Stop assay review and start it again for a new one.\n')
    }
    if (!session.holds(request)) return plain(403, 'Open the link that assay review printed.\n')
    const asset = request.method === 'GET' ? assets.get(pathname) : undefined
    if (asset) return { status: 200, type: asset.type, body: await asset.body() }
    const route = routes[`${request.method} ${pathname}`]
    return route ? route(request, searchParams) : plain(404, 'There is nothing here.\n')
  }

  const failed = (error: unknown): Answer => {
    if (!(error instanceof AssayError)) return json({ error: 'The review failed: see the terminal.' }, 500)
    return json({ error: error.message }, error instanceof ReviewError && error.code === 'bad-request' ? 400 : 409)
  }
  server.on('request', (request, response) => {
    respond(request)
      .catch(failed)
      .then((found) => send(response, found))
      .catch(() => response.destroy())
  })
  return {
    url: `http://127.0.0.1:${own}/?token=${session.token}`,
    port: own,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const listen = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' ? new ReviewError('occupied', `port ${port} is in use`, 'name another, or none: --port 0') : error,
      ),
    )
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => resolve())
  })

function send(response: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'content-security-policy': pagePolicy,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    ...headers,
  })
  response.end(body)
}
