import { type FileHandle, open } from 'node:fs/promises'
import zlib from 'node:zlib'
import { CompressionType, compressionRegistry, type RecordBatch, RecordBatchReader } from 'apache-arrow'
import type { ShardSpec } from '../contracts/data.ts'
import { type Block, isArrowFile, isArrowStream, messagesOf } from './arrow-messages.ts'
import { type ArrowLeaf, arrowLeaves, leafCells } from './arrow-vectors.ts'
import { assemble, rolesOf, usedColumns } from './assemble.ts'
import { readExactly, withFile } from './bytes.ts'
import { type Cells, sequence } from './cells.ts'
import { SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { decodeLz4Frame } from './lz4.ts'
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

/** Record batches of the blocks, one in memory at a time; schema and dictionaries are decoded once. */
async function* recordBatches(
  handle: FileHandle,
  path: string,
  head: readonly Block[],
  blocks: readonly Block[],
): AsyncGenerator<RecordBatch> {
  registerCodecs()
  let offset = 0
  const feed = async function* (): AsyncGenerator<Uint8Array> {
    for (const block of [...head, ...blocks]) {
      offset = block.offset
      yield await readExactly(handle, path, block.offset, block.bytes)
    }
  }
  let n = 0
  try {
    const reader = await RecordBatchReader.from(feed())
    for await (const batch of reader) {
      const block = blocks[n++]
      if (!block) break
      if (batch.numRows !== block.rows) throw new Error(`${batch.numRows} rows where ${block.rows} are declared`)
      yield batch
    }
  } catch (e) {
    if (e instanceof SourceError)
      throw new SourceError(e.code, e.message.startsWith(path) ? e.message : `${path}: ${e.message}`, { file: path, ...e.place }, e.hint)
    const reason = e instanceof Error ? e.message.split('\n', 1)[0] : ''
    throw new SourceError(
      'corrupt',
      `${path}: damaged Arrow data at byte ${offset}: ${reason}`,
      { file: path, offset },
      'fetch or write the file again',
    )
  }
  if (n < blocks.length)
    throw new SourceError('truncated', `${path}: ${n} record batches of ${blocks.length} could be read`, { file: path, offset })
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
      registerCodecs()
      const { head, batches } = await messagesOf(handle, path)
      const first = batches.find((b) => b.rows > 0)
      if (!first) {
        const schema = await schemaOf(handle, path, head)
        return schema.map((leaf) => sampleColumn(leaf.name, { kind: 'values', values: [] }, leaf.type, false))
      }
      for await (const batch of recordBatches(handle, path, head, [first])) {
        const rows = Math.min(batch.numRows, limits.sampleRows)
        const leaves = arrowLeaves(batch.schema.fields)
        if (leaves.length > limits.columns) throw new SourceError('too-large', `${path}: ${leaves.length} columns`, { file: path })
        return leaves.map((leaf) =>
          sampleColumn(
            leaf.name,
            guarded(path, first.offset, () => leafCells(batch, leaf, 0, rows)),
            leaf.type,
            false,
          ),
        )
      }
      return []
    }),

  shards: (path, id) =>
    withFile(path, async (handle): Promise<readonly ShardSpec[]> => {
      const { head, batches } = await messagesOf(handle, path)
      const shards: { first: number; rows: number; blocks: Block[] }[] = []
      let row = 0
      for (const block of batches) {
        const last = shards.at(-1)
        if (last && last.rows < limits.tableShardRows) {
          last.blocks.push(block)
          last.rows += block.rows
        } else shards.push({ first: row, rows: block.rows, blocks: [block] })
        row += block.rows
      }
      if (row > 2 ** 32 - 1) throw new SourceError('too-large', `${path}: ${row} rows in one file`, { file: path }, 'split the file')
      if (shards.length === 0) shards.push({ first: 0, rows: 0, blocks: [] })
      return shards.map((s) => ({
        id: shards.length > 1 ? `${id}#${s.first}+${s.rows}` : id,
        format: 'arrow',
        path,
        bytes: s.blocks.reduce((sum, b) => sum + b.bytes, 0),
        expectedRows: s.rows,
        options: { first: s.first, head: head as unknown as readonly never[], blocks: s.blocks as unknown as readonly never[] },
      }))
    }),

  async *read(shard, issue) {
    const roles = rolesOf(shard.options)
    const { first, head, blocks } = shard.options as unknown as { first: number; head: readonly Block[]; blocks: readonly Block[] }
    const wanted = usedColumns(roles.columns)
    const handle = await open(shard.path, 'r')
    try {
      let row = first
      let n = 0
      for await (const batch of recordBatches(handle, shard.path, head, blocks)) {
        const block = blocks[n++] as Block
        const leaves = arrowLeaves(batch.schema.fields)
        const used = wanted.map((name) => leaves.find((l) => l.name === name) ?? absent(name, shard.path))
        const rows = step(block.bytes, block.rows)
        for (let from = 0; from < batch.numRows; from += rows) {
          const to = Math.min(from + rows, batch.numRows)
          const columns = new Map<string, Cells>(
            used.map((l) => [l.name, guarded(shard.path, block.offset, () => leafCells(batch, l, from, to))]),
          )
          const out = assemble({ rows: sequence(row + from, to - from), lines: null, columns }, roles, shard.path, issue)
          if (out) yield out
        }
        row += batch.numRows
      }
    } finally {
      await handle.close()
    }
  },
}

const absent = (name: string, path: string): ArrowLeaf => {
  throw new SourceError('mixed-schema', `${path}: no column ${JSON.stringify(name)}`, { file: path, column: name })
}

function guarded<T>(path: string, offset: number, read: () => T): T {
  try {
    return read()
  } catch (e) {
    if (e instanceof SourceError) throw e
    throw new SourceError('corrupt', `${path}: damaged Arrow data at byte ${offset}: ${(e as Error).message}`, { file: path, offset })
  }
}

async function schemaOf(handle: FileHandle, path: string, head: readonly Block[]): Promise<ArrowLeaf[]> {
  const feed = async function* (): AsyncGenerator<Uint8Array> {
    for (const block of head) yield await readExactly(handle, path, block.offset, block.bytes)
  }
  const reader = await RecordBatchReader.from(feed())
  await reader.open()
  return arrowLeaves(reader.schema.fields)
}
