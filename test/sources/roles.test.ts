import { describe, expect, test } from 'vitest'
import type { ColumnMap } from '../../src/contracts/data.ts'
import { guessRoles } from '../../src/sources/roles.ts'
import { sampleColumn } from '../../src/sources/sample.ts'

const rows = 60
const make: Record<string, (i: number) => unknown> = {
  unique: (i) => `r${i}`,
  count: (i) => i,
  classes: (i) => ['cat', 'dog', 'bird'][i % 3],
  binary: (i) => i % 2,
  people: (i) => `annotator ${i % 7}`,
  words: (i) => `a sentence about ${i} and more`,
  real: (i) => Math.sin(i),
  vector: (i) => [Math.sin(i), Math.cos(i), i],
  odds: (i) => [0.25 + (i % 2) / 2, 0.75 - (i % 2) / 2],
  share: (i) => (i % 4) / 4,
  png: () => new Uint8Array(9),
  address: (i) => `https://example.org/${i}`,
  tags: () => ['a', 'b'],
}

const guess = (columns: Record<string, string>): ColumnMap =>
  guessRoles(
    Object.entries(columns).map(([name, kind]) => {
      const of = make[kind] as (i: number) => unknown
      return sampleColumn(name, { kind: 'values', values: Array.from({ length: rows }, (_, i) => of(i)) }, null, false)
    }),
  )

describe('roles guessed from names and first rows', () => {
  test.each<[string, Record<string, string>, ColumnMap]>([
    ['a labelled table', { id: 'unique', a: 'real', b: 'real', target: 'binary' }, { id: 'id', label: 'target', features: ['a', 'b'] }],
    [
      'words beside numbers are categories, unless they are texts or name a source',
      { a: 'real', colour: 'classes', remark: 'words', hospital: 'people', y: 'binary' },
      { label: 'y', source: 'hospital', features: ['a'], categories: ['colour'] },
    ],
    [
      'a rating is the label of texts, and a number like others in a table',
      { review: 'words', rating: 'classes', topic: 'classes' },
      { text: 'review', label: 'rating' },
    ],
    ['a rating in a table', { a: 'real', rating: 'share' }, { features: ['a', 'rating'] }],
    [
      'a note of few phrases beside numbers is a category; alone it is a text',
      { a: 'real', note: 'classes', y: 'binary' },
      { label: 'y', features: ['a'], categories: ['note'] },
    ],
    ['a note of few phrases without numbers', { note: 'classes', y: 'binary' }, { label: 'y', text: 'note' }],
    [
      'words alone are categories',
      { target: 'binary', shape: 'classes', size: 'classes' },
      { label: 'target', categories: ['shape', 'size'] },
    ],
    ['labels by many names', { Diagnosis: 'classes', x1: 'real' }, { label: 'Diagnosis', features: ['x1'] }],
    [
      'camel case and spaces',
      { recordId: 'unique', 'Given Label': 'classes', 'free-text note': 'words' },
      { id: 'recordId', label: 'Given Label', text: 'free-text note' },
    ],
    [
      'a text corpus',
      { uid: 'unique', note: 'words', annotator: 'people', label: 'classes' },
      { id: 'uid', text: 'note', source: 'annotator', label: 'label' },
    ],
    [
      'annotator_id is a source, not an id',
      { annotator_id: 'people', text: 'words', label: 'binary' },
      { source: 'annotator_id', text: 'text', label: 'label' },
    ],
    ['an id that repeats is none', { patient_id: 'people', text: 'words' }, { text: 'text' }],
    ['instructions', { instruction: 'words', output: 'words' }, { text: 'instruction', response: 'output' }],
    ['text before question', { question: 'words', text: 'words' }, { text: 'text' }],
    ['embeddings', { uid: 'unique', vec: 'vector', label: 'classes', extra: 'real' }, { id: 'uid', embedding: 'vec', label: 'label' }],
    ['the only list is an embedding', { sentence_bert: 'vector', label: 'classes' }, { embedding: 'sentence_bert', label: 'label' }],
    [
      'the only list of probabilities is predictions',
      { model_out: 'odds', label: 'classes' },
      { predictions: 'model_out', label: 'label' },
    ],
    [
      'predictions in several columns',
      { p_cat: 'share', p_dog: 'share', label: 'classes' },
      { predictions: ['p_cat', 'p_dog'], label: 'label' },
    ],
    ['numbered predictions', { p0: 'share', p1: 'share', label: 'classes' }, { predictions: ['p0', 'p1'], label: 'label' }],
    [
      'measurements whose names begin with p are no predictions',
      { petal_length: 'real', petal_width: 'real', perimeter_mean: 'real', probing_depth: 'real', species: 'classes' },
      { features: ['petal_length', 'petal_width', 'perimeter_mean', 'probing_depth'], label: 'species' },
    ],
    ['images in a table', { 'image.bytes': 'png', 'image.path': 'unique', label: 'binary' }, { image: 'image.bytes', label: 'label' }],
    ['addresses', { text: 'words', url: 'address' }, { text: 'text', url: 'url' }],
    ['a measurement called target is no label', { target: 'real', a: 'real' }, { features: ['a'] }],
    ['row numbers are no features', { 'Unnamed: 0': 'count', index: 'count', a: 'real', y: 'binary' }, { features: ['a'], label: 'y' }],
    ['lists of words are nothing', { tags: 'tags', label: 'classes' }, { label: 'label' }],
    ['nothing at all', { tags: 'tags' }, {}],
  ])('%s', (_, columns, expected) => {
    expect(guess(columns)).toEqual(expected)
  })

  test('a label with a class for nearly every row is no label', () => {
    expect(guess({ label: 'unique', text: 'words' })).toEqual({ text: 'text' })
  })
})
