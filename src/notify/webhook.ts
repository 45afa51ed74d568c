import { createHmac } from 'node:crypto'
import type { NotifySpec } from '../contracts/pipeline.ts'

/** What a webhook is told. Names of rules and counts; no message, name of a class, id or text of a record. */
export interface Notification {
  readonly schema: 'urn:assay:notification:1'
  /** The same for every attempt and every resumption of one run. */
  readonly run: string
  readonly subject: { readonly name: string; readonly version: string | null }
  readonly verdict: string
  readonly exitCode: number
  readonly startedAt: string
  readonly rows: { readonly read: number; readonly flagged: number }
  readonly findings: readonly {
    readonly rule: string
    readonly severity: string
    readonly status: string
    readonly gates: boolean
    readonly count: number
    readonly fingerprint: string
  }[]
  /** Findings that are not listed. */
  readonly more: number
}

export interface Sending {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly attempts: number
  readonly timeoutMs: number
  /** Doubled after every attempt, with up to as much again at random. */
  readonly backoffMs: number
  readonly now: () => number
}

export const patient: Sending = { env: process.env, attempts: 5, timeoutMs: 10_000, backoffMs: 1_000, now: Date.now }

const maxWaitMs = 30_000
const isPassing = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500

/** HMAC-SHA-256 over `TIMESTAMP.BODY`, as `sha256=HEX`: a receiver that knows the secret can tell an old or a forged message. */
export const signatureOf = (secret: string, timestamp: string, body: string): string =>
  `sha256=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`

type Attempt = { readonly ok: true } | { readonly ok: false; readonly why: string; readonly again: boolean; readonly waitMs: number }

async function attempt(url: URL, body: string, headers: Record<string, string>, timeoutMs: number): Promise<Attempt> {
  try {
    // A redirect would send the body, and its signature, to an address that nobody configured.
    const response = await fetch(url, { method: 'POST', body, headers, redirect: 'manual', signal: AbortSignal.timeout(timeoutMs) })
    await response.body?.cancel()
    if (response.ok) return { ok: true }
    const after = Number(response.headers.get('retry-after'))
    const waitMs = Number.isFinite(after) && after > 0 ? Math.min(maxWaitMs, after * 1000) : 0
    return { ok: false, why: `it answers ${response.status}`, again: isPassing(response.status), waitMs }
  } catch (error) {
    const cause = (error as { cause?: { code?: unknown } }).cause
    const why =
      (error as Error).name === 'TimeoutError'
        ? `no answer within ${timeoutMs / 1000} s`
        : `no connection (${String(cause?.code ?? 'failed')})`
    return { ok: false, why, again: true, waitMs: 0 }
  }
}

function addressOf(variable: string, env: Sending['env']): URL | string {
  const text = env[variable]
  if (!text) return `the environment variable ${variable} is not set`
  const url = URL.canParse(text) ? new URL(text) : null
  return url !== null && ['http:', 'https:'].includes(url.protocol) ? url : `the environment variable ${variable} holds no http address`
}

/** Sends one notification. Null where it arrived, else why it did not; the address itself is never told, it may hold a token. */
export async function notify(spec: NotifySpec, notification: Notification, sending: Sending): Promise<string | null> {
  const url = addressOf(spec.webhook.env, sending.env)
  if (typeof url === 'string') return url
  const secret = spec.secret === undefined ? null : sending.env[spec.secret.env]
  if (secret === undefined || secret === '') return `the environment variable ${spec.secret?.env}, which is to sign the message, is not set`
  const body = JSON.stringify(notification)
  let why = ''
  for (let i = 0; i < sending.attempts; i++) {
    const timestamp = String(Math.floor(sending.now() / 1000))
    const headers = {
      'content-type': 'application/json',
      'user-agent': 'assay',
      'x-assay-run': notification.run,
      'x-assay-timestamp': timestamp,
      ...(secret === null ? {} : { 'x-assay-signature': signatureOf(secret, timestamp, body) }),
    }
    const result = await attempt(url, body, headers, sending.timeoutMs)
    if (result.ok) return null
    why = `${result.why}${i > 0 ? `, after ${i + 1} attempts` : ''}`
    if (!result.again) break
    if (i + 1 < sending.attempts) {
      const backoff = Math.min(maxWaitMs, sending.backoffMs * 2 ** i * (1 + Math.random()))
      await new Promise((resolve) => setTimeout(resolve, Math.max(result.waitMs, backoff)))
    }
  }
  return `the webhook in ${spec.webhook.env} was not told: ${why}`
}
