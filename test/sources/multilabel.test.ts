import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codesOf } from '../../src/contracts/batch.ts'
import { listSources } from '../../src/sources/list.ts'
import { presence } from '../../src/sources/multilabel.ts'
import { readShard } from '../../src/sources/read.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'assay-multi-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.each([
  [['cat', 'dog'], 'cat'],
  [['dog'], 'not cat'],
  [[], 'not cat'],
  ['cat|dog', 'cat'],
  ['dog | cat', 'cat'],
  ['["cat"]', 'cat'],
  ['category', 'not cat'],
  [null, null],
  [undefined, null],
])('%j says %j of the class cat', (value, expected) => {
  expect(presence({ kind: 'values', values: [value] }, 1, 'cat')).toEqual({ kind: 'values', values: [expected] })
})

test('lists of numbers are labels too', () => {
  const cells = {
    kind: 'lists',
    data: Int32Array.of(3, 7, 7),
    dims: null,
    starts: Uint32Array.of(0, 2, 3),
    lengths: Uint32Array.of(2, 1, 0),
    valid: null,
    itemValid: null,
  } as const
  expect(presence(cells, 3, '7')).toEqual({ kind: 'values', values: ['7', '7', 'not 7'] })
})

test('records with several labels are read as those of one class', async () => {
  const path = join(dir, 'a.jsonl')
  writeFileSync(
    path,
    [
      { id: 1, tags: ['a', 'b'], text: 'x' },
      { id: 2, tags: ['b'], text: 'y' },
      { id: 3, tags: [], text: 'z' },
      { id: 4, text: 'w' },
    ]
      .map((r) => JSON.stringify(r))
      .join('\n'),
  )
  const { shards } = await listSources([{ path, columns: { id: 'id', label: 'tags', text: 'text' }, present: 'a' }], dir)
  const issues: string[] = []
  for await (const batch of readShard(shards[0] as never, (i) => issues.push(`${i.row} ${i.code}`))) {
    const labels = codesOf(batch, 'label')
    expect([...(labels?.codes ?? [])].map((c) => labels?.values[c])).toEqual(['a', 'not a', 'not a', undefined])
  }
  expect(issues).toEqual(['3 missing-label'])
})
