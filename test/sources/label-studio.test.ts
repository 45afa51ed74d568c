import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
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
  dir = mkdtempSync(join(tmpdir(), 'assay-ls-'))
  mkdirSync(join(dir, 'media'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const choices = (...names: string[]) => ({ type: 'choices', from_name: 'sentiment', to_name: 'text', value: { choices: names } })

async function read(tasks: unknown, spec: SourceSpec = {}) {
  writeFileSync(join(dir, 'export.json'), JSON.stringify(tasks))
  const listing = await listSources([{ path: join(dir, 'export.json'), ...spec }], dir)
  const issues: string[] = []
  const records: Record<string, unknown>[] = []
  for (const shard of listing.shards) {
    for await (const batch of readShard(shard, (i) => issues.push(`${i.row} ${i.code}: ${i.detail}`))) {
      for (let i = 0; i < batch.numRows; i++)
        records.push(
          Object.fromEntries(
            ['id', 'label', 'source', 'time', 'text', 'image'].flatMap((name) =>
              column(batch, name) ? [[name, column(batch, name)?.get(i)]] : [],
            ),
          ),
        )
    }
  }
  return { listing, issues, records }
}

test('every annotation of a text is a record with who made it and when', async () => {
  const { listing, records } = await read([
    {
      id: 5,
      data: { text: 'good film', meta: 'x' },
      annotations: [
        { id: 51, completed_by: 1, created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-02T00:00:00Z', result: [choices('positive')] },
        { id: 52, completed_by: { id: 2, email: 'b@example.org' }, created_at: '2026-01-03T00:00:00Z', result: [choices('negative')] },
        { id: 53, completed_by: 3, was_cancelled: true, result: [choices('negative')] },
      ],
    },
    { id: 6, data: { text: 'bad' }, annotations: [] },
  ])
  expect(listing.roles).toEqual(['id', 'label', 'text', 'source', 'time'])
  expect(records).toEqual([
    { id: '5/51', label: 'positive', source: '1', time: '2026-01-02T00:00:00Z', text: 'good film' },
    { id: '5/52', label: 'negative', source: 'b@example.org', time: '2026-01-03T00:00:00Z', text: 'good film' },
  ])
  expect(listing.columns.filter((c) => c.role === null).map((c) => `${c.name}: ${c.type}`)).toEqual([
    'cancelled annotations: 1 not read',
    'tasks without annotations: 1 not read',
  ])
})

test('boxes in percent are crops of the picture, which lies in the folder whatever address the export has', async () => {
  const data = Buffer.alloc(100 * 50 * 3)
  for (let y = 0; y < 50; y++) for (let x = 0; x < 100; x++) data.set([x, y, 0], (y * 100 + x) * 3)
  for (const name of ['ab12-scan.png', 'other one.png'])
    writeFileSync(
      join(dir, 'media', name),
      await sharp(data, { raw: { width: 100, height: 50, channels: 3 } })
        .png()
        .toBuffer(),
    )
  const box = (x: number, rest: object = {}) => ({
    id: `r${x}`,
    type: 'rectanglelabels',
    to_name: 'image',
    original_width: 100,
    original_height: 50,
    value: { x, y: 20, width: 10, height: 40, rotation: 0, rectanglelabels: ['lesion'], ...rest },
  })
  const { listing, records, issues } = await read(
    [
      {
        id: 1,
        data: { image: '/data/upload/1/ab12-scan.png' },
        annotations: [
          { id: 9, completed_by: 4, result: [box(30), box(40, { rotation: 12 }), { type: 'brushlabels', value: {} }, choices('x')] },
        ],
      },
      {
        id: 2,
        data: { image: '/data/local-files/?d=other%20one.png' },
        annotations: [{ id: 8, completed_by: 4, result: [box(50, { width: 0 })] }],
      },
      { id: 3, data: { image: 'http://169.254.169.254/latest/meta-data' }, annotations: [{ id: 7, completed_by: 4, result: [box(60)] }] },
    ],
    { images: join(dir, 'media') },
  )
  expect(records.map((r) => [r.id, r.label, r.source])).toEqual([['1/9/r30', 'lesion', '4']])
  const { info, data: crop } = await sharp(records[0]?.image as Uint8Array)
    .raw()
    .toBuffer({ resolveWithObject: true })
  expect([info.width, info.height, ...crop.subarray(0, 2)]).toEqual([10, 20, 30, 10])
  expect(issues.map((i) => i.replace(/^\d+ /, '')).sort()).toEqual([
    'out-of-range: box 50, 10, 0, 20: has no area',
    'undecodable-image: the picture is not in the folder',
  ])
  expect(
    listing.columns
      .filter((c) => c.role === null)
      .map((c) => c.name)
      .sort(),
  ).toEqual(['choices of whole tasks', 'segmentation', 'turned boxes'])
})

test('a task with several choices is told, and not taken for one of them', async () => {
  const { records, issues } = await read([
    { id: 1, data: { text: 'a' }, annotations: [{ id: 1, result: [choices('x')] }] },
    { id: 2, data: { text: 'b' }, annotations: [{ id: 2, result: [choices('x', 'y')] }] },
  ])
  expect(records.map((r) => r.id)).toEqual(['1/1'])
  expect(issues).toEqual(['1 wrong-type: 2 classes where one is expected'])
})

test('an export that leaves out who annotated what is refused', async () => {
  await expect(read([{ id: 1, text: 'a', sentiment: 'x', annotator: 1, annotation_id: 2 }])).rejects.toMatchObject({
    code: 'unsupported',
    hint: expect.stringContaining('JSON-MIN'),
  })
})
