import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { column } from '../../src/contracts/batch.ts'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { listSources } from '../../src/sources/list.ts'
import { readShard } from '../../src/sources/read.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'assay-coco-'))
  mkdirSync(join(dir, 'val/sub'), { recursive: true })
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Every pixel tells where it is: red is x, green is y. */
async function picture(name: string, width: number, height: number): Promise<void> {
  const data = Buffer.alloc(width * height * 3)
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) data.set([x, y, 7], (y * width + x) * 3)
  writeFileSync(
    join(dir, 'val', name),
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  )
}

const coco = (
  annotations: object[],
  images: object[] = [
    { id: 1, file_name: 'a.png', width: 60, height: 40 },
    { id: 2, file_name: 'sub/b.png', width: 30, height: 20 },
  ],
) => ({
  info: { year: 2026 },
  images,
  annotations,
  categories: [
    { id: 3, name: 'cat' },
    { id: 5, name: 'dog' },
  ],
})
const write = (content: unknown): void =>
  writeFileSync(join(dir, 'instances.json'), typeof content === 'string' ? content : JSON.stringify(content))

async function read(spec: SourceSpec = {}) {
  const listing = await listSources([{ path: join(dir, 'instances.json'), images: join(dir, 'val'), ...spec }], dir)
  const issues: string[] = []
  const records: { id: string; label: string; source: string | null; image: Uint8Array; row: number }[] = []
  for (const shard of listing.shards) {
    for await (const batch of readShard(shard, (i) => issues.push(`${i.row} ${i.code} ${i.rejected}: ${i.detail}`))) {
      const of = (name: string, i: number) => (column(batch, name)?.get(i) ?? null) as never
      for (let i = 0; i < batch.numRows; i++)
        records.push({ id: of('id', i), label: of('label', i), source: of('source', i), image: of('image', i), row: of('row', i) })
    }
  }
  return { listing, issues, records }
}

test('a box is a record: its crop, its category, its id and who drew it', async () => {
  await picture('a.png', 60, 40)
  await picture('sub/b.png', 30, 20)
  write(
    coco([
      { id: 11, image_id: 2, category_id: 5, bbox: [2, 3, 10, 5], annotator: 'ann', segmentation: [[1, 2, 3, 4]] },
      { id: 12, image_id: 1, category_id: 3, bbox: [50.5, 30.2, 100, 100], annotator: 7 },
    ]),
  )
  const { listing, records, issues } = await read()
  expect(listing.roles).toEqual(['id', 'label', 'image', 'source'])
  expect(listing.shards.map((s) => [s.id, s.format, s.expectedRows])).toEqual([['instances.json', 'coco', 2]])
  expect(listing.files.map((f) => f.id)).toEqual(['instances.json', 'val/a.png', 'val/sub/b.png'])
  // in the order of the pictures, so that each is decoded once
  expect(records.map((r) => [r.id, r.label, r.source])).toEqual([
    ['12', 'cat', '7'],
    ['11', 'dog', 'ann'],
  ])
  expect(issues).toEqual([])
  const pixels = async (i: number) => sharp(records[i]?.image).raw().toBuffer({ resolveWithObject: true })
  const [clamped, whole] = [await pixels(0), await pixels(1)]
  expect([clamped.info.width, clamped.info.height, ...clamped.data.subarray(0, 3)]).toEqual([10, 10, 50, 30, 7])
  expect([whole.info.width, whole.info.height, ...whole.data.subarray(0, 3)]).toEqual([10, 5, 2, 3, 7])
})

test('masks and crowd regions are told as not read', async () => {
  await picture('a.png', 60, 40)
  write(
    coco([
      { id: 1, image_id: 1, category_id: 3, bbox: [0, 0, 9, 9], segmentation: [[1, 2, 3, 4]] },
      { id: 2, image_id: 1, category_id: 3, bbox: [0, 0, 9, 9], segmentation: { counts: 'x', size: [1, 2] }, iscrowd: 1 },
      { id: 3, image_id: 1, category_id: 3 },
    ]),
  )
  const { listing, records } = await read()
  expect(records.map((r) => r.id)).toEqual(['1'])
  expect(listing.columns.filter((c) => c.role === null)).toEqual([
    { name: 'segmentation', type: '2 not read', role: null },
    { name: 'crowd regions', type: '1 not read', role: null },
    { name: 'annotations without a box', type: '1 not read', role: null },
  ])
})

test('boxes without an area, outside of the picture or of a picture that is not there are counted and named', async () => {
  await picture('a.png', 60, 40)
  const boxes = [
    [5, 5, 0, 9],
    [5, 5, 9, -1],
    [70, 5, 9, 9],
    [-20, -20, 5, 5],
    [1, 1, 1e308, 1e308],
    ['x', 0, 1, 1],
    [0, 0, 4, 4],
  ]
  write(
    coco([
      ...boxes.map((bbox, i) => ({ id: i, image_id: 1, category_id: 3, bbox })),
      { id: 90, image_id: 2, category_id: 3, bbox: [0, 0, 1, 1] },
      { id: 91, image_id: 77, category_id: 3, bbox: [0, 0, 1, 1] },
    ]),
  )
  const { records, issues } = await read()
  expect(records.map((r) => r.id)).toEqual(['4', '6'])
  expect(issues.map((i) => i.replace(/^\d+ /, '').split(':')[0]).sort()).toEqual(
    [...new Array(4).fill('out-of-range true'), 'non-finite true', ...new Array(2).fill('undecodable-image true')].sort(),
  )
  expect(issues.join()).toContain('box 5, 5, 0, 9: has no area')
})

test('a picture of another size than the annotations are for is not cropped', async () => {
  await picture('a.png', 40, 60)
  write(coco([{ id: 1, image_id: 1, category_id: 3, bbox: [0, 0, 4, 4] }]))
  const { records, issues } = await read()
  expect(records).toEqual([])
  expect(issues[0]).toContain('the picture has 40 x 60 pixels, the annotations are for 60 x 40')
})

test('a photograph that the camera held upright is cropped as the annotations have it', async () => {
  await picture('a.png', 60, 40)
  const photo = await sharp(readFileSync(join(dir, 'val/a.png')))
    .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
    .withMetadata({ orientation: 6 })
    .toBuffer()
  writeFileSync(join(dir, 'val/a.png'), photo)
  write(coco([{ id: 1, image_id: 1, category_id: 3, bbox: [0, 0, 4, 6] }], [{ id: 1, file_name: 'a.png', width: 40, height: 60 }]))
  const { records } = await read()
  const { data, info } = await sharp(records[0]?.image).raw().toBuffer({ resolveWithObject: true })
  expect([info.width, info.height]).toEqual([4, 6])
  // a quarter turn: the left edge is the bottom row of the file
  expect(data[1]).toBeGreaterThan(34)
})

test('names never lead out of the folder of the pictures', async () => {
  await picture('a.png', 60, 40)
  writeFileSync(join(dir, 'outside.png'), 'secret')
  const images = ['../outside.png', '/etc/passwd', join(dir, 'outside.png'), 'a.png'].map((file_name, id) => ({ id, file_name }))
  write(
    coco(
      images.map(({ id }) => ({ id, image_id: id, category_id: 3, bbox: [0, 0, 4, 4] })),
      images,
    ),
  )
  const { records, issues } = await read()
  expect(records.map((r) => r.id)).toEqual(['3'])
  expect(issues).toHaveLength(3)
  expect(issues.join()).toContain('the picture is not in the folder')
})

test.each([
  ['{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [{"id": 1, "image_id": 1,', 'truncated', 2],
  ['{"images": [{"id": 1}], "annotations": []}', 'corrupt', 2],
  ['{"images": [], "annotations": []}', 'empty', 4],
  ['{"images": [{"id": 1, "file_name": "a.png"}], "annotations": [nonsense]}', 'corrupt', 2],
  ['{"images": [{"id": 1, "file_name": "a.png"}], "annotations": []} {}', 'corrupt', 2],
  [`{"images": [${'['.repeat(200)}`, 'too-large', 2],
])('%s is refused', async (text, code, exit) => {
  await picture('a.png', 60, 40)
  write(text)
  await expect(read()).rejects.toMatchObject({ code, exit })
})

test('the folder of the pictures has to be told where it is not that of the file', async () => {
  write(coco([{ id: 1, image_id: 1, category_id: 3, bbox: [0, 0, 4, 4] }]))
  await expect(read({ images: join(dir, 'val') })).rejects.toMatchObject({ code: 'no-match', hint: expect.stringContaining('images:') })
})
