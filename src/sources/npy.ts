import { type FileHandle, open } from 'node:fs/promises'
import { basename } from 'node:path'
import type { ColumnMap, ShardSpec, SourceSpec } from '../contracts/data.ts'
import {
  type ArrayReader,
  alignedChunks,
  arrayRoles,
  batchRowsOf,
  checkAligned,
  printsBooleans,
  sampleArray,
  shardRowsOf,
} from './arrays.ts'
import { handOver, rolesOf } from './assemble.ts'
import { readExactly, readInto, withFile } from './bytes.ts'
import { asSourceError, SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { type ArrayHeader, headerLength, isNpy, maxHeaderBytes, parseHeader } from './npy-header.ts'
import { itemsOf, transposed } from './npy-items.ts'

interface ArrayFile {
  readonly name: string
  readonly path: string
  readonly header: ArrayHeader
}

/** The header, and the promise that the file has exactly the bytes that it declares. */
const openArray = (path: string, name: string): Promise<ArrayFile> =>
  withFile(path, async (handle) => {
    const { size } = await handle.stat()
    if (size === 0) throw new SourceError('empty', `${path}: is empty`, { file: path })
    const head = Buffer.alloc(Math.min(size, maxHeaderBytes))
    await readInto(handle, head, 0)
    const length = headerLength(head, path)
    if (length === null || length > size) {
      throw new SourceError('truncated', `${path}: ends inside its header`, { file: path, offset: size }, 'fetch or save the file again')
    }
    const header = parseHeader(head, length, path)
    const expected = header.offset + header.rows * header.dims * header.itemBytes
    if (size !== expected) {
      const code = size < expected ? 'truncated' : 'corrupt'
      const message = `${path}: has ${size} bytes where its header declares ${expected} (shape ${header.shape.join(' x ')})`
      throw new SourceError(code, message, { file: path, offset: Math.min(size, expected) }, 'fetch or save the file again')
    }
    return { name, path, header }
  })

/** How an array of `arrays:` is called among the columns: its file name, or its path where two files have the same name. */
export function arrayName(path: string, spec: SourceSpec): string {
  if (spec.path !== undefined) return path.replace(/\.npy$/, '')
  const twins = [...new Set(Object.values(spec.arrays ?? {}))].filter((p) => basename(p) === basename(path))
  return twins.length > 1 ? path : basename(path)
}

/** Files of `arrays:`, else the one file of the source. */
const filesOf = (path: string, spec: SourceSpec): { name: string; path: string }[] =>
  spec.arrays
    ? [...new Set(Object.values(spec.arrays))].map((p) => ({ path: p, name: arrayName(p, spec) }))
    : [{ path, name: basename(path) }]

/** Blocks of about 4 MiB; the next one is read while the batches of this one are at work. */
class Positioned implements ArrayReader {
  private block: Buffer = Buffer.alloc(0)
  private at = 0
  private next: number
  private left: number
  private ahead: Promise<Buffer> | null = null

  constructor(
    private readonly handle: FileHandle,
    private readonly file: ArrayFile,
    first: number,
    rows: number,
    private readonly batchRows: number,
    private readonly boolText: boolean,
  ) {
    this.next = first
    this.left = rows
  }

  async read(rows: number) {
    const { header, path } = this.file
    const bytes = rows * header.dims * header.itemBytes
    if (this.at >= this.block.length) {
      try {
        this.block = await (this.ahead ?? this.fetch())
      } catch (e) {
        throw asSourceError(e, path, 'cannot be read')
      }
      this.at = 0
      this.ahead = this.left > 0 ? this.fetch() : null
      // an error of the block ahead is thrown when its turn comes
      this.ahead?.catch(() => {})
    }
    const piece = this.block.subarray(this.at, this.at + bytes)
    this.at += bytes
    return itemsOf(piece, header, this.boolText)
  }

  async close(): Promise<void> {
    await this.ahead?.catch(() => {})
    await this.handle.close()
  }

  private fetch(): Promise<Buffer> {
    const { header, path } = this.file
    const rowBytes = header.dims * header.itemBytes
    const batches = Math.max(1, Math.floor(limits.arrayPieceBytes / (this.batchRows * rowBytes)))
    const rows = Math.min(this.left, batches * this.batchRows)
    const first = this.next
    this.next += rows
    this.left -= rows
    if (!header.fortran) return readExactly(this.handle, path, header.offset + first * rowBytes, rows * rowBytes)
    return this.columns(first, rows).then((block) => transposed(block, rows, header))
  }

  private async columns(first: number, rows: number): Promise<Buffer> {
    const { header, path } = this.file
    const bytes = rows * header.itemBytes
    const block = Buffer.from(new ArrayBuffer(bytes * header.dims))
    for (let j = 0; j < header.dims; j++) {
      const offset = header.offset + (j * header.rows + first) * header.itemBytes
      const n = await readInto(this.handle, block.subarray(j * bytes, (j + 1) * bytes), offset)
      if (n < bytes) throw new SourceError('truncated', `${path}: ends at byte ${offset + n}`, { file: path, offset: offset + n })
    }
    return block
  }
}

const openReaders = async (files: readonly ArrayFile[], columns: ColumnMap, first: number, rows: number, batchRows: number) => {
  const readers = new Map<string, ArrayReader>()
  for (const file of files) {
    const handle = await open(file.path, 'r').catch((e: unknown) => {
      throw asSourceError(e, file.path, 'cannot be read')
    })
    readers.set(file.name, new Positioned(handle, file, first, rows, batchRows, printsBooleans(columns, file.name)))
  }
  return readers
}

export const npy: SourceFormat = {
  name: 'npy',
  rereadable: true,
  extensions: ['.npy'],
  detect: isNpy,

  async columns(path, spec): Promise<readonly ColumnSample[]> {
    const files = await Promise.all(filesOf(path, spec).map((f) => openArray(f.path, f.name)))
    const samples: ColumnSample[] = []
    for (const file of files) {
      const rows = Math.min(file.header.rows, limits.sampleRows, batchRowsOf([file.header]))
      const readers = await openReaders([file], {}, 0, rows, Math.max(rows, 1))
      const reader = readers.get(file.name) as ArrayReader
      try {
        samples.push(sampleArray(file.name, file.header, await reader.read(rows)))
      } finally {
        await reader.close()
      }
    }
    return samples
  },

  async shards(path, id, spec, columns, every): Promise<readonly ShardSpec[]> {
    const used = new Set(arrayRoles(columns).map(([, name]) => name))
    const files = await Promise.all(
      filesOf(path, spec)
        .filter((f) => every || used.has(f.name))
        .map((f) => openArray(f.path, f.name)),
    )
    const rows = checkAligned(files, path)
    const headers = files.map((f) => f.header)
    const step = shardRowsOf(headers)
    const rowBytes = headers.reduce((sum, h) => sum + h.dims * h.itemBytes, 0)
    const shards: ShardSpec[] = []
    for (let first = 0; first < rows; first += step) {
      const n = Math.min(step, rows - first)
      shards.push({
        id: rows > step ? `${id}#${first}+${n}` : id,
        format: 'npy',
        path,
        bytes: n * rowBytes,
        expectedRows: n,
        options: { first, rows: n, files: files as unknown as readonly never[] },
      })
    }
    return shards
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const { first, rows, files } = shard.options as unknown as { first: number; rows: number; files: readonly ArrayFile[] }
    const batchRows = batchRowsOf(files.map((f) => f.header))
    const readers = await openReaders(files, roles.columns, first, rows, batchRows)
    for await (const chunk of alignedChunks(readers, first, rows, batchRows)) {
      const batch = handOver(chunk, roles, shard.path, issue, tap)
      if (batch) yield batch
    }
  },
}
