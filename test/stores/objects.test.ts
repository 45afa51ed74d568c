import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { listSources } from '../../src/sources/list.ts'
import { type CopyOptions, copyStores } from '../../src/stores/copy.ts'
import { bounds } from '../../src/stores/transfer.ts'
import { type StoreServer, startStore } from './store-server.ts'

let store: StoreServer
let dir: string
const usual = { ...bounds }

beforeEach(async () => {
  store = await startStore()
  dir = mkdtempSync(join(tmpdir(), 'assay-objects-'))
  vi.stubEnv('AWS_ENDPOINT_URL', store.url)
  vi.stubEnv('AWS_ENDPOINT_URL_S3', '')
  vi.stubEnv('AWS_ACCESS_KEY_ID', '')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', '')
  vi.stubEnv('AWS_SESSION_TOKEN', '')
  Object.assign(bounds, { firstWaitMs: 1 })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  Object.assign(bounds, usual)
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

const csv = (n: number, first = 0): Buffer =>
  Buffer.from(`id,label,text\n${Array.from({ length: n }, (_, i) => `${first + i},a,word ${i}\n`).join('')}`)
const put = (key: string, body: Buffer, etag?: string) => store.objects.set(key, { body, ...(etag ? { etag } : {}) })
const copy = (path: SourceSpec['path'], options: Partial<CopyOptions> = {}) =>
  copyStores([{ path } as SourceSpec], { folder: join(dir, 'copies'), resume: false, sample: false, progress: () => {}, ...options })
const contents = (specs: readonly SourceSpec[]): string[] =>
  Object.keys(specs[0]?.copied?.names ?? {}).map((path) => readFileSync(path, 'utf8'))
const failure = (path: SourceSpec['path'], options: Partial<CopyOptions> = {}) =>
  copy(path, options).then(
    () => null,
    (e: unknown) => e,
  )

test('objects that a pattern names are copied and read under their own names', async () => {
  for (const [i, name] of ['a b', 'c+d', 'e', 'f'].entries()) put(`/data/in/${name}.csv`, csv(5, 5 * i))
  put('/data/in/_SUCCESS', Buffer.from(''))
  put('/data/other/z.csv', csv(1))
  const specs = await copy('s3://data/in/*.csv')
  const listing = await listSources(specs, dir)
  expect(listing.shards.map((s) => s.id)).toEqual([
    's3://data/in/a b.csv',
    's3://data/in/c+d.csv',
    's3://data/in/e.csv',
    's3://data/in/f.csv',
  ])
  expect(listing.files.map((f) => f.id)).toEqual(listing.shards.map((s) => s.id))
  expect(contents(specs)[1]).toBe(csv(5, 5).toString())
})

test('a folder of a bucket is its data files', async () => {
  put('/data/in/a.csv', csv(2))
  put('/data/in/_SUCCESS', Buffer.from('x'))
  put('/data/in/.a.csv.crc', Buffer.from('x'))
  expect(Object.values((await copy('s3://data/in/'))[0]?.copied?.names ?? {})).toEqual(['s3://data/in/a.csv'])
})

test('requests are signed by the credentials in the environment', async () => {
  put('/data/in/a (1)*~.csv', csv(3))
  store.keys = { id: 'AKID', secret: 'sesame' }
  expect(await failure('s3://data/in/')).toMatchObject({ code: 'refused', exit: 4, hint: expect.stringContaining('AWS_ACCESS_KEY_ID') })
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKID')
  expect(await failure('s3://data/in/')).toMatchObject({ code: 'no-variable', exit: 4 })
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'wrong')
  expect(await failure('s3://data/in/')).toMatchObject({ code: 'refused', exit: 4 })
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'sesame')
  expect(contents(await copy('s3://data/in/'))).toEqual([csv(3).toString()])
})

test('a server that fails for a while is asked again, one that fails for good is told', async () => {
  put('/data/a.csv', csv(3))
  store.fault = (_, nth) => (nth <= 3 ? '500' : 'none')
  expect(contents(await copy('s3://data/a.csv'))).toEqual([csv(3).toString()])
  store.fault = () => '500'
  expect(await failure('s3://data/a.csv')).toMatchObject({ code: 'unreachable', exit: 2, message: expect.stringContaining('500') })
})

test('a transfer that is cut goes on where it stopped', async () => {
  put('/data/a.csv', csv(20_000))
  let cuts = 0
  store.fault = (request) => (request.method === 'GET' && cuts++ < 3 ? 'cut' : 'none')
  expect(contents(await copy('s3://data/a.csv'))[0]).toBe(csv(20_000).toString())
  const gets = store.requests.filter((r) => r.method === 'GET')
  expect(gets).toHaveLength(4)
  expect(gets.slice(1).every((r) => /^bytes=[1-9]/.test(r.range ?? '') && r.ifMatch !== undefined)).toBe(true)
})

test('a weak tag vouches for no bytes: a transfer that is cut begins again', async () => {
  put('/data/a.csv', csv(2000), 'W/"weak"')
  let cuts = 0
  store.fault = (request) => (request.method === 'GET' && cuts++ < 1 ? 'cut' : 'none')
  expect(contents(await copy('s3://data/a.csv'))[0]).toBe(csv(2000).toString())
  expect(store.requests.every((r) => r.range === undefined && r.ifMatch === undefined)).toBe(true)
})

test('an object that changes while it is read is an error, and nothing of it is kept', async () => {
  put('/data/a.csv', csv(2000), '"one"')
  store.fault = (request) => {
    if (request.method !== 'GET') return 'none'
    setImmediate(() => put('/data/a.csv', csv(2000, 7), '"two"'))
    return 'cut'
  }
  expect(await failure('s3://data/a.csv')).toMatchObject({ code: 'changed', exit: 2 })
  expect(readdirSync(join(dir, 'copies')).filter((f) => !f.endsWith('.list.json'))).toEqual([])
})

test('what was listed is pinned: an object that changes before a resumption is an error', async () => {
  put('/data/a.csv', csv(3))
  put('/data/b.csv', csv(3, 3))
  store.fault = (request) => (request.url?.includes('b.csv') && request.method === 'GET' ? { status: 418 } : 'none')
  expect(await failure('s3://data/*.csv')).toMatchObject({ code: 'unreadable', exit: 2 })
  store.fault = () => 'none'
  const kept = store.objects.get('/data/b.csv')
  put('/data/b.csv', csv(3, 9))
  expect(await failure('s3://data/*.csv', { resume: true })).toMatchObject({
    code: 'changed',
    exit: 2,
    message: expect.stringContaining('b.csv'),
  })
  store.objects.set('/data/b.csv', kept as never)
  put('/data/c.csv', csv(1))
  const specs = await copy('s3://data/*.csv', { resume: true })
  expect(Object.values(specs[0]?.copied?.names ?? {})).toEqual(['s3://data/a.csv', 's3://data/b.csv'])
  const asked = store.requests.length
  await copy('s3://data/*.csv', { resume: true })
  expect(store.requests.length).toBe(asked)
})

test('an address is read, and its query, which may be a signature, is told to nobody', async () => {
  put('/files/a.csv', csv(4))
  const specs = await copy(`${store.url}/files/a.csv?X-Amz-Signature=sesame`)
  expect(contents(specs)).toEqual([csv(4).toString()])
  expect(Object.values(specs[0]?.copied?.names ?? {})).toEqual([`${store.url}/files/a.csv`])
  expect(readdirSync(join(dir, 'copies')).join()).not.toContain('sesame')
  for (const file of readdirSync(join(dir, 'copies'))) expect(readFileSync(join(dir, 'copies', file), 'utf8')).not.toContain('sesame')
})

test('a redirection to another host is not followed, one on the same host is', async () => {
  put('/files/a.csv', csv(4))
  store.fault = (request) => (request.url === '/old.csv' ? { status: 302, location: '/files/a.csv' } : 'none')
  expect(contents(await copy(`${store.url}/old.csv`))).toEqual([csv(4).toString()])
  for (const location of ['http://169.254.169.254/latest/meta-data', 'file:///etc/passwd']) {
    store.fault = () => ({ status: 302, location })
    expect(await failure(`${store.url}/old.csv`)).toMatchObject({ code: 'refused', exit: 4 })
  }
})

test.each([
  ['ftp://host/a.csv', 'unsupported-scheme'],
  ['file:///etc/passwd', 'unsupported-scheme'],
  ['http://example.com/a.csv', 'refused'],
  ['https://user:sesame@example.com/a.csv', 'refused'],
  ['s3://bucket', 'invalid-spec'],
  ['s3://UPPER/a.csv', 'invalid-spec'],
])('%s is refused', async (path, code) => {
  const error = await failure(path)
  expect(error).toMatchObject({ code, exit: 4 })
  expect(String((error as Error).message)).not.toContain('sesame')
})

test('what is not there is told', async () => {
  put('/data/a.csv', csv(4))
  expect(await failure('s3://data/nothing.csv')).toMatchObject({ code: 'not-found', exit: 4 })
  expect(await failure('s3://data/no*.csv')).toMatchObject({ code: 'no-match', exit: 4 })
  put('/data/x.png', Buffer.from('x'))
  expect(await failure('s3://data/x.png')).toMatchObject({ code: 'unsupported', exit: 2 })
})

test('an object larger than the bound is refused before it is copied', async () => {
  put('/data/a.csv', csv(4))
  Object.assign(bounds, { objectBytes: 10 })
  expect(await failure('s3://data/a.csv')).toMatchObject({ code: 'too-large', exit: 2 })
})

test('what a run left that was killed is cleared away', async () => {
  put('/data/a.csv', csv(5))
  mkdirSync(join(dir, 'copies'))
  writeFileSync(join(dir, 'copies/old.arrow.7.tmp'), 'half')
  await copy('s3://data/a.csv', { resume: true })
  expect(readdirSync(join(dir, 'copies')).filter((f) => f.endsWith('.tmp'))).toEqual([])
})

test('a plan copies the first object alone', async () => {
  for (const name of ['a', 'b', 'c']) put(`/data/${name}.csv`, csv(5))
  const specs = await copy('s3://data/*.csv', { sample: true })
  expect(specs[0]?.copied).toMatchObject({ note: expect.stringContaining('2 more') })
  expect((await listSources(specs, dir)).shards.map((s) => s.id)).toEqual(['s3://data/a.csv'])
})
