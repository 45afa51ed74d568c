import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { loadPipeline, type Overrides, pipelineForData } from '../../src/config/load.ts'
import { folderWith } from './files.ts'

const valid = 'version: 1\nsources: [{ path: delivery/a.csv }]\n'

async function refused(files: Readonly<Record<string, string>>, overrides: Overrides = {}): Promise<ConfigError> {
  const folder = await folderWith(files)
  const error = await loadPipeline(join(folder, 'p.yaml'), { knownDetectors: ['label-flip'], cwd: folder, ...overrides }).then(
    () => null,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return error as ConfigError
}

const spec = async (text: string, overrides: Overrides = {}) => {
  const folder = await folderWith({ 'p.yaml': `${valid}${text}`, 'delivery/a.csv': 'id,label\n' })
  const { pipeline } = await loadPipeline(join(folder, 'p.yaml'), { cwd: folder, ...overrides })
  return { folder, pipeline, provenance: pipeline.provenance }
}

describe('the section provenance', () => {
  test('is absent by default', async () => expect((await spec('')).provenance).toBeNull())

  test('has a default for everything', async () => {
    expect((await spec('provenance: {}\n')).provenance).toEqual({
      root: null,
      manifests: null,
      trust: { keys: [], certificates: [], identities: [], trustedRoot: null },
      weakestDigest: 'sha256',
      coverage: 0,
      unlisted: 'report',
      requireSignature: false,
      baseline: null,
      schema: null,
      snapshot: null,
      snapshotKey: null,
    })
  })

  test('is read with paths relative to its file', async () => {
    const { folder, provenance } = await spec(
      [
        'provenance:',
        '  root: delivery',
        '  manifests: [SHA256SUMS, sub/croissant.json]',
        '  trust:',
        '    keys: [keys/vendor.pub]',
        '    certificates: [ca.pem]',
        '    identities: [{ identity: release@example.org, issuer: "https://accounts.example.org" }]',
        '    trusted-root: root.json',
        '  weakest-digest: sha1',
        '  coverage: 0.9',
        '  unlisted: fail',
        '  require-signature: true',
        '  baseline: { path: original.csv, columns: { label: y } }',
        '  schema: { columns: { x: "float32[3]", y: text }, nulls: ["", NA] }',
        '  snapshot: snapshots/2026-11',
        '  snapshot-key: { env: SNAPSHOT_KEY }',
        '',
      ].join('\n'),
    )
    expect(provenance).toEqual({
      root: join(folder, 'delivery'),
      manifests: ['SHA256SUMS', 'sub/croissant.json'],
      trust: {
        keys: [join(folder, 'keys/vendor.pub')],
        certificates: [join(folder, 'ca.pem')],
        identities: [{ identity: 'release@example.org', issuer: 'https://accounts.example.org' }],
        trustedRoot: join(folder, 'root.json'),
      },
      weakestDigest: 'sha1',
      coverage: 0.9,
      unlisted: 'fail',
      requireSignature: true,
      baseline: { path: join(folder, 'original.csv'), columns: { label: 'y' } },
      schema: { columns: { x: 'float32[3]', y: 'text' }, nulls: ['', 'NA'] },
      snapshot: join(folder, 'snapshots/2026-11'),
      snapshotKey: 'SNAPSHOT_KEY',
    })
  })

  test('merges with what it extends: maps by key, lists and baselines replace', async () => {
    const folder = await folderWith({
      'p.yaml': `${valid}extends: house/base.yaml\nprovenance: { trust: { keys: [own.pub] }, baseline: { path: o.csv } }\n`,
      'house/base.yaml':
        'version: 1\nprovenance: { unlisted: fail, trust: { keys: [a.pub, b.pub], certificates: [ca.pem] }, baseline: snapshots/1 }\n',
    })
    const { provenance } = (await loadPipeline(join(folder, 'p.yaml'))).pipeline
    expect(provenance).toMatchObject({
      unlisted: 'fail',
      trust: { keys: [join(folder, 'own.pub')], certificates: [join(folder, 'house/ca.pem')] },
      baseline: { path: join(folder, 'o.csv') },
    })
  })

  test('what the subject declares is kept', async () => {
    const { pipeline } = await spec(
      'subject: { declared: { rows: 3, classes: { "0": 1, normal: 2 }, columns: [id], files: { a.csv: 9 } } }\n',
    )
    expect(pipeline.subject.declared).toEqual({ rows: 3, classes: { '0': 1, normal: 2 }, columns: ['id'], files: { 'a.csv': 9 } })
  })

  test('may be required by the gate', async () => {
    const { pipeline } = await spec('gate: { require: [provenance] }\n', { knownDetectors: ['label-flip'] })
    expect(pipeline.gate.require).toEqual(['provenance'])
  })
})

test.each<[string, string, number, string, string]>([
  ['a key with a slip', 'provenance: { manifest: [a] }\n', 3, 'provenance.manifest', 'did you mean manifests?'],
  ['a key of another case', 'provenance:\n  weakestDigest: md5\n', 4, 'provenance.weakestDigest', 'did you mean weakest-digest?'],
  ['a key inside trust', 'provenance:\n  trust:\n    key: [a]\n', 5, 'provenance.trust.key', 'did you mean keys?'],
  ['an empty list of manifests', 'provenance: { manifests: [] }\n', 3, 'provenance.manifests', 'expected a list of files, or false'],
  ['a digest that does not exist', 'provenance: { weakest-digest: sha265 }\n', 3, 'provenance.weakest-digest', 'did you mean sha256?'],
  ['a coverage in percent', 'provenance: { coverage: 99 }\n', 3, 'provenance.coverage', 'a number from 0 to 1, found 99'],
  ['a word for a policy', 'provenance: { unlisted: alow }\n', 3, 'provenance.unlisted', 'did you mean allow?'],
  [
    'an identity without its issuer',
    'provenance: { trust: { identities: [{ identity: a }] } }\n',
    3,
    'provenance.trust.identities[0].issuer',
    'is missing',
  ],
  ['a baseline with a slip', 'provenance:\n  baseline: { pth: a.csv }\n', 4, 'provenance.baseline.pth', 'did you mean path?'],
  ['a baseline that is a number', 'provenance: { baseline: 7 }\n', 3, 'provenance.baseline', 'a folder that assay snapshot wrote'],
  [
    'a type that does not exist',
    'provenance: { schema: { columns: { x: float } } }\n',
    3,
    'provenance.schema.columns.x',
    'a type: text, int64',
  ],
  ['a key of snapshots in the file itself', 'provenance: { snapshot-key: secret }\n', 3, 'provenance.snapshot-key', 'a map with env'],
  ['rows below none', 'subject: { declared: { rows: -1 } }\n', 3, 'subject.declared.rows', 'a whole number from 0'],
  ['classes as a list', 'subject: { declared: { classes: [a] } }\n', 3, 'subject.declared.classes', 'a map from classes'],
])('%s is named with its line and key', async (_, text, line, key, words) => {
  const error = await refused({ 'p.yaml': `${valid}${text}` })
  expect(error.issues).toContainEqual(expect.objectContaining({ line, key }))
  expect(error.message).toContain(words)
})

describe('trust', () => {
  const files = { 'delivery/a.csv': 'id,label\n', 'delivery/keys/vendor.pub': '', 'vendor.pub': '' }
  test.each([
    ['a key', 'provenance: { trust: { keys: [delivery/keys/vendor.pub] } }\n'],
    ['a certificate', 'provenance: { trust: { certificates: [delivery/ca.pem] } }\n'],
    ['a trusted root', 'provenance: { trust: { trusted-root: delivery/root.json } }\n'],
    ['a baseline', 'provenance: { baseline: delivery/snapshots/1 }\n'],
    ['a trusted original', 'provenance: { baseline: { path: delivery/original/*.csv } }\n'],
    ['the labels of a trusted original', 'provenance: { baseline: { path: images, labels: delivery/labels/l.csv } }\n'],
    ['the next baseline', 'provenance: { snapshot: delivery/snapshots/2 }\n'],
    ['a key in the root of the manifests', 'provenance: { root: store, trust: { keys: [store/vendor.pub] } }\n'],
  ])('%s inside the delivery is refused', async (_, text) => {
    expect((await refused({ ...files, 'p.yaml': `${valid}${text}` })).code).toBe('untrusted-path')
  })

  test('a key of the command line inside the delivery is refused', async () => {
    expect((await refused({ ...files, 'p.yaml': valid }, { keys: ['delivery/keys/vendor.pub'] })).code).toBe('untrusted-path')
  })

  test('an original that the user names may lie beside its copy', async () => {
    const folder = await folderWith({
      ...files,
      'delivery/original.csv': 'id,label\n',
      'home/p.yaml': 'version: 1\nsources: [{ path: ../delivery/a.csv }]\nprovenance: { baseline: { path: ../delivery/original.csv } }\n',
    })
    expect((await loadPipeline(join(folder, 'home/p.yaml'))).pipeline.provenance?.baseline).toMatchObject({
      path: join(folder, 'delivery/original.csv'),
    })
    const whole = 'version: 1\nsources: [{ path: delivery }]\nprovenance: { baseline: { path: delivery/original.csv } }\n'
    expect((await refused({ ...files, 'p.yaml': whole })).code).toBe('untrusted-path')
  })

  test("keys and baselines in a user's own folder are fine, also beside the data", async () => {
    const folder = await folderWith({
      'a.csv': 'id,label\n',
      'p.yaml': 'version: 1\nsources: [{ path: a.csv }]\nprovenance: { trust: { keys: [own.pub] } }\n',
    })
    expect((await loadPipeline(join(folder, 'p.yaml'))).pipeline.provenance?.trust.keys).toEqual([join(folder, 'own.pub')])
  })
})

describe('the command line', () => {
  test('a baseline alone looks for no manifests', async () => {
    const folder = await folderWith({ 'a.csv': 'id,label\n' })
    const { provenance } = (await pipelineForData(['a.csv'], { cwd: folder, baseline: 'old/snapshot' })).pipeline
    expect(provenance).toMatchObject({ manifests: false, baseline: join(folder, 'old/snapshot') })
  })

  test('a key asks for manifests, and replaces those of the file', async () => {
    const { folder, provenance } = await spec('provenance: { trust: { keys: [a.pub] }, unlisted: fail }\n', { keys: ['b.pub'] })
    expect(provenance).toMatchObject({ manifests: null, unlisted: 'fail', trust: { keys: [join(folder, 'b.pub')] } })
    expect((await spec('', { keys: ['b.pub'], baseline: 'x' })).provenance).toMatchObject({ manifests: null })
  })

  test('a baseline replaces that of the file, and keeps the rest', async () => {
    const { folder, provenance } = await spec('provenance: { manifests: [S], baseline: { path: o.csv } }\n', { baseline: 'snapshots/2' })
    expect(provenance).toMatchObject({ manifests: ['S'], baseline: join(folder, 'snapshots/2') })
  })
})
