import { createHash, generateKeyPairSync } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readdir, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import { type AuditResult, audit } from '../../src/engine/audit.ts'
import { planDelivery } from '../../src/engine/plan-provenance.ts'

const now = new Date('2026-11-24T00:00:00Z')
const hooks = { progress: () => {}, log: () => {} }

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'assay-')))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true })
    await writeFile(join(dir, name), text)
  }
  return dir
}

const label = (i: number): string => (i % 2 ? 'b' : 'a')
interface Row {
  readonly id: string
  readonly p: number
  readonly label: string
}
const table = (rows: number): Row[] => Array.from({ length: rows }, (_, i) => ({ id: `r${i}`, p: i % 2 ? 0.1 : 0.9, label: label(i) }))
const csv = (rows: readonly Row[]): string =>
  `id,p_a,p_b,label\n${rows.map((r) => `${r.id},${r.p},${Number((1 - r.p).toFixed(1))},${r.label}\n`).join('')}`
const jsonl = (rows: readonly Row[]): string =>
  rows.map((r) => `${JSON.stringify({ id: r.id, p_a: r.p, p_b: Number((1 - r.p).toFixed(1)), label: r.label })}\n`).join('')
const sums = (files: Readonly<Record<string, string>>): string =>
  Object.entries(files)
    .map(([name, text]) => `${createHash('sha256').update(text).digest('hex')}  ${name}\n`)
    .join('')

const columns = 'columns: { id: id, label: label, predictions: [p_a, p_b] }'
const yaml = (rest: string, path = 'd/a.csv'): string =>
  `version: 1\nsources: [{ path: ${path}, ${columns} }]\nreport: { formats: [json], flags: csv }\n${rest}`

async function run(
  dir: string,
  options: { readonly runDir?: string; readonly resume?: boolean; readonly excerpts?: boolean; readonly sign?: string } = {},
): Promise<AuditResult> {
  const { pipeline, base } = await loadPipeline(join(dir, 'p.yaml'), {
    ...(options.excerpts === undefined ? {} : { excerpts: options.excerpts }),
  })
  return audit({
    pipeline,
    base,
    runDir: join(dir, options.runDir ?? 'run'),
    resume: options.resume ?? false,
    seed: 'x',
    now,
    workers: 1,
    hooks,
    ...(options.sign === undefined ? {} : { sign: { key: join(dir, options.sign) } }),
  })
}

const rows = table(100)
const text = csv(rows)
const provenanceOf = ({ report }: AuditResult) => report.detectors.find((d) => d.id === 'provenance')

describe('manifests in an audit', () => {
  it('hashes an input once, for the manifest and for the list of inputs', async () => {
    const dir = await folder({ 'p.yaml': yaml('provenance: { root: d }\n'), 'd/a.csv': text, 'd/SHA256SUMS': sums({ 'a.csv': text }) })
    const { report, plan } = await run(dir)
    expect(report.provenance?.coverage?.byGrade.verified.files).toBe(1)
    expect(report.inputs).toEqual([
      { id: 'd/a.csv', bytes: Buffer.byteLength(text), sha256: createHash('sha256').update(text).digest('hex'), over: 'subject' },
    ])
    expect(plan.delivery?.groups.flat()).toEqual([{ path: 'a.csv', algorithms: ['sha256'], ranges: [] }])
    expect(await readdir(join(dir, 'run/inputs'))).toEqual(['delivery-0.json'])
  })

  it('takes the folder that holds the sources for the root, and leaves the run itself out of it', async () => {
    const dir = await folder({ 'p.yaml': yaml('provenance: {}\n'), 'd/a.csv': text, 'd/SHA256SUMS': sums({ 'a.csv': text }) })
    const first = await run(dir, { runDir: 'd/run' })
    expect(first.report.provenance).toMatchObject({ root: 'd', coverage: { files: 1, verifiedFiles: 1 } })
    expect((await run(dir, { runDir: 'd/run', resume: true })).report).toEqual(first.report)
  })

  it('asks for the root where the sources have no folder in common', async () => {
    const dir = await folder({ 'p.yaml': yaml('provenance: {}\n'), 'd/a.csv': text })
    const { pipeline, base } = await loadPipeline(join(dir, 'p.yaml'))
    const files = ['/first/a.csv', '/second/b.csv'].map((path) => ({ path, id: path, bytes: 1, modified: 0 }))
    await expect(planDelivery(pipeline, base, join(dir, 'run'), now, files)).rejects.toMatchObject({ code: 'bad-option', exit: 4 })
  })

  it('a manifest that is named and not there is an error before anything is read', async () => {
    const dir = await folder({ 'p.yaml': yaml('provenance: { root: d, manifests: [SHA512SUMS] }\n'), 'd/a.csv': text })
    await expect(run(dir)).rejects.toMatchObject({ code: 'unknown-manifest', exit: 4 })
  })

  it('reads none where none are wanted', async () => {
    const dir = await folder({
      'p.yaml': yaml('provenance: { manifests: false }\n'),
      'd/a.csv': text,
      'd/SHA256SUMS': sums({ 'a.csv': 'x' }),
    })
    const result = await run(dir)
    expect(result.report.findings).toEqual([])
    expect(provenanceOf(result)?.status).toBe('not-applicable')
  })
})

describe('whether provenance ran', () => {
  it.each<[string, string, string, number]>([
    ['nothing is asked for', '', 'absent', 0],
    ['facts alone', 'subject: { declared: { rows: 100 } }\n', 'ran', 0],
    ['facts that disagree', 'subject: { declared: { rows: 99 } }\n', 'ran', 1],
    ['required, with facts alone', 'subject: { declared: { rows: 100 } }\ngate: { require: [provenance] }\n', 'not-applicable', 2],
    ['required, and not in the file', 'gate: { require: [provenance] }\n', 'not-applicable', 2],
    ['no manifest and no baseline', 'provenance: { root: d }\n', 'not-applicable', 0],
    ['a policy that no delivery without manifest meets', 'provenance: { root: d, coverage: 1 }\n', 'ran', 1],
    ['a baseline', 'provenance: { root: d, baseline: { path: o.csv } }\ngate: { require: [provenance] }\n', 'ran', 0],
  ])('%s', async (_, rest, status, exit) => {
    const result = await run(await folder({ 'p.yaml': yaml(rest), 'd/a.csv': text, 'o.csv': text }))
    expect([provenanceOf(result)?.status ?? 'absent', result.report.exitCode]).toEqual([status, exit])
  })
})

describe('a baseline', () => {
  it.each([
    ['csv', text],
    ['jsonl', jsonl(rows)],
  ])('of the same rows in another order, as %s, shows no change', async (extension, other) => {
    const [head = '', ...lines] = text.trim().split('\n')
    const dir = await folder({
      'p.yaml': yaml(`provenance: { manifests: false, baseline: { path: o.${extension} } }\n`),
      'd/a.csv': `${[head, ...lines.reverse()].join('\n')}\n`,
      [`o.${extension}`]: other,
    })
    const { report } = await run(dir)
    expect(report.provenance?.changes?.counts).toEqual({ added: 0, removed: 0, edited: 0, relabelled: 0, replaced: 0 })
    expect(report.provenance?.changes?.before.name).toBe(`o.${extension}`)
  })

  it('rows that cannot be read are not called missing', async () => {
    const dir = await folder({
      'p.yaml': yaml('gate: { min-coverage: 0 }\nprovenance: { manifests: false, baseline: { path: o.csv } }\n'),
      'd/a.csv': text.replace(/\nr7,.*/, '\nr7,1'),
      'o.csv': text,
    })
    const { report } = await run(dir)
    expect(report.exitCode).toBe(2)
    expect(report.reasons.map((r) => r.message)).toContain('1 row could not be read: what is left cannot be compared with the baseline')
    expect(report.provenance).toMatchObject({ changes: null, snapshot: null })
    expect(report.findings.filter((f) => f.detector === 'provenance')).toEqual([])
  })

  it('with a key in the environment: the key is needed, and no id is kept', async () => {
    const rest = 'provenance: { manifests: false, baseline: { path: o.csv }, snapshot-key: { env: ASSAY_TEST_KEY } }\n'
    const dir = await folder({ 'p.yaml': yaml(rest), 'd/a.csv': csv(rows.slice(3)), 'o.csv': text })
    await expect(run(dir)).rejects.toMatchObject({ code: 'bad-option', exit: 4 })
    process.env.ASSAY_TEST_KEY = 'a key of some length that nobody guesses'
    onTestFinished(() => {
      delete process.env.ASSAY_TEST_KEY
    })
    const { report } = await run(dir)
    expect(report.provenance?.changes?.counts.removed).toBe(3)
    expect(report.records.filter((r) => r.parts.some((p) => p.rule.startsWith('provenance/'))).map((r) => r.id)).toEqual([null, null, null])
  })

  it('that is a snapshot under another schema or key is refused before anything is read', async () => {
    const made = (rest: string) => yaml(`provenance: { manifests: false, ${rest} }\n`)
    const dir = await folder({ 'p.yaml': made('snapshot: s/1'), 'd/a.csv': text })
    await run(dir)
    await writeFile(join(dir, 'p.yaml'), made('baseline: s/1, schema: { columns: { p_a: float32 } }'))
    await expect(run(dir, { runDir: 'run-2' })).rejects.toMatchObject({ code: 'snapshots-differ', exit: 4 })
    await writeFile(join(dir, 'p.yaml'), made('baseline: s/1').replace('id: id, ', ''))
    await expect(run(dir, { runDir: 'run-3' })).rejects.toMatchObject({ code: 'snapshots-differ', exit: 4 })
  })

  it('a comparison is not done again, but for excerpts that were not asked for before', async () => {
    const notes = (list: readonly Row[]): string =>
      `id,label,text,p_a,p_b\n${list.map((r) => `${r.id},${r.label},note of ${r.id},${r.p},${Number((1 - r.p).toFixed(1))}\n`).join('')}`
    const dir = await folder({ 'd/a.csv': notes(rows.slice(2)), 'o.csv': notes(rows) })
    await writeFile(
      join(dir, 'p.yaml'),
      yaml('provenance: { manifests: false, baseline: { path: o.csv } }\n').replace('label: label,', 'label: label, text: text,'),
    )
    const without = await run(dir)
    expect(without.report.records.map((r) => r.excerpt)).toEqual([null, null])
    const shown = await run(dir, { resume: true, excerpts: true })
    expect(shown.report.records.map((r) => r.excerpt).sort()).toEqual(['note of r0', 'note of r1'])
    const hidden = await run(dir, { resume: true, excerpts: false })
    expect(hidden.report).toEqual(without.report)
  })
})

describe('a chain of signed snapshots', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const pem = {
    'keys/own.key': privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    'keys/own.pub': publicKey.export({ format: 'pem', type: 'spki' }) as string,
  }
  const night = (rest: string, keys = 'trust: { keys: [keys/own.pub] }, ') => yaml(`provenance: { manifests: false, ${keys}${rest} }\n`)

  async function twoNights(first: { readonly sign?: string }, keys?: string): Promise<AuditResult> {
    const dir = await folder({ ...pem, 'p.yaml': night('snapshot: s/1', keys), 'd/a.csv': text })
    const before = await run(dir, first)
    expect(before.report.provenance?.snapshot?.signed).toBe(first.sign !== undefined)
    await writeFile(join(dir, 'p.yaml'), night('baseline: s/1, snapshot: s/2', keys))
    return run(dir, { runDir: 'run-2' })
  }
  const signatures = ({ report }: AuditResult) =>
    report.findings.filter((f) => /unsigned|untrusted/.test(f.rule)).map((f) => [f.rule, f.severity])

  it('is believed where the policy names the key', async () => {
    const result = await twoNights({ sign: 'keys/own.key' })
    expect(signatures(result)).toEqual([])
    expect(provenanceOf(result)?.notes).toContainEqual(
      expect.stringMatching(/The baseline s\/1 is signed by keys\/own\.pub.*, whom the policy trusts/),
    )
    expect(result.report.provenance?.snapshot?.previous).toBe(result.report.provenance?.changes?.before.root)
  })

  it.each<[string, { readonly sign?: string }, string, [string, string][]]>([
    ['not signed, though the policy names a key', {}, 'trust: { keys: [keys/own.pub] }, ', [['provenance/unsigned', 'medium']]],
    ['not signed, though the policy demands it', {}, 'require-signature: true, ', [['provenance/unsigned', 'high']]],
    [
      'signed by nobody whom the policy names',
      { sign: 'keys/own.key' },
      'require-signature: true, ',
      [['provenance/untrusted-signer', 'high']],
    ],
    ['not signed, and nobody asks', {}, '', []],
  ])('%s', async (_, first, keys, found) => {
    expect(signatures(await twoNights(first, keys))).toEqual(found)
  })

  it('a signature over another snapshot does not hold', async () => {
    const dir = await folder({ ...pem, 'p.yaml': night('snapshot: s/1'), 'd/a.csv': text })
    await run(dir, { sign: 'keys/own.key' })
    await writeFile(join(dir, 'p.yaml'), night('snapshot: s/2'))
    await writeFile(join(dir, 'd/a.csv'), csv(rows.slice(5)))
    await run(dir, { runDir: 'run-2' })
    await copyFile(join(dir, 's/1/snapshot.dsse.json'), join(dir, 's/2/snapshot.dsse.json'))
    await writeFile(join(dir, 'p.yaml'), night('baseline: s/2'))
    const result = await run(dir, { runDir: 'run-3' })
    expect(signatures(result)).toEqual([['provenance/untrusted-signer', 'high']])
    expect(result.report.exitCode).toBe(1)
  })
})
