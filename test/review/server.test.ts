import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { request as ask } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { loadWaivers } from '../../src/config/waivers.ts'
import { exportWaivers, type OpenReview, openReview } from '../../src/review/review.ts'
import { folder } from '../sources/make.ts'
import { makeRun, now } from './make-run.ts'

const home = folder()
const runDir = join(home.dir, 'run')
const data = (): string =>
  ['id,text,label', ...Array.from({ length: 30 }, (_, i) => `r${i},"say ${i}, please",${i % 2 ? 'dog' : 'cat'}`), ''].join('\n')
let review: OpenReview
let cookie = ''

interface Told {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A request with exactly these headers: `fetch` would not let a test lie about `Host`. */
const send = (
  path: string,
  { method = 'GET', headers = {}, body = '' }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Told> =>
  new Promise((resolve, reject) => {
    const request = ask(
      { host: '127.0.0.1', port: review.port, path, method, headers, setHost: headers.host === undefined },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (piece: string) => {
          text += piece
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
      },
    )
    request.on('error', reject)
    request.end(body)
  })

const origin = (): string => `http://127.0.0.1:${review.port}`
const get = (path: string) => send(path, { headers: { cookie } })
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  send(path, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { cookie, origin: origin(), 'content-type': 'application/json', ...headers },
  })
const choice = (at: number, decision: string, more: object = {}) => ({
  target: { kind: 'record', at },
  decision,
  label: null,
  note: null,
  ...more,
})

beforeAll(async () => {
  home.put('a.csv', data())
  await makeRun({
    dir: runDir,
    base: home.dir,
    sources: [{ path: join(home.dir, 'a.csv'), columns: { id: 'id', text: 'text', label: 'label' } }],
    flags: [2, 4, 6].map((row, i) => ({
      id: `r${row}`,
      shard: 'a.csv',
      row,
      score: 0.9 - i / 10,
      given: 'cat',
      suggested: 'dog',
      group: 'please',
    })),
    labels: ['cat', 'dog'],
  })
  review = await openReview({ runDir, reviewer: 'Ada', port: 0, now: () => now })
})
afterAll(() => review.close())

describe('the server', () => {
  it('gives nothing without the token, and the token is good once', async () => {
    for (const path of ['/', '/main.js', '/page.css', '/api/run', '/api/contents?of=0', '/report', `/?token=${'x'.repeat(43)}`, '/?token='])
      expect((await send(path)).status).toBe(403)
    const first = await send(review.url.slice(origin().length))
    expect(first.status).toBe(200)
    const [set = ''] = first.headers['set-cookie'] as string[]
    expect(set).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/)
    cookie = set.split(';')[0] as string
    expect((await send(review.url.slice(origin().length))).status).toBe(403)
    expect((await get('/')).body).toContain('<title>Assay review</title>')
    expect((await send('/', { headers: { cookie: `${cookie}x` } })).status).toBe(403)
  })

  it.each([
    ['another host', () => ({ host: 'evil.example' })],
    ['another host with our port', () => ({ host: `evil.example:${review.port}` })],
    ['another port', () => ({ host: '127.0.0.1:1' })],
    ['a page elsewhere', () => ({ origin: 'https://evil.example' })],
    ['another port of this computer', () => ({ origin: 'http://127.0.0.1:1' })],
    ['no origin at all', () => ({ origin: 'null' })],
    ['a request from another site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['a request from the same site', () => ({ 'sec-fetch-site': 'same-site' })],
  ])('refuses %s, with the cookie', async (_, headers) => {
    expect((await send('/api/run', { headers: { cookie, ...headers() } })).status).toBe(403)
    expect((await post('/api/undo', {}, headers())).status).toBe(403)
  })

  it('refuses a decision without an origin, of another type, and what is none', async () => {
    expect((await send('/api/undo', { method: 'POST', body: '{}', headers: { cookie, 'content-type': 'application/json' } })).status).toBe(
      403,
    )
    expect((await post('/api/decisions', choice(0, 'confirm'), { 'content-type': 'text/plain' })).status).toBe(400)
    for (const wrong of [
      choice(99, 'confirm'),
      choice(0, 'delete'),
      choice(0, 'relabel'),
      choice(0, 'relabel', { label: 99 }),
      { ...choice(0, 'confirm'), more: 1 },
      [],
      null,
    ])
      expect((await post('/api/decisions', wrong)).status).toBe(400)
    expect((await post('/api/decisions', choice(0, 'note', { note: 'x'.repeat(70_000) }))).status).toBe(400)
    expect((await get('/api/contents?of=1,x')).status).toBe(400)
    expect((await get('/../../etc/passwd')).status).toBe(404)
    expect((await get('/page/../server.ts')).status).toBe(404)
    expect(statSync(join(runDir, 'decisions.jsonl')).size).toBe(0)
  })

  it('allows no script but its own, and no other address', async () => {
    const { headers } = await get('/')
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    expect(policy).not.toMatch(/unsafe|https?:|\*/)
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
    })
    expect(String((await get('/report')).headers['content-security-policy'])).toMatch(/^default-src 'none'; style-src 'sha256-/)
  })

  it('shows a record with what flagged it, and what the finding speaks of marked', async () => {
    const [[at, content]] = JSON.parse((await get('/api/contents?of=0')).body)
    expect(at).toBe(0)
    expect(content.text.pieces).toEqual([
      { kind: 'text', text: 'say 2, ' },
      { kind: 'mark', text: 'please' },
    ])
    expect(content.parts).toEqual([{ rule: 'label-flip/record', score: '0.9', p: null, suggested: 1, group: 'please' }])
  })

  it('keeps decisions, takes them back, and gives them again', async () => {
    expect(JSON.parse((await post('/api/decisions', choice(0, 'confirm'))).body).held).toMatchObject({
      decision: 'confirm',
      reviewer: 'Ada',
    })
    expect((await post('/api/decisions', choice(1, 'relabel', { label: 1, note: 'a dog' }))).status).toBe(200)
    expect(JSON.parse((await post('/api/undo', {})).body)).toEqual({ target: { kind: 'record', at: 1 }, held: null })
    expect(JSON.parse((await post('/api/undo', {})).body)).toEqual({ target: { kind: 'record', at: 0 }, held: null })
    expect(JSON.parse((await post('/api/undo', {})).body)).toBeNull()
    await post('/api/decisions', choice(2, 'dismiss'))
    const { held } = JSON.parse((await get('/api/run')).body)
    expect(held.records.map(([i, h]: [number, { decision: string }]) => [i, h.decision])).toEqual([[2, 'dismiss']])
    const line = JSON.parse(readFileSync(join(runDir, 'decisions.jsonl'), 'utf8').split('\n')[0] as string)
    expect(line).toMatchObject({
      id: 'r2',
      row: 2,
      shard: 'a.csv',
      givenLabel: 'cat',
      rule: 'label-flip/record',
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
  })

  it('shows and keeps nothing of a file that has changed since the run', async () => {
    const before = readFileSync(join(home.dir, 'a.csv'), 'utf8')
    writeFileSync(join(home.dir, 'a.csv'), before.replace('say 4', 'SAY 4'))
    const [[, content]] = JSON.parse((await get('/api/contents?of=1')).body)
    expect(content).toMatchObject({ changed: 'a.csv' })
    expect(JSON.stringify(content)).not.toMatch(/say/i)
    const refused = await post('/api/decisions', choice(1, 'confirm'))
    expect([refused.status, JSON.parse(refused.body).error]).toEqual([
      409,
      expect.stringContaining('a.csv is not the file that was audited'),
    ])
    rmSync(join(home.dir, 'a.csv'))
    expect(JSON.parse((await get('/api/contents?of=1')).body)[0][1]).toMatchObject({ changed: 'a.csv' })
    writeFileSync(join(home.dir, 'a.csv'), before)
    expect(JSON.parse((await get('/api/contents?of=1')).body)[0][1].text.pieces[0].text).toBe('say 4, ')
  })

  it('says that a port is in use', async () => {
    await expect(openReview({ runDir, reviewer: 'Bob', port: review.port, now: () => now })).rejects.toThrow(/is in use/)
  })
})

describe('waivers', () => {
  const dismiss = (at: number, note: string | null) =>
    post('/api/decisions', { target: { kind: 'finding', at }, decision: 'dismiss', label: null, note })

  it('are what is dismissed with a reason, until a day, for as many records; nothing is overwritten', async () => {
    const path = join(home.dir, 'waivers.yaml')
    await expect(exportWaivers(runDir, path, now, 90)).rejects.toThrow(/no finding is dismissed/)
    await dismiss(0, null)
    await expect(exportWaivers(runDir, path, now, 90)).rejects.toThrow(/dismissed without a note/)
    await dismiss(0, 'Seen by two radiologists: # not a "flip"\nat all')
    expect(await exportWaivers(runDir, path, now, 90)).toBe(1)
    expect(parse(readFileSync(path, 'utf8'))).toMatchObject({ version: 1 })
    expect(await loadWaivers(path)).toEqual([
      {
        fingerprint: review.desk.report.findings[0]?.fingerprint,
        statement: 'Seen by two radiologists: # not a "flip"\nat all (Ada, 2026-11-23)',
        expires: '2027-02-21',
        maxCount: 3,
      },
    ])
    await expect(exportWaivers(runDir, path, now, 90)).rejects.toThrow(/nothing is overwritten/)
  })
})
