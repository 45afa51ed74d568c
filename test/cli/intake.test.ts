import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseReport } from '../../src/report/schema.ts'
import { folderWith } from '../config/files.ts'
import { assay } from './harness.ts'

const lines = Array.from({ length: 60 }, (_, i) => `r${i},${i % 2 ? '0.1,0.9,b' : '0.9,0.1,a'}`)
const table = (rows: readonly string[]): string => `id,p_a,p_b,label\n${rows.join('\n')}\n`
const delivered = table(lines.slice(3))
const sums = `${createHash('sha256').update(delivered).digest('hex')}  data.csv\n`
const { privateKey, publicKey } = generateKeyPairSync('ed25519')

const home = process.cwd()
let folder = ''
const report = async () => parseReport(await readFile(join(folder, 'run/report.json'), 'utf8'))
const options = [
  '--label',
  'label',
  '--id',
  'id',
  '--predictions',
  'p_a,p_b',
  '--seed',
  '1',
  '--workers',
  '1',
  '--formats',
  'json',
  '--flags',
  'csv',
]
const audit = (...more: string[]) => assay(['audit', 'delivery/data.csv', '--run-dir', 'run', ...options, ...more])

beforeEach(async () => {
  folder = await folderWith({
    'delivery/data.csv': delivered,
    'delivery/SHA256SUMS': sums,
    'delivery/SHA256SUMS.sig': sign(null, Buffer.from(sums), privateKey),
    'original.csv': table(lines),
    'publisher.pub': publicKey.export({ format: 'pem', type: 'spki' }),
  })
  process.chdir(folder)
})
afterEach(() => process.chdir(home))

test('--baseline names the records that are gone, and reads no manifest', async () => {
  const { code, stdout } = await audit('--baseline', 'original.csv')
  expect([code, stdout.includes('60 records before, 57 after: 3 removed')]).toEqual([0, true])
  const { provenance, findings } = await report()
  expect(provenance).toMatchObject({ manifests: [], coverage: null, changesFile: 'changes.csv' })
  expect(findings.map((f) => [f.rule, f.severity])).toContainEqual(['provenance/removed', 'medium'])
  const changes = (await readFile('run/changes.csv', 'utf8')).trim().split('\n')
  expect(
    changes
      .slice(1)
      .map((line) => line.split(',').slice(0, 4))
      .sort(),
  ).toEqual(['0', '1', '2'].map((i) => ['removed', `r${i}`, 'original.csv', i]))
})

test('--key trusts the signature of the manifests beside the data', async () => {
  const { code, stdout } = await audit('--key', 'publisher.pub')
  expect(code).toBe(0)
  expect(stdout).toContain('SHA256SUMS')
  expect(stdout).toContain('signed by publisher.pub')
  expect((await report()).provenance?.coverage).toMatchObject({ files: 1, signedFiles: 1 })
})

test('--dry-run says what both will do', async () => {
  const { code, stdout } = await audit('--key', 'publisher.pub', '--baseline', 'original.csv', '--dry-run')
  expect(code).toBe(0)
  for (const words of [
    'delivery: 3 files, 1 manifest',
    'SHA256SUMS',
    'trusted: 1 key',
    'baseline: original.csv, data, 1 file',
    'snapshot: of every column',
  ])
    expect(stdout).toContain(words)
})

test('--print-config writes down an audit that finds the same', async () => {
  const { code, stdout } = await audit('--key', 'publisher.pub', '--baseline', 'original.csv', '--print-config')
  expect(code).toBe(0)
  await writeFile('pipeline.yaml', stdout)
  await audit('--key', 'publisher.pub', '--baseline', 'original.csv')
  const direct = await report()
  await assay(['audit', 'pipeline.yaml', '--run-dir', 'written', '--seed', '1', '--workers', '1'])
  const written = parseReport(await readFile('written/report.json', 'utf8'))
  expect([written.findings, written.provenance]).toEqual([direct.findings, direct.provenance])
})

test.each([
  ['a baseline that is not there', ['--baseline', 'none.csv'], 'none.csv'],
  ['a key that is none', ['--key', 'original.csv'], 'original.csv'],
  ['a key from the delivery', ['--key', 'delivery/SHA256SUMS'], 'lies in delivery'],
  ['a signing key that is not there', ['--sign', 'none.key'], 'none.key'],
])('%s exits 4', async (_, more, words) => {
  const { code, stderr } = await audit(...more)
  expect(code).toBe(4)
  expect(stderr).toContain(words)
  expect(stderr).not.toMatch(/internal error|\n\s+at /)
})
