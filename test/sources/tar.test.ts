import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { folder, load, refusal, tarBytes } from './make.ts'

const { dir, put } = folder()

const png = Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.alloc(20)])
const samples = Array.from({ length: 20 }, (_, i) => [
  [`shard/${i}.txt`, `Text ${i}\n`] as const,
  [`shard/${i}.cls`, String(i % 2)] as const,
  [`shard/${i}.json`, JSON.stringify({ source: 'A', n: i })] as const,
]).flat()

describe('tar in the layout of WebDataset', () => {
  test.each(['a.tar', 'a.tar.gz'])('%s: the members of one key are one row', async (name) => {
    const bytes = await tarBytes(samples)
    const { listing, rows, issues, errors } = await load({ path: put(name, name.endsWith('.gz') ? gzipSync(bytes) : bytes) }, dir)
    expect(listing.roles).toEqual(['id', 'label', 'text', 'source'])
    expect(rows).toHaveLength(20)
    expect(rows[5]).toEqual({ row: 5, id: 'shard/5', text: 'Text 5', label: '1', source: 'A' })
    expect([issues, errors]).toEqual([[], []])
  })

  test('images, conversations and what is hostile', async () => {
    const chat = JSON.stringify({
      messages: [
        { role: 'user', content: 'Q' },
        { role: 'assistant', content: 'A' },
      ],
    })
    const bytes = await tarBytes([
      ['../../etc/0.json', chat],
      ['./1.json', chat],
      ['2.json', '{"messages": '],
      ['.hidden', 'x'],
      ['nodot', 'x'],
      ['3.json', chat],
      ['3.bin', Buffer.alloc(100)],
    ])
    const { rows, issues } = await load(
      { path: put('chat.tar', bytes), columns: { id: '__key__', text: 'messages', response: 'messages' } },
      dir,
    )
    expect(rows.map((r) => [r.row, r.id, r.text, r.response])).toEqual([
      [0, '../../etc/0', 'Q', 'A'],
      [1, '1', 'Q', 'A'],
      [3, '3', 'Q', 'A'],
    ])
    expect(issues.map((i) => [i.row, i.code, i.column])).toEqual([[2, 'invalid-json', 'json']])
    const pictures = await load(
      {
        path: put(
          'p.tar',
          await tarBytes([
            ['a.png', png],
            ['a.cls', 'cat'],
            ['b.png', png],
            ['b.cls', 'dog'],
          ]),
        ),
      },
      dir,
    )
    expect(pictures.listing.roles).toContain('image')
    expect(pictures.rows.map((r) => r.label)).toEqual(['cat', 'dog'])
  })

  test('a cut and a damaged header name the member', async () => {
    const bytes = await tarBytes(samples)
    const cut = await load({ path: put('cut.tar', bytes.subarray(0, 20 * 1024 + 100)) }, dir)
    expect(cut.errors.map((e) => [e.code, e.exit])).toEqual([['truncated', 2]])
    expect(cut.errors[0]?.message).toMatch(/member \d+/)
    const broken = Buffer.from(bytes)
    broken.fill(0x41, 10 * 1024, 10 * 1024 + 300)
    const damaged = await load({ path: put('damaged.tar', broken) }, dir)
    expect(damaged.errors.map((e) => [e.code, e.exit])).toEqual([['corrupt', 2]])
    expect((await refusal({ path: put('empty.tar', await tarBytes([['nodot', 'x']])) }, dir)).code).toBe('empty')
  })
})
