import { describe, expect, it } from 'vitest'
import { dataCard } from '../../../src/provenance/manifests/data-card.ts'
import { problems } from './deliver.ts'
import { readAll, readOne, unpack } from './packages.ts'

const card = `---
license: mit
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': normal
          '1': pneumonia
          '10': neither
          '2': both
  - name: tags
    sequence: string
  - name: answer
    struct:
    - name: text
      dtype: string
  splits:
  - name: train
    num_bytes: 123456
    num_examples: 4708
  - name: test
    num_bytes: 1234
    num_examples: 624
  download_size: 4172691
  dataset_size: 124690
---

# A data set
`

const expected = {
  rows: 5332,
  splits: { train: 4708, test: 624 },
  classNames: ['normal', 'pneumonia', 'both', 'neither'],
  columns: [
    { name: 'image', type: 'image' },
    { name: 'label', type: 'class' },
    { name: 'tags', type: 'list' },
    { name: 'answer', type: 'object' },
  ],
}

describe('data cards', () => {
  it('declare splits, columns and classes in the front matter of README.md', async () => {
    const manifest = await readOne(dataCard, { 'README.md': card, 'train.csv': 'a\n' })
    expect(manifest).toMatchObject({ kind: 'data-card', entries: [], closed: null, own: ['README.md'], problems: [] })
    expect(manifest.facts).toMatchObject([{ ...expected, by: 'README.md, configuration default' }])
  })

  it('may have several configurations', async () => {
    const text =
      '---\ndataset_info:\n- config_name: en\n  splits:\n  - {name: train, num_examples: 3}\n- config_name: de\n  splits:\n  - {name: train, num_examples: 4}\n---\n'
    const { facts } = await readOne(dataCard, { 'data/readme.md': text })
    expect(facts.map(({ rows, by }) => [rows, by])).toEqual([
      [3, 'data/readme.md, configuration en'],
      [4, 'data/readme.md, configuration de'],
    ])
  })

  it('declare the same in dataset_infos.json and dataset_info.json', async () => {
    const info = {
      features: {
        image: { _type: 'Image' },
        label: { _type: 'ClassLabel', names: ['normal', 'pneumonia'] },
        text: { dtype: 'string', _type: 'Value' },
        tags: [{ dtype: 'string', _type: 'Value' }],
        nested: { a: { dtype: 'int32', _type: 'Value' } },
      },
      splits: { train: { name: 'train', num_examples: 4708 }, test: { num_examples: '624' } },
    }
    const facts = {
      rows: 5332,
      splits: { train: 4708, test: 624 },
      classNames: ['normal', 'pneumonia'],
      columns: [
        { name: 'image', type: 'Image' },
        { name: 'label', type: 'class' },
        { name: 'text', type: 'string' },
        { name: 'tags', type: 'list' },
        { name: 'nested', type: 'object' },
      ],
    }
    expect((await readOne(dataCard, { 'dataset_infos.json': JSON.stringify({ plain: info }) })).facts).toMatchObject([
      { ...facts, by: 'dataset_infos.json, configuration plain' },
    ])
    expect((await readOne(dataCard, { 'dataset_info.json': JSON.stringify(info) })).facts).toMatchObject([facts])
  })

  it.each(['# A data set\n', '---\nlicense: mit\n---\n', '---\nx: 1\n', 'dataset_info:\n  splits: []\n'])(
    'are not every README.md: %j',
    async (text) => {
      expect(await readAll(dataCard, await unpack({ 'README.md': text }))).toEqual([])
    },
  )

  it('say nothing of rows where a split has no count', async () => {
    const { facts } = await readOne(dataCard, {
      'dataset_info.json': '{"splits": {"train": {"num_examples": 3}, "test": {}}, "features": {"a": {"dtype": "int64"}}}',
    })
    expect(facts).toMatchObject([{ rows: null, splits: null, columns: [{ name: 'a', type: 'int64' }] }])
  })

  it.each([
    ['{"a": 1}', ['malformed: dataset_infos.json, configuration a is not an object.']],
    ['{"a": {"splits": 1, "features": 2}}', []],
    ['{"a": {"splits": [1, null], "features": [1, {"name": 2}]}}', []],
    ['{"__proto__": {"splits": {"train": {"num_examples": -1}}}}', []],
    ['[', ['malformed: dataset_infos.json is not JSON.']],
    ['7', []],
  ])('survive %s', async (text, expectedProblems) => {
    const manifest = await readOne(dataCard, { 'dataset_infos.json': text })
    expect(problems(manifest)).toEqual(expectedProblems)
    expect(manifest.facts).toEqual([])
  })

  it('have a line where their YAML breaks', async () => {
    const manifest = await readOne(dataCard, { 'README.md': '---\na: 1\ndataset_info: [\n---\n' })
    expect(manifest.problems).toMatchObject([{ code: 'malformed', invalid: true, place: { file: 'README.md' } }])
  })
})
