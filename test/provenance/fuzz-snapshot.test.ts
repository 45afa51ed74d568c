import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AssayError } from '../../src/contracts/errors.ts'
import type { SnapshotShard } from '../../src/contracts/snapshot.ts'
import { diffSnapshots } from '../../src/provenance/snapshot/diff.ts'
import { openSnapshot } from '../../src/provenance/snapshot/read.ts'
import { sealSnapshot } from '../../src/provenance/snapshot/seal.ts'
import { openLeafSink } from '../../src/provenance/snapshot/sink.ts'
import { applyAll, type Edit, edits } from './fuzz/mutate.ts'

/** Damaged snapshots for each test. */
const runs = Math.ceil(Number(process.env.ASSAY_FUZZ ?? 300) / 8)
const mostMs = 5_000
const timeout = 30_000 + 200 * runs

const scratch = mkdtempSync(join(tmpdir(), 'assay-fuzz-snapshot-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

async function snapshot(folder: string, ids: boolean): Promise<void> {
  mkdirSync(join(folder, 'segments'), { recursive: true })
  const columns = { id: ids ? 'id' : null, label: 'label', source: 'site', time: null, ignored: [] }
  const schema = { columns: null, nulls: [] }
  const shards: SnapshotShard[] = []
  for (const shard of ['train.csv', 'test.csv']) {
    const name = createHash('sha256').update(shard).digest('hex').slice(0, 16)
    const sink = openLeafSink(folder, name, columns, schema, null)
    const values = (make: (i: number) => unknown) => ({ kind: 'values' as const, values: Array.from({ length: 40 }, (_, i) => make(i)) })
    sink.add({
      rows: Uint32Array.from({ length: 40 }, (_, i) => i),
      lines: null,
      columns: new Map([
        ['id', values((i) => `${shard}-${i}`)],
        ['text', values((i) => `the scan of patient ${i % 30} of ${shard}`)],
        ['label', values((i) => (i % 3 === 0 ? 'normal' : 'pneumonia'))],
        ['site', values((i) => `site ${i % 4}`)],
      ]),
    })
    const sha256 = createHash('sha256').update(`bytes of ${shard}`).digest('hex')
    shards.push({
      id: shard,
      bytes: 1000,
      sha256,
      rows: sink.rows,
      rejected: 0,
      misfits: 0,
      failure: null,
      reading: '0'.repeat(64),
      segments: await sink.close(),
    })
  }
  await sealSnapshot(
    folder,
    { createdAt: '2026-11-24T04:00:00.000Z', subject: { name: 'fuzz', version: null }, schema, columns, keyId: null, previous: null },
    shards,
  )
}

/** Every record of a snapshot: leaf and location. */
async function recordsOf(folder: string, verify: boolean): Promise<readonly string[]> {
  const opened = await openSnapshot(folder, { verify })
  const records: string[] = []
  for (const bucket of opened.buckets(() => true))
    for (let i = 0; i < bucket.size; i++)
      records.push(bucket.leaves.toString('hex', 64 * i, 64 * (i + 1)) + JSON.stringify(opened.location(bucket, i)))
  return records
}

describe.each([
  ['with ids', true],
  ['without ids', false],
])('snapshots %s', async (name, ids) => {
  const whole = join(scratch, name)
  await snapshot(whole, ids)
  const files = readdirSync(whole, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(whole.length + 1))
    .sort()
  const records = await recordsOf(whole, true)

  const damagedCopy = async (file: string, bytes: Buffer, use: (folder: string) => Promise<void>): Promise<void> => {
    const folder = mkdtempSync(join(scratch, 'c-'))
    const since = performance.now()
    try {
      cpSync(whole, folder, { recursive: true })
      writeFileSync(join(folder, file), bytes)
      await use(folder)
    } catch (error) {
      if (!(error instanceof AssayError)) throw error
      expect(error.message).not.toMatch(/\[object|\n\s+at /)
    } finally {
      rmSync(folder, { recursive: true, force: true })
      expect(performance.now() - since).toBeLessThan(mostMs)
    }
  }
  const damage = fc.tuple(fc.constantFrom(...files), edits)
  const damaged = (file: string, changes: readonly Edit[]): Buffer => applyAll(readFileSync(join(whole, file)), changes)

  it('holds all records when it is whole', () => expect(records).toHaveLength(80))

  it.each([true, false])(
    'damaged, gives the records that it had or an error (everything read first: %s)',
    (verify) =>
      fc.assert(
        fc.asyncProperty(damage, ([file, changes]) =>
          damagedCopy(file, damaged(file, changes), async (folder) => expect(await recordsOf(folder, verify)).toEqual(records)),
        ),
        { numRuns: runs },
      ),
    timeout,
  )

  it('damaged, differs in nothing from what it was, or does not compare', { timeout }, () =>
    fc.assert(
      fc.asyncProperty(damage, ([file, changes]) =>
        damagedCopy(file, damaged(file, changes), async (folder) => {
          const changes: unknown[] = []
          await diffSnapshots(await openSnapshot(whole), await openSnapshot(folder), (change) => changes.push(change))
          expect(changes).toEqual([])
        }),
      ),
      { numRuns: runs },
    ),
  )
})
