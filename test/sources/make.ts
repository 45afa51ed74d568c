import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32, deflateRawSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { afterAll } from 'vitest'
import { codesOf, column, matrixOf, rowsOf } from '../../src/contracts/batch.ts'
import type { Batch, RowIssue, ShardSpec, SourceListing, SourceSpec } from '../../src/contracts/data.ts'
import { SourceError } from '../../src/sources/errors.ts'
import { listSources } from '../../src/sources/list.ts'
import { readShard } from '../../src/sources/read.ts'

/** A folder of its own for one test file, gone when its tests are done. */
export function folder(): { dir: string; put(name: string, content: string | Uint8Array): string } {
  const dir = mkdtempSync(join(tmpdir(), 'assay-sources-'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))
  return {
    dir,
    put(name, content) {
      const path = join(dir, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content)
      return path
    },
  }
}

export interface Row {
  readonly [column: string]: unknown
}

/** Rows of a batch as plain objects: codes as words, vectors as arrays. */
export function rowsIn(batch: Batch): Row[] {
  const rows: Record<string, unknown>[] = Array.from(rowsOf(batch), (row) => ({ row }))
  for (const field of batch.schema.fields) {
    const name = field.name
    if (name === 'row') continue
    const codes = name === 'label' || name === 'source' ? codesOf(batch, name) : null
    const matrix = name === 'embedding' || name === 'predictions' || name === 'features' || name === 'image' ? matrixOf(batch, name) : null
    const vector = column(batch, name)
    rows.forEach((row, i) => {
      if (codes) row[name] = (codes.codes[i] as number) < 0 ? null : codes.values[codes.codes[i] as number]
      else if (matrix) row[name] = Array.from(matrix.data.subarray(i * matrix.dims, (i + 1) * matrix.dims))
      else row[name] = vector?.get(i) ?? null
    })
  }
  return rows
}

export interface Result {
  readonly listing: SourceListing
  readonly rows: Row[]
  readonly issues: RowIssue[]
  readonly errors: SourceError[]
  readonly batches: number[]
}

export async function readAll(shards: readonly ShardSpec[]): Promise<Omit<Result, 'listing'>> {
  const rows: Row[] = []
  const issues: RowIssue[] = []
  const errors: SourceError[] = []
  const batches: number[] = []
  for (const shard of shards) {
    try {
      for await (const batch of readShard(shard, (issue) => issues.push(issue))) {
        batches.push(batch.numRows)
        rows.push(...rowsIn(batch))
      }
    } catch (e) {
      if (!(e instanceof SourceError)) throw e
      errors.push(e)
    }
  }
  return { rows, issues, errors, batches }
}

/** Lists and reads; SourceErrors of reading are collected, those of listing are thrown. */
export async function load(spec: SourceSpec | SourceSpec[], base: string): Promise<Result> {
  const listing = await listSources(Array.isArray(spec) ? spec : [spec], base)
  return { listing, ...(await readAll(listing.shards)) }
}

/** The SourceError that listing throws. */
export async function refusal(spec: SourceSpec | SourceSpec[], base: string): Promise<SourceError> {
  try {
    await listSources(Array.isArray(spec) ? spec : [spec], base)
  } catch (e) {
    if (e instanceof SourceError) return e
    throw e
  }
  throw new Error('nothing was refused')
}

/** An .npy file as numpy.save writes it. */
export function npyBytes(descr: string, shape: readonly number[], data: ArrayBufferView, fortran = false): Buffer {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ')
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran ? 'True' : 'False'}, 'shape': (${axes}), }`
  const header = `${dict}${' '.repeat(63 - ((10 + dict.length) % 64))}\n`
  const head = Buffer.alloc(10)
  head.write('\x93NUMPY\x01\x00', 'latin1')
  head.writeUInt16LE(header.length, 8)
  return Buffer.concat([head, Buffer.from(header, 'latin1'), Buffer.from(data.buffer, data.byteOffset, data.byteLength)])
}

/** numpy's `U<n>` items. */
export function unicodeItems(words: readonly string[], width: number): Uint32Array {
  const out = new Uint32Array(words.length * width)
  words.forEach((word, i) => {
    for (const [j, c] of [...word].entries()) out[i * width + j] = c.codePointAt(0) as number
  })
  return out
}

/** Runs SQL in a fresh DuckDB: how Parquet fixtures are written. */
export async function duckdb(sql: readonly string[]): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  for (const statement of sql) await connection.run(statement)
  connection.closeSync()
  instance.closeSync()
}

/** A ZIP archive as numpy.savez (stored) and numpy.savez_compressed (deflated) write it. */
export function zipBytes(members: Readonly<Record<string, Uint8Array>>, how: 'stored' | 'deflated' = 'deflated'): Buffer {
  const parts: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, data] of Object.entries(members)) {
    const body = how === 'stored' ? Buffer.from(data) : deflateRawSync(data, { level: 9 })
    const file = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(how === 'stored' ? 0 : 8, 4)
    common.writeUInt32LE(crc32(data), 10)
    common.writeUInt32LE(body.length, 14)
    common.writeUInt32LE(data.length, 18)
    common.writeUInt16LE(file.length, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, file, body])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02'), Buffer.from([20, 0]), common, tail, file]))
    parts.push(local)
    offset += local.length
  }
  const central = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(directory.length, 4)
  end.writeUInt16LE(directory.length, 6)
  end.writeUInt32LE(central.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end])
}

/** A tar archive of these members. */
export async function tarBytes(members: readonly (readonly [string, string | Uint8Array])[]): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of members) archive.entry({ name, mtime: new Date(0) }, Buffer.from(content as string))
  archive.finalize()
  const parts: Buffer[] = []
  for await (const part of archive) parts.push(part as Buffer)
  return Buffer.concat(parts)
}
