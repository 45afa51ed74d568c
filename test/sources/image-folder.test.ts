import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { image, patient } from './dicom-make.ts'
import { folder, load, refusal } from './make.ts'

const { dir, put } = folder()
const inDir = (name: string): string => join(dir, name)

const pixel = (format: 'png' | 'jpeg' | 'webp' | 'tiff', grey: number): Promise<Buffer> =>
  sharp(Buffer.alloc(12, grey), { raw: { width: 2, height: 2, channels: 3 } })
    .toFormat(format)
    .toBuffer()

beforeAll(async () => {
  const formats = ['png', 'jpeg', 'webp', 'tiff'] as const
  for (const [i, format] of formats.entries()) {
    put(`set/normal/${i}.${format}`, await pixel(format, i))
    put(`set/ill/${i}.${format}`, await pixel(format, 100 + i))
  }
  put('set/notes.txt', 'not an image')
  put('damaged/a/empty.png', '')
  put('damaged/a/good.png', await pixel('png', 1))
  put('damaged/a/text.jpg', 'hello')
  for (const name of ['one', 'two', 'three']) put(`flat/${name}.png`, await pixel('png', 5))
  for (let i = 0; i < 1030; i++)
    put(`many/c${i % 2}/${String(i).padStart(4, '0')}.png`, Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, i & 255]))
})

describe('class by folder', () => {
  test('PNG, JPEG, WebP and TIFF as they are, in the order of their paths', async () => {
    const { listing, rows, issues } = await load({ path: inDir('set') }, dir)
    expect(listing.roles).toEqual(['id', 'label', 'image'])
    expect(listing.shards.map((s) => [s.id, s.format, s.expectedRows])).toEqual([['set', 'image-folder', 8]])
    expect(listing.files).toHaveLength(8)
    expect(rows.map((r) => [r.row, r.id, r.label])).toEqual([
      [0, 'ill/0.png', 'ill'],
      [1, 'ill/1.jpeg', 'ill'],
      [2, 'ill/2.webp', 'ill'],
      [3, 'ill/3.tiff', 'ill'],
      [4, 'normal/0.png', 'normal'],
      [5, 'normal/1.jpeg', 'normal'],
      [6, 'normal/2.webp', 'normal'],
      [7, 'normal/3.tiff', 'normal'],
    ])
    expect(Buffer.from(rows[0]?.image as Uint8Array).equals(await pixel('png', 100))).toBe(true)
    expect(issues).toEqual([])
  })

  test('a pattern of images is one folder too', async () => {
    const { listing, rows } = await load({ path: inDir('set/*/*.png') }, dir)
    expect(listing.shards).toHaveLength(1)
    expect(rows.map((r) => [r.id, r.label])).toEqual([
      ['ill/0.png', 'ill'],
      ['normal/0.png', 'normal'],
    ])
  })

  test('empty files and files that are no image are rejected rows', async () => {
    const { rows, issues } = await load({ path: inDir('damaged') }, dir)
    expect(rows.map((r) => r.id)).toEqual(['a/good.png'])
    expect(issues.map((i) => [i.code, i.row, i.rejected, i.detail])).toEqual([
      ['undecodable-image', 0, true, 'empty'],
      ['undecodable-image', 2, true, 'not PNG, JPEG, WebP, TIFF or DICOM'],
    ])
  })

  test('images in the root alone have no class', async () => {
    const { listing } = await load({ path: inDir('flat') }, dir)
    expect(listing.roles).toEqual(['id', 'image'])
  })

  test('shards of 1,024 files', async () => {
    const { listing, rows } = await load({ path: inDir('many') }, dir)
    expect(listing.shards.map((s) => [s.id, s.expectedRows])).toEqual([
      ['many#0+1024', 1024],
      ['many#1024+6', 6],
    ])
    expect(rows.map((r) => r.row)).toEqual(Array.from({ length: 1030 }, (_, i) => i))
  })

  test('links out of the folder are not followed', async () => {
    put('outside/secret.png', await pixel('png', 9))
    mkdirSync(inDir('linked/a'), { recursive: true })
    put('linked/a/own.png', await pixel('png', 9))
    symlinkSync(inDir('outside'), inDir('linked/b'))
    const { rows } = await load({ path: inDir('linked') }, dir)
    expect(rows.map((r) => r.id)).toEqual(['a/own.png'])
  })
})

describe('DICOM', () => {
  const slice = (grey: number, frames = 1) =>
    image(
      { rows: 2, columns: 2, more: { 2621448: ['IS', String(frames)] } },
      Uint8Array.from({ length: 4 * frames }, (_, i) => grey + Math.floor(i / 4)),
    )
  const shade = async (bytes: unknown): Promise<number> =>
    (
      await sharp(bytes as Uint8Array)
        .greyscale()
        .raw()
        .toBuffer()
    )[0] as number

  beforeAll(() => {
    put('scans/ill/1.dcm', slice(10))
    put('scans/ill/2.dcm', slice(50, 3))
    put('scans/well/IM0001', slice(90))
    put('scans/well/1.2.840.99', slice(91))
    put('scans/well/notes', 'not an image')
    put('scans/DICOMDIR', slice(1))
    put('scans/well/cut.dcm', slice(5, 2).subarray(0, -2))
    put('scans/well/report.dcm', slice(5).subarray(0, -20))
  })

  test('a record a frame, also of files without extension', async () => {
    const { listing, rows, issues } = await load({ path: inDir('scans') }, dir)
    expect(listing.shards.map((s) => [s.id, s.expectedRows])).toEqual([['scans', 9]])
    expect(rows.map((r) => [r.row, r.id, r.label])).toEqual([
      [0, 'ill/1.dcm', 'ill'],
      [1, 'ill/2.dcm#1', 'ill'],
      [2, 'ill/2.dcm#2', 'ill'],
      [3, 'ill/2.dcm#3', 'ill'],
      [4, 'well/1.2.840.99', 'well'],
      [5, 'well/IM0001', 'well'],
      [6, 'well/cut.dcm#1', 'well'],
    ])
    expect(await Promise.all(rows.map((r) => shade(r.image)))).toEqual([10, 50, 51, 52, 91, 90, 5])
    expect(rows.some((r) => Buffer.from(r.image as Uint8Array).includes(patient))).toBe(false)
    expect(issues.map((i) => [i.code, i.row, i.rejected, i.detail])).toEqual([
      ['undecodable-image', 7, true, 'pixel data that ends before frame 2 does'],
      ['undecodable-image', 8, true, 'DICOM that ends before its pixels'],
    ])
  })

  test('labels from a table hold for every frame', async () => {
    const labels = put('scans.csv', 'file,label,id\n1.dcm,x,P1\n2.dcm,y,P2\n')
    const { rows } = await load({ path: inDir('scans/ill/*.dcm'), labels }, dir)
    expect(rows.map((r) => [r.id, r.label])).toEqual([
      ['P1', 'x'],
      ['P2#1', 'y'],
      ['P2#2', 'y'],
      ['P2#3', 'y'],
    ])
  })
})

describe('labels from a table', () => {
  const read = (csv: string, columns?: Record<string, string>) =>
    load({ path: inDir('flat'), labels: put(`labels${Math.random()}.csv`, csv), ...(columns ? { columns } : {}) }, dir)

  test.each<[string, string]>([
    ['file names', 'file,label,annotator\none.png,x,A\ntwo.png,y,B\nthree.png,x,A\n'],
    ['names without extension', 'image_id,diagnosis,annotator\none,x,A\ntwo,y,B\nthree,x,A\n'],
    ['paths from elsewhere', 'path,label,annotator\n./one.png,x,A\nflat/two.png,y,B\nC:\\data\\three.png,x,A\n'],
  ])('%s', async (_, csv) => {
    const { rows, listing } = await read(csv)
    expect(rows.map((r) => [r.id, r.label, r.source])).toEqual([
      ['one.png', 'x', 'A'],
      ['three.png', 'x', 'A'],
      ['two.png', 'y', 'B'],
    ])
    expect(listing.guessed).toBe(true)
  })

  test('columns by name', async () => {
    const { rows, listing } = await read('a,b,c\none.png,x,P1\ntwo.png,y,P2\nthree.png,x,P3\n', { image: 'a', label: 'b', id: 'c' })
    expect(rows.map((r) => [r.id, r.label])).toEqual([
      ['P1', 'x'],
      ['P3', 'x'],
      ['P2', 'y'],
    ])
    expect(listing.guessed).toBe(false)
  })

  test('images without a line and lines without an image are reported', async () => {
    const { rows, issues } = await read('file,label\none.png,x\nfour.png,y\n../outside/secret.png,y\n')
    expect(rows.map((r) => [r.id, r.label])).toEqual([
      ['one.png', 'x'],
      ['three.png', null],
      ['two.png', null],
    ])
    expect(issues.map((i) => [i.code, i.rejected]).sort()).toEqual([
      ['missing-label', false],
      ['missing-label', false],
      ['undecodable-image', true],
      ['undecodable-image', true],
    ])
  })

  test.each<[string, string, string, number]>([
    ['no column of files', 'a,label\n1.5,x\n', 'unknown-column', 4],
    ['an image twice', 'file,label\none.png,x\none.png,y\n', 'corrupt', 2],
    ['a ragged line', 'file,label\none.png\n', 'corrupt', 2],
  ])('%s', async (_, csv, code, exit) => {
    const error = await refusal({ path: inDir('flat'), labels: put(`bad${code}.csv`, csv) }, dir)
    expect([error.code, error.exit]).toEqual([code, exit])
  })
})
