import { describe, expect, it } from 'vitest'
import { fileOf, splitNameOf, splitsOf } from '../../../src/provenance/changes/split.ts'

describe('splits', () => {
  it.each([
    ['images.npz#train', 'train'],
    ['data.parquet#100+50', null],
    ['data/test-00000-of-00002.parquet', 'test'],
    ['train.csv', 'train'],
    ['Train/part-1.jsonl', 'train'],
    ['train/test.csv', 'test'],
    ['my_validation_set.csv', 'validation'],
    ['trains.csv', null],
    ['contest.csv', null],
    ['x.npz#', null],
  ])('%s is of %s', (shard, split) => {
    expect(splitNameOf(shard)).toBe(split)
  })

  it('a part of a file is the file', () => {
    expect(fileOf('a#b.parquet#0+10')).toBe('a#b.parquet')
    expect(fileOf('a.npz#train')).toBe('a.npz#train')
  })

  it('are named only where there are several', () => {
    expect(splitsOf(['a/train.csv', 'b/train.csv'])('a/train.csv')).toBeNull()
    expect(splitsOf(['a.csv', 'b.csv'])('a.csv')).toBeNull()
    const split = splitsOf(['train.csv', 'test.csv', 'extra.csv'])
    expect([split('train.csv'), split('test.csv'), split('extra.csv')]).toEqual(['train', 'test', 'the rest'])
  })
})
