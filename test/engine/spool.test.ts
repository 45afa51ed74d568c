import { mkdtemp, readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { codesOf, column, makeBatch, matrixOf, rowsOf } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { takeRows } from '../../src/contracts/take-rows.ts'
import { readSpool, withSpools } from '../../src/engine/spool.ts'

const batch = (from: number, labels: string[], codes: number[]): Batch =>
  makeBatch({
    row: Uint32Array.from(codes, (_, i) => from + i),
    id: codes.map((_, i) => (i === 1 ? null : `r${from + i}`)),
    label: { codes: Int32Array.from(codes), values: labels },
    embedding: { data: Float32Array.from({ length: codes.length * 2 }, (_, i) => from + i), rows: codes.length, dims: 2 },
  })

const rowsIn = (b: Batch) =>
  Array.from({ length: b.numRows }, (_, i) => {
    const label = codesOf(b, 'label')
    return [
      rowsOf(b)[i],
      column(b, 'id')?.get(i),
      label?.values[label.codes[i] as number] ?? null,
      ...(matrixOf(b, 'embedding')?.data.subarray(i * 2, i * 2 + 2) ?? []),
    ]
  })

it('keeps batches whose dictionaries grow, nulls and vectors', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'assay-')), 'x.arrow')
  const written = [batch(0, ['a'], [0, 0, -1]), batch(3, ['a', 'b'], [1, 0]), batch(5, ['a', 'b', 'c'], [2])]
  await withSpools([path], async ([spool]) => {
    for (const b of written) await spool?.write(b)
  })
  const read: Batch[] = []
  for await (const b of readSpool(path)) read.push(b)
  expect(read.flatMap(rowsIn)).toEqual(written.flatMap(rowsIn))
  expect(read.flatMap(rowsIn)[2]).toEqual([2, 'r2', null, 4, 5])
})

it('is empty when nothing was written', async () => {
  const path = join(await mkdtemp(join(tmpdir(), 'assay-')), 'x.arrow')
  await withSpools([path], async () => {})
  for await (const _ of readSpool(path)) expect.unreachable()
})

it('takes rows of every kind of column in the order asked for', () => {
  const taken = takeRows(batch(0, ['a', 'b'], [0, 1, -1, 1]), Int32Array.from([3, 2, 1]))
  expect(rowsIn(taken)).toEqual([
    [3, 'r3', 'b', 6, 7],
    [2, 'r2', null, 4, 5],
    [1, null, 'b', 2, 3],
  ])
})

it('leaves nothing behind when filling fails', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'assay-'))
  const fill = withSpools([join(folder, 'a.arrow'), join(folder, 'b.arrow')], async ([a]) => {
    await a?.write(batch(0, ['a'], [0]))
    throw new Error('stopped')
  })
  await expect(fill).rejects.toThrow('stopped')
  expect(await readdir(folder)).toEqual([])
})
