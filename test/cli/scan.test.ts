import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseReport } from '../../src/report/schema.ts'
import { bytesOf, calls, emptyDict, proto, stop, u64 } from '../artifacts/assemble.ts'
import { folderOf } from '../provenance/folders.ts'
import { assay } from './harness.ts'

const out = mkdtempSync(join(tmpdir(), 'assay-scan-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

const good = bytesOf(proto(2), emptyDict, stop)
const safetensors = bytesOf(u64(2), '{}')
const scan = (...args: readonly string[]) => assay(['scan', ...args])

describe('assay scan', () => {
  it('passes what is only data, and says how it loads', async () => {
    const { code, stdout, stderr } = await scan(folderOf({ 'model.safetensors': safetensors, 'weights.pt': good }))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^\[PASSED\]/)
    expect(stdout).toContain('base-model: 2 files looked into, none loaded')
  })

  it('refuses code, with callee, arguments, byte and what to do', async () => {
    const root = folderOf({ 'sub/weights.bin': calls('os', 'system', 'touch /tmp/x'), 'model.safetensors': safetensors })
    const { code, stdout } = await scan(root, '--json')
    const report = parseReport(stdout)
    expect(code).toBe(1)
    expect(report.headline).toContain("sub/weights.bin calls os.system('touch /tmp/x',)")
    expect(report.findings.map((f) => `${f.rule} ${f.severity} ${f.status} ${f.gates}`)).toEqual([
      'base-model/pickle-code critical open true',
    ])
    const [finding] = report.findings
    expect(finding?.scope).toEqual({ kind: 'file', names: ['sub/weights.bin', 'os.system'] })
    expect(finding?.evidence[0]).toMatchObject({
      kind: 'numbers',
      items: [
        { name: 'verdict', value: 'block' },
        { name: 'places', value: 1 },
      ],
    })
    expect(finding?.evidence[1]).toMatchObject({ kind: 'table', columns: ['where', 'what', 'byte', 'times', 'verdict'] })
    expect(report.next[0]).toContain('Do not load this file')
    expect(finding?.taxa.map((t) => t.id)).toContain('AML.T0010.003')
  })

  it('leaves what nobody vouches for to a stricter gate', async () => {
    const root = folderOf({ 'a.pkl': calls('acme', 'Net') })
    expect((await scan(root)).code).toBe(0)
    const { code, stdout } = await scan(root, '--fail-on', 'medium', '--json')
    expect(code).toBe(1)
    expect(parseReport(stdout).findings.map((f) => f.rule)).toEqual(['base-model/pickle-unknown-global'])
  })

  it('writes the same report in every format, with the place of the file', async () => {
    const root = folderOf({ 'a.pkl': calls('os', 'system') })
    const { code, stdout } = await scan(root, '--run-dir', join(out, 'run'), '--formats', 'html,json,sarif,markdown')
    expect(code).toBe(1)
    expect(stdout).toContain('report as SARIF')
    const sarif = JSON.parse(readFileSync(join(out, 'run/report.sarif'), 'utf8'))
    expect(sarif.runs[0].results[0]).toMatchObject({ ruleId: 'base-model/pickle-code', level: 'error' })
    expect(sarif.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri).toBe('a.pkl')
    expect(readFileSync(join(out, 'run/report.html'), 'utf8')).toContain('base-model/pickle-code')
    expect(readFileSync(join(out, 'run/report.md'), 'utf8')).toContain('base-model/pickle-code')
  })

  it('verifies manifests in the same report', async () => {
    const sum = createHash('sha256').update(good).digest('hex')
    const { code, stdout } = await scan(folderOf({ 'a.pkl': calls('os', 'system'), SHA256SUMS: `${sum}  a.pkl\n` }), '--json')
    expect(code).toBe(1)
    expect(
      parseReport(stdout)
        .findings.map((f) => f.rule)
        .sort(),
    ).toEqual(['base-model/pickle-code', 'provenance/mismatch', 'provenance/unsigned'])
  })

  it('compares with a base', async () => {
    const base = folderOf({ 'tokenizer.json': JSON.stringify({ model: { vocab: { a: 0, b: 1 } } }) })
    const own = folderOf({ 'tokenizer.json': JSON.stringify({ model: { vocab: { a: 1, b: 0 } } }) })
    const { code, stdout } = await scan(own, '--base', base, '--json')
    expect(code).toBe(1)
    expect(parseReport(stdout).findings.map((f) => f.rule)).toEqual(['base-model/tokenizer-tampered'])
  })

  it('compares with the digests of a base', async () => {
    const sum = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
    const other = bytesOf(u64(4), '{}  ')
    const lines = [
      `${sum(safetensors)}  model.safetensors`,
      `${sum('{}')}  config.json`,
      `${sum('a')}  merges.txt`,
      `${sum(other)}  model-2.safetensors`,
    ]
    const pinned = join(folderOf({ 'base.sha256': `${lines.join('\n')}\n` }), 'base.sha256')
    const same = folderOf({ 'model.safetensors': safetensors, 'config.json': '{}', 'merges.txt': 'a', 'model-2.safetensors': other })
    const clean = parseReport((await scan(same, '--base', pinned, '--json')).stdout)
    expect({ code: clean.exitCode, findings: clean.findings }).toEqual({ code: 0, findings: [] })
    const changed = folderOf({ 'model.safetensors': other, 'config.json': '{"a":1}', 'merges.txt': 'a', 'extra.txt': 'x' })
    const { code, stdout } = await scan(changed, '--base', pinned, '--fail-on', 'medium', '--json')
    const report = parseReport(stdout)
    expect(code).toBe(1)
    expect(report.findings.map((f) => `${f.severity} ${f.rule} ${f.scope.names.join()}`).sort()).toEqual([
      'medium base-model/tensor-edited model-2.safetensors,missing',
      'medium base-model/tensor-edited model.safetensors,mismatched',
    ])
    expect(report.findings.map((f) => f.message).join()).toContain(`its sha256 is ${sum(other)}, and that of the base ${sum(safetensors)}`)
    expect(report.detectors.find((d) => d.id === 'base-model')?.notes.slice(0, 4)).toEqual([
      '1 of 4 files of the base model base.sha256 are the same, 2 differ, 1 are missing.',
      'Other than in the base model: config.json, model.safetensors.',
      'Missing: model-2.safetensors.',
      'Not of the base model: extra.txt.',
    ])
    const one = await scan(join(changed, 'model.safetensors'), '--base', pinned, '--json')
    expect(parseReport(one.stdout).findings.map((f) => f.rule)).toEqual(['base-model/tensor-edited'])
    expect((await scan(folderOf({ 'b.txt': 'x' }), '--base', join(folderOf({ SHA256SUMS: '\n' }), 'SHA256SUMS'))).code).toBe(2)
  })

  it('names publishers that imitate an allowed one', async () => {
    const root = folderOf({ 'config.json': JSON.stringify({ _name_or_path: 'goog1e/gemma' }) })
    const { code, stdout } = await scan(root, '--publishers', 'meta-llama, google', '--json')
    expect(code).toBe(1)
    const report = parseReport(stdout)
    expect(report.findings.map((f) => `${f.rule} ${f.severity}`)).toEqual(['base-model/look-alike high'])
    expect(report.findings[0]?.message).toContain('"goog1e", which differs from the allowed "google" by letters or signs that look alike')
    expect((await scan(root)).code).toBe(0)
  })

  it('takes one file, and says what is wrong with the command line', async () => {
    expect((await scan(join(folderOf({ 'a.pkl': calls('os', 'system'), 'b.pkl': good }), 'b.pkl'))).code).toBe(0)
    expect((await scan(join(out, 'nowhere'))).code).toBe(4)
    const root = folderOf({ 'a.pkl': good })
    expect((await scan(root, '--run-dir', join(root, 'reports'))).stderr).toContain('lies in the delivery')
    expect((await scan(root, '--formats', 'html')).code).toBe(4)
    expect((await scan(folderOf({}))).code).toBe(3)
  })

  it('is never fooled by names of members', async () => {
    const root = folderOf({ 'a\u001b[2J.pkl': calls('os', 'system\u001b[2J') })
    const { stdout } = await scan(root)
    expect(stdout).not.toContain('\u001b')
  })
})

describe('artifacts of a pipeline', () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${i},${i % 2 ? 'a' : 'b'},${(i % 2) + Math.sin(i) / 9},${Math.cos(i)}`).join('\n')
  const pipeline = (more: string): string =>
    `version: 1\nsources: [{ path: data.csv, columns: { id: id, label: label, features: [x, y] } }]\ngate: { require: [base-model] }\n${more}`
  const world = (more: string) =>
    folderOf({
      'data.csv': `id,label,x,y\n${rows}\n`,
      'pipeline.yaml': pipeline(more),
      'model/weights.pt': calls('os', 'system'),
      'good/weights.pt': good,
    })
  const audit = (root: string) =>
    assay(['audit', join(root, 'pipeline.yaml'), '--run-dir', join(root, 'run'), '--seed', '1', '--json', '--workers', '1'])

  it('fail the same gate in the same report', async () => {
    const { code, stdout } = await audit(world('artifacts: { path: model }\n'))
    expect(code).toBe(1)
    expect(parseReport(stdout).findings.map((f) => f.rule)).toContain('base-model/pickle-code')
  })

  it('are held against a list of publishers', async () => {
    const root = world('artifacts: { path: named, publishers: [google] }\n')
    mkdirSync(join(root, 'named'))
    writeFileSync(join(root, 'named/config.json'), JSON.stringify({ _name_or_path: 'goog1e/gemma' }))
    const { code, stdout } = await audit(root)
    expect(code).toBe(1)
    expect(parseReport(stdout).findings.map((f) => f.rule)).toContain('base-model/look-alike')
  })

  it('pass where they are only data, and are told where they are not there', async () => {
    const { code, stdout } = await audit(world('artifacts: { path: good, base: good }\n'))
    expect(code).toBe(0)
    expect(parseReport(stdout).detectors.find((d) => d.id === 'base-model')).toMatchObject({
      status: 'ran',
      required: true,
      coverage: null,
    })
    const missing = await audit(world('artifacts: { path: nowhere }\n'))
    expect(missing.code).toBe(4)
    expect(missing.stderr).toContain('does not exist')
    expect((await audit(world(''))).code).toBe(2)
  })
})
