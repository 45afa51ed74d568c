import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { spreadText, withSide } from '../../src/sources/chat.ts'
import { duckdb, folder, load } from './make.ts'

const { dir, put } = folder()
const jsonl = (name: string, rows: readonly unknown[]): string => put(name, rows.map((r) => JSON.stringify(r)).join('\n'))

describe('conversations', () => {
  test('the turns of the user are the text, those of the assistant the response', async () => {
    const path = jsonl('openai.jsonl', [
      {
        prompt: 'ignored',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hello?' },
          { role: 'assistant', content: 'Hi.' },
          {
            role: 'user',
            content: [
              { type: 'text', text: 'And this' },
              { type: 'image_url', image_url: {} },
            ],
          },
          { role: 'assistant', content: 'A cat.' },
        ],
      },
      { prompt: 'ignored', messages: [{ role: 'user', content: 'Alone' }] },
      { prompt: 'ignored', messages: [{ role: 'assistant', content: null, tool_calls: [] }] },
      { prompt: 'ignored', messages: 'no list' },
      { prompt: 'ignored', messages: [{ role: 'user' }, 7] },
      { prompt: 'ignored', messages: [{ role: 'user', content: 'x' }] },
      { prompt: 'ignored', messages: [{ role: 'user', content: 'x' }] },
    ])
    const { listing, rows, issues } = await load({ path }, dir)
    expect(listing.roles).toEqual(['text', 'response'])
    expect(rows.slice(0, 2)).toEqual([
      { row: 0, text: 'Be brief.\n\nHello?\n\nAnd this', response: 'Hi.\n\nA cat.' },
      { row: 1, text: 'Alone', response: null },
    ])
    expect(issues.filter((i) => i.rejected).map((i) => [i.row, i.code])).toEqual([[4, 'wrong-type']])
  })

  test('ShareGPT, compressed', async () => {
    const rows = [
      {
        id: 'a',
        conversations: [
          { from: 'human', value: 'Q' },
          { from: 'gpt', value: 'A' },
        ],
      },
      {
        id: 'b',
        conversations: [
          { from: 'human', value: 'R' },
          { from: 'gpt', value: 'B' },
        ],
      },
    ]
    const path = put('sharegpt.jsonl.gz', gzipSync(rows.map((r) => JSON.stringify(r)).join('\n')))
    expect((await load({ path }, dir)).rows).toEqual([
      { row: 0, id: 'a', text: 'Q', response: 'A' },
      { row: 1, id: 'b', text: 'R', response: 'B' },
    ])
  })

  test('Parquet', async () => {
    const path = join(dir, 'chat.parquet')
    await duckdb([
      `COPY (SELECT [{'role': 'user', 'content': 'Q' || range}, {'role': 'assistant', 'content': 'A' || range}] AS messages, range % 2 AS label FROM range(40)) TO '${path}' (FORMAT parquet)`,
    ])
    const { rows, issues } = await load({ path }, dir)
    expect(issues).toEqual([])
    expect(rows).toHaveLength(40)
    expect(rows[7]).toEqual({ row: 7, text: 'Q7', response: 'A7', label: '1' })
  })

  test('an instruction and its input are one text', async () => {
    const path = jsonl('alpaca.jsonl', [
      { instruction: 'Add', input: '1, 2', output: '3' },
      { instruction: 'Tell a joke', input: '', output: 'No.' },
    ])
    const { listing, rows, issues } = await load({ path }, dir)
    expect(listing.roles).toEqual(['text', 'response'])
    expect(rows).toEqual([
      { row: 0, text: 'Add\n\n1, 2', response: '3' },
      { row: 1, text: 'Tell a joke', response: 'No.' },
    ])
    expect(issues).toEqual([])
  })
})

describe('a conversation with another text', () => {
  const messages = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hello?', name: 'u' },
    { role: 'assistant', content: 'Hi.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'And this' },
        { type: 'image_url', image_url: {} },
      ],
    },
  ]

  test('changes the turn in which it differs', () => {
    expect(withSide(messages, 'text', 'Be brief.\n\nHello mn?\n\nAnd this')).toEqual([
      messages[0],
      { role: 'user', content: 'Hello mn?', name: 'u' },
      messages[2],
      messages[3],
    ])
    expect(withSide(messages, 'text', 'Be brief.\n\nHello?\n\nAnd mn this')).toEqual([
      ...messages.slice(0, 3),
      {
        role: 'user',
        content: [
          { type: 'text', text: 'And mn this' },
          { type: 'image_url', image_url: {} },
        ],
      },
    ])
    expect(withSide(messages, 'response', 'No.')).toEqual([...messages.slice(0, 2), { role: 'assistant', content: 'No.' }, messages[3]])
    expect(withSide([{ from: 'human', value: 'Q' }], 'response', 'A')).toEqual([
      { from: 'human', value: 'Q' },
      { from: 'gpt', value: 'A' },
    ])
    expect(withSide('plain', 'text', 'new')).toBe('new')
  })

  test.each(['all else', 'a\n\nc', 'a\n\nb\n\nc', 'a\n\nb b\n\nc', 'x a\n\nb\n\nc x', ''])('says it in all: %j', (text) => {
    expect(
      spreadText(['a', 'b', 'c'], text)
        .filter((part) => part !== '')
        .join('\n\n'),
    ).toBe(text)
  })
})
