import sharp from 'sharp'
import { expect, test } from 'vitest'
import { codesOf, column, makeBatch, rowsOf } from '../../src/contracts/batch.ts'
import type { RowIssue } from '../../src/contracts/data.ts'
import { developDicom } from '../../src/sources/develop.ts'
import { image, patient } from './dicom-make.ts'

const png = (): Promise<Buffer> =>
  sharp({ create: { width: 2, height: 2, channels: 3, background: '#ffffff' } })
    .png()
    .toBuffer()

test('DICOM in a column of bytes becomes a plain picture, what gives none is reported and left out', async () => {
  const good = image({ rows: 2, columns: 2 }, Uint8Array.of(1, 2, 3, 4))
  const film = image({ rows: 1, columns: 1, more: { 2621448: ['IS', '3'] } }, Uint8Array.of(1, 2, 3))
  const bare = image({ rows: 2, columns: 2, bare: true }, Uint8Array.of(5, 6, 7, 8))
  const images = [await png(), good, film, image({ rows: 9, columns: 9 }, Uint8Array.of(1, 2)), bare]
  const label = { codes: Int32Array.of(0, 1, 0, 1, 0), values: ['a', 'b'] }
  const issues: RowIssue[] = []
  const batch = await developDicom(makeBatch({ row: Uint32Array.of(5, 6, 7, 8, 9), label, image: images }), (i) => issues.push(i))
  if (!batch) throw new Error('no batch')
  expect([...rowsOf(batch)]).toEqual([5, 6, 9])
  expect([...(codesOf(batch, 'label')?.codes ?? [])]).toEqual([0, 1, 0])
  const pictures = [0, 1, 2].map((i) => column(batch, 'image')?.get(i) as Uint8Array)
  expect(Buffer.from(pictures[0] as Uint8Array).equals(images[0] as Buffer)).toBe(true)
  expect(pictures.some((p) => Buffer.from(p).includes(patient))).toBe(false)
  expect([...(await sharp(pictures[2]).greyscale().raw().toBuffer())]).toEqual([5, 6, 7, 8])
  expect(issues.map((i) => [i.code, i.row, i.rejected, i.detail])).toEqual([
    ['undecodable-image', 7, true, 'DICOM of 3 frames in one cell: as files in a folder each frame is a record'],
    ['undecodable-image', 8, true, 'pixel data that ends before frame 1 does'],
  ])
})

test('a batch without DICOM is handed on as it is', async () => {
  const batch = makeBatch({ row: Uint32Array.of(0), image: [await png()] })
  expect(await developDicom(batch, () => {})).toBe(batch)
  const none = makeBatch({ row: Uint32Array.of(0), id: ['a'] })
  expect(await developDicom(none, () => {})).toBe(none)
  const raw = makeBatch({ row: Uint32Array.of(0), image: { data: Uint8Array.of(1), rows: 1, dims: 1, height: 1, width: 1, channels: 1 } })
  expect(await developDicom(raw, () => {})).toBe(raw)
})

test('a batch of which nothing is left is none', async () => {
  const broken = image({ rows: 9, columns: 9 }, Uint8Array.of(1, 2))
  expect(await developDicom(makeBatch({ row: Uint32Array.of(0), image: [broken] }), () => {})).toBeNull()
})
