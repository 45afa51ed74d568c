import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { listSources } from '../../src/sources/list.ts'
import { folder, load, readAll, refusal } from './make.ts'

const { dir, put } = folder()

describe('folders of text files', () => {
  test('one record a file, its class the name of its folder', async () => {
    for (let i = 0; i < 6; i++) put(`mail/${i % 2 ? 'spam' : 'ham'}/${i}.txt`, `\ufeffMail ${i}\n`)
    const { listing, rows, issues } = await load({ path: 'mail' }, dir)
    expect(listing.roles).toEqual(['id', 'label', 'text'])
    expect(rows.map((r) => [r.id, r.label, r.text])).toEqual([
      ['ham/0.txt', 'ham', 'Mail 0\n'],
      ['ham/2.txt', 'ham', 'Mail 2\n'],
      ['ham/4.txt', 'ham', 'Mail 4\n'],
      ['spam/1.txt', 'spam', 'Mail 1\n'],
      ['spam/3.txt', 'spam', 'Mail 3\n'],
      ['spam/5.txt', 'spam', 'Mail 5\n'],
    ])
    expect(issues).toEqual([])
  })

  test('a flat folder has no labels; what cannot be read is counted', async () => {
    put('flat/a.txt', 'one')
    put('flat/b.md', Buffer.from([0x61, 0xff, 0x62]))
    put('flat/c.txt', 'x'.repeat(9 * 2 ** 20))
    put('flat/d.txt', '')
    const { listing, rows, issues } = await load({ path: 'flat' }, dir)
    expect(listing.roles).toEqual(['id', 'text'])
    expect(rows.map((r) => [r.id, r.text])).toEqual([
      ['a.txt', 'one'],
      ['d.txt', null],
    ])
    expect(issues.map((i) => [i.row, i.code, i.rejected])).toEqual([
      [1, 'invalid-utf8', true],
      [2, 'too-long', true],
      [3, 'missing-value', false],
    ])
  })

  test('data files come first, unless texts are asked for', async () => {
    put('both/data.csv', 'text,label\nx,1\ny,2\n')
    put('both/README.md', 'About the data')
    expect((await load({ path: 'both' }, dir)).rows).toHaveLength(2)
    expect((await load({ path: 'both', format: 'text-folder' }, dir)).rows.map((r) => r.text)).toEqual(['About the data'])
  })

  test('a file that goes away makes the shard incomplete', async () => {
    put('gone/a.txt', 'one')
    put('gone/b.txt', 'two')
    const { shards } = await listSources([{ path: 'gone' }], dir)
    rmSync(join(dir, 'gone/b.txt'))
    expect((await readAll(shards)).errors.map((e) => [e.code, e.exit])).toEqual([['not-found', 2]])
    mkdirSync(join(dir, 'nothing'))
    expect((await refusal({ path: 'nothing' }, dir)).code).toBe('no-match')
  })
})
