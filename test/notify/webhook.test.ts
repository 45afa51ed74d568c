import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { NotifySpec } from '../../src/contracts/pipeline.ts'
import { type Notification, notify, type Sending, signatureOf } from '../../src/notify/webhook.ts'

const message: Notification = {
  schema: 'urn:assay:notification:1',
  run: 'r1',
  subject: { name: 'store', version: null },
  verdict: 'failed',
  exitCode: 1,
  startedAt: '2026-11-23T02:00:00.000Z',
  rows: { read: 10, flagged: 1 },
  findings: [{ rule: 'label-flip/source', severity: 'high', status: 'open', gates: true, count: 3, fingerprint: 'f' }],
  more: 0,
}
const spec: NotifySpec = { webhook: { env: 'HOOK' }, secret: { env: 'SECRET' }, on: 'fail' }

interface Seen {
  readonly body: string
  readonly headers: IncomingMessage['headers']
}
let server: Server | null = null
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** A receiver that answers each attempt in turn. */
async function receiver(...answers: ((response: ServerResponse, request: IncomingMessage) => void)[]) {
  const seen: Seen[] = []
  server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      seen.push({ body, headers: request.headers })
      const answer = answers[Math.min(seen.length, answers.length) - 1]
      answer?.(response, request)
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const sending = (part: Partial<Sending> = {}): Sending => ({
    env: { HOOK: `http://127.0.0.1:${port}/hook?token=t0ken`, SECRET: 's3cret' },
    attempts: 3,
    timeoutMs: 2_000,
    backoffMs: 1,
    now: () => 1_795_000_000_000,
    ...part,
  })
  return { seen, sending }
}
const status =
  (code: number, headers: Record<string, string> = {}) =>
  (response: ServerResponse) =>
    void response.writeHead(code, headers).end('no')
const ok = status(204)

describe('a webhook', () => {
  test('gets a signed body, once', async () => {
    const { seen, sending } = await receiver(ok)
    expect(await notify(spec, message, sending())).toBeNull()
    const [one] = seen as [Seen]
    expect([seen.length, JSON.parse(one.body)]).toEqual([1, message])
    expect(one.headers['x-assay-timestamp']).toBe('1795000000')
    expect(one.headers['x-assay-signature']).toBe(signatureOf('s3cret', '1795000000', one.body))
    expect(one.headers['x-assay-run']).toBe('r1')
  })

  test('without a secret there is no signature', async () => {
    const { seen, sending } = await receiver(ok)
    expect(await notify({ webhook: { env: 'HOOK' }, on: 'always' }, message, sending())).toBeNull()
    expect(seen[0]?.headers['x-assay-signature']).toBeUndefined()
  })

  test.each([
    ['a server error', status(500)],
    ['too many requests', status(429, { 'retry-after': '0.01' })],
    ['a cut connection', (_: ServerResponse, request: IncomingMessage) => void request.socket.destroy()],
  ])('%s is tried again', async (_, fault) => {
    const { seen, sending } = await receiver(fault, ok)
    expect(await notify(spec, message, sending())).toBeNull()
    expect(seen.length).toBe(2)
    expect(seen[0]?.body).toBe(seen[1]?.body)
  })

  test('gives up after its attempts, and tells no address', async () => {
    const { seen, sending } = await receiver(status(503))
    const why = await notify(spec, message, sending())
    expect([seen.length, why]).toEqual([3, 'the webhook in HOOK was not told: it answers 503, after 3 attempts'])
  })

  test('a refusal is not tried again, and a redirect not followed', async () => {
    const { seen, sending } = await receiver(status(403))
    expect(await notify(spec, message, sending())).toContain('it answers 403')
    expect(seen.length).toBe(1)
    server?.close()
    const moved = await receiver(status(307, { location: 'http://127.0.0.1:1/elsewhere' }))
    expect(await notify(spec, message, moved.sending())).toContain('it answers 307')
    expect(moved.seen.length).toBe(1)
  })

  test('a receiver that never answers costs no more than its time', async () => {
    const { sending } = await receiver(() => {})
    const since = performance.now()
    expect(await notify(spec, message, sending({ attempts: 2, timeoutMs: 150 }))).toContain('no answer within 0.15 s')
    expect(performance.now() - since).toBeLessThan(5_000)
  })

  test.each([
    ['no address', {}, 'the environment variable HOOK is not set'],
    ['a file', { HOOK: 'file:///etc/passwd' }, 'holds no http address'],
    ['no secret', { HOOK: 'http://127.0.0.1:1/' }, 'the environment variable SECRET, which is to sign the message, is not set'],
    ['nobody there', { HOOK: 'http://127.0.0.1:1/', SECRET: 'x' }, 'no connection'],
  ])('%s is told', async (_, env, words) => {
    const { sending } = await receiver(ok)
    expect(await notify(spec, message, sending({ env, attempts: 1 }))).toContain(words)
  })
})
