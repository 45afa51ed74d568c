import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type StoreServer, startStore } from '../stores/store-server.ts'
import { assay } from './harness.ts'

// the first audit of a process loads much
vi.setConfig({ testTimeout: 120_000 })

let dir: string
let store: StoreServer
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'assay-cli-stores-'))
  store = await startStore()
  vi.stubEnv('AWS_ENDPOINT_URL', store.url)
  for (const name of ['AWS_ENDPOINT_URL_S3', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']) vi.stubEnv(name, '')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await store.close()
  rmSync(dir, { recursive: true, force: true })
})

const csv = Buffer.from(`id,label,text\n${Array.from({ length: 30 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'},word ${i} of many\n`).join('')}`)

test('a plan names the objects of a store, what it leaves out, and the columns', async () => {
  for (const name of ['a', 'b', 'c']) store.objects.set(`/data/${name}.csv`, { body: csv })
  const { code, stdout, stderr } = await assay(['audit', 's3://data/*.csv', '--dry-run'])
  expect(stderr).toBe('')
  expect(code).toBe(0)
  expect(stdout).toContain('s3://data/a.csv  csv')
  expect(stdout).toContain(`and 2 more of ${2 * csv.length} bytes in all`)
  expect(stdout).toContain('label <- label')
  expect(stdout).toContain('memory:')
})

test('the pipeline file that is printed names the object and not its copy', async () => {
  store.objects.set('/data/a.csv', { body: csv })
  const { stdout, code } = await assay(['audit', 's3://data/a.csv', '--print-config'])
  expect(code).toBe(0)
  expect(stdout).toContain('path: s3://data/a.csv')
  expect(stdout).not.toContain('copies')
  expect(stdout).toContain('label: label')
})

test('a snapshot of an object is that of the same file', async () => {
  store.objects.set('/data/a.csv', { body: csv })
  writeFileSync(join(dir, 'a.csv'), csv)
  const root = async (path: string, name: string) => {
    const { stdout, code } = await assay(['snapshot', path, '--out', join(dir, name), '--json'])
    expect(code).toBe(0)
    return (JSON.parse(stdout) as { roots: { records: string } }).roots.records
  }
  expect(await root('s3://data/a.csv', 'one')).toBe(await root(join(dir, 'a.csv'), 'two'))
})

test('a query without its variable, and keys that do not go together, are told with their place', async () => {
  const file = join(dir, 'p.yaml')
  const run = async (source: string) => {
    writeFileSync(file, `version: 1\nsources:\n  - ${source}\n`)
    return assay(['audit', file, '--dry-run'])
  }
  const unset = await run('{ sql: "select 1 as id from studies", connection: { env: UNSET_DATABASE } }')
  expect(unset.code).toBe(4)
  expect(unset.stderr).toContain('UNSET_DATABASE')
  for (const [source, message] of [
    ['{ sql: "select 1" }', 'needs connection'],
    ['{ sql: "select 1", connection: { env: A }, path: a.csv }', 'does not go with sql'],
    ['{ path: a.csv, key: id }', 'goes with sql'],
    ['{ sql: "select 1", connection: { env: "postgres://user:secret@host/db" } }', 'the name of an environment variable'],
  ] as const) {
    const { code, stderr } = await run(source)
    expect(code).toBe(4)
    expect(stderr).toContain(message)
    expect(stderr).not.toContain('secret@')
  }
})
