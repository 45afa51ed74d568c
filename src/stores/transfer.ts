import { open } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { reasonOf, SourceError } from '../sources/errors.ts'

/** Makes the headers of one request; asked again for every attempt, because a signature grows old. */
export type Prepare = (method: 'GET' | 'HEAD', headers: Readonly<Record<string, string>>) => Promise<{ url: string; headers: Headers }>

/** An object as the store has it now. */
export interface Remote {
  /** What reports call it. */
  readonly shown: string
  readonly prepare: Prepare
  /** Null where the store does not tell. */
  readonly etag: string | null
  readonly bytes: number | null
}

/** Bounds of a transfer. */
export const bounds = {
  attempts: 6,
  firstWaitMs: 200,
  /** Until the answer begins, and between two pieces of it. */
  silenceMs: 30_000,
  /** A whole object: ten minutes, and a second for every so many bytes. */
  objectMs: 600_000,
  slowestBytesPerS: 65_536,
  objectBytes: 64 * 2 ** 30,
  redirects: 3,
} as const

const again = 'try again later: --resume goes on with what is not copied yet'
const retriable = (status: number): boolean => status >= 500 || status === 429 || status === 408

async function once(
  prepare: Prepare,
  method: 'GET' | 'HEAD',
  headers: Readonly<Record<string, string>>,
  shown: string,
  signal: AbortSignal,
): Promise<Response> {
  const first = await prepare(method, headers)
  let url = first.url
  for (let hops = 0; ; hops++) {
    const response = await fetch(url, { method, headers: first.headers, redirect: 'manual', signal })
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || response.status === 304 || location === null) return response
    await response.body?.cancel()
    const next = new URL(location, url)
    if (next.origin !== new URL(url).origin || hops >= bounds.redirects || first.headers.has('authorization')) {
      throw new SourceError(
        'refused',
        `${shown}: answers with a redirection to ${next.origin}, which is not followed`,
        { file: shown },
        'name the address that it redirects to, or the region with AWS_REGION',
      )
    }
    url = next.href
  }
}

/** Where a server does not want to, or is not there, there is no point in asking again. */
function refusal(status: number, shown: string): SourceError {
  const place = { file: shown }
  if (status === 404 || status === 410) return new SourceError('not-found', `${shown}: there is no such object`, place)
  if (status === 401 || status === 403)
    return new SourceError(
      'refused',
      `${shown}: access is refused (${status})`,
      place,
      'AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY hold the credentials: docs/stores.md',
    )
  if (status === 412) return changed(shown)
  if (status >= 300 && status <= 399)
    return new SourceError('refused', `${shown}: answers with a redirection (${status})`, place, 'AWS_REGION names the region of a bucket')
  return new SourceError('unreadable', `${shown}: the server answers ${status}`, place)
}

const changed = (shown: string): SourceError =>
  new SourceError(
    'changed',
    `${shown}: was changed while it was read`,
    { file: shown },
    'audit data that nobody is writing to: start again with another --run-dir',
  )

const wait = (attempt: number): Promise<void> => sleep(bounds.firstWaitMs * 2 ** attempt * (0.5 + Math.random() / 2))

/**
 * One answer, its body unread; asked again with growing waits where the server or the network fails.
 * @throws SourceError `not-found`, `refused` (exit 4); `unreachable`, `changed`, `unreadable` (exit 2)
 */
export async function request(
  prepare: Prepare,
  method: 'GET' | 'HEAD',
  headers: Readonly<Record<string, string>>,
  shown: string,
  outer?: AbortSignal,
): Promise<{ response: Response; alive: () => void; release: () => void }> {
  let reason = ''
  for (let attempt = 0; attempt < bounds.attempts; attempt++) {
    if (attempt > 0) await wait(attempt - 1)
    const stop = new AbortController()
    let timer = setTimeout(() => stop.abort(), bounds.silenceMs)
    const alive = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => stop.abort(), bounds.silenceMs)
    }
    const release = (): void => clearTimeout(timer)
    try {
      const response = await once(prepare, method, headers, shown, outer ? AbortSignal.any([stop.signal, outer]) : stop.signal)
      if (response.ok) return { response, alive, release }
      release()
      await response.body?.cancel()
      if (!retriable(response.status)) throw refusal(response.status, shown)
      reason = `the server answers ${response.status}`
    } catch (e) {
      release()
      if (e instanceof SourceError || outer?.aborted) throw e
      reason = networkReason(e)
    }
  }
  throw new SourceError('unreachable', `${shown}: ${reason}, ${bounds.attempts} times`, { file: shown }, again)
}

const networkReason = (e: unknown): string => {
  const { cause, name } = e as { cause?: { code?: string }; name?: string }
  return name === 'AbortError' ? `no answer for ${bounds.silenceMs / 1000} s` : (cause?.code ?? reasonOf(e))
}

/** Total bytes by `Content-Range: bytes 5-9/10`, or by the length of an answer that is whole. */
function totalOf(response: Response): number | null {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '')
  if (range) return Number(range[2])
  const length = response.headers.get('content-length')
  return response.status === 200 && length !== null ? Number(length) : null
}

export type Progress = (bytes: number) => void

/**
 * Writes an object to a file. A transfer that is cut goes on where it stopped, and only with the same object: by its ETag, else from
 * the beginning. Returns its bytes.
 * @throws SourceError as `request`; `too-large`
 */
export async function download(remote: Remote, target: string, progress: Progress, signal?: AbortSignal): Promise<number> {
  const { shown, prepare } = remote
  const file = await open(target, 'w', 0o600)
  let etag = remote.etag
  let total = remote.bytes
  let done = 0
  const deadline = Date.now() + bounds.objectMs + ((total ?? bounds.objectBytes) / bounds.slowestBytesPerS) * 1000
  try {
    for (let attempt = 0; ; attempt++) {
      // a weak tag does not vouch for bytes: what it stands for is read from the start
      const strong = etag !== null && !etag.startsWith('W/') ? etag : null
      if (strong === null) done = 0
      const headers: Record<string, string> = {
        'accept-encoding': 'identity',
        ...(strong === null ? {} : { 'if-match': strong }),
        ...(done > 0 ? { range: `bytes=${done}-` } : {}),
      }
      const { response, alive, release } = await request(prepare, 'GET', headers, shown, signal)
      try {
        const now = response.headers.get('etag')
        const size = totalOf(response)
        if ((etag !== null && now !== null && now !== etag) || (total !== null && size !== null && size !== total)) throw changed(shown)
        etag ??= now
        total ??= size
        if (total !== null && total > bounds.objectBytes) throw tooLarge(shown, total)
        const encoding = response.headers.get('content-encoding')
        if (encoding !== null && encoding !== 'identity')
          throw new SourceError(
            'unsupported',
            `${shown}: is sent as ${encoding.slice(0, 20)}, which nobody asked for`,
            { file: shown },
            'let the server send it as it is',
          )
        if (response.status === 200) done = 0
        const before = done
        for await (const piece of response.body ?? []) {
          alive()
          await file.write(piece, 0, piece.length, done)
          done += piece.length
          progress(done)
          if (done > (total ?? bounds.objectBytes)) throw total === null ? tooLarge(shown, done) : changed(shown)
          if (Date.now() > deadline) throw new SourceError('timeout', `${shown}: comes too slowly`, { file: shown }, again)
        }
        if (total === null || done === total) {
          await file.truncate(done)
          await file.sync()
          return done
        }
        if (done > before) attempt = 0
      } catch (e) {
        if (e instanceof SourceError || signal?.aborted) throw e
        if (attempt + 1 >= bounds.attempts)
          throw new SourceError(
            'unreachable',
            `${shown}: the connection is lost again and again (${networkReason(e)})`,
            { file: shown },
            again,
          )
      } finally {
        release()
        await response.body?.cancel().catch(() => {})
      }
      if (attempt + 1 >= bounds.attempts)
        throw new SourceError('truncated', `${shown}: ends after ${done} of ${total} bytes`, { file: shown }, again)
      await wait(attempt)
    }
  } finally {
    await file.close()
  }
}

const tooLarge = (shown: string, bytes: number): SourceError =>
  new SourceError('too-large', `${shown}: ${bytes} bytes, at most ${bounds.objectBytes} are copied`, { file: shown }, 'split the object')
