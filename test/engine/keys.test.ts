import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { keysOf, makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { addKeys } from '../../src/engine/keys.ts'
import { readSpool, withSpools } from '../../src/engine/spool.ts'

const seed = new Uint8Array(16).fill(7)
const vectors = (values: readonly number[]) => ({ data: Float32Array.from(values), rows: values.length / 2, dims: 2 })
const batch = (id?: string[], label = [0, 1]): Batch =>
  makeBatch({
    row: Uint32Array.from([0, 1]),
    ...(id ? { id } : {}),
    label: { codes: Int32Array.from(label), values: ['a', 'b'] },
    embedding: vectors([1, 2, 3, 4]),
  })
const hex = (b: Batch, name: 'key' | 'content') => Buffer.from(keysOf(b, name) ?? []).toString('hex')

it('keys a record by its id, else by its content, and the content without its label', () => {
  const plain = addKeys(batch(), seed)
  expect(hex(plain, 'key')).toBe(hex(plain, 'content'))
  expect(hex(addKeys(batch(undefined, [1, 0]), seed), 'content')).toBe(hex(plain, 'content'))
  const named = addKeys(batch(['x', 'y']), seed)
  expect(hex(named, 'content')).toBe(hex(plain, 'content'))
  expect(hex(named, 'key')).not.toBe(hex(named, 'content'))
  expect(hex(addKeys(batch(['x', 'y']), new Uint8Array(16)), 'key')).not.toBe(hex(named, 'key'))
})

it('survives the spool when key and content are equal', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'assay-')), 'x.arrow')
  const written = addKeys(batch(), seed)
  await withSpools([path], async ([spool]) => {
    await spool?.write(written)
  })
  for await (const read of readSpool(path)) {
    expect(hex(read, 'key')).toBe(hex(written, 'key'))
    expect(hex(read, 'content')).toBe(hex(written, 'content'))
  }
})
