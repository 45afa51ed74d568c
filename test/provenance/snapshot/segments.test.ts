import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { SnapshotHeader, SnapshotShard } from '../../../src/contracts/snapshot.ts'
import { openSnapshot } from '../../../src/provenance/snapshot/read.ts'
import { type SnapshotMeta, sealSnapshot } from '../../../src/provenance/snapshot/seal.ts'
import { noId, recordBytes, word } from '../../../src/provenance/snapshot/segment.ts'
import { SegmentWriter } from '../../../src/provenance/snapshot/segment-writer.ts'

const root = mkdtempSync(join(tmpdir(), 'assay-segments-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let folders = 0
const newFolder = (): string => {
  const folder = join(root, String(folders++))
  mkdirSync(join(folder, 'segments'), { recursive: true })
  return folder
}

interface Leaf {
  readonly key: number
  readonly content: number
  readonly label: number
}

const sha = (text: string): Buffer => createHash('sha256').update(text).digest()

const meta = (id: string | null): SnapshotMeta => ({
  createdAt: '2026-11-24T00:00:00.000Z',
  subject: { name: 'test', version: null },
  schema: { columns: null, nulls: [''] },
  columns: { id, label: 'label', source: null, time: null, ignored: [] },
  keyId: null,
  previous: null,
})

/** Writes leaves as one shard whose buffer holds `perSegment` of them. */
function shard(folder: string, name: string, leaves: readonly Leaf[], perSegment = 1000, withIds = true): SnapshotShard {
  const writer = new SegmentWriter(folder, `segments/${sha(name).toString('hex', 0, 8)}`, withIds ? 16 : 32, perSegment * recordBytes)
  leaves.forEach((leaf, row) => {
    const key = sha(withIds ? `iid-${leaf.key}` : `c${leaf.key},${leaf.content}`)
    const place = writer.begin(key.readUInt16BE(0) >> 6)
    const at = place / 4
    const bytes = writer.bytes.subarray(place, place + recordBytes).fill(0)
    key.copy(bytes, 0, 0, withIds ? 16 : 32)
    if (withIds) sha(`c${leaf.content}`).copy(bytes, 16, 0, 24)
    sha(`l${leaf.label}`).copy(bytes, withIds ? 40 : 32, 0, 24)
    bytes.writeDoubleLE(leaf.content * 1000, word.time * 4)
    writer.words[at + word.row] = row
    writer.words[at + word.label] = writer.labels.count(`class ${leaf.label}`)
    writer.words[at + word.source] = 0xffffffff
    writer.words[at + word.id] = withIds ? writer.keepId(`id-${leaf.key}`) : noId
    writer.next()
  })
  return {
    id: name,
    bytes: 0,
    sha256: '0'.repeat(64),
    reading: '0'.repeat(64),
    rows: leaves.length,
    rejected: 0,
    misfits: 0,
    failure: null,
    segments: writer.close(),
  }
}

async function snapshot(
  shards: readonly (readonly Leaf[])[],
  perSegment = 1000,
  withIds = true,
): Promise<SnapshotHeader & { folder: string }> {
  const folder = newFolder()
  const listed = shards.map((leaves, i) => shard(folder, `shard ${i}`, leaves, perSegment, withIds))
  return { ...(await sealSnapshot(folder, meta(withIds ? 'id' : null), listed)), folder }
}

const leaf = fc.record({ key: fc.nat(300), content: fc.nat(3), label: fc.nat(2) })
const leaves = fc.array(leaf, { minLength: 1, maxLength: 120 })
const orderFree = ({ roots }: SnapshotHeader) => [roots.records, roots.key, roots.content, roots.label]

describe('the roots depend on the records alone', () => {
  test.each([true, false])('not on order, shards or segments (ids: %s)', async (withIds) => {
    await fc.assert(
      fc.asyncProperty(
        leaves,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        async (all, perSegment, parts, turn) => {
          const one = await snapshot([all], 1000, withIds)
          const turned = [...all.slice(turn % all.length), ...all.slice(0, turn % all.length)].reverse()
          const shards = Array.from({ length: parts }, (_, p) => turned.filter((_, i) => i % parts === p))
          const other = await snapshot(shards, perSegment, withIds)
          expect(orderFree(other)).toEqual(orderFree(one))
          expect(other.labels).toEqual(one.labels)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('and on each of them, with its multiplicity', async () => {
    const base: Leaf[] = Array.from({ length: 50 }, (_, key) => ({ key, content: key % 4, label: key % 3 }))
    const before = await snapshot([base])
    const changed = async (f: (l: Leaf, i: number) => Leaf[]) => (await snapshot([base.flatMap(f)])).roots
    const relabelled = await changed((l, i) => [i === 7 ? { ...l, label: l.label + 1 } : l])
    expect([relabelled.key, relabelled.content]).toEqual([before.roots.key, before.roots.content])
    expect([relabelled.label === before.roots.label, relabelled.records === before.roots.records]).toEqual([false, false])
    const edited = await changed((l, i) => [i === 7 ? { ...l, content: l.content + 1 } : l])
    expect([edited.key, edited.label]).toEqual([before.roots.key, before.roots.label])
    expect([edited.content === before.roots.content, edited.records === before.roots.records]).toEqual([false, false])
    const doubled = await changed((l, i) => (i === 7 ? [l, l] : [l]))
    for (const name of ['key', 'content', 'label', 'records'] as const) expect(doubled[name]).not.toBe(before.roots[name])
  })

  test('labels of one key are digested without their contents', async () => {
    const a = await snapshot([
      [
        { key: 1, content: 0, label: 0 },
        { key: 1, content: 1, label: 1 },
      ],
    ])
    const b = await snapshot([
      [
        { key: 1, content: 0, label: 1 },
        { key: 1, content: 1, label: 0 },
      ],
    ])
    expect(b.roots.label).toBe(a.roots.label)
    expect(b.roots.content).toBe(a.roots.content)
    expect(b.roots.records).not.toBe(a.roots.records)
  })
})

describe('reading', () => {
  const all: Leaf[] = Array.from({ length: 5000 }, (_, i) => ({ key: i % 4000, content: i % 5, label: i % 2 }))

  test('gives every record once, in the order of its leaf, with its place', async () => {
    const { folder } = await snapshot([all.slice(0, 2000), all.slice(2000)], 700)
    const opened = await openSnapshot(folder, { verify: true })
    const seen: string[] = []
    for (const bucket of opened.buckets(() => true)) {
      expect(bucket.size).toBe(opened.bucketSize(bucket.number))
      for (let i = 0; i < bucket.size; i++) {
        if (i > 0) expect(bucket.leaves.compare(bucket.leaves, i * 64, i * 64 + 64, i * 64 - 64, i * 64)).toBeLessThanOrEqual(0)
        const { id, shard, row, label, source, time } = opened.location(bucket, i)
        const from = all[row + (shard === 'shard 1' ? 2000 : 0)] as Leaf
        expect([id, label, source, time]).toEqual([`id-${from.key}`, `class ${from.label}`, null, from.content * 1000])
        seen.push(`${shard}:${row}`)
      }
    }
    expect(new Set(seen).size).toBe(all.length)
    expect(opened.countsOf(1).labels).toEqual([
      { name: 'class 0', count: 1500 },
      { name: 'class 1', count: 1500 },
    ])
  })

  test('reads only the buckets that are asked for', async () => {
    const { folder } = await snapshot([all])
    const opened = await openSnapshot(folder)
    expect([...opened.buckets((b) => b % 100 === 3)].map((b) => b.number)).toEqual([3, 103, 203, 303, 403, 503, 603, 703, 803, 903, 1003])
  })

  test('refuses a folder that is sealed, and one that is none', async () => {
    const { folder } = await snapshot([all.slice(0, 3)])
    await expect(sealSnapshot(folder, meta('id'), [])).rejects.toMatchObject({ code: 'snapshot-exists', exit: 4 })
    await expect(openSnapshot(root)).rejects.toMatchObject({ code: 'not-a-snapshot', exit: 4 })
  })

  test('every byte of a segment, of the buckets and of the header counts', async () => {
    const { folder, shards } = await snapshot([all.slice(0, 40)])
    const segment = join(folder, shards[0]?.segments[0]?.file as string)
    for (const file of [segment, join(folder, 'buckets.bin'), join(folder, 'snapshot.json')]) {
      const bytes = readFileSync(file)
      for (let k = 0; k < 60; k++) {
        const at = Math.floor((bytes.length * k) / 60)
        const bad = Buffer.from(bytes)
        bad[at] = (bad[at] as number) ^ 1
        // the time, name and version of the subject are vouched for by the signature alone
        if (
          file.endsWith('.json') &&
          /createdAt|subject|"name": "test"|version|sha256|bytes|null|rejected|misfits|reading/.test(lineAt(bytes, at))
        )
          continue
        writeFileSync(file, bad)
        await expect(openSnapshot(folder, { verify: true }), `${file} at ${at}`).rejects.toMatchObject({ name: 'SnapshotError' })
      }
      writeFileSync(file, bytes.subarray(0, bytes.length - 1))
      if (!file.endsWith('.json')) await expect(openSnapshot(folder)).rejects.toMatchObject({ code: 'snapshot-damaged', exit: 2 })
      writeFileSync(file, bytes)
    }
    await openSnapshot(folder, { verify: true })
  })
})

const lineAt = (bytes: Buffer, at: number): string => {
  const text = bytes.toString('utf8')
  return text.slice(text.lastIndexOf('\n', at - 1) + 1, (text.indexOf('\n', at) + 1 || text.length + 1) - 1) || 'null'
}
