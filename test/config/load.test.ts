import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/errors.ts'
import { loadPipeline, type Overrides, pipelineForData } from '../../src/config/load.ts'
import { presetNames, presetPath } from '../../src/config/presets.ts'
import { folderWith } from './files.ts'

const knownDetectors = ['label-flip', 'spectral-signature']
const fingerprint = 'ab'.repeat(32)
const waiver = (
  lines = `    fingerprint: ${fingerprint}\n    statement: Relabelled by two readers\n    expires: 2027-06-30\n    maxCount: 3\n`,
) => `version: 1\nwaivers:\n  -${lines.slice(3)}`

async function failure(
  files: Readonly<Record<string, string | Uint8Array>>,
  overrides: Overrides = {},
): Promise<{ error: ConfigError; folder: string }> {
  const folder = await folderWith(files)
  const error = await loadPipeline(join(folder, 'p.yaml'), { knownDetectors, ...overrides }).then(
    () => null,
    (e: unknown) => e,
  )
  expect(error).toBeInstanceOf(ConfigError)
  return { error: error as ConfigError, folder }
}

const source = 'sources: [{ path: a.csv }]\n'
const valid = `version: 1\n${source}`

/** What is wrong, the file, then line, column, key and words that the message has to hold. */
const invalid: readonly (readonly [string, string, number, number, string, readonly string[]])[] = [
  ['an unknown key names the nearest', 'version: 1\nsourcs: []\n', 2, 1, 'sourcs', ['not a known key', 'did you mean sources?']],
  ['a nested unknown key', `${valid}gate:\n  fail_on: high\n`, 4, 3, 'gate.fail_on', ['did you mean fail-on?']],
  ['camel case for kebab case', `${valid}gate: { maxFlagged: 0.1 }\n`, 3, 9, 'gate.maxFlagged', ['did you mean max-flagged?']],
  ['a key of another place', `${valid}fail-on: high\n`, 3, 1, 'fail-on', ['fail-on belongs under gate']],
  [
    'an unknown role',
    'version: 1\nsources:\n  - path: a.csv\n    columns:\n      lable: y\n',
    5,
    7,
    'sources[0].columns.lable',
    ['did you mean label?'],
  ],
  ['a query of no database', 'version: 1\nsources:\n  - sql: select 1\n', 3, 5, 'sources[0].sql', ['needs connection']],
  ['no version', source, 1, 1, 'version', ['is missing', 'expected 1']],
  ['another version', `version: 2\n${source}`, 1, 10, 'version', ['expected 1, found 2']],
  ['a fraction in percent', `${valid}gate:\n  max-flagged: 5\n`, 4, 16, 'gate.max-flagged', ['a number from 0 to 1, found 5']],
  ['a word for a number', `${valid}gate: { max-flagged: many }\n`, 3, 22, 'gate.max-flagged', ['found "many"']],
  ['not a number', `${valid}gate: { max-flagged: .nan }\n`, 3, 22, 'gate.max-flagged', ['a number from 0 to 1']],
  ['a severity that does not exist', `${valid}gate: { fail-on: hihg }\n`, 3, 18, 'gate.fail-on', ['found "hihg"', 'did you mean high?']],
  ['review never gates', `${valid}gate: { fail-on: review }\n`, 3, 18, 'gate.fail-on', ['one of critical, high, medium, low, never']],
  [
    'a format that does not exist',
    `${valid}report: { formats: [html, pdf] }\n`,
    3,
    27,
    'report.formats[1]',
    ['html, json, sarif, markdown'],
  ],
  ['an empty section', `${valid}gate:\n`, 3, 1, 'gate', ['found nothing']],
  ['a section that is a list', `${valid}gate: []\n`, 3, 7, 'gate', ['expected a map', 'found an empty list']],
  [
    'a number where a column name belongs',
    'version: 1\nsources: [{ path: a.csv, columns: { label: 64 } }]\n',
    2,
    44,
    'sources[0].columns.label',
    ["put it in quotes: '64'"],
  ],
  [
    'a number within a list of columns',
    'version: 1\nsources: [{ path: a.csv, features: [a, 1] }]\n',
    2,
    40,
    'sources[0].features[1]',
    ["put it in quotes: '1'"],
  ],
  ['a number within a union', 'version: 1\nsources: [{ path: [a.csv, 7] }]\n', 2, 27, 'sources[0].path[1]', ['found 7']],
  [
    'a list for a role of one column',
    'version: 1\nsources: [{ path: a.csv, columns: { id: [a, b] } }]\n',
    2,
    41,
    'sources[0].columns.id',
    ['the name of a column, found a list'],
  ],
  ['a version that YAML reads as a number', `${valid}subject: { version: 1.10 }\n`, 3, 21, 'subject.version', ['put it in quotes']],
  ['a source that is a path', 'version: 1\nsources: [a.csv]\n', 2, 11, 'sources[0]', ['expected a map with path', 'found "a.csv"']],
  ['a source of nothing', 'version: 1\nsources: [{ format: csv }]\n', 2, 11, 'sources[0]', ['needs path']],
  [
    'features named twice',
    'version: 1\nsources: [{ path: a.csv, features: [x], columns: { features: [y] } }]\n',
    2,
    26,
    'sources[0].features',
    ['given twice'],
  ],
  [
    'columns beside arrays',
    'version: 1\nsources: [{ path: a.npz, arrays: { label: y }, columns: { label: y } }]\n',
    2,
    48,
    'sources[0].columns',
    ['name every role under arrays'],
  ],
  ['no source at all', 'version: 1\nsources: []\n', 2, 10, 'sources', ['a list with at least one source']],
  [
    'an unknown detector',
    `${valid}detectors:\n  label-filp: { fdr: 0.05 }\n`,
    4,
    3,
    'detectors.label-filp',
    ['is not a detector', 'did you mean label-flip?'],
  ],
  [
    'an unknown required detector',
    `${valid}gate:\n  require: [label-flip, nothing]\n`,
    4,
    25,
    'gate.require[1]',
    ['is not a detector', 'known: label-flip'],
  ],
  [
    'a detector switched on by true',
    `${valid}detectors: { label-flip: true }\n`,
    3,
    26,
    'detectors.label-flip',
    ['or false to switch the detector off'],
  ],
  [
    'required and switched off',
    `${valid}detectors: { label-flip: false }\ngate: { require: [label-flip] }\n`,
    3,
    26,
    'detectors.label-flip',
    ['keep one of the two'],
  ],
  ['a preset that does not exist', `extends: preset:pretrainig-gate\n${valid}`, 1, 10, 'extends', ['did you mean pretraining-gate?']],
  ['an extended file that does not exist', `extends:\n  - other.yaml\n${valid}`, 2, 5, 'extends[0]', ['there is no such file']],
  ['a key twice', `${valid}version: 1\n`, 3, 1, '', ['Map keys must be unique']],
  ['an unclosed list', 'version: 1\nsources: [{ path: a.csv }\n', 3, 1, '', ['Flow sequence']],
  ['a tab for indentation', 'version: 1\ngate:\n\tfail-on: high\n', 3, 1, '', ['Tabs']],
  ['two documents', `${valid}---\n${valid}`, 3, 1, '', ['multiple documents']],
  ['a tag', `${valid}subject: { name: !!binary aGk= }\n`, 3, 27, '', ['tags are not used']],
  ['an alias of nothing', `${valid}gate: *none\n`, 1, 1, '', ['none']],
  ['a prototype', `${valid}__proto__: { x: 1 }\n`, 3, 1, '', ['"__proto__" cannot be a key']],
  ['an alias bomb', `a: &a [x, x]\nb: &b [${'*a, '.repeat(60)}]\nc: [${'*b, '.repeat(60)}]\n`, 1, 1, '', ['alias']],
  ['a map that is no map', 'hello\n', 1, 1, '', ['expected a map', 'found "hello"']],
  ['an empty file', '', 1, 1, '', ['found nothing']],
  ['too deep for plain data', `version: 1\nx: ${'['.repeat(60)}${']'.repeat(60)}\n`, 2, 36, '', ['nested deeper than 32 levels']],
  ['image statistics of two channels', `${valid}features: { image: { mean: [1, 2] } }\n`, 3, 22, 'features.image.mean', ['1 or 3 numbers']],
]

describe('a mistake is named with its file, line, column and key', () => {
  test.each(invalid)('%s', async (_, text, line, column, key, words) => {
    const { error, folder } = await failure({ 'p.yaml': text })
    const issue = error.issues[0]
    expect({ line: issue?.line, column: issue?.column, key: issue?.key }).toEqual({ line, column, key })
    for (const word of words) expect(error.message).toContain(word)
    expect(error.message.startsWith(`${join(folder, 'p.yaml')}:${line}:${column}: `)).toBe(true)
    expect(error.exit).toBe(4)
  })

  test('every mistake of a file at once, in the order of the file', async () => {
    const { error } = await failure({ 'p.yaml': 'versoin: 1\nsources: [{ path: 1 }]\ngate:\n  fail-on: loud\n  max-flagged: 2\n' })
    expect(error.issues.map((i) => [i.line, i.key])).toEqual([
      [1, 'version'],
      [1, 'versoin'],
      [2, 'sources[0].path'],
      [4, 'gate.fail-on'],
      [5, 'gate.max-flagged'],
    ])
  })

  test('a missing file, a folder, binary data and a huge file', async () => {
    const folder = await folderWith({ 'p.yaml': new Uint8Array([0xff, 0xfe, 0x41]), 'big.yaml': `# ${'x'.repeat(1 << 20)}\n` })
    const code = (file: string) =>
      loadPipeline(join(folder, file)).then(
        () => 'loaded',
        (e: unknown) => (e as ConfigError).code,
      )
    expect(await code('none.yaml')).toBe('unreadable-config')
    expect(await code('.')).toBe('unreadable-config')
    expect(await code('p.yaml')).toBe('config-not-utf8')
    expect(await code('big.yaml')).toBe('config-too-large')
  })

  test('depth that no parser survives is an error on its line', async () => {
    const { error } = await failure({ 'p.yaml': `version: 1\nx: ${'['.repeat(100_000)}\n` })
    expect([error.code, error.place.line]).toEqual(['config-syntax', 2])
  })

  test('the position of a value behind an alias is where the value is written', async () => {
    const { error } = await failure({ 'p.yaml': 'version: 1\nsources:\n  - &s { path: a.csv, columns: { label: 5 } }\n  - *s\n' })
    expect(error.issues.map((i) => [i.key, i.line])).toEqual([
      ['sources[0].columns.label', 3],
      ['sources[1].columns.label', 3],
    ])
  })
})

describe('extends', () => {
  test('later wins, maps merge, lists replace, paths are relative to the file that names them', async () => {
    const folder = await folderWith({
      'p.yaml':
        'version: 1\nextends: [house/policy.yaml, strict.yaml]\nsources: [{ path: data/*.csv, labels: l.csv }, { arrays: { predictions: p.npy } }]\nreport: { formats: [json] }\n',
      'house/policy.yaml':
        'version: 1\nextends: preset:scheduled-audit\nreference: [{ path: gold.csv }]\ndetectors: { label-flip: { fdr: 0.1, model: lda } }\nwaivers: ../waivers.yaml\nfeatures: { text: { model: m.onnx, dims: 64 } }\n',
      'strict.yaml':
        'version: 1\ngate: { max-flagged: 0.001 }\ndetectors: { label-flip: { fdr: 0.01 } }\nfeatures: { text: { dims: 128 } }\n',
      'waivers.yaml': waiver(),
    })
    const { pipeline, base, waiverFile } = await loadPipeline(join(folder, 'p.yaml'), { knownDetectors })
    expect(base).toBe(folder)
    expect(waiverFile).toBe(join(folder, 'waivers.yaml'))
    expect(pipeline).toEqual({
      version: 1,
      history: { path: join(folder, 'history.duckdb') },
      subject: { name: 'p', version: null },
      sources: [{ path: join(folder, 'data/*.csv'), labels: join(folder, 'l.csv') }, { arrays: { predictions: join(folder, 'p.npy') } }],
      reference: [{ path: join(folder, 'house/gold.csv') }],
      features: { text: { model: join(folder, 'house/m.onnx'), dims: 128 } },
      detectors: { 'label-flip': { fdr: 0.01, model: 'lda' } },
      provenance: null,
      gate: { 'fail-on': 'high', 'max-flagged': 0.001, require: [], 'min-coverage': 0.95 },
      waivers: [{ fingerprint, statement: 'Relabelled by two readers', expires: '2027-06-30', maxCount: 3 }],
      report: { formats: ['json'], excerpts: false, flags: 'parquet', scores: 'parquet' },
    })
  })

  test('false switches a detector off that an extended file configures, and a map switches it on again', async () => {
    const folder = await folderWith({
      'p.yaml': `${valid}extends: off.yaml\ndetectors: { spectral-signature: { k: 2 } }\n`,
      'off.yaml': 'version: 1\nextends: on.yaml\ndetectors: { label-flip: false, spectral-signature: false }\n',
      'on.yaml': 'version: 1\ndetectors: { label-flip: { fdr: 0.1 } }\n',
    })
    const { pipeline } = await loadPipeline(join(folder, 'p.yaml'), { knownDetectors })
    expect(pipeline.detectors).toEqual({ 'label-flip': false, 'spectral-signature': { k: 2 } })
  })

  test.each([
    ['itself', { 'p.yaml': `${valid}extends: p.yaml\n` }, 'extends-cycle', 3],
    ['in a circle', { 'p.yaml': `${valid}extends: q.yaml\n`, 'q.yaml': 'version: 1\nextends: ./p.yaml\n' }, 'extends-cycle', 2],
    [
      'without end',
      {
        'p.yaml': `${valid}extends: x0.yaml\n`,
        ...Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`x${i}.yaml`, `version: 1\nextends: x${i + 1}.yaml\n`])),
      },
      'extends-too-deep',
      2,
    ],
    ['too often', { 'p.yaml': `${valid}extends: [${'o.yaml, '.repeat(40)}]\n`, 'o.yaml': 'version: 1\n' }, 'extends-too-deep', 3],
    ['in a broken file', { 'p.yaml': `${valid}extends: o.yaml\n`, 'o.yaml': 'version: 1\n\ngatee: {}\n' }, 'invalid-config', 3],
  ])('a file that extends %s is an error', async (_, files, code, line) => {
    const { error } = await failure(files as Record<string, string>)
    expect([error.code, error.place.line]).toEqual([code, line])
  })

  test('without sources there is nothing to audit', async () => {
    const { error } = await failure({ 'p.yaml': 'version: 1\nextends: preset:vendor-intake\n' })
    expect(error.code).toBe('no-sources')
  })

  test.each([['pretraining-gate'], ['scheduled-audit'], ['vendor-intake']])('the preset %s is valid', async (name) => {
    expect(await presetNames()).toContain(name)
    const { pipeline } = await pipelineForData(['a.csv'], { preset: name, knownDetectors })
    expect(pipeline.report.formats).toEqual(['html', 'json', 'sarif', 'markdown'])
    expect((await loadPipeline(presetPath(name), { data: ['a.csv'], knownDetectors })).pipeline.gate).toEqual(pipeline.gate)
  })
})

describe('waivers', () => {
  const entry = (changes: Readonly<Record<string, string>>): string => {
    const all = { fingerprint, statement: 'seen', expires: '2027-06-30', maxCount: '3', ...changes }
    return `version: 1\nwaivers:\n${Object.entries(all)
      .map(([key, value], i) => `${i ? '    ' : '  - '}${key}: ${value}\n`)
      .join('')}`
  }
  test.each([
    ['a short fingerprint', entry({ fingerprint: 'abc' }), 3, 18, 'waivers[0].fingerprint', '64 hexadecimal digits'],
    ['a date that does not exist', entry({ expires: '2027-02-30' }), 5, 5, 'waivers[0].expires', 'has to be a date'],
    ['a time', entry({ expires: 'soon' }), 5, 5, 'waivers[0].expires', 'has to be a date'],
    ['no records', entry({ maxCount: '0' }), 6, 15, 'waivers[0].maxCount', 'a whole number from 1, found 0'],
    ['half a record', entry({ maxCount: '1.5' }), 6, 15, 'waivers[0].maxCount', 'found 1.5'],
    ['an unknown key', entry({ max_count: '4' }), 7, 5, 'waivers[0].max_count', 'not a known key'],
    ['no statement', entry({ statement: "''" }), 4, 16, 'waivers[0].statement', 'the reason'],
    [
      'a missing expiry',
      waiver(`    fingerprint: ${fingerprint}\n    statement: x\n    maxCount: 3\n`),
      3,
      5,
      'waivers[0].expires',
      'is missing',
    ],
    [
      'one finding twice',
      `${entry({})}${entry({}).split('\n').slice(2).join('\n')}`,
      7,
      18,
      'waivers[1].fingerprint',
      'waived already by waivers[0]',
    ],
  ])('%s', async (_, text, line, column, key, words) => {
    const { error, folder } = await failure({ 'p.yaml': `${valid}waivers: w.yaml\n`, 'w.yaml': text })
    expect(error.issues[0]).toMatchObject({ file: join(folder, 'w.yaml'), line, column, key })
    expect(error.message).toContain(words)
  })
})

describe('trust', () => {
  const delivery = { 'delivery/a.csv': 'id,label\n', 'delivery/w.yaml': waiver(), 'delivery/deep/q.yaml': 'version: 1\n' }
  test.each([
    ['waivers beside globbed data', 'version: 1\nsources: [{ path: delivery/*.csv }]\nwaivers: delivery/w.yaml\n'],
    ['waivers within an audited folder', 'version: 1\nsources: [{ path: delivery }]\nwaivers: delivery/w.yaml\n'],
    ['a policy within an audited folder', 'version: 1\nsources: [{ path: delivery/ }]\nextends: delivery/deep/q.yaml\n'],
    [
      'a table of claims beside globbed data',
      'version: 1\nsources: [{ path: delivery/*.csv }]\ndetectors: { label-flip: { table: delivery/t.csv } }\n',
    ],
  ])('%s are refused', async (_, text) => {
    const { error } = await failure({ ...delivery, 'p.yaml': text })
    expect(error.code).toBe('untrusted-path')
  })

  test('a policy from inside the data that the command line names is refused', async () => {
    const folder = await folderWith({ ...delivery, 'delivery/p.yaml': 'version: 1\n' })
    const load = loadPipeline('delivery/p.yaml', { cwd: folder, data: ['delivery/*.csv'] })
    await expect(load).rejects.toMatchObject({ code: 'untrusted-path' })
  })

  test("a user's own folder may hold data, pipeline and waivers", async () => {
    const folder = await folderWith({
      'a.csv': '',
      'w.yaml': waiver(),
      'p.yaml': 'version: 1\nsources: [{ path: "*.csv" }]\nwaivers: w.yaml\n',
    })
    expect((await loadPipeline(join(folder, 'p.yaml'))).pipeline.waivers).toHaveLength(1)
  })
})

describe('the command line', () => {
  test('wins over the preset, which wins over the file', async () => {
    const folder = await folderWith({ 'p.yaml': `${valid}gate: { fail-on: low, max-flagged: 0.5 }\n` })
    const { pipeline } = await loadPipeline('p.yaml', {
      cwd: folder,
      preset: 'vendor-intake',
      maxFlagged: 0.3,
      columns: { label: 'y' },
      formats: ['json'],
      excerpts: true,
      flags: 'csv',
      scores: 'jsonl',
      reference: ['gold.csv'],
    })
    expect(pipeline.gate).toMatchObject({ 'fail-on': 'high', 'max-flagged': 0.3 })
    expect(pipeline.report).toEqual({ formats: ['json'], excerpts: true, flags: 'csv', scores: 'jsonl' })
    expect(pipeline.sources).toEqual([{ path: join(folder, 'a.csv'), columns: { label: 'y' } }])
    expect(pipeline.reference).toEqual([{ path: join(folder, 'gold.csv'), columns: { label: 'y' } }])
  })

  test('data of the command line are read as the file says', async () => {
    const folder = await folderWith({ 'p.yaml': 'version: 1\nsources: [{ path: old.csv, columns: { id: uid } }]\n' })
    const { pipeline, base } = await loadPipeline('p.yaml', { cwd: folder, data: ['b.csv', 'c.csv'], columns: { label: 'y' } })
    expect(pipeline.sources).toEqual([{ path: [join(folder, 'b.csv'), join(folder, 'c.csv')], columns: { id: 'uid', label: 'y' } }])
    expect(base).toBe(folder)
  })

  test.each<[string, readonly string[], Overrides, unknown, string]>([
    ['one file', ['d/x.csv.gz'], {}, { path: '/w/d/x.csv.gz' }, 'x'],
    ['a glob', ['d/*.parquet'], { columns: { label: 'y' } }, { path: '/w/d/*.parquet', columns: { label: 'y' } }, 'd'],
    ['standard input', ['-'], {}, { path: '-' }, 'standard input'],
    [
      'members of an .npz',
      ['x.npz'],
      { columns: { image: 'i', label: 'l' } },
      { path: '/w/x.npz', arrays: { image: 'i', label: 'l' } },
      'x',
    ],
    [
      '.npy files',
      [],
      { columns: { predictions: 'p.npy', label: 'y.npy' } },
      { arrays: { predictions: '/w/p.npy', label: '/w/y.npy' } },
      'w',
    ],
    [
      'aligned files',
      ['d/cifar.labels.npy', 'd/cifar.predictions.npy'],
      {},
      { path: ['/w/d/cifar.labels.npy', '/w/d/cifar.predictions.npy'] },
      'cifar',
    ],
    ['unlike files', ['d/a.csv', 'd/b.csv'], {}, { path: ['/w/d/a.csv', '/w/d/b.csv'] }, 'd'],
    ['labels of images', ['scans'], { labels: 'l.csv' }, { path: '/w/scans', labels: '/w/l.csv' }, 'scans'],
  ])('audits %s', async (_, data, overrides, expected, name) => {
    const { pipeline, waiverFile } = await pipelineForData(data, { ...overrides, cwd: '/w', knownDetectors })
    expect(pipeline.sources).toEqual([expected])
    expect(pipeline.subject).toEqual({ name, version: null })
    expect(waiverFile).toBeNull()
  })

  test('names columns of a source that names none, and leaves the rest to the guess', async () => {
    const folder = await folderWith({
      'p.yaml':
        'version: 1\nsources: [{ path: a.csv }, { path: b.csv, columns: { id: uid } }, { path: c.npz }]\nreference: [{ path: g.csv }]\n',
    })
    const { partial, pipeline } = await loadPipeline('p.yaml', { cwd: folder, columns: { label: 'y' } })
    expect(partial).toEqual({ sources: [0], reference: [0] })
    expect(pipeline.sources.map((s) => s.columns ?? s.arrays)).toEqual([{ label: 'y' }, { id: 'uid', label: 'y' }, { label: 'y' }])
    expect((await loadPipeline('p.yaml', { cwd: folder })).partial).toEqual({ sources: [], reference: [] })
  })

  test('globs keep their meaning in a folder with brackets, and addresses stay', async () => {
    const folder = await folderWith({ '[a]/p.yaml': 'version: 1\nsources: [{ path: ["*.csv", "s3://bucket/x.csv", "b.csv"] }]\n' })
    const { pipeline } = await loadPipeline(join(folder, '[a]/p.yaml'))
    expect(pipeline.sources[0]?.path).toEqual([`${folder}/\\[a\\]/*.csv`, 's3://bucket/x.csv', join(folder, '[a]/b.csv')])
  })

  test('no data and an unknown preset are errors', async () => {
    await expect(pipelineForData([])).rejects.toMatchObject({ code: 'no-sources', exit: 4 })
    await expect(pipelineForData(['a.csv'], { preset: 'vendor-intak' })).rejects.toMatchObject({
      code: 'unknown-preset',
      hint: 'did you mean vendor-intake?',
    })
  })
})
