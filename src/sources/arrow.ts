import { type FileHandle, open } from 'node:fs/promises'
import zlib from 'node:zlib'
import { type AsyncRecordBatchFileReader, CompressionType, compressionRegistry, type RecordBatch, RecordBatchReader } from 'apache-arrow'
import type { Cells } from '../contracts/chunk.ts'
import type { ShardSpec } from '../contracts/data.ts'
import { decodeLz4Frame } from '../math/lz4.ts'
import { type Block, isArrowFile, isArrowStream, type Messages, messagesOf } from './arrow-messages.ts'
import { type ArrowLeaf, arrowLeaves, leafCells } from './arrow-vectors.ts'
import { handOver, rolesOf, usedColumns } from './assemble.ts'
import { readExactly, withFile } from './bytes.ts'
import { sequence, uniqueNames } from './cells.ts'
import { reasonOf, SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { sampleColumn } from './sample.ts'

type Zstd = (input: Uint8Array, options: { maxOutputLength: number }) => Uint8Array

/** Node has Zstandard from 22.15 on. */
const zstd = (zlib as { zstdDecompressSync?: Zstd }).zstdDecompressSync

let registered = false

function registerCodecs(): void {
  if (registered) return
  registered = true
  compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decodeLz4Frame })
  compressionRegistry.set(CompressionType.ZSTD, {
    decode: (bytes) => {
      if (!zstd)
        throw new SourceError(
          'unsupported',
          'Arrow buffers compressed with Zstandard need Node 22.15',
          {},
          'write them with LZ4 or uncompressed',
        )
      return zstd(bytes, { maxOutputLength: Math.max(limits.expansionFloor, limits.expansion * bytes.length) })
    },
  })
}

/** Messages of a stream as the reader expects them. */
async function* feed(handle: FileHandle, path: string, blocks: readonly Block[]): AsyncGenerator<Uint8Array> {
  for (const block of blocks) yield await readExactly(handle, path, block.offset, block.bytes)
}

async function* decoded(handle: FileHandle, path: string, messages: Messages, from: number, to: number): AsyncGenerator<RecordBatch> {
  if (!messages.file) {
    const blocks = [...messages.head, ...messages.batches.slice(from, to)]
    yield* await RecordBatchReader.from(feed(handle, path, blocks))
    return
  }
  const reader = (await RecordBatchReader.from(handle)) as AsyncRecordBatchFileReader
  await reader.open()
  for (let i = from; i < to; i++) {
    const batch = await reader.readRecordBatch(i)
    if (!batch) return
    yield batch
  }
}

/** Record batches `from` to `to`, one in memory at a time; schema and dictionaries are decoded once. */
async function* recordBatches(handle: FileHandle, path: string, messages: Messages, from: number, to: number): AsyncGenerator<RecordBatch> {
  registerCodecs()
  const { batches } = messages
  let n = from
  const offset = () => batches[Math.min(n, batches.length - 1)]?.offset ?? 0
  try {
    for await (const batch of decoded(handle, path, messages, from, to)) {
      const rows = batches[n]?.rows
      if (batch.numRows !== rows) throw new Error(`${batch.numRows} rows where ${rows} are declared`)
      yield batch
      n++
    }
  } catch (e) {
    throw damaged(e, path, offset())
  }
  if (n < to) throw damaged(new Error(`${n} record batches of ${to} could be read`), path, offset())
}

function damaged(e: unknown, path: string, offset: number): SourceError {
  if (e instanceof SourceError) {
    return new SourceError(e.code, e.message.startsWith(path) ? e.message : `${path}: ${e.message}`, { file: path, ...e.place }, e.hint)
  }
  const message = `${path}: damaged Arrow data in the message at byte ${offset}: ${reasonOf(e)}`
  return new SourceError('corrupt', message, { file: path, offset }, 'fetch or write the file again')
}

/** Row ranges of a batch whose text and binary columns stay below a batch's bytes: the average row decides. */
function step(bytes: number, rows: number): number {
  const perRow = Math.max(1, bytes / Math.max(rows, 1))
  return Math.max(1, Math.min(limits.batchRows, Math.floor(limits.batchBytes / perRow)))
}

export const arrow: SourceFormat = {
  name: 'arrow',
  extensions: ['.arrow', '.feather', '.arrows', '.ipc'],
  detect: (head) => isArrowFile(head) || isArrowStream(head),

  columns: (path) =>
    withFile(path, async (handle): Promise<readonly ColumnSample[]> => {
      const messages = await messagesOf(handle, path)
      const first = messages.batches.findIndex((b) => b.rows > 0)
      if (first < 0) {
        const leaves = await leavesOf(handle, path, messages)
        return leaves.map((leaf) => sampleColumn(leaf.name, { kind: 'values', values: [] }, leaf.type, false))
      }
      for await (const batch of recordBatches(handle, path, messages, first, first + 1)) {
        const rows = Math.min(batch.numRows, limits.sampleRows)
        const leaves = arrowLeaves(batch.schema.fields)
        if (leaves.length > limits.columns) throw new SourceError('too-large', `${path}: ${leaves.length} columns`, { file: path })
        return leaves.map((leaf) => sampleColumn(leaf.name, leafCells(batch, leaf, 0, rows), leaf.type, false))
      }
      return []
    }),

  shards: (path, id) =>
    withFile(path, async (handle): Promise<readonly ShardSpec[]> => {
      const { batches } = await messagesOf(handle, path)
      const parts: { first: number; rows: number; bytes: number; from: number; to: number }[] = []
      let first = 0
      for (const [i, block] of batches.entries()) {
        const last = parts.at(-1)
        if (last && last.rows < limits.tableShardRows) {
          last.to = i + 1
          last.rows += block.rows
          last.bytes += block.bytes
        } else parts.push({ first, rows: block.rows, bytes: block.bytes, from: i, to: i + 1 })
        first += block.rows
      }
      if (first > 2 ** 32 - 1) throw new SourceError('too-large', `${path}: ${first} rows in one file`, { file: path }, 'split the file')
      if (parts.length === 0) parts.push({ first: 0, rows: 0, bytes: 0, from: 0, to: 0 })
      return parts.map(({ bytes, ...part }) => ({
        id: parts.length > 1 ? `${id}#${part.first}+${part.rows}` : id,
        format: 'arrow',
        path,
        bytes,
        expectedRows: part.rows,
        options: part,
      }))
    }),

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const { first, from, to } = shard.options as unknown as { first: number; from: number; to: number }
    const wanted = usedColumns(roles.columns)
    const handle = await open(shard.path, 'r')
    try {
      const messages = await messagesOf(handle, shard.path)
      let row = first
      let block = from
      for await (const batch of recordBatches(handle, shard.path, messages, from, to)) {
        const { bytes, rows, offset } = messages.batches[block++] as Block
        const leaves = arrowLeaves(batch.schema.fields)
        const all = uniqueNames(leaves.map((l) => l.name))
        const used = tap
          ? leaves.map((leaf, k) => ({ ...leaf, name: all[k] as string }))
          : wanted.map((name) => leaves.find((l) => l.name === name) ?? absent(name, shard.path))
        const size = step(bytes, rows)
        for (let low = 0; low < rows; low += size) {
          const high = Math.min(low + size, rows)
          const columns = new Map<string, Cells>()
          try {
            for (const leaf of used) columns.set(leaf.name, leafCells(batch, leaf, low, high))
          } catch (e) {
            throw damaged(e, shard.path, offset)
          }
          const out = handOver({ rows: sequence(row + low, high - low), lines: null, columns }, roles, shard.path, issue, tap)
          if (out) yield out
        }
        row += rows
      }
    } finally {
      await handle.close()
    }
  },
}

const absent = (name: string, path: string): ArrowLeaf => {
  throw new SourceError('mixed-schema', `${path}: no column ${JSON.stringify(name)}`, { file: path, column: name })
}

async function leavesOf(handle: FileHandle, path: string, messages: Messages): Promise<ArrowLeaf[]> {
  try {
    const reader = messages.file ? await RecordBatchReader.from(handle) : await RecordBatchReader.from(feed(handle, path, messages.head))
    await reader.open()
    return arrowLeaves(reader.schema.fields)
  } catch (e) {
    throw damaged(e, path, 0)
  }
}
