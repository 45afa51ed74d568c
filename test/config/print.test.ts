import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { loadPipeline } from '../../src/config/load.ts'
import { printConfig } from '../../src/config/print.ts'
import type { BaseModelSpec } from '../../src/contracts/base-model.ts'
import { type Role, roles, type SourceListing, type SourceSpec } from '../../src/contracts/data.ts'
import { type Declared, flagFormats, type Pipeline, type ProvenanceSpec, reportFormats } from '../../src/contracts/pipeline.ts'
import { digestAlgorithms } from '../../src/contracts/provenance.ts'
import { folderWith } from './files.ts'

const word = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12 }),
  fc.constantFrom(
    'yes',
    '007',
    '1e3',
    'null',
    '# x',
    ': a',
    '- b',
    'a\nb',
    '"',
    "'",
    '&a',
    '*a',
    '!!int',
    'été',
    '\u2028',
    '\u0000x',
    '=',
    '<<',
    '~',
  ),
)
const fileName = fc.stringMatching(/^[a-z][a-z0-9_ é-]{0,9}\.(csv|parquet)$/)
const one = <T>(values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const optional = <T extends object>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(shape, { requiredKeys: [] })
const unit = fc.double({ min: 0, max: 1, noNaN: true }).map((x) => x + 0)
const single = roles.filter((r) => !['embedding', 'features', 'predictions'].includes(r))

const columns = fc.dictionary(one(single), word, { maxKeys: 4, noNullPrototype: true }).map((c) => ({ ...c }))
const source = (folder: string): fc.Arbitrary<SourceSpec> => {
  const path = fileName.map((name) => join(folder, name))
  return fc.oneof(
    fc
      .tuple(
        fc.oneof(path, fc.array(path, { minLength: 1, maxLength: 3 })),
        optional({
          columns,
          features: fc.array(word, { minLength: 1, maxLength: 3 }),
          format: word,
          labels: path,
          classes: fc.array(word, { minLength: 1, maxLength: 3 }),
        }),
      )
      .map(([p, rest]) => ({ path: p, ...rest })),
    fc.dictionary(one(single), path, { minKeys: 1, maxKeys: 3, noNullPrototype: true }).map((arrays) => ({ arrays: { ...arrays } })),
  )
}
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    word,
    fc.boolean(),
    fc.constant(null),
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
    fc.array(tie('value'), { maxLength: 2 }),
  ),
})).value

const count = fc.nat(1_000_000)
const plainKey = word.filter((w) => w !== '__proto__')
const counts = fc.dictionary(plainKey, count, { maxKeys: 3, noNullPrototype: true })
const declared = optional<Declared>({ rows: count, classes: counts, columns: fc.array(word, { maxLength: 3 }), files: counts })

const provenance = (folder: string): fc.Arbitrary<ProvenanceSpec> => {
  const file = fileName.map((name) => join(folder, name))
  const files = fc.array(file, { maxLength: 2 })
  return fc.record({
    // what is trusted may not lie in it
    root: fc.option(fileName.map((name) => join(folder, 'delivery', name))),
    manifests: fc.oneof(fc.constant(null), fc.constant(false as const), fc.array(word, { minLength: 1, maxLength: 2 })),
    trust: fc.record({
      keys: files,
      certificates: files,
      identities: fc.array(fc.record({ identity: word, issuer: word }), { maxLength: 2 }),
      trustedRoot: fc.option(file),
    }),
    weakestDigest: one(digestAlgorithms),
    coverage: unit,
    unlisted: one(['allow', 'report', 'fail'] as const),
    requireSignature: fc.boolean(),
    baseline: fc.oneof(fc.constant(null), file, source(folder)),
    schema: fc.option(
      fc.record({
        columns: fc.option(
          fc.dictionary(plainKey, fc.constantFrom('text', 'int64', 'float32[512]', 'int64[]'), { maxKeys: 3, noNullPrototype: true }),
        ),
        nulls: fc.array(fc.constantFrom('', 'NA', '-'), { maxLength: 2 }),
      }),
    ),
    snapshot: fc.option(file),
    snapshotKey: fc.option(word),
  })
}

const baseModel = (folder: string): fc.Arbitrary<BaseModelSpec> => {
  const file = fileName.map((name) => join(folder, name))
  const pair = fc.tuple(fc.nat(65_535), fc.nat(65_535))
  return fc.record({
    model: file,
    layer: fc.option(word),
    classes: fc.option(fc.array(word, { minLength: 2, maxLength: 3 })),
    size: fc.option(fc.integer({ min: 4, max: 1024 })),
    channels: fc.option(one([1, 3] as const)),
    mean: fc.option(fc.array(unit, { minLength: 1, maxLength: 1 })),
    std: fc.option(fc.array(unit, { minLength: 3, maxLength: 3 })),
    triggers: fc.array(fc.record({ file, target: fc.option(word), at: fc.option(pair), frame: fc.option(pair), opacity: unit }), {
      maxLength: 2,
    }),
    images: fc.option(one(['reference', 'subject'] as const)),
    samples: fc.integer({ min: 200, max: 1000 }),
  })
}

const pipeline = (folder: string): fc.Arbitrary<Pipeline> =>
  fc
    .record({
      version: fc.constant(1 as const),
      subject: fc
        .record({ name: word, version: fc.option(word), declared: fc.option(declared, { nil: undefined }) })
        .map(({ declared: d, ...rest }) => (d === undefined ? rest : { ...rest, declared: d })),
      sources: fc.array(source(folder), { minLength: 1, maxLength: 3 }),
      reference: fc.array(source(folder), { maxLength: 2 }),
      features: fc.oneof(
        fc.constant({}),
        fc.record({
          text: optional({
            dims: fc.integer({ min: 8, max: 4096 }),
            model: fileName.map((n) => join(folder, n)),
            pooling: one(['mean', 'cls'] as const),
          }),
        }),
      ),
      detectors: fc.dictionary(
        word.filter((w) => w !== '__proto__'),
        fc.oneof(
          fc.constant(false as const),
          fc.dictionary(
            word.filter((w) => w !== '__proto__'),
            json,
            { maxKeys: 3, noNullPrototype: true },
          ),
        ),
        { maxKeys: 2, noNullPrototype: true },
      ),
      provenance: fc.option(provenance(folder)),
      baseModel: fc.option(baseModel(folder), { nil: undefined }),
      gate: fc.record({
        'fail-on': one(['critical', 'high', 'medium', 'low', 'never'] as const),
        'max-flagged': unit,
        require: fc.constant([]),
        'min-coverage': unit,
      }),
      waivers: fc.constant([]),
      report: fc.record({
        formats: fc.uniqueArray(one(reportFormats), { maxLength: 4 }),
        excerpts: fc.boolean(),
        flags: one(flagFormats),
        scores: fc.option(one(flagFormats)),
      }),
    })
    .map(({ baseModel: model, ...rest }) => (model === undefined ? rest : { ...rest, baseModel: model })) as fc.Arbitrary<Pipeline>

const shard = (format: string, members: Readonly<Record<string, string>> = {}) =>
  ({ id: 'a', format, path: '/a', bytes: 1, expectedRows: null, options: { members } }) as const

const listing = (
  cells: readonly (readonly [string, Role | null])[],
  shards: SourceListing['shards'] = [shard('csv')],
  files: SourceListing['files'] = [],
): SourceListing => ({
  shards,
  columns: cells.map(([name, role]) => ({ name, type: 'text\n# x', role })),
  roles: [],
  guessed: true,
  files,
})

test('what is printed reads back as the same pipeline', async () => {
  const folder = await folderWith({})
  await fc.assert(
    fc.asyncProperty(pipeline(folder), fc.boolean(), async (before, absolute) => {
      const text = printConfig(before, [], absolute ? {} : { relativeTo: folder })
      await writeFile(join(folder, 'p.yaml'), text)
      expect((await loadPipeline(join(folder, 'p.yaml'))).pipeline).toEqual(before)
    }),
    { numRuns: 150 },
  )
})

test('the guess is written down, and names of columns stay names', async () => {
  const folder = await folderWith({})
  const names = fc.uniqueArray(word, { minLength: 2, maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(names, async (columns) => {
      const cells = columns.map((name, i) => [name, i === 0 ? 'label' : i === 1 ? null : 'features'] as const)
      const before = {
        version: 1,
        subject: { name: 's', version: null },
        sources: [{ path: join(folder, 'a.csv') }],
        reference: [],
        features: {},
        detectors: {},
        provenance: null,
        gate: { 'fail-on': 'high', 'max-flagged': 0, require: [], 'min-coverage': 1 },
        waivers: [],
        report: { formats: [], excerpts: false, flags: 'csv', scores: null },
      } as const satisfies Pipeline
      await writeFile(join(folder, 'p.yaml'), printConfig(before, [listing(cells)], { relativeTo: folder }))
      const { pipeline } = await loadPipeline(join(folder, 'p.yaml'))
      const features = columns.slice(2)
      expect(pipeline).toEqual({
        ...before,
        sources: [{ path: join(folder, 'a.csv'), columns: { label: columns[0] }, ...(features.length ? { features } : {}) }],
      })
    }),
    { numRuns: 100 },
  )
})

const arrays = [
  ['images', 'image'],
  ['labels', 'label'],
] as const

test.each<[string, SourceListing, unknown]>([
  [
    'members of an .npz by their names',
    listing(arrays, [shard('npz', { images: 'train_images', labels: 'train_labels' })]),
    { path: 'x.npz', arrays: { label: 'train_labels', image: 'train_images' } },
  ],
  [
    'splits of an .npz not at all, because only the guess reads them all',
    listing(arrays, [shard('npz', { images: 'train_images' }), shard('npz', { images: 'test_images' })]),
    { path: 'x.npz' },
  ],
  [
    '.npy files as arrays',
    listing(
      arrays,
      [shard('npy')],
      ['images', 'labels'].map((name) => ({ path: `/d/${name}`, id: name, bytes: 1 })),
    ),
    { arrays: { label: '/d/labels', image: '/d/images' } },
  ],
])('a guess writes %s', async (_, list, expected) => {
  const folder = await folderWith({
    'p.yaml': 'version: 1\nsources: [{ path: x.npz }]\nwaivers: w.yaml\n',
    'w.yaml': 'version: 1\nwaivers: []\n',
  })
  const { pipeline, waiverFile } = await loadPipeline(join(folder, 'p.yaml'))
  await writeFile(join(folder, 'q.yaml'), printConfig(pipeline, [list], { relativeTo: folder, waiverFile }))
  const again = await loadPipeline(join(folder, 'q.yaml'))
  const path = (expected as { path?: string }).path
  expect(again.pipeline.sources).toEqual([path === undefined ? expected : { ...(expected as object), path: join(folder, path) }])
  expect(again.waiverFile).toBe(join(folder, 'w.yaml'))
})
