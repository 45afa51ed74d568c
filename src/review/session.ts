import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const secret = (): string => randomBytes(32).toString('base64url')
const equal = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b))

export interface Session {
  /** In the link that is printed: good once. */
  readonly token: string
  /** The cookie's value for the first who shows the token; null for everybody else. */
  exchange(token: string): string | null
  holds(request: IncomingMessage): boolean
  readonly cookieName: string
}

/** One token, one cookie. Cookies know no ports: the name tells apart the reviews that run at the same time. */
export function openSession(port: number): Session {
  const token = secret()
  const value = secret()
  const cookieName = `assay-review-${port}`
  let used = false
  return {
    token,
    cookieName,
    exchange(given) {
      if (used || !equal(given, token)) return null
      used = true
      return value
    },
    holds(request) {
      const cookies = (request.headers.cookie ?? '').split(';').map((c) => c.trim())
      return cookies.some((c) => c.startsWith(`${cookieName}=`) && equal(c.slice(cookieName.length + 1), value))
    },
  }
}

/**
 * Whether a request was meant for this server: a page elsewhere whose name was pointed at 127.0.0.1 sends its own `Host` and `Origin`,
 * and a page elsewhere that only links here is no page of ours. `entry`: the link with the token, which may be followed from anywhere.
 */
export function isOurs(request: IncomingMessage, port: number, entry: boolean): boolean {
  const { host, origin, 'sec-fetch-site': site } = request.headers
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (host === undefined || !hosts.includes(host)) return false
  if (origin !== undefined && origin !== `http://${host}`) return false
  if (request.method === 'POST' && origin === undefined) return false
  return entry || site === undefined || site === 'same-origin' || (site === 'none' && request.method === 'GET')
}
