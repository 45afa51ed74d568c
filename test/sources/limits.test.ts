import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { limits } from '../../src/sources/limits.ts'
import { formats } from '../../src/sources/registry.ts'
import { duckdb, folder, load } from './make.ts'

const { dir, put } = folder()

describe('bounds', () => {
  test('gzip that grows more than 250-fold is given up', async () => {
    const row = `x,${'0'.repeat(2 ** 20)}\n`
    const { rows, errors } = await load(
      { path: put('bomb.csv.gz', gzipSync(`label,text\n${row.repeat(100)}`)), columns: { label: 'label' } },
      dir,
    )
    expect(errors.map((e) => [e.code, e.exit])).toEqual([['expands-too-much', 2]])
    expect(rows.length).toBeLessThan(100)
  })

  test('gzip that grows as text does is read to its end', async () => {
    const rows = Array.from({ length: 200_000 }, (_, i) => `${i},label ${i % 3}`)
    const { rows: got, errors } = await load(
      { path: put('fine.csv.gz', gzipSync(`id,label\n${rows.join('\n')}`)), columns: { id: 'id' } },
      dir,
    )
    expect([got.length, errors]).toEqual([200_000, []])
  })

  test('long texts make small batches', async () => {
    const text = 'a'.repeat(2 ** 20)
    const lines = Array.from({ length: 80 }, (_, i) => JSON.stringify({ id: i, text }))
    const { rows, batches } = await load({ path: put('long.jsonl', lines.join('\n')), columns: { id: 'id', text: 'text' } }, dir)
    expect(rows).toHaveLength(80)
    expect(Math.max(...batches) * text.length).toBeLessThanOrEqual(limits.batchBytes + 2 ** 20)
  })

  test('large images in Parquet make small batches', async () => {
    const path = `${dir}/images.parquet`
    await duckdb([
      `COPY (SELECT '\\x89PNG\\x0D\\x0A\\x1A\\x0A'::BLOB || encode(repeat(md5(range::VARCHAR), 20000)) AS png FROM range(200)) TO '${path}' (FORMAT parquet)`,
    ])
    const { rows, batches } = await load({ path, columns: { image: 'png' } }, dir)
    expect(rows).toHaveLength(200)
    expect(Math.max(...batches) * 640_000).toBeLessThanOrEqual(limits.batchBytes + 640_000)
  })

  test('a text of more than 4 Mi characters is a rejected row', async () => {
    const lines = [JSON.stringify({ text: 'short' }), JSON.stringify({ text: 'x'.repeat(limits.textLength + 1) })]
    const { rows, issues } = await load({ path: put('text.jsonl', lines.join('\n')), columns: { text: 'text' } }, dir)
    expect(rows).toHaveLength(1)
    expect(issues.map((i) => [i.code, i.row, i.rejected])).toEqual([['too-long', 1, true]])
  })
})

test('the registry is sorted, and every format has a name, extensions and a detector of its own', () => {
  const names = formats.map((f) => f.name)
  expect(names).toEqual([...names].sort())
  expect(new Set(names).size).toBe(names.length)
  // Exports of annotation tools are told apart by what they hold.
  const extensions = formats.flatMap((f) => f.extensions).filter((x) => x !== '.json')
  expect(new Set(extensions).size).toBe(extensions.length)
  expect(extensions.every((x) => /^\.[a-z]+$/.test(x))).toBe(true)
  expect(formats.every((f) => !f.detect(Buffer.from([1, 2, 3, 0, 4]), 'x'))).toBe(true)
})
