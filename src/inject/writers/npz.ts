import { open } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { Zip, ZipDeflate, ZipPassThrough } from 'fflate'
import { type ArrayHeader, headerLength, parseHeader } from '../../sources/npy-header.ts'
import { entriesOf, openZip, streamOf } from '../../sources/zip.ts'
import { InjectError } from '../errors.ts'
import { type Edit, editsOf } from './array-items.ts'
import { keptRanges, shorterHeader } from './array-rows.ts'
import type { CopyJob, CopyWriter } from './writer.ts'

const mostBytes = 2 ** 32 - 1
const pieceBytes = 1 << 20
/** The first day that an archive can name: the same bytes at any time. */
const mtime = new Date(1980, 0, 1)

interface Collected {
  readonly edits: ReadonlyMap<string, readonly Edit[]>
  /** Rows that go, by member. */
  readonly dropped: ReadonlyMap<string, readonly number[]>
}

/** Every edit of the archive by member: what changes is held, the arrays are not. */
async function collect(job: CopyJob, headers: ReadonlyMap<string, ArrayHeader>): Promise<Collected> {
  const edits = new Map<string, Edit[]>()
  const dropped = new Map<string, number[]>()
  for (const shard of job.shards) {
    const members = shard.options.members as Record<string, string>
    const own = new Map(Object.entries(members).map(([column, member]) => [column, headers.get(member) as ArrayHeader]))
    const rows: number[] = []
    for (const member of Object.values(members)) dropped.set(member, rows)
    for await (const change of job.changes(shard)) {
      if (change.drop) rows.push(change.row)
      for (const edit of editsOf(shard, own, change)) {
        const member = members[edit.array] as string
        const known = edits.get(member)
        if (known) known.push(edit)
        else edits.set(member, [edit])
      }
    }
  }
  return { edits, dropped }
}

/** A member with its edits, without the rows that go. */
function changed(bytes: Buffer, header: ArrayHeader | undefined, edits: readonly Edit[], dropped: readonly number[]): Buffer {
  if (!header) return bytes
  for (const { offset, bytes: value } of edits) bytes.set(value, header.offset + offset)
  if (dropped.length === 0) return bytes
  const kept = [...keptRanges(header, dropped)].map(([from, length]) => bytes.subarray(header.offset + from, header.offset + from + length))
  return Buffer.concat([shorterHeader(bytes.subarray(0, header.offset), header.rows - dropped.length), ...kept])
}

/** Copies the archive member by member, one array in memory at a time. */
export const writeNpz: CopyWriter = async (job) => {
  const zip = await openZip(job.path)
  const out = await open(job.out(job.path), 'wx')
  try {
    const entries = await entriesOf(zip)
    const total = entries.reduce((sum, e) => sum + e.uncompressedSize, 0)
    if (total > mostBytes)
      throw new InjectError(
        'unsupported',
        `${job.path}: arrays of ${total} bytes: archives beyond 4 GiB are not written`,
        'save each array as .npy',
      )
    const read = async (at: number): Promise<Buffer> => buffer(await streamOf(zip, entries[at] as never))
    const headers = new Map<string, ArrayHeader>()
    const names = entries.map((e) => String(e.fileName))
    const used = new Set(job.shards.flatMap((s) => Object.values(s.options.members as Record<string, string>)))
    for (const [i, name] of names.entries()) {
      const member = name.replace(/\.npy$/, '')
      if (!used.has(member)) continue
      const bytes = await read(i)
      headers.set(member, parseHeader(bytes, headerLength(bytes, job.path) ?? 0, job.path))
    }
    const { edits, dropped } = await collect(job, headers)
    const waiting: Uint8Array[] = []
    let problem: Error | null = null
    const archive = new Zip((error, piece) => {
      if (error) problem = error
      else waiting.push(piece)
    })
    const drain = async (): Promise<void> => {
      if (problem) throw problem
      for (const piece of waiting.splice(0)) await out.write(piece)
    }
    for (const [i, name] of names.entries()) {
      const member = name.replace(/\.npy$/, '')
      const bytes = changed(await read(i), headers.get(member), edits.get(member) ?? [], dropped.get(member) ?? [])
      const file = entries[i]?.compressionMethod === 0 ? new ZipPassThrough(name) : new ZipDeflate(name, { level: 6 })
      file.mtime = mtime
      archive.add(file)
      for (let at = 0; at < bytes.length || at === 0; at += pieceBytes) {
        file.push(bytes.subarray(at, at + pieceBytes), at + pieceBytes >= bytes.length)
        await drain()
      }
    }
    archive.end()
    await drain()
  } finally {
    zip.close()
    await out.close()
  }
  return null
}
