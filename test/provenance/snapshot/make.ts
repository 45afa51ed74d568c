import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { ChangeSummary, RecordChange, RecordSchema, SnapshotShard } from '../../../src/contracts/snapshot.ts'
import { diffSnapshots } from '../../../src/provenance/snapshot/diff.ts'
import { keyIdOf } from '../../../src/provenance/snapshot/digest.ts'
import { openSnapshot, type Snapshot } from '../../../src/provenance/snapshot/read.ts'
import { sealSnapshot } from '../../../src/provenance/snapshot/seal.ts'
import { openLeafSink } from '../../../src/provenance/snapshot/sink.ts'

export interface Row {
  readonly id?: string
  readonly text: string
  readonly label: string | null
  readonly source?: string | null
  /** ISO 8601 */
  readonly time?: string | null
}

/** Rows by name of the shard. */
export type Shards = Readonly<Record<string, readonly Row[]>>

export interface Making {
  readonly ids?: boolean
  readonly labels?: boolean
  readonly key?: Buffer | null
  readonly schema?: RecordSchema
  readonly ignored?: readonly string[]
  readonly name?: string
  readonly rowsPerChunk?: number
  readonly bufferBytes?: number
}

const root = mkdtempSync(join(tmpdir(), 'assay-snapshots-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
let made = 0

/** A snapshot on disk. Source and time are no content, so that a record may move between them. */
export async function makeSnapshot(shards: Shards, how: Making = {}): Promise<Snapshot> {
  const folder = join(root, String(made++))
  mkdirSync(join(folder, 'segments'), { recursive: true })
  const all = Object.values(shards).flat()
  const has = (of: 'source' | 'time'): string | null => (all.some((row) => row[of] !== undefined) ? of : null)
  const columns = {
    id: how.ids === false ? null : 'id',
    label: how.labels === false ? null : 'label',
    source: has('source'),
    time: has('time'),
    ignored: how.ignored ?? ['source', 'time'],
  }
  const schema = how.schema ?? { columns: null, nulls: [] }
  const sealed: SnapshotShard[] = []
  for (const [id, rows] of Object.entries(shards)) {
    const name = createHash('sha256').update(id).digest('hex').slice(0, 12)
    const options = how.bufferBytes === undefined ? {} : { bufferBytes: how.bufferBytes }
    const sink = openLeafSink(folder, name, columns, schema, how.key ?? null, options)
    const size = how.rowsPerChunk ?? 1000
    for (let from = 0; from < rows.length; from += size) {
      const part = rows.slice(from, from + size)
      const values = (of: keyof Row) => ({ kind: 'values' as const, values: part.map((row) => row[of] ?? null) })
      const names = (['id', 'text', 'label', 'source', 'time'] as const).filter((n) => n !== 'id' || how.ids !== false)
      sink.add({ rows: Uint32Array.from(part, (_, i) => from + i), lines: null, columns: new Map(names.map((n) => [n, values(n)])) })
    }
    sealed.push({
      id,
      bytes: 0,
      sha256: '0'.repeat(64),
      rows: rows.length,
      rejected: 0,
      misfits: 0,
      failure: null,
      reading: '0'.repeat(64),
      segments: await sink.close(),
    })
  }
  const subject = { name: how.name ?? 'set', version: null }
  const meta = { createdAt: '2026-11-24T00:00:00.000Z', subject, schema, columns, keyId: keyIdOf(how.key ?? null), previous: null }
  await sealSnapshot(folder, meta, sealed)
  return openSnapshot(folder)
}

export interface Diffed {
  readonly summary: ChangeSummary
  readonly changes: readonly RecordChange[]
}

export async function diffOf(before: Snapshot, after: Snapshot): Promise<Diffed> {
  const changes: RecordChange[] = []
  const summary = await diffSnapshots(before, after, (change) => changes.push(change))
  return { summary, changes }
}

export const diffRows = async (before: Shards, after: Shards, how: Making = {}): Promise<Diffed> =>
  diffOf(await makeSnapshot(before, how), await makeSnapshot(after, how))
